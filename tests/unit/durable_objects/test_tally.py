"""What is counted of the objects of a class."""

from __future__ import annotations

import pytest

from durabase.durable_objects.tally import Tally
from durabase.testing.fake_clock import FakeClock


@pytest.mark.feature("S-OB-3")
def test_waits_are_told_to_whom_wants_to_know() -> None:
    clock, tally, told, left = FakeClock(), Tally(), list[tuple[str, float]](), list[str]()
    come = clock.now_ms()
    tally.entered(come, clock)
    leave = tally.timed(lambda: left.append("unmeasured"), clock)
    leave()
    tally.on_wait = lambda gate, seconds: told.append((gate, seconds))
    held = tally.timed(lambda: left.append("measured"), clock)
    clock.advance(1500)
    tally.entered(come, clock)
    held()
    assert told == [("input", 1.5), ("output", 1.5)]
    assert left == ["unmeasured", "measured"]
