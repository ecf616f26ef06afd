"""Carries the bytes of an encrypted connection to the process that serves its client, and back.

A connection can be handed to another process by its descriptor, the state of its encryption can't. So the
other process gets one end of a pair of sockets, and what is here decrypts and encrypts. Who does not read
holds up who sends: between the two there is no more than their buffers.
"""

from __future__ import annotations

import asyncio
import socket as socket_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from durabase.server.context import ServerContext

__all__ = ["Pump"]

_BUFFER_BYTES: Final = 1 << 18


class _End(asyncio.Protocol):
    """One of the two connections; what it receives the ``other`` one sends."""

    def __init__(self, pump: Pump) -> None:
        self.other: _End
        self.transport: asyncio.Transport | None = None
        self._pump = pump

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=_BUFFER_BYTES)

    def data_received(self, data: bytes) -> None:
        if self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._pump.lost(self)
        if self.other.transport is not None:
            self.other.transport.close()


class Pump:
    """Between a client and the process that serves it.

    Args:
        context: the server that the client has connected to.
        transport: the client's connection. It is not read from until the pump runs.
    """

    def __init__(self, context: ServerContext, transport: asyncio.Transport) -> None:
        self._context = context
        self._client = _End(self)
        self._server = _End(self)
        self._client.other, self._server.other = self._server, self._client
        self._ends = {self._client, self._server}
        self._joining: asyncio.Task[None] | None = None
        transport.set_protocol(self._client)
        self._client.connection_made(transport)

    def start(self) -> int:
        """Start, and return the descriptor of the other process's end."""
        ours, theirs = socket_module.socketpair()
        self._context.requests.add(self)
        self._joining = self._context.loop.create_task(self._join(ours))
        return theirs.detach()

    async def _join(self, ours: socket_module.socket) -> None:
        ours.setblocking(False)
        await self._context.loop.create_connection(lambda: self._server, sock=ours)
        if self._client not in self._ends:
            self.abort()
        elif self._client.transport is not None and not self._client.transport.is_closing():
            self._client.transport.resume_reading()

    def lost(self, end: _End) -> None:
        """One of the two connections is gone."""
        self._ends.discard(end)
        if end is self._client and end.transport is not None:
            self._context.addresses.leave(end.transport)
        if not self._ends:
            self._context.forget(self)

    def drain(self) -> None:
        """This server stops: let the other process say goodbye to its client."""
        if self._server.transport is not None and not self._server.transport.is_closing():
            self._server.transport.write_eof()

    def abort(self) -> None:
        """Cut both off."""
        for end in (self._client, self._server):
            if end.transport is not None:
                end.transport.abort()

    def on_deadline(self) -> None:
        """It has none."""
