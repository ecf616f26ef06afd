"""Durable alarms: one per object, kept in the class's database, run when due, retried with back-off.

The index by time is in the database, so no object has to be opened to know when the next alarm is due.
One timer for all. An alarm's row stays until its run has succeeded, so a crash runs it again. What is not
the handler's fault (its object's storage failed, the server stopped) is tried again without being counted.

When many alarms are due, as after a time without a server, those that have waited longest start first,
of whichever class, a few in each turn of the event loop, and only so many are under way. A run that waits
for long does not make the others late: it gives up its place.
"""

from __future__ import annotations

import heapq
import logging
import random
from asyncio import AbstractEventLoop, Future
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from durabase.clock import TimerClock, TimerHandle
from durabase.durable_objects.events import Alarm, AlarmInfo
from durabase.durable_objects.storage.store import AlarmRow
from durabase.errors import ObjectError, ObjectResetError, StorageError, StorageFileError

__all__ = ["AlarmScheduler", "AlarmSource"]

_logger = logging.getLogger("durabase.durable_objects")

MAX_RETRIES: Final = 6
FIRST_DELAY_MS: Final = 2_000
JITTER: Final = 0.25
MAX_PLACES: Final = 100
"""How many runs are under way that have not been for long."""
PLACE_SECONDS: Final = 5.0
"""When a run has been under way for long."""
AT_ONCE: Final = 16
"""How many alarms start before the event loop gets its turn."""
MAX_TROUBLES: Final = 5
"""How often the delay is doubled for what is not the handler's fault."""
MAX_SECONDS: Final = 15 * 60.0


