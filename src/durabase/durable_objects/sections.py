"""Critical sections: running one, its time limit, and what it waited for in vain."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Future, Task
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from inspect import isawaitable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from durabase.clock import TimerHandle
from durabase.durable_objects.execution import gated, quiet_future, suspended_in
from durabase.durable_objects.gates import Section, current_section
from durabase.durable_objects.rpc import as_reset
from durabase.durable_objects.surroundings import LifeWatcher
from durabase.durable_objects.suspension import with_suspension
from durabase.errors import ObjectOverloadedError

if TYPE_CHECKING:
    from durabase.durable_objects.life import ObjectLife

__all__ = ["SECTION_SECONDS", "CriticalSections"]

SECTION_SECONDS: Final = 30.0
MOST_NAMED: Final = 5
"""So many of those that wait are named when a section has taken too long."""


class CriticalSections:
    """Runs the critical sections of one life."""

    __slots__ = ("_life", "_loop", "_slot")

    def __init__(self, life: ObjectLife, slot: LifeWatcher, loop: AbstractEventLoop) -> None:
        self._life = life
        self._slot = slot
        self._loop = loop

    def run(
        self, callback: Callable[[], Any], *, fatal: bool, seconds: float | None = SECTION_SECONDS
    ) -> Future[Any]:
        """Run ``callback`` while only what belongs to it goes on; if ``fatal``, its failure ends the life.

        If it takes longer than ``seconds`` that ends the life as well.

        Raises:
            Exception: what ended the life.
            RuntimeError: sections are nested too deeply.
        """
        life = self._life
        life.check_alive()
        context = copy_context()

        def begin() -> None:
            section.what = coroutine = self._called(callback, fatal)
            context.run(current_section.set, section)
            task = self._loop.create_task(gated(coroutine, life.input, section), context=context)
            life.see_through(task, partial(self._done, section, future, timer))

        section = Section(current_section.get(), begin, callback)
        future = quiet_future(self._loop)
        life.expect(future)
        life.open_events += 1
        timer = None if seconds is None else life.clock.call_later(seconds, partial(self._too_long, section))
        life.input.enter(section)
        return future

    async def _called(self, callback: Callable[[], Any], fatal: bool) -> Any:
        """What the section does. A fatal failure ends the life before the turn's writes are committed."""
        try:
            result = with_suspension(callback)()
            return await result if isawaitable(result) else result
        except (Exception, asyncio.CancelledError) as error:
            if fatal:
                self._life.end_with(as_reset(error))
            raise

    def _too_long(self, section: Section) -> None:
        error = ObjectOverloadedError(
            "A call to blockConcurrencyWhile() in a Durable Object waited for too long. "
            "The call was canceled and the Durable Object was reset. "
            + _sides(section.what, self._life.input.held_back, self._slot.waiting_events())
        )
        error.durable_object_reset = True
        self._life.end_with(error)

    def _done(
        self, section: Section, future: Future[Any], timer: TimerHandle | None, task: Task[Any]
    ) -> None:
        if timer is not None:
            timer.cancel()
        life = self._life
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if life.error is not None:  # whoever waits is told of that
            return
        life.settle(future, None if error is not None else task.result(), error)
        life.input.leave(section)
        life.event_over()


def _sides(what: object, held_back: Sequence[object], events: Sequence[str]) -> str:
    """Whom the section waited for, and who waited for the section: if one needs the other, both for ever."""
    waiting = [_place(who) for who in held_back if who is not what]
    waiting += [f"the event {event}" for event in events]
    if len(waiting) > MOST_NAMED:
        waiting[MOST_NAMED:] = [f"{len(waiting) - MOST_NAMED} more"]
    who = ", ".join(waiting) or "nobody"
    return f"It was waiting in {_place(what)}; waiting for its end: {who}."


def _place(who: object) -> str:
    """A coroutine, callback or name, in words."""
    frame = suspended_in(who)
    if frame is None:
        return str(getattr(who, "__qualname__", who))
    callback = frame.f_locals["callback"] if frame.f_code is CriticalSections._called.__code__ else None
    if callback is not None:  # it gave something to await that is no coroutine
        return str(getattr(callback, "__qualname__", callback))
    return f"{frame.f_code.co_qualname} ({PurePath(frame.f_code.co_filename).name}:{frame.f_lineno})"
