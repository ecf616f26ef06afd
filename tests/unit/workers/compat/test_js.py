"""The JavaScript globals in common use."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from durabase.web import CloseEvent, ErrorEvent, MessageEvent, OpenEvent
from durabase.workers.compat import js


def test_everything_is_a_member_of_the_global_object() -> None:
    assert js.globalThis.Date is js.self.Date is js.Date
    assert js.performance.now() > 1_700_000_000_000


def test_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"js\.Math: .*use the module math"):
        _ = js.Math
    assert js.undefined is None
    assert not hasattr(js, "nonsense")


def test_outgoing_sockets() -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)
            if message == "bye":
                await connection.close(4001, "enough")

    async def main() -> list[Any]:
        seen: list[Any] = []
        over = asyncio.Event()
        async with serve(echo, "127.0.0.1", 0, subprotocols=["p"]) as server:  # type: ignore[list-item]
            port = server.sockets[0].getsockname()[1]
            socket = js.WebSocket.new(f"ws://127.0.0.1:{port}/path", ["p"])

            def opened(event: OpenEvent) -> None:
                seen.append((event.type, socket.protocol, socket.readyState))
                socket.send("text")
                socket.send(b"bytes")
                socket.send("bye")

            def message(event: MessageEvent) -> None:
                seen.append(event.data)

            def closed(event: Any) -> None:
                seen.append((event.code, event.reason, event.wasClean))
                over.set()

            socket.addEventListener("open", opened)
            socket.addEventListener("message", message)
            socket.addEventListener("close", closed)
            async with asyncio.timeout(5):
                await over.wait()
        return seen

    assert asyncio.run(main()) == [("open", "p", 1), "text", b"bytes", "bye", (4001, "enough", True)]


def test_an_outgoing_socket_that_can_not_connect() -> None:
    async def main() -> list[Any]:
        seen: list[Any] = []
        over = asyncio.Event()
        socket = js.WebSocket.new("ws://127.0.0.1:9/")

        def failed(event: ErrorEvent) -> None:
            seen.append(event.type)

        def closed(event: CloseEvent) -> None:
            seen.append(event.code)
            over.set()

        socket.addEventListener("error", failed)
        socket.addEventListener("close", closed)
        async with asyncio.timeout(5):
            await over.wait()
        return seen

    assert asyncio.run(main()) == ["error", 1006]
