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
from urllib.parse import urlsplit

from durabase._codec import unique_id
from durabase.clock import TimerClock
from durabase.errors import AccessError, ConnectionLimitError, ServerError, UnauthenticatedError
from durabase.sync_server._admission import Admission, Door, asked_path_id
from durabase.sync_server._connections import Connection, Member, Port, connect
from durabase.sync_server._fetch import SUBPROTOCOLS, WebSocketPort, answer, opens_web_socket, subprotocol_of
from durabase.sync_server.access import ANYBODY, Access
from durabase.sync_server.authorizing import Authorize, is_refresh, may_refresh
from durabase.sync_server.limits import ClientLimits
from durabase.sync_server.rules import Rules
from durabase.synchronizers.protocol.relay import EVERYBODY, SERVER_ID
from durabase.synchronizers.transport import Transport
from durabase.types import Id
from durabase.web import Request, Response
from durabase.web.client_address import with_address
from durabase.web.cors import shared

__all__ = ["ConnectionHost", "path_id_of"]

_FRAMING: Final = frozenset(("connection", "content-length", "date", "transfer-encoding"))
_REASON: Final = 40  # a reason may have 123 bytes
_FAIR_SHARE: Final = 64
"""So many messages of one connection are handled before others get their turn."""


class ConnectionHost(ABC):
    """A server of connections.

    Attributes:
        clock: what timers run on.
        request_timeout_seconds: how long a message may be incomplete, and a request of the server unanswered.
    """

    def __init__(
        self,
        clock: TimerClock,
        request_timeout_seconds: float,
        authorize: Authorize | None,
        rules: Rules | None,
        limits: ClientLimits | None,
    ) -> None:
        self.clock = clock
        self.request_timeout_seconds = request_timeout_seconds
        is_open = authorize is None and rules is None and limits is None
        self._door = None if is_open else Door(self, authorize, rules, limits, self.is_judged)
        self._connections: dict[Connection, None] = {}
        self._is_destroyed = False

    @abstractmethod
    def enter(self, path_id: str, member: Member) -> None:
        """Put a client on a path (called by its connection)."""

    @abstractmethod
    def report(self, error: Exception) -> None:
        """Tell of an error that changes nothing else."""

    def is_judged(self, path_id: Id) -> bool:
        """Whether the room of a path itself judges what is written there (called by the door)."""
        return False

    def name_of(self, client_id: Id, path: str) -> Id:
        """Under which id a client is on its paths that has come by this one, path and query."""
        return client_id

    async def serve(
        self,
        transport: Transport,
        path: str = "/",
        client_id: str | None = None,
        *,
        subprotocol: str | None = None,
        access: Access | None = None,
    ) -> None:
        """Serve one client until its connection ends.

        Args:
            transport: the connection, open. path: what the client asked for, as sent: path and query,
            nothing decoded. client_id: of this connection, unique; for WebSockets the ``Sec-WebSocket-Key``
            header. Made up if absent. subprotocol: what was agreed on; ``tinybase`` for channel mode.
            access: what the client may do; a server with an ``authorize`` hook has to be told.
        """
        if self._is_destroyed:
            transport.close(None, "")
            return
        name = unique_id() if client_id is None else client_id
        try:
            connection = self.connect(transport, path, name, subprotocol, access=access)
        except (AccessError, ConnectionLimitError) as error:
            transport.close(error.close_code, str(error))
            return
        await self._carry(transport, connection)

    async def _carry(self, transport: Transport, connection: Connection) -> None:
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
        """Serve a connection of ``websockets.asyncio.server`` (pass this method to its ``serve``).

        Whom the ``authorize`` hook refuses is closed with 4401 or 4403. To refuse them before the WebSocket
        opens, pass :meth:`process_request` as well.
        """
        from durabase.synchronizers._web_socket import WebSocketTransport

        transport = WebSocketTransport(connection)
        client_id = connection.request.headers["Sec-WebSocket-Key"]
        path, subprotocol = connection.request.path, connection.subprotocol
        if self._door is None:
            await self.serve(transport, path, client_id, subprotocol=subprotocol)
            return
        request = upgrade_request(connection, connection.request)
        admission = await self._door.admit(request, path_id_of(path), subprotocol)
        if isinstance(admission, Response):
            await connection.close(*close_of(admission))  # when this returns, it would close with 1000
        elif self._is_destroyed:
            admission.end()
            transport.close(None, "")
        else:
            let_in = self._let_in(transport, path, client_id, subprotocol, admission)
            await self._carry(transport, let_in)

    async def process_request(self, connection: Any, request: Any) -> Any:
        """Ask the ``authorize`` hook before a WebSocket of the ``websockets`` package opens.

        Pass this method to its ``serve``, beside :meth:`handle`, which asks again. ``None``, or the response
        that refuses the client with 401 or 403.
        """
        if self._door is None:
            return None
        asked = upgrade_request(connection, request)
        asked_for = asked_path_id(path_id_of(request.path), subprotocol_of(asked, SUBPROTOCOLS))
        verdict = await self._door.decide(asked, asked_for)
        return refusing(connection, verdict) if isinstance(verdict, Response) else None

    async def fetch(self, request: Request) -> Response:
        """Answer a request for a WebSocket on a path (pass this method to ``durabase.server.Server``).

        The path is that of the URL as it was sent. With an ``authorize`` hook, a POST with ``?session=``
        refreshes the access of the connections of that session. Other requests get 426, and 503 those that
        come when the server is destroyed.
        """
        if self._is_destroyed:
            return Response("The server is destroyed", status=503)
        door = self._door
        if door is None:
            return answer(self.connect, request)
        if door.asks and is_refresh(request):
            path_id = path_id_of(urlsplit(request.url).path)
            return shared(request, await door.refresh(request, path_id, self._connections))
        return may_refresh(request) or await self._fetch_through(door, request)

    async def _fetch_through(self, door: Door, request: Request) -> Response:
        if not opens_web_socket(request):
            return answer(self.connect, request)
        path_id = path_id_of(urlsplit(request.url).path)
        admission = await door.admit(request, path_id, subprotocol_of(request, SUBPROTOCOLS))
        if isinstance(admission, Response):
            return admission
        if self._is_destroyed:
            admission.end()
            return Response("The server is destroyed", status=503)

        def let_in(port: WebSocketPort, path: str, client_id: str, subprotocol: str | None) -> Connection:
            return self._let_in(port, path, client_id, subprotocol, admission)

        return answer(let_in, request)

    def connect(
        self,
        port: Port,
        path: str,
        client_id: str,
        subprotocol: str | None = None,
        *,
        access: Access | None = None,
    ) -> Connection:
        """Let a client in; the caller passes on what arrives to the connection's ``on_…`` methods.

        Raises:
            ValueError: a client id that means something else in the protocol.
            ServerError: the server is destroyed, or asks who its clients are and was not told ``access``.
            AccessError: the access is to nothing, or over.
            ConnectionLimitError: there are too many connections.
        """
        if self._is_destroyed:
            raise ServerError("the server is destroyed; it takes no more clients")
        door = self._door
        if door is None:
            return self._let_in(port, path, client_id, subprotocol, None)
        if access is None and door.asks:
            raise ServerError("this server asks who its clients are: say what this one may do by access=…")
        admission = door.vouched(access or ANYBODY, path_id_of(path))
        return self._let_in(port, path, client_id, subprotocol, admission)

    def _let_in(
        self, port: Port, path: str, client_id: str, subprotocol: str | None, admission: Admission | None
    ) -> Connection:
        if client_id in (EVERYBODY, SERVER_ID) or "\n" in client_id:
            if admission is not None:
                admission.end()
            raise ValueError(f"{client_id!r} can't be the id of a client")
        name = self.name_of(client_id, path)
        connection = connect(self, port, name, path_id_of(path), subprotocol, admission)
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


