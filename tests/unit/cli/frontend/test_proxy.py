"""WebSockets that are passed on."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from durabase.cli.frontend.proxy import LocalProxy
from durabase.web import Request


def test_messages_in_both_directions_and_the_subprotocol() -> None:
    async def echo(connection: ServerConnection) -> None:
        assert connection.request is not None
        await connection.send(connection.request.path)
        async for message in connection:
            await connection.send(message)
            if message == "end":
                return

    async def main() -> list[Any]:
        seen: asyncio.Queue[Any] = asyncio.Queue()
        proxy = LocalProxy()
        async with serve(echo, "127.0.0.1", 0, subprotocols=[Subprotocol("vite-hmr")]) as server:
            port = server.sockets[0].getsockname()[1]
            headers = {"upgrade": "websocket", "sec-websocket-protocol": "other, vite-hmr"}
            response = await proxy.upgrade(Request("http://host/hmr?token=x", headers=headers), port)
            socket = response.web_socket
            assert socket is not None
            assert response.headers["sec-websocket-protocol"] == "vite-hmr"
            socket.add_event_listener("message", lambda event: seen.put_nowait(event.data))
            socket.add_event_listener("close", lambda event: seen.put_nowait(event.code))
            socket.accept()
            for message in ("text", b"bytes", "end"):
                socket.send(message)
            async with asyncio.timeout(10):
                got = [await seen.get() for _ in range(5)]
            await proxy.close()
        return got

    assert asyncio.run(main()) == ["/hmr?token=x", "text", b"bytes", "end", 1001]


def test_closing_the_proxy_closes_what_it_passes_on() -> None:
    async def wait(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async def main() -> int:
        proxy = LocalProxy()
        async with serve(wait, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            response = await proxy.upgrade(Request("http://host/", headers={"upgrade": "websocket"}), port)
            socket = response.web_socket
            assert socket is not None
            closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            socket.add_event_listener("close", lambda event: closed.set_result(event.code))
            socket.accept()
            await asyncio.sleep(0)
            await proxy.close()
            async with asyncio.timeout(10):
                return await closed

    assert asyncio.run(main()) == 1001
