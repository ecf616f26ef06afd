"""What whoever owns them gives to the slot of an object, and to a life of it."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, Protocol

from durabase.clock import TimerClock
from durabase.durable_objects.events import Served
from durabase.durable_objects.limits import ObjectLimits
from durabase.durable_objects.observing import Watch
from durabase.durable_objects.origin import Origin
from durabase.durable_objects.sweeping import Sweeper
from durabase.durable_objects.tally import Tally
from durabase.durable_objects.waiting import Nesting

if TYPE_CHECKING:
    from durabase.durable_objects.life import ObjectLife
    from durabase.durable_objects.slot import ObjectSlot

__all__ = ["LifeWatcher", "SlotHost"]


class SlotHost(Protocol):
    """What a slot needs of the host."""

    loop: AbstractEventLoop
    clock: TimerClock
    context: Context
    limits: ObjectLimits
    nesting: Nesting
    sweeper: Sweeper
    tally: Tally
    watch: Watch

    def vanished(self, slot: ObjectSlot) -> None:
        """Nothing of the object is left in memory."""


class LifeWatcher(Protocol):
    """Who owns the life: the slot."""

    @property
    def label(self) -> str:
        """The object, for logs."""

    def origin(self, event: str) -> Origin:
        """What is part of this event is labelled with."""

    def waiting_events(self) -> list[str]:
        """What the events are called that can't enter yet."""

    def ready(self) -> None:
        """The instance is there, and events may enter: after the start, and after each critical section."""

    def rested(self) -> None:
        """The last open event is over."""

    def broke(self, error: Exception) -> None:
        """The life ended with ``error``."""

    def enter(self, life: ObjectLife, event: Callable[[], Any]) -> None:
        """Let ``event`` in when it may be."""

    def serve(self, life: ObjectLife, event: Served, result: Future[Any], *, at_once: bool) -> None:
        """Let the call of something that was given away in when it may be, or ``at_once``."""
