"""What the code of an object has given away in one life."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from functools import partial
from typing import TYPE_CHECKING, Any

from durabase.durable_objects.events import Served
from durabase.durable_objects.execution import quiet_future
from durabase.durable_objects.gates import Section
from durabase.durable_objects.rpc_target import Grant
from durabase.durable_objects.surroundings import LifeWatcher

if TYPE_CHECKING:
    from durabase.durable_objects.life import ObjectLife

__all__ = ["LifeGiver"]


class LifeGiver:
    """The :class:`~durabase.durable_objects.rpc_target.Giver` of one life.

    Attributes:
        lent: what others have stubs of. (A dict: an empty set takes three times the memory.)
    """

    __slots__ = ("_life", "_loop", "_slot", "lent")

    def __init__(self, life: ObjectLife, slot: LifeWatcher, loop: AbstractEventLoop) -> None:
        self._life = life
        self._slot = slot
        self._loop = loop
        self.lent: dict[Grant, None] = {}

    def serve(self, event: Served, section: Section | None) -> Future[Any]:
        """Run a call of a target as an event of the object; it fails when the life is over."""
        result = quiet_future(self._loop)
        if self._life.error is not None:
            result.set_exception(self._life.error)
            return result
        self._life.expect(result)
        if section is None:
            self._slot.serve(self._life, event, result, at_once=False)
        else:
            self._loop.call_soon(self._serve_within, event, result, section)
        return result

    def _serve_within(self, event: Served, result: Future[Any], section: Section) -> None:
        gate = self._life.input
        if self._life.error is not None:
            return
        if gate.admits(section) or not gate.runs(section):
            self._slot.serve(self._life, event, result, at_once=gate.runs(section))
        else:
            gate.when_admitted(partial(self._serve_within, event, result, section), event.name)

    def lend(self, grant: Grant) -> None:
        """Somebody has a stub of something now: it must not be lost by sleeping."""
        self.lent[grant] = None

    def take_back(self, grant: Grant) -> None:
        """Nobody has one any more."""
        self.lent.pop(grant, None)

    def end(self) -> None:
        """The life is over, and what was given away with it."""
        lent, self.lent = self.lent, {}
        for grant in lent:
            grant.forget()
