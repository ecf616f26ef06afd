"""Events that can't enter an object yet: in order, and not without bounds."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from durabase.clock import TimerClock, TimerHandle
from durabase.durable_objects.limits import ObjectLimits
from durabase.durable_objects.tally import Tally
from durabase.errors import ObjectOverloadedError

if TYPE_CHECKING:
    from durabase.durable_objects.life import ObjectLife

__all__ = ["MAX_AT_ONCE", "EventQueue", "Nesting", "Waiting"]


MAX_AT_ONCE: Final = 64
"""How many waiting events enter an object before the event loop gets its turn."""
MAX_NESTED: Final = 16


class Nesting:
    """How many deliveries are under way within one another: objects may call each other for ever."""

    __slots__ = ("_depth",)

    def __init__(self) -> None:
        self._depth = 0

    def enter(self, let_in: Callable[[], object], loop: AbstractEventLoop) -> None:
        """Let an event in: within this call, or from the event loop if that would be too deep."""
        if self._depth >= MAX_NESTED:
            loop.call_soon(let_in)
            return
        self._depth += 1
        try:
            let_in()
        finally:
            self._depth -= 1


@dataclass(slots=True)
class Waiting:
    """An event that can't enter yet, and whom to tell if it never will.

    ``kind`` is what it is called in reports, ``only_in`` the life that it is of, ``size`` what it takes,
    ``since_ms`` when it came.
    """

    start: Callable[[ObjectLife], object]
    kind: str
    result: Future[Any] | None = None
    only_in: ObjectLife | None = None
    size: int = 0
    since_ms: int = 0

    def fail(self, error: BaseException) -> None:
        """It never will."""
        if self.result is not None and not self.result.done():
            self.result.set_exception(error)


class EventQueue(list[Waiting]):
    """The events that wait for one object. A list: that is the smallest while nothing waits."""

    __slots__ = ("_answerable", "_size", "_timer")

    def __init__(self) -> None:
        super().__init__()
        self._answerable = 0
        self._size = 0
        self._timer: TimerHandle | None = None

    def put(self, waiting: Waiting, limits: ObjectLimits, tally: Tally) -> bool:
        """Let an event wait. ``False``: there are too many, it failed; that never happens to a socket's."""
        if self and waiting.result is not None and (refusal := self._refusal(waiting, limits)) is not None:
            tally.refused += 1
            waiting.fail(refusal)
            return False
        self._keep(waiting)
        return True

    def take(self) -> Waiting:
        """The one that has waited longest."""
        waiting = self.pop(0)
        self._size -= waiting.size
        self._answerable -= waiting.result is not None
        return waiting

    def clear_all(self, error: BaseException) -> None:
        """All of them fail."""
        for waiting in self._emptied():
            waiting.fail(error)

    def drop_ended(self) -> None:
        """Those that were of a life that is over fail."""
        for waiting in self._emptied():
            if waiting.only_in is None:
                self._keep(waiting)
            elif waiting.only_in.error is not None:
                waiting.fail(waiting.only_in.error)

    def watch(self, clock: TimerClock, limits: ObjectLimits, tally: Tally) -> None:
        """See to it that nobody waits for too long. To be called when something was put or taken."""
        if not self._answerable and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif self._answerable and self._timer is None:
            first = next(waiting for waiting in self if waiting.result is not None)
            waits = limits.queued_seconds - (clock.now_ms() - first.since_ms) / 1000
            self._timer = clock.call_later(max(waits, 0), partial(self._expire, clock, limits, tally))

    def _expire(self, clock: TimerClock, limits: ObjectLimits, tally: Tally) -> None:
        self._timer = None
        latest = clock.now_ms() - limits.queued_seconds * 1000
        for waiting in self._emptied():
            if waiting.result is not None and waiting.since_ms <= latest:
                tally.refused += 1
                waiting.fail(_overloaded("Requests queued for too long."))
            else:
                self._keep(waiting)
        self.watch(clock, limits, tally)

    def _keep(self, waiting: Waiting) -> None:
        self.append(waiting)
        self._size += waiting.size
        self._answerable += waiting.result is not None

    def _emptied(self) -> list[Waiting]:
        every = list(self)
        self.clear()
        self._size = self._answerable = 0
        return every

    def _refusal(self, waiting: Waiting, limits: ObjectLimits) -> ObjectOverloadedError | None:
        if len(self) >= limits.queued_events:
            return _overloaded("Too many requests queued.")
        if self._size + waiting.size > limits.queued_bytes:
            return _overloaded("Too much data queued.")
        return None


def _overloaded(why: str) -> ObjectOverloadedError:
    return ObjectOverloadedError(f"Durable Object is overloaded. {why}")
