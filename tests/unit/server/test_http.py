"""HTTP/1.1 over real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from durabase.server import ServerLimits
from durabase.testing import FakeClock
from durabase.web import Request, Response
from unit.server.live import (
    KEY,
    Client,
    Hub,
    LoopFactory,
    on_each_loop,
    run_on,
    serving,
    until,
    upgrade_request,
)


async def hello(request: Request) -> Response:
    return Response(f"{request.method} {request.url}")


async def mirror(request: Request) -> Response:
    return Response(await request.bytes())


def get(path: str = "/", *extra: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: test:1", *extra, "", ""]).encode()


def post(body: bytes, *extra: str) -> bytes:
    return get("/", f"Content-Length: {len(body)}", *extra, method="POST") + body


@on_each_loop
def test_a_request_and_its_answer(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        clock = FakeClock(0)
        async with serving(hello, clock=clock) as server, Client.opened(server.port) as client:
            await client.send(get("/a%20b//%70?x=%7e"))
            status, headers, body = await client.read_response()
            assert (status, body) == (200, b"GET http://test:1/a%20b//%70?x=%7e")
            assert headers == {
                "content-type": "text/plain;charset=utf-8",
                "content-length": str(len(body)),
                "date": "thu, 01 jan 1970 00:00:00 gmt",
            }

    run_on(loop_factory, main())


@on_each_loop
def test_a_connection_is_kept_and_pipelined_requests_are_answered_in_order(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        async with serving(hello) as server, Client.opened(server.port) as client:
            await client.send(get("/1") + get("/2") + get("/3")[:10])
            assert (await client.read_response())[2].endswith(b"/1")
            assert (await client.read_response())[2].endswith(b"/2")
            await client.send(get("/3")[10:])
            assert (await client.read_response())[2].endswith(b"/3")

    run_on(loop_factory, main())


@on_each_loop
def test_a_body_is_read_whole_in_any_framing(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        async with serving(mirror) as server, Client.opened(server.port) as client:
            for piece in (post(b"x" * 5)[:-2], b"xx"):
                await client.send(piece)
            assert (await client.read_response())[2] == b"xxxxx"
            chunked = (
                get("/", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            )
            await client.send(chunked)
            assert (await client.read_response())[2] == b"abcde"
            await client.send(
                get("/", "Content-Length: 3") + b"abc"
            )  # a body that GET may not have is dropped
            assert (await client.read_response())[2] == b""

    run_on(loop_factory, main())


@on_each_loop
def test_who_waits_to_be_asked_for_a_body_is_asked(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        async with serving(mirror) as server, Client.opened(server.port) as client:
            await client.send(get("/", "Content-Length: 2", "Expect: 100-continue", method="POST"))
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.send(b"ok")
            assert (await client.read_response())[2] == b"ok"

    run_on(loop_factory, main())


@pytest.mark.feature("S-SC-1")
@on_each_loop
@pytest.mark.parametrize("framing", ["Content-Length: 101", "Transfer-Encoding: chunked"])
def test_a_body_that_is_too_large_is_refused_early(loop_factory: LoopFactory, framing: str) -> None:
    async def main() -> None:
        limits = ServerLimits(body_bytes=100)
        async with serving(mirror, limits=limits) as server, Client.opened(server.port) as client:
            await client.send(get("/", framing, method="POST"))
            if "chunked" in framing:
                await client.send(b"65\r\n" + b"x" * 101)
            status, headers, _ = await client.read_response()
            assert (status, headers["connection"]) == (413, "close")
            assert await client.reader.read() == b""

    run_on(loop_factory, main())


@on_each_loop
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (get("/", "Content-Length: 1x"), 400),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (b"CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\n\r\n", 400),
        (get("/", "X-Long: " + "x" * 70_000), 431),
        (get("/" + "x" * 70_000), 431),
    ],
)
@pytest.mark.feature("S-SC-1")
def test_what_is_no_request_is_refused(loop_factory: LoopFactory, data: bytes, status: int) -> None:
    async def main() -> None:
        async with serving(hello) as server, Client.opened(server.port) as client:
            await client.send(data)
            assert (await client.read_response())[0] == status
            assert await client.reader.read() == b""

    run_on(loop_factory, main())


@on_each_loop
def test_long_paths_are_served(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        async with serving(hello) as server, Client.opened(server.port) as client:
            await client.send(get("/" + "x" * 30_000))
            assert len((await client.read_response())[2]) > 30_000

    run_on(loop_factory, main())


@on_each_loop
def test_head_has_the_headers_only(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        async with serving(hello) as server, Client.opened(server.port) as client:
            await client.send(get("/", method="HEAD"))
            head = await client.reader.readuntil(b"\r\n\r\n")
            assert b"Content-Length: 19" in head
            await client.send(get("/next"))
            assert (await client.read_response())[2].endswith(b"/next")

    run_on(loop_factory, main())


@on_each_loop
@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_no_body(loop_factory: LoopFactory, status: int) -> None:
    async def fetch(request: Request) -> Response:
        return Response(None, status)

    async def main() -> None:
        async with serving(fetch) as server, Client.opened(server.port) as client:
            await client.send(get() + get())
            for _ in range(2):
                found, headers, _ = await client.read_response()
                assert found == status
                assert "content-length" not in headers

    run_on(loop_factory, main())


@on_each_loop
def test_headers_go_out_as_they_are(loop_factory: LoopFactory) -> None:
    async def fetch(request: Request) -> Response:
        headers = [("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("X-Name", "é"), ("content-length", "9999")]
        return Response(b"ok", 201, "Done", headers)

    async def main() -> None:
        async with serving(fetch) as server, Client.opened(server.port) as client:
            await client.send(get("/", "Connection: close"))
            answer = await client.reader.read()
            assert answer.startswith(b"HTTP/1.1 201 Done\r\n")
            assert b"set-cookie: a=1\r\nset-cookie: b=2\r\n" in answer
            assert b"x-name: \xe9\r\n" in answer
            assert answer.count(b"ontent-") == 1
            assert answer.endswith(b"\r\n\r\nok")

    run_on(loop_factory, main())


@on_each_loop
def test_a_stream_is_sent_in_chunks_as_it_comes(loop_factory: LoopFactory) -> None:
    asked = asyncio.Event()

    async def stream() -> AsyncIterator[bytes]:
        yield b"one"
        await asked.wait()
        yield b""
        yield b"two"

    async def fetch(request: Request) -> Response:
        return Response(stream())

    async def main() -> None:
        async with serving(fetch) as server, Client.opened(server.port) as client:
            await client.send(get())
            head = await client.reader.readuntil(b"\r\n\r\n")
            assert b"transfer-encoding: chunked" in head.lower()
            assert await client.reader.readuntil(b"one\r\n") == b"3\r\none\r\n"
            await client.send(get("/next"))
            asked.set()
            assert await client.reader.readuntil(b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"
            assert b"chunked" in (await client.reader.readuntil(b"\r\n\r\n")).lower()
            assert await client.reader.readuntil(b"0\r\n\r\n") == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"

    run_on(loop_factory, main())


@on_each_loop
def test_a_stream_waits_for_its_reader(loop_factory: LoopFactory) -> None:
    made = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(100):
            made += 1
            yield b"x" * (1 << 20)

    async def fetch(request: Request) -> Response:
        return Response(stream())

    async def main() -> None:
        async with serving(fetch) as server, Client.opened(server.port) as client:
            client.stop_reading()
            await client.send(get("/", version="1.0"))
            before = -1
            while before != made:
                before = made
                for _ in range(1000):
                    await asyncio.sleep(0)
            assert 0 < made < 60
            client.go_on_reading()
            size = 0
            while data := await client.reader.read(1 << 20):
                size += len(data)
            assert size > 100 << 20

    run_on(loop_factory, main())


@on_each_loop
def test_a_stream_without_a_reader_is_cancelled(loop_factory: LoopFactory) -> None:
    ended = asyncio.Event()

    async def stream() -> AsyncIterator[bytes]:
        try:
            yield b"one"
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    async def fetch(request: Request) -> Response:
        return Response(stream())

    async def main() -> None:
        async with serving(fetch) as server:
            async with Client.opened(server.port) as client:
                await client.send(get())
                await client.reader.readuntil(b"one")
            await ended.wait()

    run_on(loop_factory, main())


@on_each_loop
def test_an_error_is_a_500_and_logged(loop_factory: LoopFactory, caplog: pytest.LogCaptureFixture) -> None:
    async def fetch(request: Request) -> Response:
        raise LookupError("secret")

    async def main(debug: bool) -> bytes:
        async with serving(fetch, debug=debug) as server, Client.opened(server.port) as client:
            await client.send(get("/x"))
            status, _, body = await client.read_response()
            assert status == 500
            return body

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(main(False)) == b"Internal Server Error"
        body = runner.run(main(True))
    assert b"LookupError: secret" in body
    assert b"Traceback" in body
    assert [record.getMessage() for record in caplog.records] == ["GET http://test:1/x"] * 2


@on_each_loop
def test_a_stream_that_fails_cuts_the_answer_off(
    loop_factory: LoopFactory, caplog: pytest.LogCaptureFixture
) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield b"one"
        raise LookupError

    async def fetch(request: Request) -> Response:
        return Response(stream())

    async def main() -> None:
        async with serving(fetch) as server, Client.opened(server.port) as client:
            await client.send(get())
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await client.reader.readuntil(b"0\r\n\r\n")

    run_on(loop_factory, main())
    assert "broke off" in caplog.text


@on_each_loop
def test_each_answer_is_told(loop_factory: LoopFactory) -> None:
    told: list[tuple[str, str, int, float]] = []

    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch, on_access=lambda *call: told.append(call)) as server:
            async with Client.connected(server.port, "/room?x"):
                pass
            async with Client.opened(server.port) as client:
                await client.send(upgrade_request("/old", version="8"))
                await client.reader.read()

    run_on(loop_factory, main())
    assert [call[:3] for call in told] == [("GET", "/room?x", 101), ("GET", "/old", 426)]
    assert all(0 <= call[3] < 60 for call in told)


# Upgrading


@on_each_loop
@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (upgrade_request(version="8"), 426),
        (upgrade_request().replace(b"Connection: keep-alive, Upgrade\r\n", b""), 400),
        (upgrade_request(key="AAAA"), 400),
    ],
)
def test_a_bad_handshake_is_refused_before_the_program_sees_it(
    loop_factory: LoopFactory, request_bytes: bytes, status: int
) -> None:
    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch) as server, Client.opened(server.port) as client:
            await client.send(request_bytes)
            found, headers, _ = await client.read_response()
            assert found == status
            assert headers["sec-websocket-version"] == "13"
            assert hub.requests == []

    run_on(loop_factory, main())


@on_each_loop
def test_what_a_request_without_a_key_gets_is_the_programs_affair(loop_factory: LoopFactory) -> None:
    async def fetch(request: Request) -> Response:
        return Response("Upgrade required", 426)

    async def main() -> None:
        async with serving(fetch) as server, Client.opened(server.port) as client:
            await client.send(upgrade_request(key=None))
            assert (await client.read_response())[::2] == (426, b"Upgrade required")

    run_on(loop_factory, main())


@on_each_loop
def test_the_program_decides_on_an_upgrade(loop_factory: LoopFactory) -> None:
    async def fetch(request: Request) -> Response:
        assert request.headers.get("sec-websocket-key") == KEY
        return Response("no room", 403)

    async def main() -> None:
        async with serving(fetch) as server, Client.opened(server.port) as client:
            for _ in range(2):  # the connection is as good as before
                await client.send(upgrade_request())
                assert (await client.read_response())[::2] == (403, b"no room")

    run_on(loop_factory, main())


@on_each_loop
def test_the_answer_carries_the_programs_headers_and_no_extension(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub(headers={"Sec-WebSocket-Protocol": "chat", "X-Room": "7", "Sec-WebSocket-Extensions": "x"})
        async with (
            serving(hub.fetch) as server,
            Client.connected(
                server.port,
                "/",
                "Sec-WebSocket-Protocol: chat",
                "Sec-WebSocket-Extensions: permessage-deflate",
            ) as client,
        ):
            head = client.head.lower()
            assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in head
            assert b"sec-websocket-protocol: chat" in head
            assert b"x-room: 7" in head
            assert b"extensions" not in head

    run_on(loop_factory, main())


@on_each_loop
def test_a_websocket_for_somebody_who_did_not_ask_is_an_error(
    loop_factory: LoopFactory, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch, debug=True) as server, Client.opened(server.port) as client:
            await client.send(get())
            status, _, body = await client.read_response()
            assert status == 500
            assert b'did not contain the header "Upgrade: websocket"' in body
            assert hub.sinks[0].events[-1][:2] == ("close", 1006)

    run_on(loop_factory, main())


@pytest.mark.feature("S-ST-7")
@on_each_loop
def test_a_client_that_goes_away_aborts_the_signal_and_not_the_handler(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        requests: list[Request] = []
        go, handled = asyncio.Event(), asyncio.Event()

        async def fetch(request: Request) -> Response:
            requests.append(request)
            await go.wait()
            handled.set()
            return Response("there")

        async with serving(fetch) as server:
            async with Client.opened(server.port) as client:
                await client.send(get("/gone"))
                await until(lambda: len(requests) == 1)
                assert not requests[0].signal.aborted
            await until(lambda: requests[0].signal.aborted)
            assert not handled.is_set()
            go.set()
            await handled.wait()
            async with Client.opened(server.port) as client:
                await client.send(get("/there"))
                assert (await client.read_response())[2] == b"there"
            assert not requests[1].signal.aborted

    run_on(loop_factory, main())


@on_each_loop
def test_a_client_that_left_before_its_upgrade_is_told_to_the_object(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub, gone = Hub(), asyncio.Event()

        async def fetch(request: Request) -> Response:
            await gone.wait()
            return await hub.fetch(request)

        async with serving(fetch) as server:
            async with Client.opened(server.port) as client:
                await client.send(upgrade_request())
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.01)
            gone.set()
            await until(lambda: bool(hub.sinks))
            await hub.sinks[0].closed.wait()
            assert hub.sinks[0].events[-1][:2] == ("close", 1006)

    run_on(loop_factory, main())


# Time


@pytest.mark.feature("S-SC-1")
@on_each_loop
def test_a_request_that_dribbles_in_is_refused(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        clock = FakeClock()
        async with serving(hello, clock=clock) as server, Client.opened(server.port) as client:
            for at in range(4):
                await client.send(get()[at * 5 : at * 5 + 5])
                await asyncio.sleep(0.01)
                clock.advance(10_000)
            assert (await client.read_response())[0] == 408
            assert await client.reader.read() == b""

    run_on(loop_factory, main())


@on_each_loop
def test_idle_connections_are_closed_without_a_word(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        clock = FakeClock()
        async with (
            serving(hello, clock=clock) as server,
            Client.opened(server.port) as silent,
            Client.opened(server.port) as kept,
        ):
            await kept.send(get())
            await kept.read_response()
            clock.advance(40_000)
            assert await silent.reader.read() == b""
            await kept.send(get())
            await kept.read_response()
            clock.advance(80_000)
            assert await kept.reader.read() == b""

    run_on(loop_factory, main())


@on_each_loop
def test_a_client_that_sends_nothing_more_still_gets_its_answer(loop_factory: LoopFactory) -> None:
    async def fetch(request: Request) -> Response:
        await asyncio.sleep(0.01)
        return Response("late")

    async def main() -> None:
        async with serving(fetch) as server, Client.opened(server.port) as client:
            await client.send(get())
            client.writer.write_eof()
            assert (await client.reader.read()).endswith(b"late")

    run_on(loop_factory, main())
