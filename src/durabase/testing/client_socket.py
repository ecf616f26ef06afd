"""The client's end of a WebSocket that a worker under test has accepted."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, NamedTuple, Protocol

from durabase.testing.network import FlakyNetwork
from durabase.web import WebSocket

__all__ = ["ClientSocket", "SocketClosed", "SocketEnd", "in_process"]

_SECONDS = 5.0
_LOST = (1006, "", False)


class SocketClosed(NamedTuple):
    """How a socket ended."""

    code: int
    reason: str
    was_clean: bool


class SocketEnd(Protocol):
    """What carries a client's messages away."""

    def send(self, message: str | bytes) -> None:
        """Send a message."""

    def close(self, code: int | None, reason: str) -> None:
        """Begin to close."""

    def drop(self) -> None:
        """Lose the connection without a word."""


class ClientSocket:
    """A client's WebSocket, in the same process or through a port: what is sent arrives in order.

    Args:
        end: where messages go.
        network: what they go through.
    """

    def __init__(self, end: SocketEnd, network: FlakyNetwork) -> None:
        self._end = end
        self._network = network
        self._there, self._back = network.join(self)
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._closed: asyncio.Future[SocketClosed] = asyncio.get_running_loop().create_future()

    # What the connection says

    def arrived(self, message: str | bytes) -> None:
        """A message was sent to this client."""
        self._back.carry(partial(self._take, message))

    def ended(self, code: int, reason: str, was_clean: bool) -> None:
        """The connection is over."""
        self._back.carry(partial(self._end_with, code, reason, was_clean))

    def _take(self, message: str | bytes) -> None:
        if not self._closed.done():
            self._messages.put_nowait(message)

    def _end_with(self, code: int, reason: str, was_clean: bool) -> None:
        if not self._closed.done():
            self._network.leave(self)
            self._messages.put_nowait(None)
            self._closed.set_result(SocketClosed(code, reason, was_clean))

    # What tests do

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return not self._closed.done()

    def send(self, message: str | bytes) -> None:
        """Send a message."""
        self._there.carry(partial(self._end.send, message))

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
        self._there.carry(partial(self._end.close, code, reason or ""))

    def drop(self) -> None:
        """Lose the connection, as when a cable is cut: both ends see 1006."""
        if self.is_open:
            self._end_with(*_LOST)
            self._end.drop()

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


class _PairEnd:
    """The end of a pair that a response brought."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    def send(self, message: str | bytes) -> None:
        self._socket.send(message)

    def close(self, code: int | None, reason: str) -> None:
        if code is None:
            self._socket.close()
        else:
            self._socket.close(code, reason)

    def drop(self) -> None:
        self._socket.connection.abort()


def in_process(socket: WebSocket, network: FlakyNetwork) -> ClientSocket:
    """A client of the socket that a response brought."""
    client = ClientSocket(_PairEnd(socket), network)

    def on_close(event: Any) -> None:
        client.ended(event.code, event.reason, event.was_clean)

    socket.add_event_listener("message", lambda event: client.arrived(event.data))
    socket.add_event_listener("close", on_close)
    socket.accept()
    return client
