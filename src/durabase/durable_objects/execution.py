"""Running handlers on asyncio: what need not wait runs at once, what waits becomes a task.

A coroutine is started inside the call that delivers its event. If it ends without suspending, the
event is over before the event loop turns; otherwise it goes on as an ordinary task. While a critical
section runs, a handler that is not part of it stays where it is even if what it awaits is there.
"""

from __future__ import annotations

import asyncio
import sys
import types
from asyncio import AbstractEventLoop, Future, Task
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from types import CodeType, FrameType
from typing import Any, Final

from durabase.durable_objects.gates import InputGate, Section, current_section

__all__ = ["TaskStarter", "as_coroutine", "driver", "gated", "quiet_future", "suspended_in"]

_Coroutine = Coroutine[Any, Any, Any]

_LIBRARIES: Final = ("asyncio", "durabase")

_drivers: Final[set[CodeType]] = set()


def driver(
    function: Callable[..., Generator[Any, Any, Any]],
) -> Callable[..., Awaitable[Any]]:
    """Make of a generator function one whose result can be awaited, and that takes each of the steps of its
    local variable ``coroutine`` itself."""
    _drivers.add(function.__code__)
    return types.coroutine(function)


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def as_coroutine(awaitable: Awaitable[Any]) -> _Coroutine:
    """``awaitable`` as a coroutine."""
    return awaitable if isinstance(awaitable, types.CoroutineType) else _awaited(awaitable)


def quiet_future(loop: AbstractEventLoop) -> Future[Any]:
    """A future that nobody has to look at, whatever it ends with."""
    future = loop.create_future()
    future.add_done_callback(_look_at)
    return future


def _look_at(future: Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


class _Nothing:
    """The type of :data:`_NOTHING`."""


_NOTHING: Final = _Nothing()


async def gated(
    coroutine: _Coroutine, gate: InputGate, section: Section | None, yielded: object = _NOTHING
) -> Any:
    """``coroutine``, going on after each of its waits only when the gate admits its section.

    Args:
        coroutine: the coroutine, not begun, or suspended.
        gate: the object's input gate.
        section: the critical section that it belongs to.
        yielded: what it yielded when it was suspended.
    """
    return await _steps(coroutine, gate, section, yielded)


@driver
def _steps(
    coroutine: _Coroutine, gate: InputGate, section: Section | None, yielded: object
) -> Generator[Any, Any, Any]:
    value: Any = None
    error: BaseException | None = None
    while True:
        if yielded is _NOTHING:
            try:
                yielded = coroutine.send(value) if error is None else coroutine.throw(error)
            except StopIteration as stop:
                return stop.value
        try:
            value, error = (yield yielded), None
            while not gate.admits(section):
                yield from _admission(gate, coroutine).__await__()
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as thrown:
            value, error = None, thrown
        yielded = _NOTHING


def _admission(gate: InputGate, coroutine: _Coroutine) -> Future[None]:
    future: Future[None] = asyncio.get_running_loop().create_future()
    gate.when_admitted(lambda: None if future.done() else future.set_result(None), coroutine)
    return future


def suspended_in(coroutine: object) -> FrameType | None:
    """Where a coroutine is suspended: its innermost frame, if possible of a program rather than a library."""
    found: FrameType | None = None
    while True:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is None:
            return found
        if found is None or frame.f_globals.get("__name__", "").partition(".")[0] not in _LIBRARIES:
            found = frame
        if frame.f_code in _drivers:
            coroutine = frame.f_locals["coroutine"]
        else:
            coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)


if sys.version_info >= (3, 12):

    class TaskStarter:
        """Starts handlers on one event loop."""

        __slots__ = ("_loop",)

        def __init__(self, loop: AbstractEventLoop) -> None:
            self._loop = loop

        def start(
            self, awaitable: Awaitable[Any], gate: InputGate, context: Context
        ) -> tuple[Task[Any] | None, Any]:
            """Run ``awaitable`` up to its first wait.

            Returns:
                the task in which it goes on, or ``None`` and its result.

            Raises:
                BaseException: what it raised before it ever waited.
            """
            coroutine = gated(as_coroutine(awaitable), gate, context.get(current_section))
            task = asyncio.Task(coroutine, loop=self._loop, context=context, eager_start=True)
            return (None, task.result()) if task.done() else (task, None)

else:
    _PyTask: Any = asyncio.tasks._PyTask  # type: ignore[attr-defined]
    _enter, _leave = asyncio.tasks._enter_task, asyncio.tasks._leave_task
    _register, _unregister = asyncio.tasks._register_task, asyncio.tasks._unregister_task

    class _Unscheduling:
        """Stands for the loop while a task is made, so that its first step is not scheduled."""

        __slots__ = ()

        def call_soon(self, step: object, *, context: Context) -> None: ...

        def get_debug(self) -> bool:
            return False

    async def _never() -> None: ...

    def _blank_task(loop: AbstractEventLoop) -> Any:
        """A task that the loop does not know of and that has nothing to run yet."""
        coroutine = _never()
        task = _PyTask(coroutine, loop=_Unscheduling())
        coroutine.close()
        _unregister(task)
        task._loop = loop
        task._log_destroy_pending = False
        return task

    class TaskStarter:
        """Starts handlers on one event loop.

        Python 3.11 has no eager start. Here the first stretch runs as the current task of a blank one,
        which becomes the handler's task if that has to wait, and is kept for the next if not.
        """

        __slots__ = ("_loop", "_spare")

        def __init__(self, loop: AbstractEventLoop) -> None:
            self._loop = loop
            self._spare: Any = None

        def start(
            self, awaitable: Awaitable[Any], gate: InputGate, context: Context
        ) -> tuple[Task[Any] | None, Any]:
            """Run ``awaitable`` up to its first wait.

            Returns:
                the task in which it goes on, or ``None`` and its result.

            Raises:
                BaseException: what it raised before it ever waited.
            """
            coroutine = as_coroutine(awaitable)
            task, self._spare = self._spare or _blank_task(self._loop), None
            outer = asyncio.current_task(self._loop)
            if outer is not None:
                _leave(self._loop, outer)
            try:
                yielded = self._first_stretch(task, coroutine, context)
                self._hand_over(task, gated(coroutine, gate, context.get(current_section), yielded), context)
                return task, None
            except StopIteration as stop:
                self._keep(task)
                return None, stop.value
            finally:
                if outer is not None:
                    _enter(self._loop, outer)

        def _first_stretch(self, task: Any, coroutine: _Coroutine, context: Context) -> Any:
            _enter(self._loop, task)
            try:
                return context.run(coroutine.send, None)
            finally:
                _leave(self._loop, task)

        def _hand_over(self, task: Any, coroutine: object, context: Context) -> None:
            """Make it the task of ``coroutine``, and let it wait for what that yields first."""
            task._coro, task._context, task._log_destroy_pending = coroutine, context, True
            _register(task)
            context.run(task._Task__step)

        def _keep(self, task: Any) -> None:
            if not (task._must_cancel or task._callbacks or task._num_cancels_requested):
                self._spare = task
