"""Running what would hold up the event loop in a thread, for an object."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from durabase.durable_objects.life import ObjectLife

__all__ = ["run_blocking"]


def run_blocking(life: ObjectLife, loop: AbstractEventLoop, call: Callable[[], Any]) -> Future[Any]:
    """Run ``call`` in a thread, in a copy of this context; the object is awake until it is over.

    Raises:
        Exception: what ended the life.
    """
    life.check_alive()
    life.open_events += 1

    def over(future: Future[Any]) -> None:
        if not future.cancelled():
            future.exception()  # whoever waits for it has it; nobody has to
        if life.error is None:
            life.event_over()

    future: Future[Any] = loop.run_in_executor(None, copy_context().run, call)
    future.add_done_callback(over)
    return future
