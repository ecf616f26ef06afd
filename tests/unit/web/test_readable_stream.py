"""Streams: each piece once, one reader at a time, and an end that the source is told of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

import pytest

from durabase.web.readable_stream import Branch, ReadableStream

T = TypeVar("T")
LOCKED = r"^This ReadableStream is currently locked to a reader\.$"


def run(use: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return asyncio.run(asyncio.wait_for(use(), 10))


class Source:
    """Gives the numbers from 0 on, and remembers how many were asked for, and that it was closed."""

    def __init__(self, count: int = 3) -> None:
        self.given = 0
        self.is_closed = False
        self._count = count

    async def __aiter__(self) -> AsyncGenerator[int, None]:
        try:
            while self.given < self._count:
                self.given += 1
                yield self.given - 1
        finally:
            self.is_closed = True


class Sink:
    """Remembers what was written to it, fails at one piece, and is its own writer."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.told: list[Any] = []
        self._fails_at = fails_at

    def getWriter(self) -> Sink:
        return self

    async def write(self, piece: int) -> None:
        if piece == self._fails_at:
            raise OSError("full")
        self.told.append(piece)

    async def close(self) -> None:
        self.told.append("closed")

    async def abort(self, reason: BaseException) -> None:
        self.told.append(repr(reason))


async def all_of(pieces: AsyncIterator[Any] | ReadableStream) -> list[Any]:
    return [piece async for piece in pieces]


def test_iterating_gives_each_piece_once() -> None:
    async def use() -> None:
        stream = ReadableStream(Source())
        assert not stream.locked
        assert await all_of(stream) == [0, 1, 2]
        assert stream.locked
        with pytest.raises(TypeError, match=LOCKED):
            aiter(stream)
        assert await all_of(ReadableStream(Source(1)).values()) == [0]

    run(use)


def test_a_reader_reads_piece_by_piece_and_then_says_that_all_is_done() -> None:
    async def use() -> None:
        source = Source(2)
        reader = ReadableStream(source).get_reader()
        assert source.given == 0
        assert await reader.read() == {"done": False, "value": 0}
        assert source.given == 1
        assert (await reader.read()).value == 1
        assert await reader.read() == await reader.read() == {"done": True, "value": None}

    run(use)


def test_whoever_reads_keeps_all_others_out() -> None:
    async def use() -> None:
        stream = ReadableStream(Source())
        reader = stream.get_reader()
        for other in (stream.get_reader, stream.tee, stream.values):
            with pytest.raises(TypeError, match=LOCKED):
                other()
        with pytest.raises(TypeError, match=LOCKED):
            await stream.cancel()
        sink = Sink()
        with pytest.raises(TypeError, match=LOCKED):
            await stream.pipe_to(sink)
        assert len(sink.told) == 1
        assert await all_of_reader(reader) == [0, 1, 2]

    async def all_of_reader(reader: Any) -> list[int]:
        return [(await reader.read()).value for _ in range(3)]

    run(use)


def test_a_reader_that_lets_go_reads_no_more_and_others_go_on_from_there() -> None:
    async def use() -> None:
        stream = ReadableStream(Source())
        reader = stream.get_reader()
        await reader.read()
        reader.release_lock()
        reader.release_lock()
        for call in (reader.read, reader.cancel):
            with pytest.raises(TypeError, match="reader has been released"):
                await call()
        second = stream.get_reader()
        reader.release_lock()
        assert stream.locked
        second.release_lock()
        assert await all_of(stream) == [1, 2]

    run(use)


@pytest.mark.parametrize("by_reader", [False, True])
def test_cancelling_closes_the_source(by_reader: bool) -> None:
    async def use() -> None:
        source = Source()
        stream = ReadableStream(source)
        reader = stream.get_reader()
        await reader.read()
        if by_reader:
            await reader.cancel("enough")
        else:
            reader.release_lock()
            await stream.cancel("enough")
        assert source.is_closed
        assert source.given == 1
        reader = stream.get_reader() if not by_reader else reader
        assert (await reader.read()).done

    run(use)


def test_a_source_that_can_not_be_closed_may_be_cancelled() -> None:
    class Plain:
        def __aiter__(self) -> AsyncIterator[int]:
            return self

        async def __anext__(self) -> int:
            return 1

    run(ReadableStream(Plain()).cancel)


def test_the_failure_of_the_source_reaches_the_reader() -> None:
    async def failing() -> AsyncIterator[int]:
        yield 1
        raise OSError("gone")

    async def use() -> None:
        reader = ReadableStream(failing()).get_reader()
        await reader.read()
        with pytest.raises(OSError, match="gone"):
            await reader.read()

    run(use)


def test_both_halves_of_a_tee_give_all_pieces_whoever_reads_first() -> None:
    async def use() -> None:
        source = Source()
        stream = ReadableStream(source)
        one, other = stream.tee()
        assert stream.locked
        first, second = one.get_reader(), other.get_reader()
        assert (await first.read()).value == (await second.read()).value == 0
        assert (await second.read()).value == (await second.read()).value - 1 == 1
        assert source.given == 3
        assert (await second.read()).done
        assert [(await first.read()).value for _ in range(3)] == [1, 2, None]

    run(use)


def test_a_branch_without_a_sibling_keeps_nothing_back() -> None:
    async def use() -> None:
        one, other = Branch.pair(aiter(Source()))
        assert (one.sibling, other.sibling) == (other, one)
        one.sibling = None
        assert await anext(one) == 0
        assert [piece async for piece in other] == [1, 2]
        assert await all_of(aiter(one)) == [1, 2]

    run(use)


def test_piping_writes_all_and_closes() -> None:
    sink = Sink()
    run(lambda: ReadableStream(Source()).pipe_to(sink, {"preventClose": True}))
    assert sink.told == [0, 1, 2, "closed"]


def test_piping_that_fails_aborts_the_other_side() -> None:
    sink = Sink(fails_at=1)
    with pytest.raises(OSError, match="full"):
        run(lambda: ReadableStream(Source()).pipe_to(sink))
    assert sink.told == [0, "OSError('full')"]


def test_names_of_javascript() -> None:
    stream: Any = ReadableStream(Source())
    reader = stream.getReader()
    reader.releaseLock()
    assert not stream.locked
    assert run(lambda: stream.pipeTo(Sink())) is None
