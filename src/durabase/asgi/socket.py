"""One WebSocket of an ASGI server: from its scope to the end of the connection.

Towards the program it is a :class:`~durabase.web.SocketPort`, which never waits; towards the ASGI server it
waits for each message to be taken. In between is a queue that is bounded like that of our own server's
sockets: a client that does not read costs so much memory, and is then closed with 1013.

Pings, and the closing handshake with its time-out, are the ASGI server's affair. What ASGI cannot say: a
Close frame without a code (1000 is sent), and dropping a connection without one (1011 is sent).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any, Final, final

from durabase._codec import utf8_length
from durabase.asgi.response import send_response
from durabase.asgi.scope import web_socket_request
from durabase.errors import ServerError
from durabase.server.bridge import LOST, message_limit, tell_lost
from durabase.server.context import ServerContext
from durabase.server.frames import CLOSE_ABNORMAL, CLOSE_NO_STATUS, CLOSE_TOO_BIG, FrameError, close_reason
from durabase.server.handshake import OURS
from durabase.server.outbox import text_bytes
from durabase.server.websocket import SlowReaderError
from durabase.web import Response, SocketSink, WebSocket
from durabase.workers.compat.asgi_scope import Message, Receive, Send

__all__ = ["AsgiSocket", "serve_web_socket"]

_log = logging.getLogger("durabase.asgi")

_NORMAL: Final = 1000
_FAILED: Final = 1011
_REFUSED: Final = 1008
_MESSAGE_OVERHEAD: Final = 256
_GOODBYE_SECONDS: Final = 1.0
_CHOSEN: Final = b"sec-websocket-protocol"


async def serve_web_socket(
    scope: Message, receive: Receive, send: Send, context: ServerContext, prefix: str
) -> None:
    """Ask the program, and carry its WebSocket until that is over; or refuse the client.

    Raises:
        Exception: whatever the program's handler raises.
    """
    if (await receive())["type"] != "websocket.connect":
        return
    try:
        request = web_socket_request(scope, prefix)
    except (TypeError, ValueError) as error:
        await _refuse(Response(str(error), 400), scope, send)
        return
    response = await context.fetch(request)
    if response.web_socket is None:
        await _refuse(response, scope, send)
        return
    protocol = response.headers.get("sec-websocket-protocol") or None
    try:
        await send(
            {"type": "websocket.accept", "subprotocol": protocol, "headers": _accept_headers(response)}
        )
    except BaseException:
        tell_lost(response.web_socket)
        raise
    await AsgiSocket(send, context, response.web_socket).run(receive, protocol or "")


async def _refuse(response: Response, scope: Message, send: Send) -> None:
    """Answer with the program's response if the ASGI server lets us, else with its own 403."""
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await send_response(response, send, "websocket.http.response")
    else:
        await send({"type": "websocket.close", "code": _REFUSED, "reason": ""})


def _accept_headers(response: Response) -> list[tuple[bytes, bytes]]:
    """The headers that the program set, without those of the handshake."""
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.headers.items()]
    return [field for field in headers if field[0] not in OURS and field[0] != _CHOSEN]


