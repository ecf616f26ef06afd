"""When an object that is quiet may sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from durabase.durable_objects.life import ObjectLife

__all__ = ["rest_seconds"]

PENDING_SECONDS: Final = 70.0
"""For how long tasks and timers that were left behind keep an object awake."""
LOOK_SECONDS: Final = 1.0
"""How often it is looked, at most, whether an object is still busy."""


def rest_seconds(life: ObjectLife, idle_seconds: float, quiet_seconds: float) -> float:
    """After how many seconds to look again whether the life may end in sleep; 0: it may now.

    Args:
        life: the life; no event is open.
        idle_seconds: how long it has to be quiet.
        quiet_seconds: how long it has been.
    """
    often = max(idle_seconds, LOOK_SECONDS)
    if life.is_busy:
        return often
    enough = max(idle_seconds, PENDING_SECONDS) if life.started else idle_seconds
    return min(max(enough - quiet_seconds, 0), often)
