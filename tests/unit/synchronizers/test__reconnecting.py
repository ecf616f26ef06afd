"""Delays between attempts to connect."""

from __future__ import annotations

import asyncio

from durabase.synchronizers._reconnecting import Backoff, sleep_on
from durabase.testing import FakeClock


def test_delays_double_up_to_the_longest_and_begin_anew_after_a_reset() -> None:
    backoff = Backoff(1, 5, random_share=lambda: 0.0)
    assert [backoff.next_seconds() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.next_seconds() == 1


def test_chance_shortens_a_delay_by_half_at_most() -> None:
    shares = iter([0.0, 0.5, 1.0])
    backoff = Backoff(4, 4, random_share=lambda: next(shares))
    assert [backoff.next_seconds() for _ in range(3)] == [4, 3, 2]


def test_sleeping_takes_time_of_the_clock_that_is_handed_in() -> None:
    async def test() -> None:
        clock = FakeClock(0)
        task = asyncio.ensure_future(sleep_on(clock, 2))
        await clock.advance_and_settle(1999)
        assert not task.done()
        await clock.advance_and_settle(1)
        assert task.done()

    asyncio.run(test())
