"""Telling an observer of the events of objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from durabase.clock import Clock
from durabase.durable_objects.events import EventHandled, ObjectEvent, ObjectObserver, SocketEvent
from durabase.durable_objects.origin import Origin

__all__ = ["observed"]


def observed(
    finish: Callable[[Any, BaseException | None], object],
    observer: ObjectObserver,
    clock: Clock,
    origin: Origin,
    event: ObjectEvent | SocketEvent | None,
) -> Callable[[Any, BaseException | None], None]:
    """``finish`` for an event that enters now, telling ``observer`` after it."""
    started = clock.now_ms()

    def finish_and_tell(result: Any, error: BaseException | None) -> None:
        finish(result, error)
        elapsed = clock.now_ms() - started
        status = getattr(result, "status", None)
        class_name, id, kind = origin
        assert id is not None  # noqa: S101 - it is an object's
        observer(EventHandled(class_name, id, kind, elapsed, error, started, event, status))

    return finish_and_tell
