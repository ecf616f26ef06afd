"""What a transport is: send text, iterate text, close.

A transport is one connection to one other side, already open. WebSockets are the usual kind
(``ws_client.WebSocketTransport``), but anything that carries whole texts in order will do: bring your own
by writing these five methods.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

__all__ = ["Transport"]


class Transport(Protocol):
    """One open connection that carries whole texts, in order, both ways."""

    def send_text(self, text: str) -> None:
        """Queue a text. Returns at once; after a close, from either side, the text is dropped silently."""

    def close(self, code: int | None, reason: str) -> None:
        """End the connection after what was sent, with a close code or ``None``. Twice is harmless."""

    async def wait_closed(self) -> None:
        """Wait until the connection is over, after :meth:`close`, but no longer than is sensible."""

    def buffered_amount(self) -> int:
        """Bytes that are queued here because the other side does not read them yet."""

    def __aiter__(self) -> AsyncIterator[str]:
        """The texts that arrive; ends when the connection does, however it does."""
