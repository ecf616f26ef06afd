"""The server's end of one WebSocket: RFC 6455 sections 5 to 7 without I/O.

Bytes go in with :meth:`WebSocketEndpoint.receive`, events come out of
:meth:`WebSocketEndpoint.next_event`, and whatever has to be said to the peer (messages, pongs, the
closing handshake) goes into the :class:`~durabase.server.outbox.Outbox` that it was given. Who listens,
who reads the network and who closes the connection is :mod:`~durabase.server.bridge`'s affair.
"""

from __future__ import annotations

from durabase.errors import ServerError
from durabase.server.frames import (
    CLOSE_NO_STATUS,
    CLOSE_PROTOCOL_ERROR,
    CLOSE_TRY_AGAIN_LATER,
    Close,
    FrameError,
    FrameEvent,
    FrameReader,
    Inflater,
    Ping,
    close_frame,
    ping_frame,
    pong_frame,
)
from durabase.server.outbox import Outbox

__all__ = ["SlowReaderError", "WebSocketEndpoint"]


class WebSocketEndpoint:
    """One open WebSocket, from the completed handshake to the last frame.

    Attributes:
        close_sent: nothing more can be sent.
        is_over: nothing more is read. ``peer_close`` or ``failure`` says why, neither if it was stopped.
        peer_close: the peer's Close frame, which has been answered.
        failure: what the connection was failed with.
    """

    __slots__ = ("_outbox", "_reader", "close_sent", "failure", "is_over", "peer_close")

    def __init__(self, outbox: Outbox, max_message_bytes: int, inflater: Inflater | None = None) -> None:
        self._outbox = outbox
        self._reader = FrameReader(max_message_bytes, inflater)
        self.close_sent = False
        self.is_over = False
        self.peer_close: Close | None = None
        self.failure: ServerError | None = None

    @property
    def has_unread(self) -> bool:
        """Whether there may be more events without more bytes."""
        return self._reader.has_unread and not self.is_over

    def receive(self, data: bytes) -> None:
        """Take the next bytes from the network."""
        self._reader.feed(data)

    def next_event(self) -> FrameEvent | None:
        """What the next frame is, or ends; ``None`` if more bytes are needed or the conversation is over.

        Control frames were answered already. They are told, as fragments are, so that work can be counted.
        """
        if self.is_over:
            return None
        try:
            event = self._reader.next_event()
        except FrameError as error:
            self.fail(error)
            return None
        if isinstance(event, Ping):
            self._answer_ping(event)
        elif isinstance(event, Close):
            self._answer_close(event)
        return event

    def send(self, frame: bytes) -> bool:
        """Queue a message or ping; after a Close it is dropped. False: the outbox is over its limits."""
        return self.close_sent or self._outbox.put(frame)

    def ping(self) -> bool:
        """Ask the peer for a sign of life. False as in :meth:`send`."""
        return self.send(ping_frame())

    def close(self, code: int | None, reason: str) -> None:
        """Begin the closing handshake, once: a Close frame after what was sent."""
        if not self.close_sent:
            self._outbox.put(close_frame(code, reason))
            self.close_sent = True

    def fail(self, error: ServerError) -> None:
        """Give the connection up: say why in a Close frame, read nothing more."""
        self.failure = error
        self.is_over = True
        self.close(error.close_code or CLOSE_PROTOCOL_ERROR, error.details)

    def overflow(self) -> None:
        """The peer does not read: drop what waits for it, and fail the connection with 1013."""
        self._outbox.discard()
        self.fail(SlowReaderError())

    def stop(self) -> None:
        """The connection is gone: send and read nothing more."""
        self._outbox.discard()
        self.close_sent = True
        self.is_over = True

    def _answer_close(self, close: Close) -> None:
        self.peer_close = close
        self.is_over = True
        self.close(None if close.code == CLOSE_NO_STATUS else close.code, close.reason)

    def _answer_ping(self, ping: Ping) -> None:
        if not self.send(pong_frame(ping.payload)):
            self.overflow()


class SlowReaderError(ServerError):
    """More is waiting for a peer than the limits allow."""

    def __init__(self) -> None:
        super().__init__("the peer does not read what is sent to it")
        self.close_code: int = CLOSE_TRY_AGAIN_LATER  # of a compiled class, the instance has to have it
