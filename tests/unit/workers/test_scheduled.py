"""When the scheduler calls, on a clock that is driven by hand."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from durabase.testing import FakeClock
from durabase.workers.loader import load_worker
from durabase.workers.runtime import Runtime
from durabase.workers.scheduled import CronScheduler, ScheduledController

from .programs import TOML, program_config

MIDNIGHT = 1_735_689_600_000  # 2025-01-01
MINUTE = 60_000


class Calls:
    def __init__(self) -> None:
        self.clock = FakeClock(MIDNIGHT)
        self.seen: list[tuple[str, int]] = []
        self.scheduler = CronScheduler(self.clock, self.run)

    def run(self, controller: ScheduledController) -> None:
        self.seen.append((controller.cron, (controller.scheduled_time - MIDNIGHT) // MINUTE))


def test_each_expression_has_its_times() -> None:
    calls = Calls()
    calls.scheduler.start(["*/2 * * * *", "3 * * * *", "3 * * * *"])
    calls.clock.advance(5 * MINUTE)
    assert calls.seen == [("*/2 * * * *", 2), ("3 * * * *", 3), ("*/2 * * * *", 4)]
    calls.scheduler.start(["6 * * * *"])
    calls.clock.advance(5 * MINUTE)
    calls.scheduler.stop()
    calls.clock.advance(500 * MINUTE)
    assert calls.seen[3:] == [("6 * * * *", 6)]


def test_a_clock_that_is_set_back_does_not_make_it_early() -> None:
    calls = Calls()
    calls.scheduler.start(["10 * * * *"])
    calls.clock.set_now_ms(MIDNIGHT - 5 * MINUTE)
    calls.clock.advance(14 * MINUTE)
    assert not calls.seen
    calls.clock.advance(2 * MINUTE)
    assert calls.seen == [("10 * * * *", 10)]


class SleepyClock(FakeClock):
    """Its timers are late, as on a machine that was suspended."""

    late_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.late_ms


def test_what_passed_while_the_machine_slept_runs_once() -> None:
    calls = Calls()
    calls.clock = SleepyClock(MIDNIGHT)
    calls.scheduler = CronScheduler(calls.clock, calls.run)
    calls.scheduler.start(["* * * * *"])
    calls.clock.late_ms = 30 * MINUTE
    calls.clock.advance(MINUTE)
    assert calls.seen == [("* * * * *", 1)]
    calls.clock.advance(MINUTE)
    assert calls.seen == [("* * * * *", 1), ("* * * * *", 32)]


def test_days_ahead() -> None:
    calls = Calls()
    calls.scheduler.start(["0 0 3 * *"])
    calls.clock.advance(48 * 60 * MINUTE)
    assert calls.seen == [("0 0 3 * *", 48 * 60)]


PROGRAM = """
    from workers import WorkerEntrypoint

    class Default(WorkerEntrypoint):
        async def scheduled(self, controller, env, ctx):
            if controller.cron == "2 * * * *":
                raise ValueError("not now")
            await self.env.FOO.put(str(controller.scheduledTime), controller.cron)
"""


def test_a_runtime_runs_its_crons(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    toml = TOML + '[triggers]\ncrons = ["1 * * * *", "2 * * * *"]\n[[kv_namespaces]]\nbinding = "FOO"\n'
    config = program_config(tmp_path, PROGRAM, toml)
    clock = FakeClock(MIDNIGHT)
    caplog.set_level(logging.INFO)

    async def main() -> list[str]:
        async with Runtime(config, load_worker(config), tmp_path / "state", clock=clock) as runtime:
            clock.advance(2 * MINUTE)
        async with Runtime(config, load_worker(config), tmp_path / "state", clock=clock) as runtime:
            return [key.name for key in (await runtime.env.FOO.list())["keys"]]

    assert asyncio.run(main()) == [str(MIDNIGHT + MINUTE)]
    assert 'app ran its scheduled handler ("1 * * * *")' in caplog.text
    assert 'the scheduled handler of app failed ("2 * * * *")' in caplog.text
    assert "ValueError: not now" in caplog.text
