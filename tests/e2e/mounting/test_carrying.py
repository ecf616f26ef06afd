"""What real ASGI servers carry: bodies both ways, messages, closes; readers that hang up or do not read."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from unit.workers.programs import write_program

from ._outer import SERVERS, AsgiServer
from .test_mounting import closed_with, until

TOML = """
name = "carrying"
main = "index.py"
compatibility_date = "2026-11-01"
[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"
[[migrations]]
tag = "v1"
new_classes = ["Room"]
"""
PROGRAM = """
    import asyncio
    from durabase.workers import DurableObject, Response, WebSocketPair, WorkerEntrypoint

    events = []

    class Room(DurableObject):
        async def fetch(self, request):
            match request.url.rsplit("/", 1)[1]:
                case "events":
                    return Response.from_json(events)
                case "echo":
                    return Response(request.body)
                case "ticks":
                    return Response(self.ticks())
            client, server = WebSocketPair()
            self.ctx.accept_web_socket(server)
            headers = {"x-room": "r"}
            if "room" in (request.headers.get("sec-websocket-protocol") or ""):
                headers["sec-websocket-protocol"] = "room"
            return Response(None, 101, headers=headers, web_socket=client)

        async def ticks(self):
            try:
                while True:
                    yield b"tick"
                    await asyncio.sleep(0.02)
            finally:
                events.append("ticks ended")

        def web_socket_message(self, ws, message):
            if message == "flood":
                for _ in range(100):
                    ws.send("x" * (1 << 20))
            elif message == "close":
                ws.close(4005, "program")
            else:
                ws.send(message)

        def web_socket_close(self, ws, code, reason, was_clean):
            events.append(f"closed {code}")

        def web_socket_error(self, ws, error):
            events.append(str(error))

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return await self.env.ROOM.get_by_name("r").fetch(request)
"""
MAIN = """
    from fastapi import FastAPI
    from durabase.asgi import asgi_app

    sync = asgi_app("wrangler.toml")
    app = FastAPI(lifespan=sync.lifespan)

    @app.middleware("http")
    async def marked(request, call_next):
        response = await call_next(request)
        response.headers["x-outer"] = "1"
        return response

    app.mount("/sync", sync)
"""


@pytest.fixture(scope="module", params=SERVERS)
def outer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsgiServer]:
    folder: Path = write_program(tmp_path_factory.mktemp(request.param), PROGRAM, TOML, main=MAIN)
    server = AsgiServer(request.param, folder).start()
    yield server
    server.stop()
    server.kill()


@contextmanager
def asked(
    outer: AsgiServer, method: str, name: str, body: Iterator[bytes] | None = None
) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", outer.port, timeout=20)
    with closing(connection):
        headers = {} if body is None else {"transfer-encoding": "chunked"}
        connection.request(method, f"/sync/{name}", body, headers, encode_chunked=body is not None)
        with connection.getresponse() as response:
            yield response


def events(outer: AsgiServer) -> list[str]:
    with asked(outer, "GET", "events") as response:
        answer: list[str] = json.load(response)
        return answer


def test_a_body_goes_through_in_pieces(outer: AsgiServer) -> None:
    pieces = [bytes([number]) * 100_000 for number in range(50)]
    with asked(outer, "POST", "echo", iter(pieces)) as response:
        assert response.headers["x-outer"] == "1"
        assert response.read() == b"".join(pieces)


def test_a_stream_ends_when_its_reader_has_gone(outer: AsgiServer) -> None:
    with asked(outer, "GET", "ticks") as response:
        assert response.read(8) == b"tick" * 2
    until(lambda: "ticks ended" in events(outer))


def test_messages_of_both_kinds_and_of_any_size(outer: AsgiServer) -> None:
    offered = [Subprotocol("other"), Subprotocol("room")]
    with connect(f"{outer.ws_url}/sync/x", subprotocols=offered, max_size=None) as socket:
        assert socket.response is not None
        assert socket.subprotocol == "room"
        if outer.name != "granian":  # it leaves out what applications add to a handshake
            assert socket.response.headers["x-room"] == "r"
        for message in ("é", b"\x00\xff", "", b"", "x" * (15 << 20)):
            socket.send(message)
            assert socket.recv(timeout=20) == message
        socket.send("close")
        assert closed_with(socket) == 4005
        assert socket.close_reason == "program"
    until(lambda: "closed 4005" in events(outer))


def test_who_does_not_read_is_cut_off(outer: AsgiServer) -> None:
    with connect(f"{outer.ws_url}/sync/x", max_size=None, close_timeout=0.1) as socket:
        socket.send("flood")
        until(lambda: "the peer does not read what is sent to it" in events(outer))
