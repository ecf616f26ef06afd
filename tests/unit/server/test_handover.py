"""A client is answered by one server and served by another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets

from durabase.errors import ServerError
from durabase.server import Server
from durabase.server.context import Answered
from durabase.server.tls import Certificate
from durabase.web import WebSocket
from unit.server.live import Client, Hub, LoopFactory, on_each_loop, run_on, serving, until, upgrade_request
from unit.server.wire import TEXT, Frame, frame


class House:
    """``front`` answers all clients, ``back`` serves them."""

    def __init__(self, hub: Hub, front: Server, back: Server) -> None:
        self.hub = hub
        self.front = front
        self.back = back


@asynccontextmanager
async def house(hub: Hub, certificate: Certificate | None = None, **options: Any) -> AsyncIterator[House]:
    arrivals: set[asyncio.Task[None]] = set()

    async with serving(hub.fetch, **options) as back:

        def handover(socket: WebSocket) -> object:
            def depart(descriptor: int, answered: Answered) -> None:
                arrival = asyncio.create_task(back.adopt(descriptor, socket, answered))
                arrivals.add(arrival)
                arrival.add_done_callback(arrivals.discard)

            return depart

        async with serving(hub.fetch, handover=handover, certificate=certificate, **options) as front:
            yield House(hub, front, back)


@on_each_loop
def test_nothing_that_is_said_meanwhile_is_lost(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub(headers={"sec-websocket-protocol": "p"})
        hub.first_words = ["hello"]
        async with house(hub) as both, Client.opened(both.front.port) as client:
            early = upgrade_request("/", "Sec-WebSocket-Protocol: p") + frame(TEXT, b"early")
            await client.send(early)
            head = await client.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 ")
            assert b"sec-websocket-protocol: p" in head.lower()
            await client.send(frame(TEXT, b"late"))
            frames = [await client.read_frame() for _ in range(3)]
            assert frames == [Frame(TEXT, b"hello"), Frame(TEXT, b"early"), Frame(TEXT, b"late")]
            assert (both.front.socket_count, both.back.socket_count) == (0, 1)

    run_on(loop_factory, main())


@on_each_loop
def test_what_was_agreed_on_holds_afterwards(loop_factory: LoopFactory) -> None:
    text = "compress me " * 1000

    async def main() -> None:
        async with (
            house(Hub(), compression=True) as both,
            websockets.connect(f"ws://127.0.0.1:{both.front.port}/", compression="deflate") as client,
        ):
            await client.send(text)
            assert await client.recv() == text
            assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]

    run_on(loop_factory, main())


@on_each_loop
def test_the_one_that_serves_says_goodbye(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub()
        async with house(hub) as both:
            client = await websockets.connect(f"ws://127.0.0.1:{both.front.port}/")
            await until(lambda: both.back.socket_count == 1)
        await client.wait_closed()
        assert client.close_code == 1012
        assert hub.sinks[0].events[-1][:2] == ("close", 1012)

    run_on(loop_factory, main())


def test_a_server_that_does_not_run_takes_nobody() -> None:
    async def main() -> None:
        server = Server(Hub().fetch)
        with pytest.raises(ServerError, match="does not run"):
            await server.adopt(0, WebSocket(Hub), Answered(b"", b"", "", ""))  # type: ignore[arg-type]

    asyncio.run(main())
