"""A clock that stands still until it is told to move."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from itertools import count

__all__ = ["FakeClock", "FakeTimer"]


class FakeTimer:
    """A timer of a :class:`FakeClock`."""

    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Make sure that the callback is not called any more; it is let go."""
        self.cancelled = True
        self.callback = _nothing


def _nothing() -> None: ...


class FakeClock:
    """A clock for tests: ``now_ms()`` is what was set, timers run inside :meth:`advance`.

    Timers that are due run one at a time, in order of due time and then of creation, with
    ``now_ms()`` at their due time.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms: float = now_ms
        self._timers: list[tuple[float, int, FakeTimer]] = []
        self._order = count()

    def now_ms(self) -> int:
        return int(self._now_ms)

    def set_now_ms(self, now_ms: int) -> None:
        """Set the time of day, forth or back. Timers keep their distance from now; none runs."""
        shift = now_ms - self._now_ms
        self._timers = [(due + shift, order, timer) for due, order, timer in self._timers]
        self._now_ms = now_ms

    def call_later(self, seconds: float, callback: Callable[[], object]) -> FakeTimer:
        timer = FakeTimer(callback)
        heapq.heappush(self._timers, (self._now_ms + seconds * 1000, next(self._order), timer))
        return timer

    def run_next(self, until_ms: float) -> bool:
        """Run the earliest timer that is due at or before ``until_ms``; tell whether there was one."""
        while self._timers and self._timers[0][0] <= until_ms:
            due, _, timer = heapq.heappop(self._timers)
            if timer.cancelled:
                continue
            self._now_ms = max(self._now_ms, due)
            timer.callback()
            return True
        return False

    def advance(self, milliseconds: float) -> None:
        """Move on, running every timer that falls due, also those that timers start."""
        until = self._now_ms + milliseconds
        while self.run_next(until):
            pass
        self._now_ms = until

    async def advance_and_settle(
        self,
        milliseconds: float,
        settle_turns: int = 50,
        settle: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """Like :meth:`advance`, letting the event loop finish what it has to do before and after each timer.

        That takes ``settle_turns`` turns of the loop, or as long as ``settle`` waits, if it is given.
        """
        import asyncio

        async def wait_turns() -> None:
            for _ in range(settle_turns):
                await asyncio.sleep(0)

        wait = settle or wait_turns
        await wait()
        until = self._now_ms + milliseconds
        while self.run_next(until):
            await wait()
        self._now_ms = until
        await wait()
