"""Clients that come as requests: who is let in, and what becomes of their sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.sync_server import WsServer, WsServerSimple
from durabase.testing import FakeClock
from durabase.web import Request, Response
from unit.sync_server._fakes import FakePort

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ASK_HASHES = '\n["abcdefghijk.0001",1,""]'


def request(path: str = "/pets", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(f"http://h{path}", headers={"upgrade": "WebSocket", "sec-websocket-key": KEY, **named})


def fetch(server: Any, asked: Request) -> Response:
    return asyncio.run(server.fetch(asked))


def carry(response: Response, port: FakePort) -> Any:
    assert response.web_socket is not None
    return response.web_socket.connect(port)


@pytest.mark.parametrize(
    "refused",
    [
        Request("http://h/pets"),
        Request("http://h/pets", headers={"upgrade": "websocket"}),
        Request("http://h/pets", method="POST", headers={"upgrade": "websocket", "sec-websocket-key": KEY}),
        request(sec_websocket_key="S"),
    ],
)
def test_what_opens_no_web_socket_gets_426(refused: Request) -> None:
    response = fetch(WsServer(clock=FakeClock()), refused)
    assert (response.status, response.web_socket) == (426, None)


def test_the_path_is_that_of_the_url_as_it_was_sent() -> None:
    server = WsServer(clock=FakeClock())
    for path in ("/a%2Fb/c?x=1", "//p", "/"):
        assert fetch(server, request(path)).status == 101
    assert server.get_path_ids() == ["a%2Fb/c", "/p", ""]
    assert server.get_client_ids("/p") == [KEY]


def test_what_arrives_is_relayed_and_what_was_sent_before_is_kept() -> None:
    server, port = WsServerSimple(clock=FakeClock()), FakePort()
    first, second = FakePort(), fetch(server, request())
    server.connect(first, "/pets", "A").on_text(ASK_HASHES)
    sink = carry(second, port)
    assert port.take() == [f"A{ASK_HASHES}"]
    sink.on_text(ASK_HASHES)
    sink.on_binary(ASK_HASHES.encode())
    assert first.take() == [f"{KEY}{ASK_HASHES}"] * 2
    sink.on_close(1001, "", True)
    assert len(server._rooms["pets"].relay) == 1


def test_a_bad_payload_closes_the_socket_once_and_nothing_is_sent_afterwards() -> None:
    server, port = WsServerSimple(clock=FakeClock()), FakePort()
    sink = carry(fetch(server, request()), port)
    sink.on_text("bad")
    asyncio.run(server.destroy())
    assert port.closed == (1007, "tinybase:14")
    assert server._rooms == {}


def test_a_reader_that_is_too_slow_is_closed() -> None:
    server, slow = WsServerSimple(clock=FakeClock()), FakePort()
    carry(fetch(server, request()), slow)
    slow.buffered = (1 << 24) + 1
    server.connect(FakePort(), "/pets", "A").on_text(ASK_HASHES)
    assert slow.closed == (1013, "tinybase:15:socket")


@pytest.mark.parametrize(
    ("offered", "chosen"), [("tinybase", "tinybase"), ("x, tinybase", "tinybase"), ("x", None)]
)
def test_the_subprotocol_of_channels_is_chosen(offered: str, chosen: str | None) -> None:
    response = fetch(WsServer(clock=FakeClock()), request(sec_websocket_protocol=offered))
    assert response.headers.get("sec-websocket-protocol") == chosen


def test_a_server_that_is_destroyed_takes_nobody() -> None:
    server = WsServerSimple(clock=FakeClock())
    asyncio.run(server.destroy())
    assert fetch(server, request()).status == 503
