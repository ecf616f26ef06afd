"""Running handlers on asyncio: what need not wait runs at once, what waits becomes a task.

A coroutine is started inside the call that delivers its event. If it ends without suspending, the
event is over before the event loop turns; otherwise it goes on as an ordinary task. While a critical
section runs, a handler that is not part of it stays where it is even if what it awaits is there.
"""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from inspect import iscoroutine
from typing import Any

from durabase.durable_objects.gates import InputGate, Section

__all__ = ["as_coroutine", "gated", "start_task"]


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def as_coroutine(awaitable: Awaitable[Any]) -> Coroutine[Any, Any, Any]:
    """``awaitable`` as a coroutine."""
    return awaitable if iscoroutine(awaitable) else _awaited(awaitable)


@types.coroutine
def gated(
    coroutine: Coroutine[Any, Any, Any], gate: InputGate, section: Section | None
) -> Generator[Any, Any, Any]:
    """``coroutine``, going on after each of its waits only when the gate admits its section."""
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            yielded = coroutine.send(value) if error is None else coroutine.throw(error)
        except StopIteration as stop:
            return stop.value
        try:
            value, error = (yield yielded), None
            while not gate.admits(section):
                yield from _admission(gate).__await__()
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as thrown:
            value, error = None, thrown


def _admission(gate: InputGate) -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    gate.when_admitted(lambda: None if future.done() else future.set_result(None))
    return future


if sys.version_info >= (3, 12):

    def start_task(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: Context
    ) -> asyncio.Task[Any]:
        """A task for ``coroutine``, of which the part before its first wait has run already."""
        return asyncio.Task(coroutine, loop=loop, context=context, eager_start=True)

else:

    class _Starting:
        """Stands for the loop while a task is made, to get hold of the step that it would schedule."""

        __slots__ = ("_loop", "step")

        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self._loop = loop
            self.step: Callable[[], object] = lambda: None

        def call_soon(self, step: Callable[[], object], *, context: Context) -> None:
            self.step = step

        def get_debug(self) -> bool:
            return self._loop.get_debug()

    _PyTask: Any = asyncio.tasks._PyTask  # type: ignore[attr-defined]

    def start_task(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: Context
    ) -> asyncio.Task[Any]:
        """A task for ``coroutine``, of which the part before its first wait has run already.

        Python 3.11 has no eager start. Its task in Python lets us put the first step where we want it.
        """
        starting = _Starting(loop)
        task: Any = _PyTask(coroutine, loop=starting, context=context)
        task._loop = loop
        outer = asyncio.current_task(loop)
        if outer is not None:
            asyncio.tasks._leave_task(loop, outer)
        try:
            context.run(starting.step)
        finally:
            if outer is not None:
                asyncio.tasks._enter_task(loop, outer)
        return task  # type: ignore[no-any-return]