class AlarmSource(Protocol):
    """The alarms of one class, and the way to its objects."""

    def next_due(self, after_ms: int) -> int | None:
        """When the next alarm after this time is due."""

    def due(self, until_ms: int, limit: int) -> list[tuple[bytes, AlarmRow]]:
        """The first objects whose alarms are due, in order, with their alarms."""

    def run(self, key: bytes, alarm: Alarm) -> Future[Any]:
        """Deliver the alarm to the object."""

    def expire(self, key: bytes) -> None:
        """The alarm's handler has taken too long: reset the object."""

    def conclude(self, key: bytes, row: AlarmRow, following: AlarmRow | None) -> None:
        """Replace the alarm by ``following``, unless the object has set or deleted it meanwhile."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """How often an alarm could not be run in a row, and until when it has to wait."""

    times: int
    until: int


@dataclass(slots=True)
class _Run:
    """An alarm whose handler is under way; ``timer`` is for the end of its place, then for its own."""

    source: AlarmSource
    key: bytes
    row: AlarmRow
    timer: TimerHandle
    has_place: bool = True


class AlarmScheduler:
    """Runs alarms when they are due.

    Args:
        loop: the event loop.
        clock: the time.
        jitter: gives the part of the jitter to use, 0 to 1.

    Attributes:
        retries, given_up: of each class, how many runs that failed are tried again, and how many are not.
    """

    def __init__(
        self, loop: AbstractEventLoop, clock: TimerClock, jitter: Callable[[], float] = random.random
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._jitter = jitter
        self._sources: list[AlarmSource] = []
        self._running: dict[tuple[AlarmSource, bytes], _Run] = {}
        self._places = MAX_PLACES
        self._troubles: dict[tuple[AlarmSource, bytes], _Trouble] = {}
        self._timer: TimerHandle | None = None
        self._check_scheduled = False
        self._closed = False
        self.retries: Counter[AlarmSource] = Counter()
        self.given_up: Counter[AlarmSource] = Counter()

    def add(self, source: AlarmSource) -> None:
        """Run this source's alarms as well."""
        self._sources.append(source)
        self.changed()

    def changed(self) -> None:
        """Alarms were set or deleted: look again, soon."""
        if not self._check_scheduled and not self._closed:
            self._check_scheduled = True
            self._loop.call_soon(self._check)

    def close(self) -> None:
        """Start nothing any more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        self._check_scheduled = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closed:
            return
        now = self._clock.now_ms()
        self._start_due(now)
        times = [due for source in self._sources if (due := source.next_due(now)) is not None]
        times += [trouble.until for trouble in self._troubles.values() if trouble.until > now]
        if times:
            self._timer = self._clock.call_later((min(times) - now) / 1000, self._check)

    def _start_due(self, now: int) -> None:
        started = 0
        for source, key, row in self._due(now):
            if not self._places:
                return  # who leaves one looks again
            if started == AT_ONCE:
                self.changed()
                return
            if (source, key) not in self._running and not self._waits(source, key, now):
                self._start(source, key, row)
                started += 1

    def _due(self, now: int) -> Iterator[tuple[AlarmSource, bytes, AlarmRow]]:
        """As many due alarms as may be of interest now, of all sources, in order of time."""
        limit = AT_ONCE + 1 + len(self._running) + len(self._troubles)
        each = ([(source, *found) for found in source.due(now, limit)] for source in self._sources)
        return heapq.merge(*each, key=lambda found: found[2].due)

    def _waits(self, source: AlarmSource, key: bytes, now: int) -> bool:
        trouble = self._troubles.get((source, key))
        return trouble is not None and trouble.until > now

    def _start(self, source: AlarmSource, key: bytes, row: AlarmRow) -> None:
        timer = self._clock.call_later(PLACE_SECONDS, lambda: self._takes_long(run))
        run = self._running[source, key] = _Run(source, key, row, timer)
        self._places -= 1
        info = AlarmInfo(row.retries, row.retries > 0, row.scheduled)
        source.run(key, Alarm(info, row.serial)).add_done_callback(partial(self._done, run))

    def _takes_long(self, run: _Run) -> None:
        run.timer = self._clock.call_later(MAX_SECONDS - PLACE_SECONDS, partial(run.source.expire, run.key))
        self._leave_place(run)
        self.changed()

    def _leave_place(self, run: _Run) -> None:
        self._places += run.has_place
        run.has_place = False

    def _done(self, run: _Run, result: Future[Any]) -> None:
        run.timer.cancel()
        self._leave_place(run)
        del self._running[run.source, run.key]
        if self._closed:
            return
        error = None if result.cancelled() else result.exception()
        failed = result.cancelled() or error is not None
        if failed:
            _logger.error("an alarm failed, try %d", run.row.retries + 1, exc_info=error)
        if _counts(error):
            following = self._retry(run.row) if failed and _may_be_retried(error) else None
            if failed:
                (self.given_up if following is None else self.retries)[run.source] += 1
            self._conclude(run.source, run.key, run.row, following)
        else:
            self._postpone(run.source, run.key)
        self.changed()

    def _conclude(self, source: AlarmSource, key: bytes, row: AlarmRow, following: AlarmRow | None) -> None:
        try:
            source.conclude(key, row, following)
        except StorageError:
            _logger.exception("an alarm's end could not be stored")
            self._postpone(source, key)
        else:
            self._troubles.pop((source, key), None)

    def _postpone(self, source: AlarmSource, key: bytes) -> None:
        """Try it again as it is, after a while that this process alone remembers."""
        before = self._troubles.get((source, key))
        times = 0 if before is None else min(before.times + 1, MAX_TROUBLES)
        self._troubles[source, key] = _Trouble(times, self._clock.now_ms() + self._delay(times))

    def _retry(self, row: AlarmRow) -> AlarmRow | None:
        if row.retries >= MAX_RETRIES:
            return None
        return replace(row, due=self._clock.now_ms() + self._delay(row.retries), retries=row.retries + 1)

    def _delay(self, retries: int) -> int:
        return int(FIRST_DELAY_MS * 2**retries * (1 + JITTER * self._jitter()))


def _counts(error: BaseException | None) -> bool:
    """Whether the run counts: not if the object's life was ended by what may be over soon."""
    if isinstance(error, StorageFileError):
        return False
    if not isinstance(error, ObjectError) or error.remote:
        return True
    return not error.retryable and (not error.overloaded or error.durable_object_reset)


def _may_be_retried(error: BaseException | None) -> bool:
    return not isinstance(error, ObjectResetError) or error.retry_alarm
