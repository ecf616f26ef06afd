"""Clients that are answered in one process and served in another: how they leave, and how they arrive."""

from __future__ import annotations

import asyncio
import os
from socket import socket as Socket  # noqa: N812 - a class
from typing import TYPE_CHECKING, cast

from durabase.server.bridge import start_socket
from durabase.server.context import Answered
from durabase.server.pump import Pump

if TYPE_CHECKING:
    from durabase.server.compression import Compression
    from durabase.server.context import ServerContext
    from durabase.web import WebSocket

__all__ = ["Answered", "Arrival", "hand_over"]


def hand_over(
    context: ServerContext,
    transport: asyncio.Transport,
    web_socket: WebSocket,
    answered: Answered,
) -> bool:
    """Have the client served elsewhere, if its socket is; then this connection is over here.

    Raises:
        ClusterError: it should be, and can't.
    """
    depart = None if context.handover is None else context.handover(web_socket)
    if depart is None:
        return False
    if transport.get_extra_info("ssl_object") is not None:
        depart(Pump(context, transport).start(), answered)
        return True
    depart(os.dup(transport.get_extra_info("socket").fileno()), answered)
    transport.abort()  # the other process has a descriptor of its own, the connection stays
    return True


class Arrival(asyncio.Protocol):
    """A client that was answered in another process: sends the head, then becomes a WebSocket connection."""

    def __init__(self, context: ServerContext, web_socket: WebSocket, answered: Answered) -> None:
        self._context = context
        self._web_socket = web_socket
        self._answered = answered

    async def connect(self, descriptor: int) -> None:
        """Go on with the connection that has this descriptor."""
        socket = Socket(fileno=descriptor)
        socket.setblocking(False)
        await self._context.loop.connect_accepted_socket(lambda: self, socket)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is ours now."""
        stream = cast(asyncio.Transport, transport)
        head, early, protocol, extensions = self._answered
        stream.write(head)
        connection = start_socket(
            stream, self._context, self._web_socket, protocol, early, _compression(extensions)
        )
        if self._context.is_draining:
            connection.drain()


def _compression(agreed: str) -> Compression | None:
    """What was agreed on, which is an offer that leads to the same."""
    if not agreed:
        return None
    from durabase.server.compression import agreed_compression

    return agreed_compression(agreed)
