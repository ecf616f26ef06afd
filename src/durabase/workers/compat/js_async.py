"""JavaScript's timers and promises, on asyncio. Inside of an object a timer's callback is an event of it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from durabase.web import AbortController, AbortSignal, AttributeDict, socket_owner

__all__ = [
    "AbortSignalFunctions",
    "Promise",
    "clearInterval",
    "clearTimeout",
    "queueMicrotask",
    "scheduler",
    "setInterval",
    "setTimeout",
]

_numbers = itertools.count(1)
_timers: dict[int, asyncio.Task[None]] = {}
_running: set[asyncio.Future[Any]] = set()


def setTimeout(callback: Callable[..., Any], ms: float = 0, *arguments: Any) -> int:  # noqa: N802
    """Call ``callback`` once, after ``ms`` milliseconds. An object stays awake until then."""
    return _start(partial(callback, *arguments), ms, repeat=False)


def setInterval(callback: Callable[..., Any], ms: float = 0, *arguments: Any) -> int:  # noqa: N802
    """Call ``callback`` every ``ms`` milliseconds. An object stays awake meanwhile."""
    return _start(partial(callback, *arguments), ms, repeat=True)


def clearTimeout(number: int | None = None) -> None:  # noqa: N802
    """Stop a timer; one that is over, or none, is left alone."""
    timer = _timers.pop(number, None) if number is not None else None
    if timer is not None:
        timer.cancel()


clearInterval = clearTimeout  # noqa: N816


class AbortSignalFunctions(AbortSignal):
    """``AbortSignal``, which can also be made to abort itself."""

    @staticmethod
    def timeout(ms: float) -> AbortSignal:
        """A signal that is aborted after ``ms`` milliseconds, with a :class:`TimeoutError`."""
        controller = AbortController()
        error = TimeoutError("The operation was aborted due to timeout")
        setTimeout(controller.abort, ms, error)
        return controller.signal


def queueMicrotask(callback: Callable[[], Any]) -> None:  # noqa: N802
    """Call ``callback`` soon."""
    asyncio.get_running_loop().call_soon(_enter, callback)


def _start(callback: Callable[[], Any], ms: float, *, repeat: bool) -> int:
    number = next(_numbers)
    timer = _timers[number] = asyncio.create_task(_run_timer(number, callback, ms / 1000, repeat))
    timer.add_done_callback(lambda _: _timers.pop(number, None))  # it ends with the object as well
    return number


async def _run_timer(number: int, callback: Callable[[], Any], seconds: float, repeat: bool) -> None:
    while number in _timers:
        await asyncio.sleep(seconds)
        if not repeat:
            del _timers[number]
        try:
            _enter(callback)
        except Exception as error:
            context = {"message": "a timer's callback failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)


def _enter(callback: Callable[[], Any]) -> None:
    owner = socket_owner.get()
    if owner is not None:
        owner.enter(callback)
        return
    result = callback()
    if isinstance(result, Awaitable):
        task = asyncio.ensure_future(result)
        _running.add(task)
        task.add_done_callback(_running.discard)


class Promise:
    """The functions of ``Promise``; the promises themselves are awaitables."""

    @staticmethod
    def resolve(value: Any = None) -> Awaitable[Any]:
        """Return an awaitable of ``value``, or ``value`` if it is one."""
        if isinstance(value, Awaitable):
            return value
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_result(value)
        return future

    @staticmethod
    async def all(promises: Iterable[Awaitable[Any]]) -> list[Any]:
        """Wait for all, and give their results."""
        return list(await asyncio.gather(*promises))

    @staticmethod
    def new(executor: Callable[[Callable[..., None], Callable[..., None]], Any]) -> asyncio.Future[Any]:
        """Return an awaitable that ``executor(resolve, reject)``, called at once, decides."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def resolve(value: Any = None) -> None:
            if not future.done():
                future.set_result(value)

        def reject(reason: Any = None) -> None:
            if not future.done():
                future.set_exception(_as_error(reason))

        executor(resolve, reject)
        return future

    @staticmethod
    def reject(reason: Any = None) -> Awaitable[Any]:
        """Return an awaitable that fails."""
        return Promise.new(lambda _, reject: reject(reason))

    @staticmethod
    async def allSettled(promises: Iterable[Awaitable[Any]]) -> list[dict[str, Any]]:  # noqa: N802
        """Wait for all, and tell of each its ``status``, and its ``value`` or ``reason``."""
        results = await asyncio.gather(*promises, return_exceptions=True)
        return [
            AttributeDict(status="rejected", reason=result)
            if isinstance(result, BaseException)
            else AttributeDict(status="fulfilled", value=result)
            for result in results
        ]

    @staticmethod
    async def any(promises: Iterable[Awaitable[Any]]) -> Any:
        """Wait for the first that succeeds, and give its result.

        Raises:
            ExceptionGroup: none does.
        """
        failures: list[Exception] = []
        for following in asyncio.as_completed(list(promises)):
            try:
                return await following
            except Exception as error:
                failures.append(error)
        raise ExceptionGroup("All promises were rejected", failures or [ValueError("there are none")])

    @staticmethod
    async def race(promises: Iterable[Awaitable[Any]]) -> Any:
        """Wait for the first, and give its result."""
        done, _ = await asyncio.wait(
            [asyncio.ensure_future(promise) for promise in promises], return_when=asyncio.FIRST_COMPLETED
        )
        return done.pop().result()


def _as_error(reason: Any) -> BaseException:
    return reason if isinstance(reason, BaseException) else RuntimeError(str(reason))


class _Scheduler:
    """The global ``scheduler``."""

    @staticmethod
    async def wait(ms: float) -> None:
        """Wait for ``ms`` milliseconds."""
        await asyncio.sleep(ms / 1000)


scheduler = _Scheduler()
