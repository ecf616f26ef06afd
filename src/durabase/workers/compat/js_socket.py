"""``js.WebSocket``: outgoing WebSockets of programs, carried by the ``websockets`` package."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from durabase.web import SocketSink, WebSocket
from durabase.workers.outgoing import writes_safe

__all__ = ["OutgoingWebSocket"]

_NO_CODE = 1005
_LOST = 1006
_FAILURES = (1002, 1007, 1009)
_MESSAGE_BYTES = 32 << 20
_Frame = str | bytes | tuple[int | None, str]

_carried: set[asyncio.Task[None]] = set()


class OutgoingWebSocket:
    """The constructor ``WebSocket``: connects, and tells the listeners."""

    CONNECTING, OPEN, CLOSING, CLOSED = 0, 1, 2, 3

    def __call__(self, url: str, protocols: str | Sequence[str] = ()) -> WebSocket:
        return self.new(url, protocols)

    def new(self, url: str, protocols: str | Sequence[str] = ()) -> WebSocket:
        """Start connecting to ``url``; ``open``, or ``error`` and ``close``, follow.

        An object's connection is begun when what it has written before is durable.
        """
        socket = WebSocket.outgoing(str(url))
        names = [protocols] if isinstance(protocols, str) else list(protocols)
        task = asyncio.create_task(_carry(socket, str(url), names))
        _carried.add(task)
        task.add_done_callback(_carried.discard)
        return socket


class _Port:
    """The outgoing half; frames wait here for the writer, within the bounds of the program's own memory."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._waiting: asyncio.Queue[_Frame] = asyncio.Queue()
        self._waiting_bytes = 0
        self._closed = False

    def send_text(self, text: str) -> None:
        self._put(text)

    def send_binary(self, data: bytes) -> None:
        self._put(data)

    def close(self, code: int | None, reason: str) -> None:
        if not self._closed:
            self._waiting.put_nowait((code, reason))
            self._closed = True

    def abort(self) -> None:
        self._closed = True
        self._connection.transport.abort()

    def buffered_amount(self) -> int:
        return self._waiting_bytes

    async def write(self) -> None:
        """Write what is put, in order, until a close has been written."""
        while True:
            frame = await self._waiting.get()
            if isinstance(frame, tuple):
                code, reason = frame
                await self._connection.close(1000 if code is None else code, reason)
                return
            self._waiting_bytes -= len(frame)
            await self._connection.send(frame)

    def _put(self, frame: str | bytes) -> None:
        if not self._closed:
            self._waiting_bytes += len(frame)
            self._waiting.put_nowait(frame)


async def _carry(socket: WebSocket, url: str, protocols: list[str]) -> None:
    names = [Subprotocol(name) for name in protocols] or None
    await writes_safe()
    try:
        connection = await connect(url, subprotocols=names, max_size=_MESSAGE_BYTES)
    except (OSError, ValueError, WebSocketException) as error:
        socket.failed(error)
        return
    port = _Port(connection)
    sink = socket.opened(port, protocol=connection.subprotocol or "")
    writer = asyncio.create_task(port.write())
    try:
        await _read(connection, sink)
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def _read(connection: ClientConnection, sink: SocketSink) -> None:
    try:
        while True:
            message: Any = await connection.recv()
            if isinstance(message, str):
                sink.on_text(message)
            else:
                sink.on_binary(message)
    except ConnectionClosed as closed:
        received = closed.rcvd
        if closed.sent is not None and closed.sent.code in _FAILURES and not closed.rcvd_then_sent:
            sink.on_error(closed)
            received = None
        if received is None:
            sink.on_close(_LOST, "", False)
        else:
            sink.on_close(received.code or _NO_CODE, received.reason, True)