@final
class AsgiSocket:
    """A WebSocket that was accepted."""

    __slots__ = (
        "_bytes",
        "_close",
        "_context",
        "_limit",
        "_messages",
        "_reading",
        "_send",
        "_sends_nothing_more",
        "_sink",
        "_web_socket",
        "_writer",
        "is_over",
    )

    def __init__(self, send: Send, context: ServerContext, web_socket: WebSocket) -> None:
        self.is_over = False
        self._send = send
        self._context = context
        self._web_socket = web_socket
        self._limit = message_limit(web_socket, context.limits)
        self._messages: deque[tuple[Message, int]] = deque()
        self._bytes = 0  # of messages that the ASGI server has not taken
        self._close: Message | None = None
        self._sends_nothing_more = False
        self._sink: SocketSink | None = None
        self._writer: asyncio.Task[None] | None = None
        self._reading: asyncio.Timeout | None = None

    async def run(self, receive: Receive, protocol: str) -> None:
        """Carry messages until the connection is over."""
        self._context.requests.add(self)
        try:
            self._sink = self._web_socket.connect(self, protocol=protocol, extensions="")
            if self._context.is_draining:
                self.drain()
            async with asyncio.timeout(None) as self._reading:
                await self._read(receive)
        except TimeoutError:
            if not self.is_over:  # then it is the ASGI server's own
                raise
        except asyncio.CancelledError:  # the ASGI server stops, and has not said so
            await self._say_goodbye()
            raise
        finally:
            self._finish()

    async def _say_goodbye(self) -> None:
        self.drain()
        if self._writer is not None:
            await asyncio.wait((self._writer,), timeout=_GOODBYE_SECONDS)

    # SocketPort

    def send_text(self, text: str) -> None:
        """Queue a text message."""
        size = utf8_length(text)
        self._put({"type": "websocket.send", "text": _well_formed(text, size)}, size)

    def send_binary(self, data: bytes) -> None:
        """Queue a binary message."""
        self._put({"type": "websocket.send", "bytes": bytes(data)}, len(data))

    def close(self, code: int | None, reason: str) -> None:
        """Close after what was sent; who does not answer in time is left to the ASGI server."""
        if self._close is None:
            self._close = {
                "type": "websocket.close",
                "code": _NORMAL if code is None else code,
                "reason": close_reason(reason),
            }
            self._context.deadlines.watch(self, self._context.limits.close_seconds)
            self._write_soon()

    def abort(self) -> None:
        """Drop what is queued, and close with 1011; if that was done before, leave it to the ASGI server."""
        self._discard()
        if self._close is None:
            self.close(_FAILED, "")
        else:
            self.on_deadline()

    def buffered_amount(self) -> int:
        """Bytes that the ASGI server has not taken yet."""
        return self._bytes

    # Served

    def drain(self) -> None:
        """Say goodbye: the application stops."""
        self.close(*self._context.farewell)

    def on_deadline(self) -> None:
        """The client was given time to close and did not."""
        if not self.is_over:
            self.is_over = True
            if self._reading is not None:
                self._reading.reschedule(self._context.loop.time())

    # Reading

    async def _read(self, receive: Receive) -> None:
        turn = self._context.limits.messages_per_turn
        count = 0
        while not self.is_over:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self._disconnected(message)
                return
            if message["type"] == "websocket.receive" and self._sink is not None:
                self._deliver(message, self._sink)
            count += 1
            if not count % turn:  # ``receive`` need not wait: others get their turn
                await asyncio.sleep(0)

    def _deliver(self, message: Message, sink: SocketSink) -> None:
        text: str | None = message.get("text")
        data: Any = b"" if text is not None else message["bytes"]
        size = len(data) if text is None else len(text)
        if size * 4 > self._limit and text is not None:
            size = utf8_length(text)
        if size > self._limit:
            self._fail(FrameError(CLOSE_TOO_BIG, f"a message of {size} bytes; the limit is {self._limit}"))
        elif text is not None:
            sink.on_text(text)
        else:
            sink.on_binary(bytes(data))

    def _disconnected(self, message: Message) -> None:
        code = message.get("code") or CLOSE_NO_STATUS
        if self._close is not None and code != CLOSE_ABNORMAL:
            self._tell_close(self._close["code"], self._close["reason"], True)
        elif code == CLOSE_ABNORMAL:
            self._tell_close(code, message.get("reason") or LOST, False)
        else:
            self._tell_close(code, message.get("reason") or "", True)

    def _fail(self, error: ServerError) -> None:
        """Give the connection up, and say why."""
        sink = self._sink
        if sink is not None:
            sink.on_error(error)
        self._tell_close(CLOSE_ABNORMAL, error.details, False)
        self.close(error.close_code, error.details)

    def _tell_close(self, code: int, reason: str, was_clean: bool) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.on_close(code, reason, was_clean)

    # Writing

    def _put(self, message: Message, size: int) -> None:
        if self._close is not None or self._sends_nothing_more:
            return
        self._messages.append((message, size))
        self._bytes += size
        self._write_soon()
        if self._bytes + len(self._messages) * _MESSAGE_OVERHEAD > self._context.limits.unsent_bytes:
            self._discard()
            self._fail(SlowReaderError())

    def _write_soon(self) -> None:
        if self._writer is None:
            self._writer = self._context.loop.create_task(self._write())

    async def _write(self) -> None:
        """Send what is queued. There is a task only while there is something: idle sockets have none."""
        try:
            while self._messages:
                message, size = self._messages.popleft()
                await self._send(message)
                self._bytes -= size
            if self._close is not None and not self._sends_nothing_more:
                self._sends_nothing_more = True
                await self._send(self._close)
        except Exception:  # each ASGI server has its own way to say that the client has gone
            _log.debug("a WebSocket can't be sent to", exc_info=True)
            self._sends_nothing_more = True
            self._discard()
            self._context.deadlines.watch(self, self._context.limits.close_seconds)
        finally:
            self._writer = None

    def _discard(self) -> None:
        self._bytes -= sum(size for _, size in self._messages)
        self._messages.clear()

    def _finish(self) -> None:
        self.is_over = self._sends_nothing_more = True
        self._reading = None
        self._context.forget(self)
        self._discard()
        if self._writer is not None:
            self._writer.cancel()
        self._tell_close(CLOSE_ABNORMAL, LOST, False)


def _well_formed(text: str, size: int) -> str:
    """``text`` as UTF-8 has it; most is, and is passed on as it is."""
    return text if len(text) == size else text_bytes(text).decode()
