"""Waiting within plain functions: ``run_sync``, for the handlers of programs that use it.

A handler of such a program runs on a stack of its own, a greenlet. ``run_sync`` leaves that stack where it
is while the event loop goes on, and comes back to it with the result. Other programs pay nothing for it.
"""

from __future__ import annotations

import importlib
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from inspect import isawaitable
from typing import Any

from durabase.durable_objects.execution import as_coroutine

__all__ = ["can_run_sync", "run_sync", "set_suspending", "suspending", "with_suspension"]

_MISSING = "run_sync needs the package greenlet: pip install 'durabase[run-sync]'"

_suspends = False
_Outcome = tuple[BaseException | None, Any]


def set_suspending(wanted: bool) -> None:
    """Say whether the handlers of the program that is loaded may use :func:`run_sync`."""
    global _suspends
    _suspends = wanted


def suspending() -> bool:
    """Whether the handlers of the program that is loaded may use :func:`run_sync`."""
    return _suspends


def with_suspension(call: Callable[..., Any]) -> Callable[..., Any]:
    """``call`` in such a way that :func:`run_sync` works in it; ``call`` itself if the program uses none."""
    return partial(_run, call) if _suspends else call


def can_run_sync() -> bool:
    """Whether :func:`run_sync` works here."""
    return _suspends and isinstance(_greenlet().getcurrent(), _stack_type())


def run_sync(awaitable: Awaitable[Any], /) -> Any:
    """Wait for ``awaitable`` and return its result, while other handlers go on.

    Raises:
        RuntimeError: the call does not come from a handler, or the package greenlet is not there.
    """
    if not can_run_sync():
        raise RuntimeError(
            "No suspender: run_sync works in handlers of programs whose own modules name it; elsewhere, await"
        )
    return _greenlet().getcurrent().parent.switch(awaitable)


def _greenlet() -> Any:
    try:
        return importlib.import_module("greenlet")
    except ImportError:
        raise RuntimeError(_MISSING) from None


def _stack_type() -> Any:
    """The class of our stacks: others' greenlets are nobody's to suspend."""
    global _Stack
    if _Stack is None:
        _Stack = type("_Stack", (_greenlet().greenlet,), {})
    return _Stack


_Stack: Any = None


async def _run(call: Callable[..., Any], *arguments: Any) -> Any:
    return await _steps(call, *arguments)


@types.coroutine
def _steps(call: Callable[..., Any], *arguments: Any) -> Generator[Any, Any, Any]:
    error, result = yield from _stretch(partial(call, *arguments))
    if error is not None:
        raise error
    return (yield from _driven(as_coroutine(result))) if isawaitable(result) else result


def _driven(coroutine: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Run the coroutine, each of its stretches on a stack of its own."""
    step: Callable[[], Any] = partial(coroutine.send, None)
    while True:
        error, yielded = yield from _stretch(step)
        if isinstance(error, StopIteration):
            return error.value
        if error is not None:
            raise error
        try:
            step = partial(coroutine.send, (yield yielded))
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as thrown:
            step = partial(coroutine.throw, thrown)


def _stretch(step: Callable[[], Any]) -> Generator[Any, Any, _Outcome]:
    """Run ``step`` until it is over; yield what there is to wait for when it asks :func:`run_sync`."""
    greenlet = _greenlet()
    stack = _stack_type()(_attempted)
    stack.gr_context = greenlet.getcurrent().gr_context
    outcome = stack.switch(step)
    while not stack.dead:
        try:
            value, error = (yield from _driven(as_coroutine(outcome))), None
        except BaseException as raised:
            value, error = None, raised
        stack.parent = greenlet.getcurrent()  # who goes on with it may be another than who began it
        outcome = stack.switch(value) if error is None else stack.throw(error)
    return outcome  # type: ignore[no-any-return]


def _attempted(step: Callable[[], Any]) -> _Outcome:
    try:
        return None, step()
    except BaseException as error:
        return error, None
