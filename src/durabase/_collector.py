"""Building something large without the garbage collector looking at it again and again.

A stamp that comes in or goes out is a list, so 100,000 cells are as many containers. While they are made,
Python's cyclic collector visits all of them several times and can free none; that costs more than making
them. It does not know what is built.
"""

from __future__ import annotations

import gc
from typing import Final, final

__all__ = ["CollectorPause"]

MANY: Final = 20_000
"""So many new containers are taken for old ones at once; to look at them takes some milliseconds."""

_is_enabled: Final = gc.isenabled
_disable: Final = gc.disable
_enable: Final = gc.enable
_counts: Final = gc.get_count


@final
class CollectorPause:
    """A context in which the collector does not run, unless somebody else turns it on.

    For code that only builds. What nobody refers to is freed as ever; a collector that was off stays off.
    Where much was built the collector does not look at it as something young either: that would halt
    everybody twice, for as long as a full pass. It is looked at in full passes.
    """

    __slots__ = ("_was_enabled",)

    def __init__(self) -> None:
        self._was_enabled: Final = _is_enabled()

    def __enter__(self) -> None:
        _disable()

    def __exit__(self, *exception: object) -> None:
        if self._was_enabled:
            if _counts()[0] > MANY:
                _take_all_for_old()
            _enable()


def _take_all_for_old() -> None:
    """Have the collector look at all there is in full passes only. That takes no time, however much it is."""
    gc.freeze()
    gc.unfreeze()
