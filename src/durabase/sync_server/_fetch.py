"""Clients that come as requests for a WebSocket, as durabase's own server has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, final
from urllib.parse import urlsplit

from durabase.synchronizers.protocol.channels import CHANNELS_PROTOCOL
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES
from durabase.synchronizers.protocol.relay import EVERYBODY, SERVER_ID
from durabase.types import Id
from durabase.web import Connection, Request, Response, SocketSink, WebSocketPair
from durabase.web.connection import Use

__all__ = [
    "BESIDE_TOKENS",
    "MESSAGE_BYTES",
    "SUBPROTOCOLS",
    "WebSocketPort",
    "already_here",
    "answer",
    "client_id_of",
    "opens_web_socket",
    "subprotocol_of",
]

BESIDE_TOKENS: Final = "durabase"
"""The subprotocol to offer beside one that carries a token: browsers want one of them to be chosen."""
SUBPROTOCOLS: Final = (CHANNELS_PROTOCOL, BESIDE_TOKENS)

MESSAGE_BYTES: Final = MAX_PAYLOAD_BYTES + 4096
"""How large a message is read at all; one that is just too large is refused in the protocol's own words."""


LetIn: TypeAlias = Callable[["WebSocketPort", str, Id, "str | None"], SocketSink]
"""``let_in(port, path, client_id, subprotocol)``; the sink is to be told what comes from the client."""


def opens_web_socket(request: Request) -> bool:
    """Whether a request opens a WebSocket for a client with an id."""
    is_upgrade = request.method == "GET" and (request.headers.get("upgrade") or "").lower() == "websocket"
    return is_upgrade and client_id_of(request) not in (EVERYBODY, SERVER_ID)


def client_id_of(request: Request) -> Id:
    """The id of the client that this request opens a WebSocket for; empty if it opens none."""
    return request.headers.get("sec-websocket-key") or ""


def already_here() -> Response:
    """The refusal of a client whose ``Sec-WebSocket-Key``, its id in the protocol, somebody else has already.

    Browsers make up a random one for each connection.
    """
    return Response("A client of this Sec-WebSocket-Key is here already.", 409)


def subprotocol_of(request: Request, known: Sequence[str]) -> str | None:
    """The first of these subprotocols that the client offers."""
    offered = [name.strip() for name in (request.headers.get("sec-websocket-protocol") or "").split(",")]
    return next((name for name in known if name in offered), None)


def answer(let_in: LetIn, request: Request) -> Response:
    """Let a client in on the path that it asks for; a request that opens no WebSocket gets 426."""
    if not opens_web_socket(request):
        return Response("Upgrade required", status=426)
    subprotocol = subprotocol_of(request, SUBPROTOCOLS)
    client, server = WebSocketPair()
    port = WebSocketPort(server.connection)
    asked = urlsplit(request.url)
    target = f"{asked.path}?{asked.query}" if asked.query else asked.path
    sink = let_in(port, target, client_id_of(request), subprotocol)
    server.connection.message_bytes = MESSAGE_BYTES
    server.connection.accept(Use.STANDARD, sink)
    headers = {} if subprotocol is None else {"sec-websocket-protocol": subprotocol}
    return Response(None, 101, headers=headers, web_socket=client)


@final
class WebSocketPort:
    """The outgoing half of one end of a pair."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send_text(self, text: str) -> None:
        """Queue a text; dropped silently after a close."""
        if self._is_open():
            self._connection.send_text(text)

    def close(self, code: int | None, reason: str) -> None:
        """Close after what was sent; twice is harmless."""
        if self._is_open():
            self._connection.sendable, self._connection.sent_close = False, True
            self._connection.send_close(code, reason)

    def buffered_amount(self) -> int:
        """Bytes that have not left the process."""
        return self._connection.buffered_amount()

    def _is_open(self) -> bool:
        return not (self._connection.sent_close or self._connection.closed)
