"""One timer for the nearest deadline."""

from __future__ import annotations

from durabase.synchronizers._deadlines import DeadlineTimer
from durabase.testing import FakeClock


class Subject:
    """Has deadlines, and remembers when it was told that they are over."""

    def __init__(self, *deadlines: float) -> None:
        self.deadlines = list(deadlines)
        self.expired: list[float] = []

    def next_deadline(self) -> float | None:
        return min(self.deadlines, default=None)

    def expire(self, now: float) -> None:
        self.expired.append(now)
        self.deadlines = [deadline for deadline in self.deadlines if deadline > now]


def test_each_deadline_comes_in_its_time() -> None:
    clock, subject = FakeClock(1000), Subject(1500, 3000)
    DeadlineTimer(clock, subject).arm()
    clock.advance(499)
    assert subject.expired == []
    clock.advance(1)
    assert subject.expired == [1500]
    clock.advance(5000)
    assert subject.expired == [1500, 3000]


def test_a_nearer_deadline_takes_over() -> None:
    clock, subject = FakeClock(1000), Subject(3000)
    timer = DeadlineTimer(clock, subject)
    timer.arm()
    subject.deadlines.append(1200)
    timer.arm()
    timer.arm()
    clock.advance(200)
    assert subject.expired == [1200]


def test_nothing_to_wait_for_and_nothing_after_cancelling() -> None:
    clock, subject = FakeClock(1000), Subject()
    timer = DeadlineTimer(clock, subject)
    timer.arm()
    timer.cancel()
    subject.deadlines.append(1100)
    timer.arm()
    timer.cancel()
    clock.advance(1000)
    assert subject.expired == []


def test_a_clock_that_is_set_back_does_not_delay_a_timer_that_runs() -> None:
    clock, subject = FakeClock(100_000), Subject(101_000)
    DeadlineTimer(clock, subject).arm()
    clock.set_now_ms(5_000)
    clock.advance(1000)
    assert subject.expired == [101_000]


def test_a_deadline_that_is_over_already_comes_at_once() -> None:
    clock, subject = FakeClock(1000), Subject(10)
    DeadlineTimer(clock, subject).arm()
    clock.advance(0)
    assert subject.expired == [1000]
