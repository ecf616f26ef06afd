"""The CPU time that the code of one event takes: of its own stretches in the event loop, and of no others.

A handler that calls another object runs that one's handler within its call. The outer clock stands still
meanwhile, so nothing is counted twice. What the code leaves to threads, or starts in tasks, is not counted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Generator
from inspect import isawaitable
from time import thread_time_ns
from typing import Any, Final

from durabase.durable_objects.execution import as_coroutine, driver

__all__ = ["CpuTime"]


class _Running(threading.local):
    """Whose code runs in this thread, and since when."""

    time: CpuTime | None = None
    since: int = 0


_running: Final = _Running()


class CpuTime:
    """What one event has taken so far, in ``nanoseconds``."""

    __slots__ = ("nanoseconds",)

    def __init__(self) -> None:
        self.nanoseconds = 0

    @property
    def milliseconds(self) -> float:
        """What it has taken."""
        return self.nanoseconds / 1_000_000

    def around(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """``call``, measured; if it gives something to await, that is measured, too."""

        def measured() -> Any:
            before = self._enter()
            try:
                result = call()
            finally:
                self._leave(before)
            return _measured(as_coroutine(result), self) if isawaitable(result) else result

        return measured

    def _enter(self) -> CpuTime | None:
        now, before = thread_time_ns(), _running.time
        if before is not None:
            before.nanoseconds += now - _running.since
        _running.time, _running.since = self, now
        return before

    def _leave(self, before: CpuTime | None) -> None:
        now = thread_time_ns()
        self.nanoseconds += now - _running.since
        _running.time, _running.since = before, now


async def _measured(coroutine: Coroutine[Any, Any, Any], time: CpuTime) -> Any:
    return await _stretches(coroutine, time)


@driver
def _stretches(coroutine: Coroutine[Any, Any, Any], time: CpuTime) -> Generator[Any, Any, Any]:
    value: Any = None
    error: BaseException | None = None
    while True:
        before = time._enter()
        try:
            yielded = coroutine.send(value) if error is None else coroutine.throw(error)
        except StopIteration as stop:
            return stop.value
        finally:
            time._leave(before)
        try:
            value, error = (yield yielded), None
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as thrown:
            value, error = None, thrown
