"""What the socket servers have in common: letting connections in and feeding them.

A connection may be a :class:`~durabase.synchronizers.transport.Transport` (:meth:`ConnectionHost.serve`), a
connection of the ``websockets`` package (:meth:`ConnectionHost.handle`), a request to durabase's own server
(:meth:`ConnectionHost.fetch`), or any port whose events are passed on by hand
(:meth:`ConnectionHost.connect`).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any, Final

from durabase._codec import unique_id
from durabase.clock import TimerClock
from durabase.errors import ServerError
from durabase.sync_server._connections import Connection, Member, Port, connect
from durabase.sync_server._fetch import answer
from durabase.synchronizers.protocol.relay import EVERYBODY, SERVER_ID
from durabase.synchronizers.transport import Transport
from durabase.web import Request, Response

__all__ = ["ConnectionHost", "path_id_of"]

_FAIR_SHARE: Final = 64
"""So many messages of one connection are handled before others get their turn."""


class ConnectionHost(ABC):
    """A server of connections.

    Attributes:
        clock: what timers run on.
        request_timeout_seconds: how long a message may be incomplete, and a request of the server unanswered.
    """

    def __init__(self, clock: TimerClock, request_timeout_seconds: float) -> None:
        self.clock = clock
        self.request_timeout_seconds = request_timeout_seconds
        self._connections: dict[Connection, None] = {}
        self._is_destroyed = False

    @abstractmethod
    def enter(self, path_id: str, member: Member) -> None:
        """Put a client on a path (called by its connection)."""

    @abstractmethod
    def report(self, error: Exception) -> None:
        """Tell of an error that changes nothing else."""

    async def serve(
        self,
        transport: Transport,
        path: str = "/",
        client_id: str | None = None,
        *,
        subprotocol: str | None = None,
    ) -> None:
        """Serve one client until its connection ends.

        Args:
            transport: the connection, open. path: what the client asked for, as sent: path and query,
            nothing decoded. client_id: of this connection, unique; for WebSockets the ``Sec-WebSocket-Key``
            header. Made up if absent. subprotocol: what was agreed on; ``tinybase`` for channel mode.
        """
        if self._is_destroyed:
            transport.close(None, "")
            return
        connection = self.connect(
            transport, path, unique_id() if client_id is None else client_id, subprotocol
        )
        count = 0
        try:
            async for text in transport:
                connection.on_text(text)
                count += 1
                if not count % _FAIR_SHARE:
                    await asyncio.sleep(0)
        finally:
            connection.on_close(1006, "", False)

    async def handle(self, connection: Any) -> None:
        """Serve a connection of ``websockets.asyncio.server`` (pass this method to its ``serve``)."""
        from durabase.synchronizers._web_socket import WebSocketTransport

        request = connection.request
        await self.serve(
            WebSocketTransport(connection),
            request.path,
            request.headers["Sec-WebSocket-Key"],
            subprotocol=connection.subprotocol,
        )

    async def fetch(self, request: Request) -> Response:
        """Answer a request for a WebSocket on a path (pass this method to ``durabase.server.Server``).

        The path is that of the URL as it was sent. Other requests get 426, and 503 those that come when the
        server is destroyed.
        """
        if self._is_destroyed:
            return Response("The server is destroyed", status=503)
        return answer(self, request)

    def connect(self, port: Port, path: str, client_id: str, subprotocol: str | None = None) -> Connection:
        """Let a client in; the caller passes on what arrives to the connection's ``on_…`` methods.

        Raises:
            ValueError: a client id that means something else in the protocol.
            ServerError: the server is destroyed.
        """
        if self._is_destroyed:
            raise ServerError("the server is destroyed; it takes no more clients")
        if client_id in (EVERYBODY, SERVER_ID) or "\n" in client_id:
            raise ValueError(f"{client_id!r} can't be the id of a client")
        connection = connect(self, port, client_id, path_id_of(path), subprotocol)
        if connection.is_open:
            self._connections[connection] = None
        return connection

    def disconnected(self, connection: Connection) -> None:
        """A connection is over (called by it)."""
        self._connections.pop(connection, None)

    def close_connections(self) -> None:
        """Close all connections, and those that come from now on."""
        self._is_destroyed = True
        for connection in list(self._connections):
            connection.close()


def path_id_of(path: str) -> str:
    """The path id of a request target: after the first slash, up to a question mark, nothing decoded."""
    return path.partition("/")[2].partition("?")[0]
