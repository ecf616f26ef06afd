"""JavaScript's streams, with Python's iterators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from durabase.testing import WorkerHarness
from durabase.web import Request, Response
from durabase.workers.compat import js
from unit.workers.programs import TOML, write_program

pytestmark = pytest.mark.feature("C-PY-2")

T = TypeVar("T")


def run(use: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return asyncio.run(asyncio.wait_for(use(), 10))


async def numbers() -> AsyncIterator[int]:
    for number in range(3):
        yield number


def test_a_source_that_puts_pieces_in() -> None:
    async def use() -> list[Any]:
        def start(controller: Any) -> None:
            controller.enqueue("a")
            controller.enqueue("b")
            controller.close()

        reader = js.ReadableStream.new({"start": start}).getReader()
        return [await reader.read(), await reader.read(), await reader.read()]

    first, second, third = run(use)
    assert (first.value, first.done, second.value) == ("a", False, "b")
    assert (third.value, third.done) == (None, True)


def test_a_source_that_is_asked_for_pieces_and_told_of_the_end() -> None:
    async def use() -> list[Any]:
        told: list[Any] = []

        class Source:
            count = 0

            async def pull(self, controller: Any) -> None:
                await asyncio.sleep(0)
                self.count += 1
                controller.enqueue(self.count)

            def cancel(self, reason: Any) -> None:
                told.append("cancelled")

        stream = js.ReadableStream.new(Source())
        pieces = []
        async for piece in stream:
            pieces.append(piece)
            if piece == 3:
                break
        stream.locked = False
        await stream.cancel("enough")
        return [pieces, told]

    assert run(use) == [[1, 2, 3], ["cancelled"]]


def test_a_source_that_fails() -> None:
    async def use() -> list[Any]:
        reader = js.ReadableStream.new(start=lambda controller: controller.error(KeyError("no"))).getReader()
        with pytest.raises(KeyError, match="no"):
            await reader.read()
        controllers: list[Any] = []
        stream = js.ReadableStream.new(start=controllers.append)
        waiting = asyncio.ensure_future(stream.getReader().read())
        await asyncio.sleep(0)
        controllers[0].enqueue(1)
        controllers[0].close()
        with pytest.raises(TypeError, match="closed"):
            controllers[0].enqueue(2)
        return [(await waiting).value, controllers[0].desiredSize]

    assert run(use) == [1, 0]


def test_pythons_iterators_are_sources() -> None:
    async def use() -> list[Any]:
        one = [piece async for piece in js.ReadableStream.from_([1, 2])]
        return [one, [piece async for piece in js.ReadableStream.from_(numbers()).values()]]

    assert run(use) == [[1, 2], [0, 1, 2]]


def test_one_reader_at_a_time() -> None:
    async def use() -> None:
        stream = js.ReadableStream.from_([1, 2, 3])
        reader = stream.getReader()
        with pytest.raises(TypeError, match=r"^This ReadableStream is currently locked to a reader\.$"):
            stream.getReader()
        with pytest.raises(TypeError, match="locked"):
            await stream.cancel()
        assert (await reader.read()).value == 1
        reader.releaseLock()
        reader.releaseLock()
        with pytest.raises(TypeError, match="released"):
            await reader.read()
        assert [piece async for piece in stream] == [2, 3]

    run(use)


def test_two_of_one() -> None:
    async def use() -> list[Any]:
        one, other = js.ReadableStream.from_(numbers()).tee()
        return [[piece async for piece in one], [piece async for piece in other]]

    assert run(use) == [[0, 1, 2], [0, 1, 2]]


def test_a_transform() -> None:
    async def use() -> list[Any]:
        def transform(piece: int, controller: Any) -> None:
            if piece:
                controller.enqueue(piece * 10)
                controller.enqueue(piece)

        async def flush(controller: Any) -> None:
            controller.enqueue("end")

        both = js.TransformStream.new({"transform": transform, "flush": flush})
        piping = asyncio.ensure_future(js.ReadableStream.from_(numbers()).pipeTo(both.writable))
        pieces = [piece async for piece in both.readable]
        await piping
        return pieces

    assert run(use) == [10, 1, 20, 2, "end"]


def test_a_piece_counts_as_written_when_it_is_wanted() -> None:
    async def use() -> list[Any]:
        both = js.TransformStream.new()
        writer = both.writable.getWriter()
        writing = writer.write("a")
        for _ in range(10):
            await asyncio.sleep(0)
        before = writing.done()
        reader = both.readable.getReader()
        first = (await reader.read()).value
        following = asyncio.ensure_future(reader.read())
        await writing
        writer.close()
        return [before, first, (await following).done]

    assert run(use) == [False, "a", True]


def test_failures_go_both_ways() -> None:
    async def failing() -> AsyncIterator[int]:
        yield 1
        raise KeyError("source")

    async def use() -> None:
        both = js.TransformStream.new()
        piping = asyncio.ensure_future(js.ReadableStream.from_(failing()).pipeTo(both.writable))
        with pytest.raises(KeyError, match="source"):
            _ = [piece async for piece in both.readable]
        with pytest.raises(KeyError, match="source"):
            await piping

        def broken(piece: Any, controller: Any) -> None:
            raise ValueError("sink")

        writer = js.WritableStream.new({"write": broken}).getWriter()
        for _ in range(2):
            with pytest.raises(ValueError, match="sink"):
                await writer.write(1)

    run(use)


def test_a_sink() -> None:
    async def use() -> list[Any]:
        told: list[Any] = []

        class Sink:
            def start(self, controller: Any) -> None:
                told.append("start")

            async def write(self, piece: Any, controller: Any) -> None:
                await asyncio.sleep(0)
                told.append(piece)

            def close(self) -> None:
                told.append("close")

        stream = js.WritableStream.new(Sink())
        writer = stream.getWriter()
        with pytest.raises(TypeError, match="locked to a writer"):
            stream.getWriter()
        first, second, end = writer.write(1), writer.write(2), writer.close()
        await asyncio.gather(first, second, end)
        with pytest.raises(TypeError, match="closed"):
            await writer.write(3)
        writer.releaseLock()
        with pytest.raises(TypeError, match="released"):
            writer.write(4)
        return told

    assert run(use) == ["start", 1, 2, "close"]


def test_bodies_are_streams_of_this_kind() -> None:
    async def use() -> list[Any]:
        request = Request("http://host/", method="POST", body="text")
        assert request.body is not None
        reader = request.body.get_reader()
        piece = await reader.read()
        response = Response(js.ReadableStream.from_([b"a", b"b"]))
        return [piece.value, (await reader.read()).done, request.body_used, await response.text()]

    assert run(use) == [b"text", True, True, "ab"]


PROGRAM = """
    from js import Response, TextEncoder, TransformStream
    from workers import WorkerEntrypoint, wait_until

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            both = TransformStream.new()
            wait_until(self.write(both.writable.getWriter(), request))
            return Response.new(both.readable, headers={"x-a": "1"})

        async def write(self, writer, request):
            encoder = TextEncoder.new()
            await writer.write(encoder.encode("said: "))
            async for piece in request.body:
                await writer.write(piece.upper())
            await writer.close()
"""


def test_a_program_that_streams(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> str:
        return await (await worker.fetch("/", method="POST", body="hello")).text()

    worker = WorkerHarness(write_program(tmp_path, PROGRAM, TOML))
    assert worker.run(lambda: asyncio.wait_for(use(worker), 20)) == "said: HELLO"
