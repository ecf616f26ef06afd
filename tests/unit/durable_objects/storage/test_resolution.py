"""How finely the past is kept."""

from __future__ import annotations

import pytest

from durabase.durable_objects.storage.resolution import kept_of, step_of

HOUR, DAY, NOW = 3_600_000, 86_400_000, 20 * 86_400_000


@pytest.mark.parametrize(
    ("age", "step"), [(0, 0), (HOUR - 1, 0), (HOUR, 60_000), (DAY, HOUR), (9 * DAY, HOUR)]
)
def test_the_older_the_coarser(age: int, step: int) -> None:
    assert step_of(age) == step


def test_the_last_of_a_minute_and_of_an_hour_stand_for_it() -> None:
    fine = [(1000 + i, NOW - HOUR + 1 + i * 1000) for i in range(10)]
    minute = [(500 + i, NOW - 2 * HOUR + i * 1000) for i in range(130)]
    hour = [(i, NOW - 3 * DAY + i * 60_000) for i in range(1, 130)]
    kept = kept_of([*hour, *minute, *fine], NOW)
    assert kept == {1, 59, 119, 129, 559, 619, 629} | {number for number, _ in fine}
    assert kept_of([each for each in [*hour, *minute, *fine] if each[0] in kept], NOW) == kept
    assert 77 in kept_of(hour, NOW, {77, 5000})
    assert kept_of([], NOW) == set()
