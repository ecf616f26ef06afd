"""The seam between a WebSocket as an object sees it and whatever carries it.

A *port* is the outgoing half: what may be done to the connection. A *sink* is the incoming
half: what the connection tells. The server implements ports and calls sinks; objects and
tests do the reverse. Neither side waits: queues and their bounds belong to the port.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["SocketPort", "SocketSink"]


class SocketPort(Protocol):
    """One connected WebSocket, seen from inside. All methods return at once and never raise."""

    def send_text(self, text: str) -> None:
        """Queue a text message. After a close it is dropped silently."""

    def send_binary(self, data: bytes) -> None:
        """Queue a binary message. After a close it is dropped silently."""

    def close(self, code: int | None, reason: str) -> None:
        """Queue a Close frame (``None``: an empty one) after what was sent; further calls do nothing."""

    def abort(self) -> None:
        """Drop the connection without a Close frame; the peer sees 1006."""

    def buffered_amount(self) -> int:
        """Bytes queued that the operating system has not taken yet."""


class SocketSink(Protocol):
    """Who is told what arrives on a connection. Calls come from the event loop, in order."""

    def on_text(self, text: str) -> None:
        """A whole text message."""

    def on_binary(self, data: bytes) -> None:
        """A whole binary message."""

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        """The connection is over: the peer's Close frame (1005 if it had no code), or 1006 and not clean.

        Called exactly once, last. The port has already answered a Close frame.
        """

    def on_error(self, error: Exception) -> None:
        """The peer broke the protocol; the port has closed the connection. ``on_close`` follows."""
