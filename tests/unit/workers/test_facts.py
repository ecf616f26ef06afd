"""What an observer of a runtime is told of entrypoints."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from durabase.durable_objects import cpu_time
from durabase.testing import WorkerHarness
from durabase.web import Request
from durabase.workers.facts import EntrypointHandled
from durabase.workers.scheduled import ScheduledController
from unit.workers.programs import write_program

PROGRAM = """
from durabase.durable_objects.origin import current_origin
from durabase.workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    def fetch(self, request):
        if request.url.endswith("/fail"):
            raise ValueError("why")
        return Response(repr(current_origin.get()), 201)

    def scheduled(self, controller):
        pass
"""


def test_requests_and_schedules(tmp_path: Path) -> None:
    harness = WorkerHarness(write_program(tmp_path, PROGRAM))

    began_ms = harness.clock.now_ms()

    async def main() -> None:
        response = await harness.fetch("/good")
        assert await response.text() == "Origin(class_name='Default', id=None, event='fetch')"
        with pytest.raises(ValueError, match="why"):
            await harness.fetch("/fail")
        await harness.scheduled("1 2 * * *", 5)

    harness.run(main)
    good, failed, scheduled = [fact for fact in harness.facts if isinstance(fact, EntrypointHandled)]
    assert (good.worker, good.entrypoint, good.kind, good.status) == ("app", "Default", "fetch", 201)
    assert isinstance(good.event, Request)
    assert good.started_ms == began_ms  # stopping moves the clock
    assert isinstance(failed.error, ValueError)
    assert failed.status is None
    assert scheduled.event == ScheduledController("1 2 * * *", 5)
    assert scheduled.error is None


def test_cpu_time_is_told_if_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = count(0, 2_000_000)
    monkeypatch.setattr(cpu_time, "thread_time_ns", lambda: next(readings))
    harness = WorkerHarness(write_program(tmp_path, PROGRAM))

    async def main() -> None:
        await harness.fetch("/unmeasured")
        harness.runtime.host.watch.measures_cpu = True
        await harness.fetch("/measured")

    harness.run(main)
    handled = [fact for fact in harness.facts if isinstance(fact, EntrypointHandled)]
    assert [fact.cpu_milliseconds for fact in handled] == [None, 2]
