"""What is served, from its start on one event loop to its stop there.

One task keeps it: it opens what is served, waits, and closes it. So opening and closing are in the same task,
in a context that is no request's, and when the event loop ends without having told us, which cancels all its
tasks, it is closed all the same.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from dataclasses import dataclass
from typing import Final, final

from durabase.clock import TimerClock
from durabase.errors import ServerError
from durabase.server.context import Fetch, ServerContext, ServerLimits
from durabase.sync_server import OpeningRoom, Room
from durabase.synchronizers._loop_thread import LoopTurns
from durabase.types import Id
from durabase.web import Request, Response

__all__ = ["Life", "Open", "Served", "Settings"]


@dataclass(frozen=True, slots=True)
class Served:
    """What is served while it is open.

    Attributes:
        fetch: answers requests.
        room: opens the store of a path for edits, by a binding of this name if one is to be chosen.
    """

    fetch: Fetch
    room: Callable[[Id, str | None], OpeningRoom]


Open = Callable[[], AbstractAsyncContextManager[Served]]
"""Opens what is served; leaving the context closes it."""

_keepers: Final[set[asyncio.Task[None]]] = set()
"""The tasks of those that are not over."""


@final
class Settings:
    """How an application serves; see :func:`~durabase.asgi.asgi_app`."""

    __slots__ = ("clock", "drain_seconds", "farewell", "limits")

    def __init__(
        self, clock: TimerClock, limits: ServerLimits, farewell: tuple[int, str], drain_seconds: float
    ) -> None:
        self.clock = clock
        self.limits = limits
        self.farewell = farewell
        self.drain_seconds = drain_seconds


@final
class Life:
    """Begins on the running event loop when it is made.

    Attributes:
        loop: the event loop.
        turns: by which other threads take turns with it.
    """

    def __init__(self, open_served: Open, settings: Settings) -> None:
        self.loop = asyncio.get_running_loop()
        self._settings = settings
        self.turns = LoopTurns(self.loop, threading.current_thread())
        self._served: Served | None = None
        self._ready: asyncio.Future[ServerContext] = self.loop.create_future()
        self._asked_to_stop = asyncio.Event()
        self._keeper = self.loop.create_task(self._keep(open_served), name="durabase", context=Context())
        _hold(self._keeper)

    @property
    def is_over(self) -> bool:
        """Whether nothing is open any more, or can be used: its event loop is gone, too."""
        return self._keeper.done() or self.loop.is_closed()

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop, or has done so."""
        return self._asked_to_stop.is_set()

    async def started(self) -> ServerContext:
        """Wait until it is open.

        Raises:
            Exception: what kept it from opening.
        """
        return await asyncio.shield(self._ready)

    def refusing(self) -> ServerContext:
        """For requests that come after it was asked to stop: they get 503."""
        return self._context(_stopped)

    async def room(self, path_id: Id, binding: str | None) -> Room:
        """Open the store of a path for edits, when this has started.

        Raises:
            ServerError: it has no store, or this was asked to stop.
            Exception: why it could not be opened.
        """
        await self.started()
        if self._served is None or self.is_stopping:
            raise ServerError("the application has stopped; it has no rooms")
        return await self._served.room(path_id, binding)

    async def stop(self) -> None:
        """Say goodbye to who is connected, wait for them up to the bound, and close. May be called again.

        Raises:
            Exception: what went wrong while closing.
        """
        self._asked_to_stop.set()
        await asyncio.wait((self._keeper,))
        if self._ready.done() and not self._ready.cancelled() and self._ready.exception() is None:
            self._keeper.result()

    def _context(self, fetch: Fetch) -> ServerContext:
        settings = self._settings
        return ServerContext(
            fetch, self.loop, settings.clock, settings.limits, False, None, settings.farewell
        )

    async def _keep(self, open_served: Open) -> None:
        settings = self._settings
        try:
            async with open_served() as served:
                context = self._context(served.fetch)
                self._served = served
                self._ready.set_result(context)
                try:
                    await self._asked_to_stop.wait()
                finally:
                    await context.drain(settings.drain_seconds)
                    context.deadlines.stop()
        except BaseException as error:
            if self._ready.done():
                raise
            if not isinstance(error, Exception):
                self._ready.cancel()
                raise
            self._ready.set_exception(error)


def _hold(keeper: asyncio.Task[None]) -> None:
    """Keep a task until it is done: event loops refer to tasks that wait only weakly."""
    for other in list(_keepers):
        if other.get_loop().is_closed():  # it will never be done
            _keepers.discard(other)
    _keepers.add(keeper)
    keeper.add_done_callback(_keepers.discard)


async def _stopped(_: Request) -> Response:
    return Response("The server stops", 503)
