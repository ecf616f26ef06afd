"""Letting connections in, and feeding them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from websockets import http11
from websockets.datastructures import Headers

from durabase.errors import ServerError
from durabase.sync_server._serving import close_of, path_id_of, refusing, upgrade_request
from durabase.web import Response
from unit.sync_server._fakes import FakePort
from unit.sync_server.test_ws_server import ASK_HASHES, Bench, answers, diff, run


@pytest.mark.parametrize("client_id", ["S", "", "a\nb"])
def test_ids_that_mean_something_else_are_refused(client_id: str) -> None:
    with pytest.raises(ValueError, match="can't be the id"):
        Bench().connect(client_id)


def test_serving_a_transport_until_it_ends() -> None:
    class Transport(FakePort):
        async def __aiter__(self) -> AsyncIterator[str]:
            for text in (ASK_HASHES, diff(7)):
                yield text

        async def wait_closed(self) -> None: ...

    async def test() -> None:
        bench, transport = Bench(), Transport()
        await bench.server.serve(transport, "/p?x")
        assert len(answers(transport)) == 1
        assert bench.place["p"][1][0]["v"][0] == 7
        assert bench.server.get_stats() == {"paths": 0, "clients": 0}
        await bench.server.destroy()
        late = Transport()
        await bench.server.serve(late)
        assert late.closed == (None, "")

    run(test)


@pytest.mark.parametrize(
    ("path", "path_id"),
    [
        ("/", ""),
        ("", ""),
        ("/a/b", "a/b"),
        ("/a%20b?x=/y", "a%20b"),
        ("//a", "/a"),
        ("/?a", ""),
        ("no slash", ""),
    ],
)
def test_the_path_is_what_was_sent_after_the_first_slash(path: str, path_id: str) -> None:
    assert path_id_of(path) == path_id


@pytest.mark.parametrize(
    ("status", "text", "closed"),
    [
        (401, "who", (4401, "who")),
        (403, "no", (4403, "no")),
        (429, "many", (1013, "many")),
        (500, "x" * 200, (4403, "x" * 40)),
        (403, "", (4403, "")),
    ],
)
def test_a_refusal_as_a_close(status: int, text: str, closed: tuple[int, str]) -> None:
    assert close_of(Response(text, status)) == closed


class Upgrade:
    """A connection of the ``websockets`` package before it opens."""

    def __init__(self, peer: Any = ("192.0.2.1", 5)) -> None:
        self.remote_address = peer

    def respond(self, status: int, text: str) -> http11.Response:
        headers = Headers({"Content-Type": "text/plain", "Content-Length": "0", "Connection": "close"})
        return http11.Response(status, "", headers, text.encode())


def test_a_refusal_as_a_response_of_the_other_package() -> None:
    refusal = Response("no", 401, headers={"www-authenticate": "Bearer", "transfer-encoding": "chunked"})
    response = refusing(Upgrade(), refusal)
    assert (response.status_code, response.body) == (401, b"no")
    fields = {name.lower(): value for name, value in response.headers.raw_items()}
    assert fields == {
        "content-type": "text/plain;charset=UTF-8",
        "content-length": "2",
        "connection": "close",
        "www-authenticate": "Bearer",
    }


def test_a_client_gets_a_name_unless_it_has_one() -> None:
    async def test() -> None:
        class Transport(FakePort):
            async def __aiter__(self) -> AsyncIterator[str]:
                names.extend(bench.server.get_client_ids("p"))
                return
                yield

        names: list[str] = []
        bench = Bench()
        await bench.server.serve(Transport(), "/p", "mine")
        await bench.server.serve(Transport(), "/p")
        await bench.server.serve(Transport(), "/p")
        assert names[0] == "mine"
        assert len(set(names)) == 3

    run(test)


def test_a_transport_that_fails_is_the_end_of_its_connection() -> None:
    async def test() -> None:
        class Transport(FakePort):
            async def __aiter__(self) -> AsyncIterator[str]:
                yield ASK_HASHES
                raise OSError("lost")

        bench = Bench()
        with pytest.raises(OSError, match="lost"):
            await bench.server.serve(Transport(), "/p")
        assert bench.server.get_stats() == {"paths": 0, "clients": 0}

    run(test)


def test_others_have_their_turn_after_a_fair_share_of_one_s_messages() -> None:
    async def test() -> None:
        turns: list[int] = []
        read = 0

        class Transport(FakePort):
            async def __aiter__(self) -> AsyncIterator[str]:
                nonlocal read
                for _ in range(130):
                    read += 1
                    yield ASK_HASHES

        serving = asyncio.ensure_future(Bench().server.serve(Transport(), "/p"))
        while not serving.done():
            await asyncio.sleep(0)
            turns.append(read)
        assert turns[:3] == [64, 128, 130]

    run(test)


def test_a_server_that_is_destroyed_takes_nobody() -> None:
    async def test() -> None:
        bench = Bench()
        _, port = bench.connect("A")
        await bench.server.destroy()
        assert port.closed == (None, "")
        with pytest.raises(ServerError, match="the server is destroyed; it takes no more clients"):
            bench.connect("B")

    run(test)


def test_the_request_of_a_connection_of_another_package_is_a_web_request() -> None:
    raw = [("Host", "h.example"), ("X-One", "1"), ("X-One", "2"), ("CF-Connecting-IP", "forged")]

    class Heads:
        def get(self, name: str, default: str) -> str:
            return dict(raw).get(name, default)

        def raw_items(self) -> list[tuple[str, str]]:
            return raw

    request = upgrade_request(Upgrade(), SimpleNamespace(headers=Heads(), path="/p?x"))
    assert request.url == "http://h.example/p?x"
    assert request.headers.get("x-one") == "1, 2"
    assert request.headers.get("cf-connecting-ip") == "192.0.2.1"
    for peer in (None, "/a/unix/socket"):
        local = upgrade_request(Upgrade(peer), SimpleNamespace(headers=Heads(), path="/p"))
        assert local.headers.get("cf-connecting-ip") != "forged"
