"""Clocks that stand still until they are told to move."""

from __future__ import annotations

import asyncio
import gc
from weakref import ref

import pytest

from durabase.testing.fake_clock import FakeClock


def test_it_stands_still() -> None:
    clock = FakeClock()
    assert clock.now_ms() == clock.now_ms() == 1_700_000_000_000
    assert FakeClock(5).now_ms() == 5


def test_timers_run_in_the_order_of_their_times_and_then_of_their_creation() -> None:
    clock = FakeClock(0)
    ran: list[tuple[str, int]] = []
    for name, seconds in (("b", 0.2), ("a", 0.1), ("c", 0.2), ("d", 0.3001)):
        clock.call_later(seconds, lambda name=name: ran.append((name, clock.now_ms())))  # type: ignore[misc]
    clock.advance(99)
    assert (ran, clock.now_ms()) == ([], 99)
    clock.advance(201)
    assert ran == [("a", 100), ("b", 200), ("c", 200)]
    assert clock.now_ms() == 300
    clock.advance(0.2)
    assert ran[3:] == [("d", 300)]


def test_timers_that_timers_start_run_too_if_they_are_due() -> None:
    clock = FakeClock(0)
    ran: list[int] = []

    def again() -> None:
        ran.append(clock.now_ms())
        clock.call_later(0.1, again)

    clock.call_later(0.1, again)
    clock.advance(350)
    assert (ran, clock.now_ms()) == ([100, 200, 300], 350)


def test_a_cancelled_timer_does_not_run_and_lets_its_callback_go() -> None:
    class Callback:
        def __call__(self) -> None:
            raise AssertionError

    clock, callback = FakeClock(0), Callback()
    gone = ref(callback)
    timer = clock.call_later(0, callback)
    timer.cancel()
    timer.cancel()
    del callback
    gc.collect()
    assert gone() is None
    ran: list[int] = []
    clock.call_later(1, lambda: ran.append(1))
    assert not clock.run_next(999)
    assert clock.run_next(1000)
    assert ran == [1]


def test_a_timer_that_was_due_earlier_does_not_turn_time_back() -> None:
    clock = FakeClock(100)
    clock.call_later(-0.05, lambda: None)
    assert clock.run_next(100)
    assert clock.now_ms() == 100


def test_the_time_of_day_may_be_set_and_timers_keep_their_distance() -> None:
    clock = FakeClock(1000)
    ran: list[int] = []
    clock.call_later(0.5, lambda: ran.append(clock.now_ms()))
    clock.advance(200)
    for now in (50_000, 10):
        clock.set_now_ms(now)
        assert (ran, clock.now_ms()) == ([], now)
    clock.advance(299)
    assert ran == []
    clock.advance(1)
    assert ran == [310]


@pytest.mark.parametrize("is_given", [False, True])
def test_the_loop_does_what_it_has_to_do_before_and_after_each_timer(is_given: bool) -> None:
    clock = FakeClock(0)
    seen: list[str] = []

    async def work(name: str) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        seen.append(f"{name} {clock.now_ms()}")

    async def settle() -> None:
        seen.append("settle")
        for _ in range(10):
            await asyncio.sleep(0)

    async def main() -> None:
        tasks = [asyncio.create_task(work("before"))]
        for seconds in (0.1, 0.2):
            clock.call_later(seconds, lambda: tasks.append(asyncio.create_task(work("timer"))))
        await clock.advance_and_settle(300, settle=settle if is_given else None)
        seen.append(f"end {clock.now_ms()}")
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert [each for each in seen if each != "settle"] == ["before 0", "timer 100", "timer 200", "end 300"]
    assert seen.count("settle") == (4 if is_given else 0)


def test_how_many_turns_of_the_loop_it_takes() -> None:
    async def main() -> int:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(turn())
        await FakeClock().advance_and_settle(1, settle_turns=3)
        task.cancel()
        return turns

    assert asyncio.run(main()) == 6
