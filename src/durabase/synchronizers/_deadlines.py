"""Wakes what has deadlines: one timer for the nearest of them.

The protocol's classes say when they next have something to expire and never wait themselves. A
:class:`DeadlineTimer` is the alarm clock beside one of them.
"""

from __future__ import annotations

from typing import Protocol

from durabase.clock import TimerClock, TimerHandle

__all__ = ["DeadlineTimer", "HasDeadlines"]


class HasDeadlines(Protocol):
    """Something that lets go of what is overdue when it is told the time."""

    def next_deadline(self) -> float | None:
        """When the next thing is due, in milliseconds; ``None`` for nothing."""

    def expire(self, now: float) -> None:
        """Let go of everything that is due."""


class DeadlineTimer:
    """Calls ``expire`` of one subject when its deadlines come.

    Deadlines are on the scale of ``clock.now_ms()``, but once a timer runs it keeps its distance, so a clock
    that is set back or forth meanwhile does not matter.
    """

    __slots__ = ("_clock", "_deadline", "_subject", "_timer")

    def __init__(self, clock: TimerClock, subject: HasDeadlines) -> None:
        self._clock = clock
        self._subject = subject
        self._timer: TimerHandle | None = None
        self._deadline = 0.0

    def arm(self) -> None:
        """Have the timer run if there is a deadline. To be called after the subject got something."""
        deadline = self._subject.next_deadline()
        if deadline is None or (self._timer is not None and self._deadline <= deadline):
            return
        self.cancel()
        self._deadline = deadline
        seconds = max(0.0, (deadline - self._clock.now_ms()) / 1000)
        self._timer = self._clock.call_later(seconds, self._ring)

    def cancel(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._subject.expire(max(self._deadline, self._clock.now_ms()))
        self.arm()
