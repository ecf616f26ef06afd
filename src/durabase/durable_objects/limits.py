"""How much an object takes on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ObjectLimits"]


@dataclass(frozen=True, slots=True)
class ObjectLimits:
    """Limits of calls, and of what may wait for one object: while it starts, or in its critical sections.

    Attributes:
        message_bytes: how much the arguments of one call, or its result, may take.
        queued_events: how many events may wait.
        queued_bytes: how much their arguments and bodies may take together.
        queued_seconds: how long an event may wait.
    """

    message_bytes: int = 32 * 1024 * 1024
    queued_events: int = 10_000
    queued_bytes: int = 256 * 1024 * 1024
    queued_seconds: float = 60.0
