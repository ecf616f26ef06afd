"""Work that is done at once where it can be, and goes on later where it must wait.

A persister's functions may be plain or asynchronous. :func:`start_steps` runs a generator that
yields whatever those functions returned: a plain result is sent straight back, so that work over
plain functions is finished when the call returns (no task, no event loop), while an unfinished
awaitable suspends the generator until its result is there.

Knows nothing of stores and persisters. asyncio is only touched when there is something to wait for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import CoroutineType
from typing import Any, Generic, TypeAlias, TypeVar, cast

__all__ = ["Completion", "Steps", "start_steps"]

T = TypeVar("T")
Steps: TypeAlias = Generator[object, Any, T]
"""Yields results or awaitables and is sent the results; returns a ``T``."""


class Completion(Generic[T]):
    """The end of something that has been started already. Await it, or drop it: it happens anyway.

    Unlike a coroutine it needs no event loop unless it is awaited before it is done, and it may be
    awaited any number of times.
    """

    __slots__ = ("_callbacks", "_done", "_error", "_result")

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Completion[T]], object]] = []
        self._done = False
        self._error: BaseException | None = None
        self._result: T | None = None

    def done(self) -> bool:
        """Whether it has ended, with a result or an error."""
        return self._done

    def result(self) -> T:
        """The result, once it is done; raises the error if it ended with one."""
        if self._error is not None:
            raise self._error
        return cast("T", self._result)

    def add_done_callback(self, callback: Callable[[Completion[T]], object]) -> None:
        """Call ``callback`` with this object when it is done: now, if it already is."""
        if self._done:
            callback(self)
        else:
            self._callbacks.append(callback)

    def set_result(self, result: T) -> None:
        """End with a result."""
        self._result = result
        self._end()

    def set_exception(self, error: BaseException) -> None:
        """End with an error."""
        self._error = error
        self._end()

    def _end(self) -> None:
        self._done = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)

    def __await__(self) -> Generator[Any, None, T]:
        if not self._done:
            import asyncio  # here, for importing a persister must not load asyncio

            future = asyncio.get_running_loop().create_future()
            self.add_done_callback(lambda _: None if future.done() else future.set_result(None))
            yield from future
        return self.result()


def start_steps(steps: Steps[T]) -> Completion[T]:
    """Run ``steps`` as far as they go without waiting; the rest follows by itself."""
    routine = _Routine(steps)
    routine.go_on()
    return routine.completion


class _Routine(Generic[T]):
    __slots__ = ("_steps", "completion")

    def __init__(self, steps: Steps[T]) -> None:
        self._steps = steps
        self.completion: Completion[T] = Completion()

    def go_on(self, value: object = None, error: BaseException | None = None) -> None:
        try:
            while True:
                step = self._steps.send(value) if error is None else self._steps.throw(error)
                if step is None or not hasattr(step, "__await__"):
                    value, error = step, None
                    continue
                waiting = _as_future(step)
                if not waiting.done():
                    waiting.add_done_callback(self._resume)
                    return
                value, error = _outcome(waiting)
        except StopIteration as end:
            self.completion.set_result(end.value)
        except Exception as failure:
            self.completion.set_exception(failure)
        except BaseException as failure:
            self.completion.set_exception(failure)
            raise

    def _resume(self, waiting: Any) -> None:
        self.go_on(*_outcome(waiting))


def _outcome(waiting: Any) -> tuple[object, BaseException | None]:
    try:
        return waiting.result(), None
    except BaseException as error:  # a cancelled wait must reach the steps, too
        return None, error


def _as_future(awaitable: Any) -> Any:
    """Something with ``done``, ``result`` and ``add_done_callback`` for an awaitable."""
    if hasattr(awaitable, "add_done_callback"):
        return awaitable
    if isinstance(awaitable, CoroutineType):
        return _as_task(awaitable)
    return _step_into(awaitable)


def _step_into(awaitable: Awaitable[T]) -> Any:
    """Begin with an awaitable that is no coroutine: it may be finished already, and then needs no loop."""
    finished: Completion[T] = Completion()
    waiting = awaitable.__await__()
    try:
        step = next(waiting)
    except StopIteration as end:
        finished.set_result(end.value)
    except Exception as error:
        finished.set_exception(error)
    else:
        return _as_task(_wait_for(_Rest(step, waiting)))
    return finished


_tasks: set[Any] = set()  # the event loop itself holds tasks weakly


def _as_task(coroutine: Coroutine[Any, Any, Any]) -> Any:
    import asyncio  # here, for importing a persister must not load asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError as error:
        coroutine.close()  # or Python warns that it was never awaited
        failed: Completion[Any] = Completion()
        failed.set_exception(error)
        return failed
    task = loop.create_task(coroutine)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


async def _wait_for(awaitable: Awaitable[T]) -> T:
    return await awaitable


class _Rest(Generic[T]):
    """An awaitable that goes on where ``waiting`` has yielded ``step``."""

    __slots__ = ("_step", "_waiting")

    def __init__(self, step: Any, waiting: Generator[Any, Any, T]) -> None:
        self._step = step
        self._waiting = waiting

    def __await__(self) -> Generator[Any, Any, T]:
        step = self._step
        while True:
            sent, error = None, None
            try:
                sent = yield step
            except BaseException as thrown:  # passed on, as "yield from" would
                error = thrown
            try:
                step = self._waiting.send(sent) if error is None else self._waiting.throw(error)
            except StopIteration as end:
                return cast("T", end.value)
