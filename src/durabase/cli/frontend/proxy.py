"""Passing requests and WebSockets on to a server on this machine.

Requests run on a few threads of their own with the standard library's client, one connection
each; what is larger than a piece is passed on piece by piece, read as fast as it is taken.
"""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from durabase.web import CloseEvent, MessageEvent, Request, Response, WebSocket, WebSocketPair

__all__ = ["LocalProxy"]

_THREADS = 16
_TIMEOUT = 60.0
_PIECE = 256 * 1024
_QUEUED_MESSAGES = 1000
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_GOING_AWAY = 1001


class LocalProxy:
    """Passes on to one port of 127.0.0.1."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="proxy")
        self._pumps: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Drop all that is being passed on."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def fetch(self, request: Request, port: int) -> Response:
        """Pass a request without a body on.

        Raises:
            OSError: the server does not answer, or answers no HTTP.
        """
        loop = asyncio.get_running_loop()
        try:
            reply, first = await loop.run_in_executor(self._threads, _send, request, port)
        except http.client.HTTPException as error:
            raise OSError(f"no valid answer: {error!r}") from error
        headers = [(name, value) for name, value in reply.getheaders() if name.lower() not in _HOP_BY_HOP]
        body = first if reply.isclosed() else self._rest(reply, first)
        if request.method == "HEAD" or reply.status in (204, 304):
            return Response(None, reply.status, reply.reason, headers)
        return Response(body, reply.status, reply.reason, headers)

    async def _rest(self, reply: http.client.HTTPResponse, first: bytes) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        try:
            piece = first
            while piece:
                yield piece
                piece = await loop.run_in_executor(self._threads, reply.read1, _PIECE)
        finally:
            reply.close()

    async def upgrade(self, request: Request, port: int) -> Response:
        """Pass a WebSocket on; both sides are closed when one is."""
        offered = (request.headers.get("sec-websocket-protocol") or "").split(",")
        names = [Subprotocol(part.strip()) for part in offered if part.strip()]
        target = f"ws://127.0.0.1:{port}{_target(request)}"
        try:
            upstream = await connect(target, subprotocols=names or None, proxy=None, max_size=None)
        except (OSError, ValueError, WebSocketException) as error:
            return Response(f"{target}: {error}", 502)
        client, server = WebSocketPair()
        self._start_pumps(server, upstream)
        headers = {"sec-websocket-protocol": upstream.subprotocol} if upstream.subprotocol else {}
        return Response(None, 101, headers=headers, web_socket=client)

    def _start_pumps(self, socket: WebSocket, upstream: ClientConnection) -> None:
        incoming: asyncio.Queue[str | bytes | None] = asyncio.Queue(_QUEUED_MESSAGES)
        _listen(socket, incoming)
        pump = asyncio.create_task(_pump(socket, incoming, upstream))
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)


def _target(request: Request) -> str:
    parts = urlsplit(request.url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _send(request: Request, port: int) -> tuple[http.client.HTTPResponse, bytes]:
    """Ask, and return the reply with its first piece; the connection ends with the reply."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
    connection.request(str(request.method), _target(request), headers={**headers, "connection": "close"})
    reply = connection.getresponse()
    return reply, reply.read(_PIECE)


def _listen(socket: WebSocket, incoming: asyncio.Queue[str | bytes | None]) -> None:
    """Queue what arrives; a peer that sends faster than it is read is cut off."""

    def put(item: str | bytes | None) -> None:
        try:
            incoming.put_nowait(item)
        except asyncio.QueueFull:
            socket.close(1013, "too many messages")

    def on_message(event: MessageEvent) -> None:
        put(event.data)

    def on_close(event: CloseEvent) -> None:
        put(None)

    socket.add_event_listener("message", on_message)
    socket.add_event_listener("close", on_close)
    socket.accept()


async def _pump(
    socket: WebSocket, incoming: asyncio.Queue[str | bytes | None], upstream: ClientConnection
) -> None:
    """Pass messages on in both directions until one side ends."""
    directions = [
        asyncio.create_task(_upwards(incoming, upstream)),
        asyncio.create_task(_downwards(upstream, socket)),
    ]
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for direction in directions:
            direction.cancel()
        await asyncio.gather(*directions, return_exceptions=True)
        socket.close(_GOING_AWAY, "")
        await upstream.close()


async def _upwards(incoming: asyncio.Queue[str | bytes | None], upstream: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        while (message := await incoming.get()) is not None:
            await upstream.send(message)


async def _downwards(upstream: ClientConnection, socket: WebSocket) -> None:
    async for message in upstream:
        socket.send(message)
