"""When an object that is quiet may sleep: at once, after some time, never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from durabase.durable_objects.life import ObjectLife

__all__ = ["checked_idle_seconds", "rest_seconds"]

PENDING_SECONDS: Final = 70.0
"""For how long tasks and timers that were left behind keep an object awake."""
LOOK_SECONDS: Final = 1.0
"""How often it is looked, at most, whether an object is still busy."""


def checked_idle_seconds(configured: float | None, cls: object, default: float) -> float:
    """How long objects of the class have to be quiet before they sleep; infinity: they never do.

    Args:
        configured: what the configuration says of the class, if anything.
        cls: the class; its attribute ``idle_seconds`` counts if it is a number.
        default: what is so for all classes.

    Raises:
        TypeError: the number is negative, or none.
    """
    own = getattr(cls, "idle_seconds", None)
    if configured is not None:
        chosen = configured
    else:
        chosen = own if isinstance(own, (int, float)) and not isinstance(own, bool) else default
    if not chosen >= 0:
        raise TypeError(f"idle_seconds must be 0 or more, or math.inf for never, not {chosen}")
    return chosen


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
