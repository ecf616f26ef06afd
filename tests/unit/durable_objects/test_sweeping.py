"""When garbage is collected: some time after lives have ended, and seldom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from time import thread_time
from typing import Any

from durabase.durable_objects.sweeping import SHARE_OF_TIME, SOONEST_SECONDS, Sweeper


class Loop:
    """As much of an event loop as is needed, with a time of its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.calls: list[tuple[float, Callable[[], Any]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], Any], *, context: Context) -> asyncio.TimerHandle:
        assert not len(context)
        self.calls.append((when, callback))
        loop = asyncio.new_event_loop()
        handle = asyncio.TimerHandle(when, callback, (), loop)
        loop.close()
        return handle

    def run(self) -> None:
        self.now, callback = self.calls.pop(0)
        callback()


def sweeper_of(loop: Loop, collect: Callable[[], object]) -> Sweeper:
    return Sweeper(loop, collect)  # type: ignore[arg-type]


def test_it_collects_once_however_often_it_is_asked() -> None:
    loop, collected = Loop(), list[int]()
    sweeper = sweeper_of(loop, lambda: collected.append(1))
    for _ in range(3):
        sweeper.wanted()
    assert [when for when, _ in loop.calls] == [100.0 + SOONEST_SECONDS]
    loop.run()
    assert (collected, loop.calls) == ([1], [])
    sweeper.wanted()
    loop.run()
    assert collected == [1, 1]


def test_it_takes_only_a_small_share_of_all_time() -> None:
    def work() -> None:
        end = thread_time() + 0.03
        while thread_time() < end:
            pass

    loop = Loop()
    sweeper = sweeper_of(loop, work)
    sweeper.wanted()
    loop.run()
    sweeper.wanted()
    assert loop.calls[0][0] >= loop.now + 0.03 / SHARE_OF_TIME


def test_nothing_happens_after_it_is_closed() -> None:
    async def main() -> None:
        collected: list[int] = []
        sweeper = Sweeper(asyncio.get_running_loop(), lambda: collected.append(1))
        sweeper.wanted()
        assert sweeper._timer is not None
        timer = sweeper._timer
        sweeper.close()
        assert timer.cancelled()
        sweeper.close()

    asyncio.run(main())
