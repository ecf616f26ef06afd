"""Running a worker's ``scheduled`` handler at the times of its cron expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from durabase._names import js_names
from durabase.clock import TimerClock, TimerHandle
from durabase.workers.cron import CronSchedule

__all__ = ["CronScheduler", "ScheduledController"]

_LONGEST_WAIT: Final = 3600.0
"""The time of day may be set while a timer runs, so it is looked at again after so many seconds."""


@js_names
@dataclass(frozen=True, slots=True)
class ScheduledController:
    """What the handler is told: the cron expression, and milliseconds since 1970."""

    cron: str
    scheduled_time: int
    type: str = "scheduled"

    def no_retry(self) -> None:
        """Accepted, and without effect: nothing is tried again."""


class CronScheduler:
    """Calls ``run`` at each time of the expressions, as long as it is not stopped.

    Times that pass while nobody looks, because the machine sleeps, are run once, late.

    Args:
        clock: the source of time and timers.
        run: called with the controller; must not raise.
    """

    def __init__(self, clock: TimerClock, run: Callable[[ScheduledController], object]) -> None:
        self._clock = clock
        self._run = run
        self._timers: dict[CronSchedule, TimerHandle] = {}

    def start(self, expressions: Sequence[str]) -> None:
        """Follow these expressions, and no others, from now on.

        Raises:
            ValueError: one of them is none.
        """
        schedules = [CronSchedule(expression) for expression in dict.fromkeys(expressions)]
        self.stop()
        for schedule in schedules:
            self._follow(schedule, self._clock.now_ms())

    def stop(self) -> None:
        """Run nothing any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _follow(self, schedule: CronSchedule, after_ms: int) -> None:
        due_ms = schedule.next_after(after_ms)
        if due_ms is not None:
            self._wait(schedule, due_ms)

    def _wait(self, schedule: CronSchedule, due_ms: int) -> None:
        seconds = (due_ms - self._clock.now_ms()) / 1000
        look = partial(self._look, schedule, due_ms)
        self._timers[schedule] = self._clock.call_later(min(seconds, _LONGEST_WAIT), look)

    def _look(self, schedule: CronSchedule, due_ms: int) -> None:
        now = self._clock.now_ms()
        if now < due_ms:
            self._wait(schedule, due_ms)
            return
        self._follow(schedule, now)
        self._run(ScheduledController(schedule.expression, due_ms))