def upgrade_request(connection: Any, request: Any) -> Request:
    """The request that opens a WebSocket of the ``websockets`` package, as a web value."""
    host = request.headers.get("Host", "localhost")
    peer = connection.remote_address
    address = str(peer[0]) if isinstance(peer, tuple) and peer else ""
    headers = with_address(list(request.headers.raw_items()), address)
    return Request(f"http://{host}{request.path}", headers=headers)


def refusing(connection: Any, refusal: Response) -> Any:
    """A response that refuses a client, as the ``websockets`` package has them."""
    response = connection.respond(refusal.status, "")
    response.body = refusal.body_bytes() or b""
    for name, value in refusal.headers.items():
        if name not in _FRAMING:
            response.headers.pop(name, None)
            response.headers[name] = value
    response.headers.pop("Content-Length", None)
    response.headers["Content-Length"] = str(len(response.body))
    return response


def close_of(refusal: Response) -> tuple[int, str]:
    """The close code and reason that say the same as a response that refuses a client."""
    codes = {401: UnauthenticatedError.close_code, 429: ConnectionLimitError.close_code}
    text = (refusal.body_bytes() or b"").decode("utf-8", "replace")
    return codes.get(refusal.status) or AccessError.close_code or 1008, text[:_REASON]


def path_id_of(path: str) -> str:
    """The path id of a request target: after the first slash, up to a question mark, nothing decoded."""
    return path.partition("/")[2].partition("?")[0]
