"""The client's end of a WebSocket that a worker under test has accepted."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from durabase.web import WebSocket

__all__ = ["ClientSocket", "SocketClosed"]

_SECONDS = 5.0


class SocketClosed(NamedTuple):
    """How a socket ended."""

    code: int
    reason: str
    was_clean: bool


class ClientSocket:
    """A WebSocket in the same process: what is sent arrives in order, and nothing gets lost.

    Args:
        socket: the end that the response brought.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._closed: asyncio.Future[SocketClosed] = asyncio.get_running_loop().create_future()
        socket.add_event_listener("message", lambda event: self._messages.put_nowait(event.data))
        socket.add_event_listener("close", self._on_close)
        socket.accept()

    def _on_close(self, event: Any) -> None:
        self._messages.put_nowait(None)
        if not self._closed.done():
            self._closed.set_result(SocketClosed(event.code, event.reason, event.was_clean))

    def send(self, message: str | bytes) -> None:
        """Send a message."""
        self._socket.send(message)

    async def receive(self, seconds: float = _SECONDS) -> str | bytes:
        """Return the next message.

        Raises:
            ConnectionError: the socket was closed, and there are no more messages.
            TimeoutError: none has come within so many seconds of real time.
        """
        try:
            async with asyncio.timeout(seconds):
                message = await self._messages.get()
        except TimeoutError:
            raise TimeoutError(f"no message within {seconds} seconds") from None
        if message is None:
            self._messages.put_nowait(None)
            raise ConnectionError(f"the socket was closed: {self._closed.result()}")
        return message

    def waiting(self) -> list[str | bytes]:
        """Return the messages that are there, and take them."""
        taken = []
        while not self._messages.empty():
            message = self._messages.get_nowait()
            if message is None:
                self._messages.put_nowait(None)
                break
            taken.append(message)
        return taken

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Begin to close."""
        if code is None:
            self._socket.close()
        else:
            self._socket.close(code, reason or "")

    async def closed(self, seconds: float = _SECONDS) -> SocketClosed:
        """Return how the socket ended, when it has.

        Raises:
            TimeoutError: it has not within so many seconds of real time.
        """
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self._closed)
        except TimeoutError:
            raise TimeoutError(f"the socket is open after {seconds} seconds") from None
