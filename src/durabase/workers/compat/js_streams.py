"""``ReadableStream``, ``WritableStream`` and ``TransformStream``, over asynchronous iterators."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import Any

from durabase.web import ReadableStream
from durabase.workers.compat.js_values import JsFunction

__all__ = ["ReadableStreams", "TransformStream", "WritableStream", "WritableStreamDefaultWriter"]


async def _told(target: Any, name: str, *arguments: Any) -> Any:
    """Call the method of a source or sink, if it has one; such are dicts, or objects."""
    method = target.get(name) if isinstance(target, Mapping) else getattr(target, name, None)
    result = method(*arguments) if method is not None else None
    return await result if inspect.isawaitable(result) else result


class _Controller:
    """What a source puts its pieces into; they wait there to be read."""

    def __init__(self, high_water_mark: float = 1) -> None:
        self._mark = high_water_mark
        self._waiting: deque[Any] = deque()
        self._closed = False
        self._failure: BaseException | None = None
        self._change = asyncio.Event()
        self._wanted = False

    @property
    def desiredSize(self) -> float | None:  # noqa: N802 (JavaScript's name)
        """How many pieces may still be put in."""
        return None if self._failure else 0 if self._closed else self._mark - len(self._waiting)

    def enqueue(self, piece: Any = None) -> None:
        """Put a piece in.

        Raises:
            TypeError: the stream is closed.
        """
        if self._closed or self._failure is not None:
            raise TypeError("Unable to enqueue: the stream is closed.")
        self._waiting.append(piece)
        self._change.set()

    def close(self) -> None:
        """Say that there are no more."""
        self._closed = True
        self._change.set()

    terminate = close

    def error(self, reason: Any = None) -> None:
        """Let whoever reads fail."""
        self._failure = reason if isinstance(reason, BaseException) else RuntimeError(str(reason))
        self._change.set()

    async def taken(self) -> None:
        """Wait until all that was put in has been read, and more is wanted."""
        while (self._waiting or not self._wanted) and not self._closed and self._failure is None:
            await self._changed()

    async def pieces(self, source: Any) -> AsyncIterator[Any]:
        """What ``source`` puts in."""
        try:
            await _told(source, "start", self)
            while (piece := await self._next(source)) is not self:
                yield piece
        finally:
            if not self._closed:
                self.close()
                await _told(source, "cancel", None)

    async def _next(self, source: Any) -> Any:
        while True:
            if self._failure is not None:
                raise self._failure
            if self._waiting:
                piece = self._waiting.popleft()
                self._change.set()
                return piece
            if self._closed:
                return self
            self._wanted = True
            self._change.set()
            await _told(source, "pull", self)
            if not self._waiting and not self._closed and self._failure is None:
                await self._changed()
            self._wanted = False

    async def _changed(self) -> None:
        self._change.clear()
        await self._change.wait()


class ReadableStreams(JsFunction[ReadableStream]):
    """The constructor ``ReadableStream``."""

    def __init__(self) -> None:
        super().__init__(_readable)

    def from_(self, items: AsyncIterable[Any] | Iterable[Any]) -> ReadableStream:
        """Make one of what an iterator gives, asynchronous or not."""
        return ReadableStream(items if isinstance(items, AsyncIterable) else _each(items))


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


def _readable(source: Any = None, strategy: Any = None, **named: Any) -> ReadableStream:
    return ReadableStream(_Controller().pieces(named if source is None else source))


class WritableStream:
    """What takes pieces, one after the other.

    Args:
        sink: its ``start(controller)``, ``write(piece, controller)``, ``close()`` and ``abort(reason)``, as
            members of a dict or methods of an object; each may be asynchronous.
        strategy: taken, and without effect.
        named: the same as ``sink``, by keyword.
    """

    def __init__(self, sink: Any = None, strategy: Any = None, **named: Any) -> None:
        self.locked = False
        self._sink = named if sink is None else sink
        self._started = False
        self._failure: BaseException | None = None
        self._closed = False
        self._turn = asyncio.Lock()

    @classmethod
    def new(cls, sink: Any = None, strategy: Any = None, **named: Any) -> WritableStream:
        """Make one."""
        return cls(sink, strategy, **named)

    def getWriter(self) -> WritableStreamDefaultWriter:  # noqa: N802 (JavaScript's name)
        """Return the one writer that may write, until it releases the stream.

        Raises:
            TypeError: there is one already.
        """
        if self.locked:
            raise TypeError("This WritableStream is currently locked to a writer.")
        self.locked = True
        return WritableStreamDefaultWriter(self)

    def error(self, reason: Any = None) -> None:
        """Let whoever writes fail: what a sink does with its controller."""
        self._failure = reason if isinstance(reason, BaseException) else RuntimeError(str(reason))

    async def take(self, piece: Any) -> None:
        """Have the sink take a piece, after those before it."""
        async with self._turn:
            await self._ready()
            try:
                await _told(self._sink, "write", piece, self)
            except BaseException as error:
                self._failure = error
                raise

    async def close(self) -> None:
        """Tell the sink that there are no more pieces."""
        async with self._turn:
            await self._ready()
            self._closed = True
            await _told(self._sink, "close")

    async def abort(self, reason: Any = None) -> None:
        """Tell the sink that something has gone wrong."""
        self.error(reason)
        await _told(self._sink, "abort", reason)

    async def _ready(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise TypeError("This WritableStream has been closed.")
        if not self._started:
            self._started = True
            await _told(self._sink, "start", self)


class WritableStreamDefaultWriter:
    """Writes to one stream. What its methods return can be awaited, or dropped."""

    def __init__(self, stream: WritableStream) -> None:
        self._stream: WritableStream | None = stream

    def write(self, piece: Any = None) -> asyncio.Future[None]:
        """Write a piece; done when the sink has taken it."""
        return _started(self._writing().take(piece))

    def close(self) -> asyncio.Future[None]:
        """Say that there are no more; done when the sink knows."""
        return _started(self._writing().close())

    def abort(self, reason: Any = None) -> asyncio.Future[None]:
        """Say that something has gone wrong."""
        return _started(self._writing().abort(reason))

    def releaseLock(self) -> None:  # noqa: N802 (JavaScript's name)
        """Let others write to the stream."""
        if self._stream is not None:
            self._stream.locked = False
        self._stream = None

    def _writing(self) -> WritableStream:
        if self._stream is None:
            raise TypeError("This WritableStream writer has been released.")
        return self._stream


def _started(work: Any) -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.ensure_future(work)
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future


class TransformStream:
    """Two ends: what is written to ``writable`` comes out of ``readable``, as it is or transformed.

    A piece counts as written when somebody wants to read it.

    Args:
        transformer: its ``start(controller)``, ``transform(piece, controller)`` and ``flush(controller)``.
        named: the same, by keyword.
    """

    def __init__(self, transformer: Any = None, *_: Any, **named: Any) -> None:
        given = named if transformer is None else transformer
        controller = _Controller()
        identity = given.get("transform") is None if isinstance(given, Mapping) else False

        async def write(piece: Any, _: Any) -> None:
            if identity:
                controller.enqueue(piece)
            else:
                await _told(given, "transform", piece, controller)
            await controller.taken()

        async def close() -> None:
            await _told(given, "flush", controller)
            controller.close()

        sink = {
            "start": lambda _: _told(given, "start", controller),
            "write": write,
            "close": close,
            "abort": controller.error,
        }
        self.writable = WritableStream(sink)
        self.readable = ReadableStream(controller.pieces({"cancel": self.writable.error}))

    @classmethod
    def new(cls, transformer: Any = None, *strategies: Any, **named: Any) -> TransformStream:
        """Make one."""
        return cls(transformer, *strategies, **named)
