"""The class that a worker's program exports, and the context that its handlers get.

Knows nothing of how requests arrive.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from contextvars import ContextVar
from typing import Any

from durabase._names import js_names
from durabase.web import socket_owner
from durabase.workers.env import Env

__all__ = ["BackgroundTasks", "ExecutionContext", "WorkerEntrypoint", "ambient_context", "wait_until"]

_log = logging.getLogger("durabase.workers")


class BackgroundTasks:
    """What handlers left to be finished after their response. A failure is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[Any]] = set()

    def add(self, awaitable: Awaitable[Any]) -> asyncio.Future[Any]:
        """Run ``awaitable`` to its end."""
        task = asyncio.ensure_future(awaitable)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return not self._tasks

    async def finish(self, seconds: float) -> None:
        """Wait until nothing is left; what is not done after ``seconds`` is cancelled."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(list(self._tasks), timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _done(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background work failed", exc_info=error)


@js_names
class ExecutionContext:
    """The ``ctx`` of one call of a worker.

    Attributes:
        open_events: the call, and the work it has left, as far as they are not over.
        props: what the service binding gives along that the call came through.
        exports: the worker's own entrypoints and namespaces, as bindings.
    """

    def __init__(
        self, background: BackgroundTasks, props: Mapping[str, Any] | None = None, exports: Env | None = None
    ) -> None:
        self._background = background
        self.open_events = 0
        self.props = dict(props or {})
        self.exports = Env({}) if exports is None else exports

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """Let ``awaitable`` finish after the response; neither delays nor fails the response."""
        self.open_events += 1
        self._background.add(awaitable).add_done_callback(self._background_over)

    def _background_over(self, _: object) -> None:
        self.open_events -= 1

    @property
    def has_open_events(self) -> bool:
        """Whether the call, or work that it has left, is under way."""
        return self.open_events > 0

    def pass_through_on_exception(self) -> None:
        """Accepted, and without effect: there is no origin server behind this one."""


@js_names
class WorkerEntrypoint:
    """The base of a worker's classes. The one named ``Default`` answers the requests.

    It is constructed anew for each call. Define ``fetch(self, request)``, plain or async, which
    returns a ``Response``; arguments that the signature does not take are left out.
    """

    ctx: ExecutionContext
    env: Any  # a program may say more of it

    def __init__(self, ctx: ExecutionContext, env: Any) -> None:
        self.ctx = ctx
        self.env = env


ambient_context: ContextVar[ExecutionContext] = ContextVar("durabase_execution_context")
"""The context of the handler that is running, set by its runtime."""


def wait_until(awaitable: Awaitable[Any]) -> None:
    """Let ``awaitable`` finish after the response of the handler that is running.

    In an object it keeps the object awake.

    Raises:
        RuntimeError: no handler is running.
    """
    owner = socket_owner.get()
    context = ambient_context.get(None)
    if owner is not None:
        owner.enter(lambda: awaitable)
    elif context is not None:
        context.wait_until(awaitable)
    else:
        raise RuntimeError("wait_until() was called outside of a handler")
