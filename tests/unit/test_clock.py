"""The machine's clock."""

from __future__ import annotations

import asyncio
import time

from durabase.clock import SystemClock


def test_the_time_of_day() -> None:
    before = time.time_ns() // 1_000_000
    now = SystemClock().now_ms()
    assert before <= now <= time.time_ns() // 1_000_000


def test_timers_are_those_of_the_running_loop() -> None:
    async def main() -> list[str]:
        called: list[str] = []
        done = asyncio.Event()
        clock = SystemClock()
        clock.call_later(0, lambda: called.append("cancelled")).cancel()
        timer = clock.call_later(0, lambda: (called.append("called"), done.set()))
        assert called == []
        await asyncio.wait_for(done.wait(), 5)
        timer.cancel()
        return called

    assert asyncio.run(main()) == ["called"]
