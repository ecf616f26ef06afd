"""Reaching into a host of objects, for tests: to end lives, and to wait until nothing is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from durabase.durable_objects import ObjectHost
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.phases import Phase
from durabase.durable_objects.slot import ObjectSlot

__all__ = ["Lives"]

_TURNS: Final = 20
_ROUNDS: Final = 3
_GOING_AWAY: Final = 1001
_LOOKS: Final = 100
_LOOK_SECONDS: Final = 0.002


class Lives:
    """The objects of a host."""

    def __init__(self, host: ObjectHost) -> None:
        self._host = host

    def class_of(self, id: DurableObjectId) -> str:
        """Return the name of the class that the id was made for.

        Raises:
            LookupError: it is of none that is hosted here.
        """
        for name in self._host._classes:
            if self._host.mint(name).accepts(id):
                return name
        raise LookupError(f"{id!r} belongs to no class of the workers under test")

    async def evict(self, class_name: str, id: DurableObjectId, *, close_sockets: bool) -> None:
        """End the life of an object when its events are over.

        Raises:
            RuntimeError: it has none.
        """
        slot = self._host._class(class_name).slots.get(id.key)
        if slot is None or slot.phase is Phase.EMPTY:
            raise RuntimeError(f"{class_name}({id.name or id}) is not running")
        await _end(slot, close_sockets=close_sockets)

    async def evict_all(self, *, close_sockets: bool) -> None:
        """End all lives when their events are over."""
        await asyncio.gather(*[_end(slot, close_sockets=close_sockets) for slot in self._running()])

    def reset_all(self, error: Exception, *, sleeping_sockets: bool = False) -> None:
        """End all lives at once with ``error``; and drop the sockets of objects that sleep, if asked to."""
        for slot in self._running():
            slot.reset(error)
        if sleeping_sockets:
            for slot in self._slots():
                slot.sockets.drop_all()

    async def settle(self, is_idle: Callable[[], bool]) -> None:
        """Wait until nothing is under way, or seems to wait for what the test does next."""
        for _ in range(_ROUNDS):
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            for _ in range(_LOOKS):
                if is_idle() and not any(_is_busy(slot) for slot in self._slots()):
                    break
                await asyncio.sleep(_LOOK_SECONDS)  # threads sync, and the loop waits for them
            await self._host.settle()

    def _slots(self) -> list[ObjectSlot]:
        return [slot for hosted in self._host._classes.values() for slot in hosted.slots.values()]

    def _running(self) -> list[ObjectSlot]:
        return [slot for slot in self._slots() if slot.phase is not Phase.EMPTY]


async def _end(slot: ObjectSlot, *, close_sockets: bool) -> None:
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    slot.drain(partial(ended.set_result, None))
    await ended
    if close_sockets:
        slot.sockets.close_all(_GOING_AWAY, "")


def _is_busy(slot: ObjectSlot) -> bool:
    if slot.phase in (Phase.EMPTY, Phase.QUIET):
        return False
    return slot.life is None or bool(slot.life.open_events) or not slot.life.output.is_settled
