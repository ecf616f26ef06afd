"""WebSockets as transports: connections of the ``websockets`` package, of a client or a server.

The package is imported when the first connection is opened, and nowhere else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final, final
from urllib.parse import urlsplit

from durabase._codec import utf8_length
from durabase.errors import ChannelError, SyncError
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES

if TYPE_CHECKING:
    import asyncio
    import ssl

__all__ = ["WebSocketTransport", "check_web_socket_url", "open_web_socket"]

CLOSE_SECONDS: Final = 10.0
"""How long the other side may take to read what was sent and to answer a close."""


def check_web_socket_url(url: str, ssl: ssl.SSLContext | None) -> None:
    """See whether a WebSocket can be opened there at all, for trying again would not help.

    Raises:
        SyncError: it is no address of a WebSocket, or there are settings for TLS but no TLS.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise SyncError(f"expected a URL like ws://host/path or wss://host/path, not {url!r}")
    if ssl is not None and parts.scheme == "ws":
        raise SyncError(f"there are settings for TLS, but {url!r} goes without; that with TLS is wss://")


async def open_web_socket(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    ssl: ssl.SSLContext | None = None,
    compression: bool = False,
    subprotocol: str | None = None,
) -> WebSocketTransport:
    """Connect to a WebSocket server.

    Raises:
        ChannelError: the server does not speak ``subprotocol``.
        OSError: nobody listens there, or the name is unknown.
        websockets.exceptions.WebSocketException: the server refused.
    """
    from websockets.asyncio.client import connect
    from websockets.typing import Subprotocol

    options: dict[str, Any] = {} if ssl is None else {"ssl": ssl}
    connection = await connect(
        url,
        additional_headers=headers,
        compression="deflate" if compression else None,
        max_size=MAX_PAYLOAD_BYTES,
        subprotocols=None if subprotocol is None else [Subprotocol(subprotocol)],
        **options,
    )
    if connection.subprotocol != subprotocol:
        await connection.close()
        raise ChannelError(f"the server at {url} does not speak the subprotocol {subprotocol!r}")
    return WebSocketTransport(connection)


@final
class WebSocketTransport:
    """A connection of ``websockets.asyncio``, of a client or a server, as a transport."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._outbox: deque[tuple[str, int]] = deque()
        self._queued_size = 0
        self._writer: asyncio.Task[None] | None = None
        self._closer: asyncio.Task[None] | None = None

    def send_text(self, text: str) -> None:
        """Queue a text; dropped silently after a close."""
        import asyncio  # here, for importing a synchronizer must not load asyncio

        if self._closer is not None:
            return
        size = utf8_length(text)
        self._outbox.append((text, size))
        self._queued_size += size
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write())

    def close(self, code: int | None, reason: str) -> None:
        """Close after what was sent; drop the connection if the other side does not read it in time."""
        import asyncio  # here, for importing a synchronizer must not load asyncio

        if self._closer is None:
            self._closer = asyncio.get_running_loop().create_task(self._finish(code, reason))

    async def wait_closed(self) -> None:
        """Wait until what was sent is out and the connection is closed."""
        if self._closer is not None:
            await self._closer

    def buffered_amount(self) -> int:
        """Bytes that are queued here or in the socket."""
        return self._queued_size + int(self._connection.transport.get_write_buffer_size())

    async def __aiter__(self) -> AsyncIterator[str]:
        from websockets.exceptions import ConnectionClosed

        try:
            async for message in self._connection:
                yield message if isinstance(message, str) else message.decode("utf-8", "replace")
        except ConnectionClosed:
            return

    async def _write(self) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            while self._outbox:
                text, size = self._outbox.popleft()
                await self._connection.send(text)
                self._queued_size -= size
        except ConnectionClosed:
            self._outbox.clear()
            self._queued_size = 0

    async def _finish(self, code: int | None, reason: str) -> None:
        import asyncio  # here, for importing a synchronizer must not load asyncio

        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if self._writer is not None:
                    await self._writer
                await self._connection.close(1000 if code is None else code, reason)
        except TimeoutError:
            self._connection.transport.abort()
