"""What handlers are called with, for tests that call them by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import Any

from durabase.workers.entrypoint import BackgroundTasks, ExecutionContext
from durabase.workers.scheduled import ScheduledController

__all__ = ["create_execution_context", "create_scheduled_controller", "wait_on_execution_context"]


class _Collected(BackgroundTasks):
    """Keeps what handlers leave to be finished, and how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[asyncio.Future[Any]] = []

    def add(self, awaitable: Awaitable[Any]) -> asyncio.Future[Any]:
        self.left.append(asyncio.ensure_future(awaitable))
        return self.left[-1]


class _Context(ExecutionContext):
    def __init__(self) -> None:
        self.collected = _Collected()
        super().__init__(self.collected)


def create_execution_context() -> ExecutionContext:
    """The ``ctx`` of a handler that a test calls: ``await Default(ctx, env).fetch(request)``."""
    return _Context()


async def wait_on_execution_context(ctx: ExecutionContext) -> None:
    """Wait for all that was given to ``ctx.wait_until``, what that gives to it included.

    Raises:
        TypeError: the context was not made by :func:`create_execution_context`.
        Exception: what the work raised; a group if several have.
    """
    if not isinstance(ctx, _Context):
        raise TypeError("only contexts of create_execution_context() can be waited on")
    errors: list[Exception] = []
    while ctx.collected.left:
        left, ctx.collected.left = ctx.collected.left, []
        results = await asyncio.gather(*left, return_exceptions=True)
        errors += [result for result in results if isinstance(result, Exception)]
    if len(errors) > 1:
        raise ExceptionGroup("background work failed", errors)
    if errors:
        raise errors[0]


def create_scheduled_controller(
    scheduled_time: int | datetime | None = None, cron: str = "* * * * *"
) -> ScheduledController:
    """What ``scheduled`` is called with; the time is in milliseconds since 1970, now if none is given."""
    if isinstance(scheduled_time, int):
        return ScheduledController(cron, scheduled_time)
    moment = scheduled_time or datetime.now().astimezone()
    return ScheduledController(cron, int(moment.timestamp() * 1000))
