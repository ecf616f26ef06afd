"""HTTP/1.1 on one connection: bytes to :class:`~durabase.web.Request`, and its response to bytes.

The only door to h11, which parses heads and frames bodies. Requests of a connection are handled one
after the other; while one is being handled nothing more is read. A request is handed to ``fetch`` when
its body is complete. A response with a WebSocket hands the connection over, with the bytes that came early,
to :class:`~durabase.server.bridge.SocketConnection`, and this object is gone.
"""

from __future__ import annotations

import asyncio
import logging
from email.utils import formatdate
from typing import TYPE_CHECKING, Final, cast

import h11

from durabase.server.bridge import start_socket, tell_lost
from durabase.server.clients import peer_address
from durabase.server.handover import Answered, hand_over
from durabase.server.handshake import (
    accept_headers,
    asks_for_web_socket,
    handshake_fault,
    offered_extensions,
)
from durabase.server.heads import error_response, head_size, is_bodiless, reason_phrase, response_fields
from durabase.server.target import line_of, request_url
from durabase.server.tls import stop_sending
from durabase.web import Request, Response
from durabase.web.client_address import with_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from durabase.server.compression import Compression
    from durabase.server.context import ServerContext
    from durabase.web import WebSocket

__all__ = ["HttpConnection"]

_log = logging.getLogger("durabase.server")

_TEXT: Final = (b"Content-Type", b"text/plain;charset=UTF-8")
_NOT_ASKED: Final = (
    "Worker tried to return a WebSocket in a response to a request "
    'which did not contain the header "Upgrade: websocket"'
)
_FIRST_SECONDS: Final = 1.0
_BOTH_DONE: Final = {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}


