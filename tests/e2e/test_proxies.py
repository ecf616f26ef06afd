"""The examples of `deploy/`, with nginx and Caddy in front of `durabase serve`, TLS at the proxy."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from e2e._loop import run
from e2e._proxies import PATIENCE, TRUSTING, House, caddy, housed, nginx
from hostile._project import ROOM, write_project

LARGE = "".join(f"{number:x}" for number in range(20_000))


@pytest.fixture(params=[nginx, caddy])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with housed(tmp_path, request.param, ["--processes", "2", "--admin", "0", *TRUSTING]) as house:
        yield house


def test_sockets_pass_and_programs_know_who_asks(house: House) -> None:
    async def ask() -> str:
        context = house.authority.client_context()
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port, ssl=context)
        writer.write(
            f"GET /who HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = (await reader.read()).decode()
        writer.close()
        return answer

    async def main() -> None:
        async with asyncio.timeout(PATIENCE):
            assert f"https://127.0.0.1:{house.port}/who 127.0.0.1" in await ask()
            for name in ("a", "b", "c"):
                url = f"wss://127.0.0.1:{house.port}/{name}"
                async with connect(url, ssl=house.authority.client_context()) as client:
                    assert client.response is not None
                    assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]
                    await client.recv()
                    await client.send(LARGE)
                    assert await client.recv() == LARGE

    run(main())


def test_the_doctor_finds_nothing_wrong_on_the_way(house: House) -> None:
    done = house.doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    way = done.stdout[done.stdout.index("Clock") - 4 :]
    assert "!" not in way
    assert "✘" not in way
    assert f"programs see https\n  ✓ Host        programs see 127.0.0.1:{house.port}\n" in way
    assert "the proxy says who asks: 127.0.0.1" in way
    assert "messages are compressed" in way
    assert "✓ WebSocket   it opens, and gets pings while it is idle" in way


BUFFERING = {
    "nginx": (nginx, [("proxy_buffering off;", "gzip on; gzip_types text/event-stream;")]),
    "caddy": (caddy, [("(reverse_proxy .*)", r"encode gzip\n\t\1")]),
}


@pytest.mark.parametrize("name", BUFFERING)
def test_events_come_at_once_though_the_proxy_buffers_and_compresses(name: str, tmp_path: Path) -> None:
    proxy, edits = BUFFERING[name]

    def write(folder: Path) -> Path:
        return write_project(folder, ROOM.replace('Objects")', 'Objects", rest="/api")'))

    with housed(tmp_path, proxy, TRUSTING, edits, write) as house:
        context = house.authority.client_context()
        following = HTTPSConnection("127.0.0.1", house.port, timeout=PATIENCE, context=context)
        following.request("GET", "/api/rooms/a/events", headers={"Accept-Encoding": "gzip"})
        events = following.getresponse()
        expand = zlib.decompressobj(31).decompress if events.headers["Content-Encoding"] else bytes
        _read_until(b"event: snapshot", events, expand)
        writing = HTTPSConnection("127.0.0.1", house.port, timeout=PATIENCE, context=context)
        writing.request("PUT", "/api/rooms/a/values/v", "1", {"content-type": "application/json"})
        assert writing.getresponse().status == 201
        _read_until(b'"values":{"v":1}', events, expand)
        following.close()
        writing.close()


def _read_until(text: bytes, events: HTTPResponse, expand: Callable[[bytes], bytes]) -> None:
    read = b""
    for _ in range(5):  # pieces, which proxies may have cut as they like
        read += expand(events.read1())
        if text in read:
            return
    raise AssertionError(read)


WRONG = {
    "nginx as it is without a word": (
        nginx,
        TRUSTING,
        [
            ("proxy_pass http://durabase;", "proxy_pass http://durabase/;"),
            ("proxy_set_header", "#"),
            ("client_max_body_size", "#"),
        ],
        {
            "Address": ("fail", "anybody can pretend another address"),
            "Scheme": ("warn", "programs see http in place of https"),
            "Host": ("warn", "programs see durabase in place of"),
            "Paths": ("warn", "/room%2Fdoctor arrives as /room/doctor"),
            "Bodies": ("warn", "bodies of 32 MiB are refused"),
            "WebSocket": ("fail", "the upgrade is answered with"),
        },
    ),
    "nginx that is not believed and impatient": (
        nginx,
        (),
        [
            (
                r"(proxy_set_header X-Forwarded-For) .*;",
                r"\1 ''; proxy_set_header Sec-WebSocket-Extensions '';",
            ),
            ("proxy_read_timeout 75s", "proxy_read_timeout 2s"),
        ],
        {
            "Address": ("warn", "the client's address does not arrive"),
            "Scheme": ("warn", "programs see http in place of https: the proxy is not believed"),
            "Compression": ("warn", "the offer to compress messages does not arrive"),
            "Bodies": ("ok", "bodies of 32 MiB are taken"),
            "WebSocket": ("fail", "it is cut after it was idle for 2 s"),
        },
    ),
    "Caddy that knows better": (
        caddy,
        TRUSTING,
        [
            (
                "(reverse_proxy .*)",
                r"uri replace %2F /\n\t\1 {"
                r"\n\theader_up Host elsewhere.example\n\theader_up X-Forwarded-Proto http\n}",
            )
        ],
        {
            "Address": ("ok", "the proxy says who asks: 127.0.0.1"),
            "Scheme": ("warn", "programs see http in place of https"),
            "Host": ("warn", "programs see elsewhere.example in place of"),
            "Paths": ("warn", "/room%2Fdoctor arrives as /room/doctor"),
            "WebSocket": ("warn", "it opens, and gets no ping"),
        },
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_doctor_finds_what_is_wrong(case: str, tmp_path: Path) -> None:
    proxy, options, edits, expected = WRONG[case]
    with housed(tmp_path, proxy, [*options, "--admin", "0"], edits) as house:
        done = house.doctor("--json", "--patience", "4")
    findings = {each["name"]: each for each in json.loads(done.stdout)}
    for name, (level, text) in expected.items():
        assert findings[name]["level"] == level, findings[name]
        assert findings[name]["text"].startswith(text), findings[name]
    assert done.returncode == any(each["level"] == "fail" for each in findings.values())
