"""Joins a network connection to a :class:`durabase.web.WebSocket`.

:class:`SocketConnection` takes over the transport of a completed handshake. Towards the network it is
an ``asyncio`` protocol, towards the object it is a :class:`~durabase.web.SocketPort`; what arrives goes
to the :class:`~durabase.web.connection.Connection` that ``WebSocket.connect`` gave. It keeps no task and
no timer: an idle socket is this object, its endpoint and its outbox.

It never waits for a reader: see :mod:`~durabase.server.outbox` for how a slow one is bounded.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from durabase.errors import ServerError
from durabase.server.clients import peer_address
from durabase.server.frames import CLOSE_ABNORMAL, binary_frame
from durabase.server.outbox import Outbox
from durabase.server.tls import hold_back_at_once, stop_sending
from durabase.server.websocket import SlowReaderError, WebSocketEndpoint

if TYPE_CHECKING:
    from durabase.server.compression import Compression
    from durabase.server.context import ServerContext, ServerLimits
    from durabase.server.frames import FrameEvent, Inflater
    from durabase.web import WebSocket
    from durabase.web.connection import Connection

__all__ = ["LOST", "SocketConnection", "message_limit", "start_socket", "tell_lost"]

LOST = "WebSocket disconnected without sending Close frame."


class SocketConnection:
    """One WebSocket connection of a server.

    It is an ``asyncio.Protocol`` by its methods only: a class that is compiled can't be derived from one.
    """

    __slots__ = (
        "_context",
        "_endpoint",
        "_is_alive",
        "_is_paused",
        "_outbox",
        "_sink",
        "_transport",
        "_turn",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        context: ServerContext,
        message_bytes: int,
        inflater: Inflater | None = None,
    ) -> None:
        limits = context.limits
        self._transport = transport
        self._context = context
        self._turn = context.turn
        self._outbox = Outbox(transport, self._turn, limits.unsent_bytes, limits.unsent_messages)
        self._endpoint = WebSocketEndpoint(self._outbox, message_bytes, inflater)
        self._sink: Connection | None = None
        self._is_alive = True
        self._is_paused = False

    def start(self, web_socket: WebSocket, protocol: str, extensions: str, early: bytes) -> None:
        """Connect the two ends; ``early`` is what the peer sent along with its handshake."""
        self._context.sockets.add(self)
        hold_back_at_once(self._transport)
        if self._transport.get_write_buffer_size():
            self._outbox.block()
        self._transport.set_protocol(cast(asyncio.Protocol, self))
        self._sink = web_socket.connect(self, protocol=protocol, extensions=extensions)
        if self._endpoint.is_over:  # it was, by what had been sent before
            self._end()
        elif early:
            self.data_received(early)

    # The network's side.

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._is_alive = True
        self._turn.traffic.bytes_in += len(data)
        if not self._endpoint.is_over:  # else the peer has been told to hang up
            self._endpoint.receive(data)
            self._deliver()

    def eof_received(self) -> bool:
        """The peer sends nothing more: the transport closes itself. A peer without an address is a process
        that carries the client's bytes, and stops; that still brings the client a goodbye."""
        if not peer_address(self._transport):
            self.drain()
            self._outbox.flush()
        return False

    def pause_writing(self) -> None:
        """The operating system takes no more at present."""
        self._outbox.block()

    def resume_writing(self) -> None:
        """It takes more again."""
        self._outbox.unblock()
        self._hang_up_when_done()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._context.addresses.leave(self._transport)
        self._context.forget(self)
        self._endpoint.stop()
        self._tell_close(CLOSE_ABNORMAL, LOST, False)

    def _deliver(self) -> None:
        """Hand over what has arrived, but only so much at once that other sockets get their turn."""
        endpoint = self._endpoint
        if self._sink is None:
            return
        if self._hand_over(self._sink):
            self._pause()
        elif endpoint.is_over:
            self._end()
        elif self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()

    def _hand_over(self, sink: Connection) -> bool:
        """Hand over this socket's share of a turn, one message at least; whether there may be more."""
        endpoint, turn = self._endpoint, self._turn
        self._hand_on(sink, endpoint.next_event())
        if not endpoint.has_unread:  # as mostly: then nobody asks for the time
            return False
        end = turn.share_end()
        for _ in range(1, self._context.limits.messages_per_turn):
            self._hand_on(sink, endpoint.next_event())
            if not endpoint.has_unread:
                return False
            if turn.is_past(end):
                break
        return True

    def _hand_on(self, sink: Connection, event: FrameEvent | None) -> None:
        if isinstance(event, str):
            self._turn.traffic.messages_in += 1
            sink.on_text(event)
        elif isinstance(event, bytes):
            self._turn.traffic.messages_in += 1
            sink.on_binary(event)

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._turn.go_on_later(self._go_on)

    def _go_on(self) -> None:
        if not self._transport.is_closing():
            self._deliver()

    # The object's side: SocketPort.

    def send_text(self, text: str) -> None:
        """Queue a text message."""
        if not self._endpoint.close_sent and not self._outbox.put(self._turn.text_frame(text)):
            self._give_up_slow_reader()

    def send_binary(self, data: bytes) -> None:
        """Queue a binary message."""
        if not self._endpoint.send(binary_frame(data)):
            self._give_up_slow_reader()

    def close(self, code: int | None, reason: str) -> None:
        """Begin the closing handshake; who does not answer in time is cut off."""
        if not self._endpoint.close_sent:
            self._endpoint.close(code, reason)
            self._context.deadlines.watch(self, self._context.limits.close_seconds)

    def abort(self) -> None:
        """Drop the connection."""
        self._endpoint.stop()
        self._transport.abort()

    def buffered_amount(self) -> int:
        """Bytes that the operating system has not taken yet."""
        return self._outbox.unsent_bytes()

    # The server's side.

    def check_alive(self) -> None:
        """Called once per ping interval: cut off who has been silent since the last ping, ping the others."""
        if not self._is_alive:
            self.abort()
            return
        self._is_alive = False
        if not self._endpoint.ping():
            self._give_up_slow_reader()

    def drain(self) -> None:
        """Say goodbye: the server stops."""
        self.close(*self._context.farewell)

    def on_deadline(self) -> None:
        """The peer was given time to close and did not."""
        self.abort()

    def _give_up_slow_reader(self) -> None:
        self._endpoint.overflow()
        self._end()

    def _end(self) -> None:
        """The conversation is over: tell the object and hang up after what is still to be sent."""
        endpoint = self._endpoint
        self._outbox.flush()
        self._context.deadlines.watch(self, self._context.limits.close_seconds)
        self._resume_to_discard()
        self._hang_up_when_done()
        if endpoint.peer_close is not None:
            self._tell_close(endpoint.peer_close.code, endpoint.peer_close.reason, True)
        elif endpoint.failure is not None:
            self._tell_failure(endpoint.failure)

    def _resume_to_discard(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()

    def _hang_up_when_done(self) -> None:
        """Close after a closing handshake. A peer that was refused may still be sending: to let it see why,
        the connection is closed in one direction only, and the rest of its data is dropped."""
        if not self._endpoint.is_over or not self._outbox.is_empty or self._transport.is_closing():
            return
        if self._endpoint.peer_close is None:
            stop_sending(self._transport)
        else:
            self._transport.close()

    def _tell_failure(self, failure: ServerError) -> None:
        if self._sink is not None:
            self._context.traffic.slow_readers += isinstance(failure, SlowReaderError)
            self._sink.on_error(failure)
        self._tell_close(CLOSE_ABNORMAL, failure.details, False)

    def _tell_close(self, code: int, reason: str, was_clean: bool) -> None:
        sink = self._sink
        self._sink = None
        if sink is not None:
            self._context.traffic.closed(code)
            sink.on_close(code, reason, was_clean)


class CompressedSocketConnection(SocketConnection):
    """One WebSocket connection whose messages may be compressed."""

    __slots__ = ("_compression",)

    def __init__(
        self,
        transport: asyncio.Transport,
        context: ServerContext,
        message_bytes: int,
        compression: Compression,
    ) -> None:
        super().__init__(transport, context, message_bytes, compression)
        self._compression = compression

    def send_text(self, text: str) -> None:
        """Queue a text message."""
        if not self._endpoint.close_sent:
            frame = self._turn.compressed_text_frame(text, self._compression)
            if not self._outbox.put(frame):
                self._give_up_slow_reader()

    def send_binary(self, data: bytes) -> None:
        """Queue a binary message."""
        if not self._endpoint.send(self._compression.binary_frame(data)):
            self._give_up_slow_reader()


def start_socket(
    transport: asyncio.Transport,
    context: ServerContext,
    web_socket: WebSocket,
    protocol: str,
    early: bytes,
    compression: Compression | None = None,
) -> SocketConnection:
    """Let a connection whose handshake is complete carry ``web_socket``.

    Args:
        transport: the connection. context: of its server.
        web_socket: the end that came in the response.
        protocol: the subprotocol that was chosen; empty for none.
        early: what the peer sent along with its handshake.
        compression: what was agreed on, if anything.
    """
    limit = message_limit(web_socket, context.limits)
    connection = (
        SocketConnection(transport, context, limit)
        if compression is None
        else CompressedSocketConnection(transport, context, limit, compression)
    )
    connection.start(web_socket, protocol, "" if compression is None else compression.header, early)
    return connection


def message_limit(web_socket: WebSocket, limits: ServerLimits) -> int:
    """How many bytes a message for ``web_socket`` may have: its program may take less than the server."""
    program = web_socket.connection.peer
    if program is None or program.message_bytes is None:
        return limits.message_bytes
    return min(limits.message_bytes, program.message_bytes)


class _GonePort:
    """The port of a client that left before its handshake was answered."""

    __slots__ = ()

    def send_text(self, text: str) -> None:
        """Nobody is there."""

    def send_binary(self, data: bytes) -> None:
        """Nobody is there."""

    def close(self, code: int | None, reason: str) -> None:
        """Nobody is there."""

    def abort(self) -> None:
        """Nobody is there."""

    def buffered_amount(self) -> int:
        """Nothing waits."""
        return 0


def tell_lost(web_socket: WebSocket) -> None:
    """Let an end know that its connection was lost before it was made."""
    web_socket.connect(_GonePort(), protocol="", extensions="").on_close(CLOSE_ABNORMAL, LOST, False)
