"""Clients that come as requests for a WebSocket, as durabase's own server has them."""

from __future__ import annotations

from typing import Final, Protocol, final
from urllib.parse import urlsplit

from durabase.synchronizers.protocol.channels import CHANNELS_PROTOCOL
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES
from durabase.synchronizers.protocol.relay import EVERYBODY, SERVER_ID
from durabase.types import Id
from durabase.web import Connection, Request, Response, SocketSink, WebSocketPair
from durabase.web.connection import Use

__all__ = ["MESSAGE_BYTES", "PortHost", "answer", "client_id_of", "opens_web_socket"]

MESSAGE_BYTES: Final = MAX_PAYLOAD_BYTES + 4096
"""How large a message is read at all; one that is just too large is refused in the protocol's own words."""


class PortHost(Protocol):
    """A server that lets sockets in."""

    def connect(self, port: WebSocketPort, path: str, client_id: Id, subprotocol: str | None) -> SocketSink:
        """Let a client in; the sink is to be told what comes from it."""


def opens_web_socket(request: Request) -> bool:
    """Whether a request opens a WebSocket for a client with an id."""
    is_upgrade = request.method == "GET" and (request.headers.get("upgrade") or "").lower() == "websocket"
    return is_upgrade and client_id_of(request) not in (EVERYBODY, SERVER_ID)


def client_id_of(request: Request) -> Id:
    """The id of the client that this request opens a WebSocket for; empty if it opens none."""
    return request.headers.get("sec-websocket-key") or ""


def answer(host: PortHost, request: Request) -> Response:
    """Let a client in on the path that it asks for; a request that opens no WebSocket gets 426."""
    if not opens_web_socket(request):
        return Response("Upgrade required", status=426)
    offered = (request.headers.get("sec-websocket-protocol") or "").split(",")
    subprotocol = CHANNELS_PROTOCOL if CHANNELS_PROTOCOL in map(str.strip, offered) else None
    client, server = WebSocketPair()
    port = WebSocketPort(server.connection)
    sink = host.connect(port, urlsplit(request.url).path, client_id_of(request), subprotocol)
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