class HttpConnection(asyncio.Protocol):
    """One connection of a server, as long as it speaks HTTP."""

    __slots__ = (
        "_body",
        "_body_size",
        "_context",
        "_drained",
        "_head",
        "_is_lost",
        "_is_receiving",
        "_is_refusing",
        "_is_streaming",
        "_parser",
        "_served",
        "_started",
        "_task",
        "_transport",
    )

    _transport: asyncio.Transport

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=context.limits.head_bytes)
        self._head: h11.Request | None = None
        self._body: list[bytes] = []
        self._body_size = 0
        self._served: Request | None = None
        self._started = 0.0
        self._task: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._is_lost = False
        self._is_receiving = False
        self._is_refusing = False
        self._is_streaming = False

    # The network's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's do not derive from it
        if not self._context.addresses.admit(transport):
            self._transport.abort()
            return
        self._context.requests.add(self)
        self._context.deadlines.watch(self, self._context.limits.request_seconds)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._is_refusing:
            return
        if not self._is_receiving:
            self._is_receiving = True
            self._context.deadlines.watch(self, self._context.limits.request_seconds)
        self._parser.receive_data(data)
        if self._task is None:
            self._advance()
        else:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The client sends nothing more. It still gets its answers, unless TLS is spoken."""
        if self._is_refusing:
            return False
        self._parser.receive_data(b"")
        if self._served is not None:
            self._served.abandon()
        else:
            self._advance()
        return self._transport.can_write_eof() and self._task is not None and not self._is_streaming

    def pause_writing(self) -> None:
        """The client does not read fast enough."""
        self._drained = self._context.loop.create_future()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone. A request is handled to its end, but a stream has lost its reader."""
        self._is_lost = True
        self._context.addresses.leave(self._transport)
        self.resume_writing()
        if self._served is not None:
            self._served.abandon()
        if self._task is None:
            self._context.forget(self)
        elif self._is_streaming:
            self._task.cancel()

    def drain(self) -> None:
        """Hang up, after the answer if there is a request. The first one may be on its way still."""
        if not self._started:
            self._context.deadlines.watch(self, _FIRST_SECONDS)
        elif self._task is None and not self._is_receiving:
            self._transport.close()

    def abort(self) -> None:
        """Hang up at once and give up the request that is being handled."""
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    def on_deadline(self) -> None:
        """A request has taken too long to arrive, or none came."""
        if self._is_receiving and not self._is_refusing:
            self._refuse(408, "The request took too long to arrive")
        else:
            self._transport.close()

    # Reading.

    def _advance(self) -> None:
        """Take what has arrived, up to a whole request."""
        try:
            while self._task is None and not self._is_refusing:
                event = self._parser.next_event()
                if isinstance(event, h11.ConnectionClosed):
                    self._transport.close()
                    return
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    self._ask_for_body()
                    return
                self._take(event)
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint, f"Not an HTTP request: {error}")

    def _take(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self._begin(event)
        elif isinstance(event, h11.Data):
            self._body_size += len(event.data)
            self._body.append(bytes(event.data))
            self._check_body_size(self._body_size)
        elif isinstance(event, h11.EndOfMessage):
            self._dispatch()

    def _begin(self, head: h11.Request) -> None:
        self._head = head
        self._body = []
        self._body_size = 0
        self._started = self._context.loop.time()
        if head_size(head) > self._context.limits.head_bytes:
            self._refuse(431, "The request's head is too long")
            return
        for name, value in head.headers:
            if name == b"content-length":
                self._check_body_size(int(value))

    def _check_body_size(self, size: int) -> None:
        limit = self._context.limits.body_bytes
        if size > limit:
            self._refuse(413, f"A body of at most {limit} bytes is taken")

    def _ask_for_body(self) -> None:
        if self._parser.they_are_waiting_for_100_continue:
            self._write(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))

    def _dispatch(self) -> None:
        """A request is complete: handle it."""
        head = self._head
        assert head is not None  # noqa: S101 - h11 gives a head first
        self._context.deadlines.forget(self)
        if asks_for_web_socket(head.method, head.headers):
            fault = handshake_fault(head.headers)
            if fault is not None:
                self._refuse(*fault, [(b"Sec-WebSocket-Version", b"13")])
                return
        try:
            request = self._request(head)
        except (TypeError, ValueError) as error:
            self._refuse(400, str(error))
            return
        self._served = request
        self._task = self._context.loop.create_task(self._serve(request))

    def _request(self, head: h11.Request) -> Request:
        method = head.method.decode("ascii")
        host = next((value.decode("latin-1") for name, value in head.headers if name == b"host"), None)
        address = self._transport.get_extra_info("sockname")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers]
        client = self._context.proxies.client(peer_address(self._transport), headers)
        return Request(
            request_url(host, head.target.decode("ascii"), address, client.scheme or self._context.scheme),
            method=method,
            headers=with_address(headers, client.address),
            body=None if method in ("GET", "HEAD") else b"".join(self._body) or None,
        )

    # Answering.

    async def _serve(self, request: Request) -> None:
        """Handle one request, then go on with the next or become a WebSocket."""
        try:
            response = await self._fetch(request)
            if response.web_socket is not None:
                self._upgrade(response.web_socket, response)
                return
            await self._respond(response)
        except h11.LocalProtocolError:
            _log.exception("%s: a response that can't be sent", line_of(request))
            self._transport.abort()
        except Exception:
            _log.exception("%s: the response broke off", line_of(request))
            self._transport.abort()
        finally:
            self._task = self._served = None
            if self._is_lost:
                self._context.forget(self)
        self._next_request()

    async def _fetch(self, request: Request) -> Response:
        try:
            response = await self._context.fetch(request)
            if response.web_socket is not None and not self._is_web_socket_request():
                tell_lost(response.web_socket)
                raise TypeError(_NOT_ASKED)
            return response
        except Exception as error:
            _log.exception("%s", line_of(request))
            return error_response(error, self._context.debug)

    def _is_web_socket_request(self) -> bool:
        head = self._head
        return head is not None and asks_for_web_socket(head.method, head.headers)

    async def _respond(self, response: Response) -> None:
        body = response.body_bytes()
        self._write_head(response, None if body is None else len(body))
        if self._carries_body(response.status):
            if body is not None:
                self._write_data(body)
            else:
                await self._stream(response)
        self._write(h11.EndOfMessage())

    async def _stream(self, response: Response) -> None:
        self._is_streaming = True
        async for chunk in response.iter_body():
            self._write_data(chunk)
            if self._drained is not None:
                await self._drained
        self._is_streaming = False

    def _carries_body(self, status: int) -> bool:
        return self._head is not None and self._head.method != b"HEAD" and not is_bodiless(status)

    def _write_head(self, response: Response, length: int | None) -> None:
        self._start_response(response.status, response_fields(response, length), response.status_text)

    def _start_response(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], status_text: str = ""
    ) -> None:
        fields = [*headers, (b"Date", formatdate(self._context.clock.now_ms() / 1000, usegmt=True).encode())]
        if self._context.is_draining or self._is_refusing:
            fields.append((b"Connection", b"close"))
        reason = (status_text or reason_phrase(status)).encode("latin-1", "replace")
        self._write(h11.Response(status_code=status, headers=fields, reason=reason))
        self._tell_access(status)

    def _write_data(self, data: bytes) -> None:
        if data:
            self._write(h11.Data(data=data))

    def _write(self, event: h11.Event) -> None:
        data = self._parser.send(event)
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _next_request(self) -> None:
        """One request has been answered: close, or go on with what has arrived meanwhile."""
        if self._transport.is_closing():
            return
        if self._context.is_draining or self._parser.states != _BOTH_DONE:
            self._transport.close()
            return
        self._head = None
        self._is_receiving = False
        self._parser.start_next_cycle()
        self._context.deadlines.watch(self, self._context.limits.keep_alive_seconds)
        self._transport.resume_reading()
        self._advance()

    def _refuse(self, status: int, text: str, extra: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Answer a request that can't be handled and hang up: in one direction only at first, for a client
        that is still sending would otherwise not see the answer."""
        self._is_refusing = True
        if self._transport.is_closing():
            return
        body = text.encode()
        if self._parser.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._start_response(status, [_TEXT, (b"Content-Length", b"%d" % len(body)), *extra])
            if self._head is None or self._head.method != b"HEAD":
                self._write_data(body)
            self._write(h11.EndOfMessage())
        self._context.deadlines.watch(self, self._context.limits.close_seconds)
        stop_sending(self._transport)

    # Upgrading.

    def _upgrade(self, web_socket: WebSocket, response: Response) -> None:
        """Become a WebSocket connection."""
        if self._transport.is_closing():
            tell_lost(web_socket)
            return
        self._transport.pause_reading()
        compression = self._agreed_compression()
        try:
            extensions = "" if compression is None else compression.header
            head = self._parser.send(self._switching_protocols(response, extensions))
        except h11.LocalProtocolError:
            tell_lost(web_socket)
            raise
        self._tell_access(101)
        self._context.requests.discard(self)
        protocol = response.headers.get("sec-websocket-protocol") or ""
        early = self._parser.trailing_data[0]
        if hand_over(self._context, self._transport, web_socket, Answered(head, early, protocol, extensions)):
            return
        self._transport.write(head)
        self._transport.resume_reading()
        socket = start_socket(self._transport, self._context, web_socket, protocol, early, compression)
        if self._context.is_draining:
            socket.drain()

    def _agreed_compression(self) -> Compression | None:
        offered = offered_extensions(self._head.headers) if self._head is not None else ""
        if not (offered and self._context.compression):
            return None
        from durabase.server.compression import agreed_compression

        return agreed_compression(offered)

    def _switching_protocols(self, response: Response, extensions: str) -> h11.InformationalResponse:
        assert self._head is not None  # noqa: S101 - it is being answered
        extra = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.headers.items()]
        headers = accept_headers(self._head.headers, extra, extensions)
        return h11.InformationalResponse(status_code=101, headers=headers, reason=b"Switching Protocols")

    def _tell_access(self, status: int) -> None:
        if self._context.on_access is not None and self._head is not None:
            seconds = self._context.loop.time() - self._started
            method, target = self._head.method.decode("ascii"), self._head.target.decode("ascii")
            self._context.on_access(method, target, status, seconds)
