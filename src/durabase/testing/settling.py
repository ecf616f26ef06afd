"""Waiting until nothing is under way in a worker under test, or waits for what the test does next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from durabase.durable_objects import ObjectHost
from durabase.durable_objects.phases import Phase
from durabase.durable_objects.slot import ObjectSlot
from durabase.testing.faulty_disk import FaultyDisk

__all__ = ["settle", "slots"]

_TURNS: Final = 20
_ROUNDS: Final = 3
_LOOKS: Final = 100
_LOOK_SECONDS: Final = 0.002


async def settle(host: ObjectHost, disk: FaultyDisk, is_idle: Callable[[], bool]) -> None:
    """Let everything happen that needs neither time nor anybody."""
    for _ in range(_ROUNDS):
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        for _ in range(_LOOKS):
            if disk.is_waiting or (is_idle() and not any(map(_is_busy, slots(host)))):
                break
            await asyncio.sleep(_LOOK_SECONDS)  # threads sync, and the loop waits for them
        if not disk.delays:
            await host.settle()


def slots(host: ObjectHost) -> Iterator[ObjectSlot]:
    """The objects that are in memory."""
    for hosted in host.classes.values():
        yield from list(hosted.slots.values())


def _is_busy(slot: ObjectSlot) -> bool:
    if slot.phase is Phase.EMPTY:
        return False
    return slot.life is None or bool(slot.life.open_events) or not slot.life.output.is_settled
