"""How long to wait before a connection is tried again, and waiting on a clock that is handed in."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from durabase.clock import TimerClock

__all__ = ["Backoff", "sleep_on"]

FIRST_SECONDS: Final = 0.25
LONGEST_SECONDS: Final = 15.0
GROWTH: Final = 2.0


class Backoff:
    """Delays that double up to a bound, each shortened by a random part of up to one half.

    The random part keeps clients that lost the same server from all coming back at the same moment.

    Args:
        first_seconds: the first delay.
        longest_seconds: no delay is longer.
        random_share: gives a number from 0 to 1.
    """

    def __init__(
        self,
        first_seconds: float = FIRST_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
        random_share: Callable[[], float] = random.random,
    ) -> None:
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._random_share = random_share
        self._next_seconds = first_seconds

    def next_seconds(self) -> float:
        """How long to wait now; the next time it is longer."""
        seconds = self._next_seconds
        self._next_seconds = min(seconds * GROWTH, self._longest_seconds)
        return seconds * (1 - self._random_share() / 2)

    def reset(self) -> None:
        """All is well: begin with the first delay again."""
        self._next_seconds = self._first_seconds


async def sleep_on(clock: TimerClock, seconds: float) -> None:
    """Wait for some time of a clock."""
    import asyncio  # here, for importing a synchronizer must not load asyncio

    woken = asyncio.get_running_loop().create_future()
    timer = clock.call_later(seconds, lambda: None if woken.done() else woken.set_result(None))
    try:
        await woken
    finally:
        timer.cancel()
