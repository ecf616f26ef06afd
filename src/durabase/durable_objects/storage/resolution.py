"""How finely the past is kept, by its age: everything, then one entry a minute, then one an hour. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import Final

__all__ = ["FINE_MS", "STEPS", "kept_of", "step_of"]

FINE_MS: Final = 3_600_000
"""For so long every entry is kept."""

STEPS: Final = ((FINE_MS, 60_000), (86_400_000, 3_600_000))
"""From which age on there is one entry for how many milliseconds."""


def step_of(age_ms: int) -> int:
    """For how many milliseconds there is one entry of this age; 0: every entry is kept."""
    found = 0
    for age, step in STEPS:
        found = step if age_ms >= age else found
    return found


def kept_of(times: Iterable[tuple[int, int]], now_ms: int, pinned: Collection[int] = ()) -> set[int]:
    """Which entries are kept of those with these numbers and times, in order.

    The last one of a minute or of an hour stands for it, the same whenever this is asked. The first and the
    last of all, and ``pinned`` ones are always kept.
    """
    listed = list(times)
    kept = {number for number, _ in (*listed[:1], *listed[-1:])}
    for (number, time_ms), (_, following) in pairwise(listed):
        step = step_of(now_ms - time_ms)
        if not step or time_ms // step != following // step:
            kept.add(number)
    return kept | {number for number, _ in listed if number in pinned}
