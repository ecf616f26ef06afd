"""Streams to be read: the bodies of requests and responses, and whatever else comes piece by piece.

Follows the Streams standard over an asynchronous iterator: iterate it, or use a reader.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from durabase._names import js_names
from durabase.web.attribute_dict import AttributeDict

__all__ = ["Branch", "ReadableStream", "StreamReader"]

_LOCKED = "This ReadableStream is currently locked to a reader."


class Branch:
    """One of two readers of the same source; what one has read first waits for the other."""

    __slots__ = ("_ahead", "_source", "sibling")

    def __init__(self, source: AsyncIterator[Any]) -> None:
        self._source = source
        self._ahead: deque[Any] = deque()
        self.sibling: Branch | None = None

    @classmethod
    def pair(cls, source: AsyncIterator[Any]) -> tuple[Branch, Branch]:
        """Both branches of a source."""
        one, other = cls(source), cls(source)
        one.sibling, other.sibling = other, one
        return one, other

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if self._ahead:
            return self._ahead.popleft()
        chunk = await anext(self._source)
        if self.sibling is not None:
            self.sibling._ahead.append(chunk)
        return chunk


@js_names
class ReadableStream:
    """What comes piece by piece; each piece comes once.

    Args:
        source: gives the pieces.
    """

    __slots__ = ("__weakref__", "_pieces", "locked")

    def __init__(self, source: AsyncIterable[Any]) -> None:
        self._pieces = aiter(source)
        self.locked = False

    def get_reader(self) -> StreamReader:
        """The one reader that may read, until it releases the stream.

        Raises:
            TypeError: there is one already.
        """
        self._lock()
        return StreamReader(self)

    async def cancel(self, reason: object = None) -> None:
        """Tell the source that nothing more is wanted.

        Raises:
            TypeError: somebody has a reader.
        """
        if self.locked:
            raise TypeError(_LOCKED)
        await self._end()

    def tee(self) -> list[ReadableStream]:
        """Two streams that both give all pieces; this one is locked.

        Raises:
            TypeError: somebody has a reader.
        """
        self._lock()
        return [ReadableStream(branch) for branch in Branch.pair(self._pieces)]

    async def pipe_to(self, writable: Any, options: Any = None) -> None:
        """Write all pieces, then close the other side; a failure here aborts it.

        Args:
            writable: has ``getWriter()``.
            options: taken, and without effect.
        """
        writer = writable.getWriter()
        try:
            async for piece in self:
                await writer.write(piece)
        except BaseException as error:
            await writer.abort(error)
            raise
        await writer.close()

    def values(self) -> AsyncIterator[Any]:
        """Iterate the pieces."""
        return aiter(self)

    def __aiter__(self) -> AsyncIterator[Any]:
        self._lock()
        return self._pieces

    def _lock(self) -> None:
        if self.locked:
            raise TypeError(_LOCKED)
        self.locked = True

    async def _next_piece(self) -> Any:
        """The next piece.

        Raises:
            StopAsyncIteration: there is none.
        """
        return await anext(self._pieces)

    async def _end(self) -> None:
        """Close the source."""
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()


@js_names
class StreamReader:
    """Reads one stream, piece by piece."""

    __slots__ = ("_stream",)

    def __init__(self, stream: ReadableStream) -> None:
        self._stream: ReadableStream | None = stream

    async def read(self) -> Any:
        """``done`` and ``value``, the next piece.

        Raises:
            TypeError: the stream was released.
        """
        try:
            return AttributeDict(done=False, value=await self._reading()._next_piece())
        except StopAsyncIteration:
            return AttributeDict(done=True, value=None)

    async def cancel(self, reason: object = None) -> None:
        """Tell the source that nothing more is wanted."""
        await self._reading()._end()

    def release_lock(self) -> None:
        """Let others read the stream."""
        if self._stream is not None:
            self._stream.locked = False
        self._stream = None

    def _reading(self) -> ReadableStream:
        if self._stream is None:
            raise TypeError("This ReadableStream reader has been released.")
        return self._stream
