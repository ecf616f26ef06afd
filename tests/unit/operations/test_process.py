"""What is measured of the process and its event loop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from durabase.operations.process import INTERVAL_SECONDS, LoopLag, add_process_metrics
from durabase.operations.prometheus import Registry

pytestmark = pytest.mark.feature("S-OB-3")


class Loop:
    """An event loop whose time is set, and which calls back as late as it is told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.due: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], object]) -> Loop:
        self.due.append((when, callback))
        return self

    def cancel(self) -> None:
        self.due.clear()

    def run_late(self, seconds: float) -> None:
        when, callback = self.due.pop()
        self.now = when + seconds
        callback()


def test_each_reader_has_the_longest_delay_since_it_last_asked() -> None:
    loop = Loop()
    lag = LoopLag(loop)  # type: ignore[arg-type]
    one, other = lag.reader(), lag.reader()
    lag.start()
    assert loop.due[0][0] == 100 + INTERVAL_SECONDS
    for late in (0.5, 1.5, 0.25):
        loop.run_late(late)
    assert (one.take_longest(), one.take_longest()) == (1.5, 0.0)
    loop.run_late(0.25)
    assert (one.take_longest(), other.take_longest()) == (0.25, 1.5)
    other.close()
    loop.run_late(2)
    assert (one.take_longest(), other.take_longest()) == (2, 0.0)


def test_it_can_be_stopped_started_or_not() -> None:
    loop = Loop()
    lag = LoopLag(loop)  # type: ignore[arg-type]
    lag.stop()
    lag.start()
    lag.stop()
    assert loop.due == []


def test_the_metrics() -> None:
    loop, registry = Loop(), Registry()
    lag = LoopLag(loop)  # type: ignore[arg-type]
    add_process_metrics(registry, lag)
    lag.start()
    loop.run_late(1.5)
    lines = registry.text().splitlines()
    assert "durabase_event_loop_lag_seconds 1.5" in lines
    assert "durabase_event_loop_lag_seconds 0" in registry.text().splitlines()
    values = dict(line.split() for line in lines if not line.startswith("#"))
    assert float(values["process_start_time_seconds"]) > 1_700_000_000
    for name in ("cpu_seconds_total", "threads", "resident_memory_bytes", "open_fds"):
        assert float(values[f"process_{name}"]) > 0
    assert "# TYPE process_cpu_seconds_total counter" in lines
