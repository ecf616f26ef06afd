"""Letting a running server's clients go, some at a time, for as long as that is not taken back."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from durabase.clock import TimerHandle
from durabase.web import Request, Response

if TYPE_CHECKING:
    from durabase.server.context import ServedSocket, ServerContext

__all__ = ["Draining"]

STEP_SECONDS: Final = 0.25


class Draining:
    """Refuses requests with 503, and closes sockets with the server's farewell, until it is stopped.

    Args:
        context: of the server.
        seconds: the time over which the sockets that are open now are closed; those that come of requests
            that were under way are closed as well.
    """

    def __init__(self, context: ServerContext, seconds: float) -> None:
        self._context = context
        self._seconds = seconds
        self._fetch = context.fetch
        self._told: set[ServedSocket] = set()
        self._timer: TimerHandle | None = None
        context.fetch = _refuse
        self._close_some()

    def stop(self) -> None:
        """Serve again; who was told to go goes."""
        self._context.fetch = self._fetch
        if self._timer is not None:
            self._timer.cancel()

    def _close_some(self) -> None:
        self._told &= self._context.sockets
        left = list(self._context.sockets - self._told)
        share = min(STEP_SECONDS / self._seconds, 1) if self._seconds > 0 else 1
        for socket in left[: ceil(len(left) * share)]:
            self._told.add(socket)
            socket.drain()
        self._seconds -= STEP_SECONDS
        self._timer = self._context.clock.call_later(STEP_SECONDS, self._close_some)


async def _refuse(request: Request) -> Response:
    return Response("The server is being drained.\n", 503, headers={"retry-after": "5"})
