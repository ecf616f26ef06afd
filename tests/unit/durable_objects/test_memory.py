"""Memory is bounded whatever number of names was ever touched."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

import pytest

from durabase.durable_objects import DurableObject

from .rig import Rig, run

NAMES = 1_000


class Touched(DurableObject):
    idle_seconds = 0

    def hello(self) -> int:
        return 1


async def touch(rig: Rig, first: int) -> int:
    """Use so many names, and return how many bytes are taken afterwards."""
    for number in range(first, first + NAMES):
        await rig.stub(f"name {number}").hello()
        rig.clock.advance(1)
        await asyncio.sleep(0)
    await rig.settle()
    assert (rig.host.stats().live, rig.host.stats().sleeping) == (0, 0)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.feature("M-LC-6")
@pytest.mark.parametrize("storage", ["kv", "sqlite"])
def test_a_name_that_was_touched_leaves_nothing_behind(storage: str) -> None:
    async def scenario(rig: Rig) -> None:
        tracemalloc.start()
        try:
            before = await touch(rig, 0)
            after = await touch(rig, NAMES)
        finally:
            tracemalloc.stop()
        assert (after - before) / NAMES < 10

    run(scenario, Touched, storage=storage)
