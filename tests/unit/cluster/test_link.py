"""Frames and descriptors between two processes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from socket import socketpair
from typing import Any

import pytest

from durabase.cluster import link as link_module
from durabase.cluster.link import Link
from durabase.errors import ClusterError
from unit.server.live import LoopFactory, on_each_loop, run_on, until


class Ends:
    """Two links that are joined, and what ``right`` got."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        left, right = socketpair()
        self.got: list[Any] = []
        self.lost: list[str] = []
        self.raw = left
        self.left = Link(left, loop, lambda data, fd: None, lambda: self.lost.append("left"))
        self.right = Link(right, loop, self._got, lambda: self.lost.append("right"))

    def _got(self, data: bytes, descriptor: int | None) -> None:
        self.got.append((data, descriptor))


def with_ends(loop_factory: LoopFactory, scenario: Callable[[Ends], Awaitable[None]]) -> None:
    async def main() -> None:
        ends = Ends()
        try:
            await scenario(ends)
        finally:
            ends.left.close()
            ends.right.close()

    run_on(loop_factory, main())


@on_each_loop
def test_frames_of_any_size_arrive_whole_and_in_order(loop_factory: LoopFactory) -> None:
    frames = [b"", b"a", bytes(3_000_000), b"b" * 70_000, *(str(n).encode() for n in range(500))]

    async def scenario(ends: Ends) -> None:
        for frame in frames:
            ends.left.send(frame)
        await until(lambda: len(ends.got) == len(frames))
        assert [data for data, _ in ends.got] == frames

    with_ends(loop_factory, scenario)


@on_each_loop
def test_each_descriptor_arrives_with_its_frame(loop_factory: LoopFactory) -> None:
    async def scenario(ends: Ends) -> None:
        readers = []
        for number in range(20):
            reader, writer = os.pipe()
            readers.append(reader)
            ends.left.send(bytes(200_000))
            ends.left.send(str(number).encode(), writer)
        await until(lambda: len(ends.got) == 40)
        for number, (data, descriptor) in enumerate(ends.got[1::2]):
            assert data == str(number).encode()
            os.write(descriptor, data)
            os.close(descriptor)
            assert os.read(readers[number], 10) == data
            assert os.read(readers[number], 10) == b"", "the sender has closed its own"
            os.close(readers[number])
        assert {descriptor for _, descriptor in ends.got[::2]} == {None}

    with_ends(loop_factory, scenario)


@on_each_loop
def test_the_end_of_one_side_is_told_to_the_other_once(loop_factory: LoopFactory) -> None:
    async def scenario(ends: Ends) -> None:
        ends.left.close()
        await until(lambda: ends.lost == ["right"])
        with pytest.raises(ClusterError, match="is over"):
            ends.right.send(b"too late")
        reader, writer = os.pipe()
        with pytest.raises(ClusterError):
            ends.right.send(b"too late", writer)
        assert os.read(reader, 1) == b"", "a descriptor that can't be sent is closed"
        os.close(reader)

    with_ends(loop_factory, scenario)


@on_each_loop
def test_what_is_too_large_is_refused_by_sender_and_receiver(
    loop_factory: LoopFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(ends: Ends) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(link_module, "MAX_FRAME", 10)
            with pytest.raises(ClusterError, match="11 bytes are too many"):
                ends.left.send(bytes(11))
            ends.raw.send(link_module._head.pack(11, False))
            await until(lambda: ends.lost != [])
            assert ends.lost[0] == "right"

    with_ends(loop_factory, scenario)


@on_each_loop
def test_what_waits_is_bounded(loop_factory: LoopFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(ends: Ends) -> None:
        monkeypatch.setattr(link_module, "MAX_UNSENT", 1_000_000)
        for _ in range(2):
            ends.left.send(bytes(1_000_000))
        with pytest.raises(ClusterError, match="wait for another process already"):
            ends.left.send(b"one more")

    with_ends(loop_factory, scenario)
