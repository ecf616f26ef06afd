"""Waiting for all that needs neither time nor anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from durabase.durable_objects import DurableObject, ObjectClass, ObjectHost
from durabase.testing import FakeClock
from durabase.testing.faulty_disk import FaultyDisk
from durabase.testing.settling import settle, slots


class Room(DurableObject):
    async def work(self, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await self.ctx.storage.put("turns", turns)


class Scene:
    """A host on a disk that obeys, and its rooms."""

    def __init__(self, host: ObjectHost, disk: FaultyDisk) -> None:
        self.host = host
        self.disk = disk
        self.is_idle = True

    def room(self, name: str) -> Any:
        return self.host.namespace("Room").get_by_name(name)

    async def settle(self) -> None:
        await settle(self.host, self.disk, lambda: self.is_idle)


def run(folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        clock = FakeClock()
        disk = FaultyDisk(clock)
        async with ObjectHost(folder, clock=clock, disk=disk) as host:
            host.register(ObjectClass("Room", "app-Room", Room))
            async with asyncio.timeout(30):
                await scenario(Scene(host, disk))

    asyncio.run(main())


def test_calls_are_over_and_what_they_wrote_is_durable(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        calls = [asyncio.ensure_future(scene.room(name).work(30)) for name in ("a", "b")]
        await scene.settle()
        assert [call.done() for call in calls] == [True, True]
        assert all(slot.life is not None and slot.life.output.is_settled for slot in slots(scene.host))

    run(tmp_path, scenario)


def test_the_objects_in_memory(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        assert list(slots(scene.host)) == []
        await asyncio.gather(scene.room("a").work(0), scene.room("b").work(0))
        assert len(list(slots(scene.host))) == 2

    run(tmp_path, scenario)


def test_it_does_not_wait_for_what_the_test_does_next(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.disk.hold()
        call = asyncio.ensure_future(scene.room("a").work(0))
        await scene.settle()
        assert scene.disk.is_waiting
        assert not call.done()
        scene.disk.release()
        await scene.settle()
        assert call.done()

    run(tmp_path, scenario)


def test_it_waits_for_others_as_long_as_they_are_not_idle(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.is_idle = False

        def end() -> None:
            scene.is_idle = True

        asyncio.get_running_loop().call_later(0.01, end)
        await scene.settle()
        assert scene.is_idle

    run(tmp_path, scenario)
