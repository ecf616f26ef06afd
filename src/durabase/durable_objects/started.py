"""What an object's code has started and not waited for: tasks, and timers of the event loop.

They belong to the life whose code started them, which is found in their context. The input gate holds them
as it holds handlers, they keep the object awake for a while, and they end with the life.

:class:`Attribution` has the event loop tell of them: of tasks by its task factory, of timers by the
methods that start one.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Task, TimerHandle
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Final

from durabase.clock import TimerClock
from durabase.clock import TimerHandle as ClockTimer
from durabase.durable_objects.execution import as_coroutine, gated
from durabase.durable_objects.gates import InputGate, Section, current_section
from durabase.web.connection import socket_owner

__all__ = ["Attribution", "OutsideClock", "StartedWork"]

FEW_TIMERS: Final = 64
"""So many may be remembered although they were cancelled."""

_StartTimer = Callable[..., TimerHandle]
_Coroutine = Coroutine[Any, Any, Any]


class StartedWork:
    """The tasks and timers of one life.

    Args:
        gate: the object's input gate.
        loop: the event loop.
    """

    __slots__ = ("_ended", "_gate", "_loop", "_many", "_tasks", "_timers")

    def __init__(self, gate: InputGate, loop: AbstractEventLoop) -> None:
        self._gate = gate
        self._loop = loop
        self._tasks: dict[Task[Any], None] = {}  # an empty set takes three times the memory
        self._timers: set[_Timer] | None = None  # most objects start none
        self._many = FEW_TIMERS
        self._ended = False

    def __bool__(self) -> bool:
        """Whether there is anything that is not over."""
        return bool(self._tasks or self._not_cancelled())

    def track(self, task: Task[Any]) -> None:
        """A task was started."""
        if not task.done():
            self._tasks[task] = None
            task.add_done_callback(self._ended_task)

    def _ended_task(self, task: Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not self._tasks:
            self._tasks = {}  # without the room that there was for more

    def start_task(
        self, start: Callable[[_Coroutine], Task[Any]], coroutine: _Coroutine, section: Section | None
    ) -> Task[Any]:
        """Start a task by calling ``start(coroutine)``; it goes on only when the input gate lets it."""
        if getattr(coroutine, "cr_code", None) is gated.__code__:
            task = start(coroutine)
        else:
            inner = as_coroutine(coroutine)
            task = start(gated(inner, self._gate, section))
            task.add_done_callback(lambda _: inner.close())  # it may have been cancelled before it began
        self.track(task)
        return task

    def start_timer(
        self,
        start: _StartTimer,
        callback: Callable[..., object],
        arguments: tuple[Any, ...],
        context: Context | None,
    ) -> TimerHandle:
        """Start a timer by calling ``start(callback, context=…)``."""
        if self._ended:
            return start(callback, *arguments, context=context)
        timer = _Timer(self, callback, arguments, _section_in(context))
        timer.handle = start(timer, context=context)
        timers = self._timers = self._timers or set()
        timers.add(timer)
        if len(timers) > self._many:
            self._many = max(FEW_TIMERS, 2 * len(self._not_cancelled()))
        return timer.handle

    def fire(self, timer: _Timer) -> None:
        """A timer has run out: call what it was for, when the input gate lets it."""
        if self._timers is not None:
            self._timers.discard(timer)
            self._timers = self._timers or None
        if self._ended or timer.handle.cancelled():
            return
        if self._gate.admits(timer.section):
            timer.callback(*timer.arguments)
        else:
            again = partial(self._loop.call_soon, partial(self.fire, timer), context=copy_context())
            self._gate.when_admitted(again, timer.callback)

    def end(self) -> None:
        """The life is over: stop everything, but for the task that is running."""
        self._ended = True
        current = asyncio.current_task(self._loop)
        for task in list(self._tasks):
            if task is not current:
                task.cancel()
        for timer in self._timers or ():
            timer.handle.cancel()
        self._timers = None

    def _not_cancelled(self) -> set[_Timer]:
        """The timers that may still run out; the others are forgotten."""
        kept = {timer for timer in self._timers or () if not timer.handle.cancelled()}
        self._timers = kept or None
        return kept


class _Timer:
    """What a timer calls."""

    __slots__ = ("arguments", "callback", "handle", "section", "work")

    handle: TimerHandle

    def __init__(
        self,
        work: StartedWork,
        callback: Callable[..., object],
        arguments: tuple[Any, ...],
        section: Section | None,
    ) -> None:
        self.work = work
        self.callback = callback
        self.arguments = arguments
        self.section = section

    def __call__(self) -> None:
        self.work.fire(self)


class Attribution:
    """Tells lives of the tasks and timers that their code starts on an event loop."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop: Any = loop
        self._factory = loop.get_task_factory()

    def begin(self) -> None:
        """Do so from now on."""
        loop = self._loop
        loop.set_task_factory(self._start_task)
        loop.call_later = partial(_start_timer, loop.call_later)
        loop.call_at = partial(_start_timer, loop.call_at)

    def end(self) -> None:
        """Not any more. Whoever began later has to end before."""
        loop = self._loop
        loop.set_task_factory(self._factory)
        for name in ("call_later", "call_at"):
            before = getattr(loop, name).args[0]
            if getattr(before, "__self__", None) is loop:
                delattr(loop, name)
            else:
                setattr(loop, name, before)

    def _start_task(self, loop: AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        def start(coroutine: _Coroutine) -> Any:
            if self._factory is None:
                return asyncio.Task(coroutine, loop=loop, **options)
            return self._factory(loop, coroutine, **options)

        context = options.get("context")
        started = _started_in(context)
        if started is None:
            return start(coroutine)
        return started.start_task(start, coroutine, _section_in(context))


def _start_timer(
    start: _StartTimer,
    when: float,
    callback: Callable[..., object],
    *arguments: Any,
    context: Context | None = None,
) -> TimerHandle:
    started = None if isinstance(callback, _Timer) else _started_in(context)
    if started is None:
        return start(when, callback, *arguments, context=context)
    return started.start_timer(partial(start, when), callback, arguments, context)


def _started_in(context: Context | None) -> StartedWork | None:
    """What the life whose code runs in ``context``, or now, has started."""
    owner = socket_owner.get() if context is None else context.get(socket_owner)
    return getattr(owner, "started", None)


def _section_in(context: Context | None) -> Section | None:
    return current_section.get() if context is None else context.get(current_section)


class OutsideClock:
    """``clock``, its timers being nobody's: they run outside of the life whose events started them."""

    __slots__ = ("_clock", "now_ms")

    def __init__(self, clock: TimerClock) -> None:
        self._clock = clock
        self.now_ms = clock.now_ms

    def call_later(self, seconds: float, callback: Callable[[], object]) -> ClockTimer:
        """Call ``callback`` once after ``seconds``, in a context of its own."""
        return Context().run(self._clock.call_later, seconds, callback)
