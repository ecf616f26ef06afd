"""Rooms in Durable Objects: a worker passes requests on to the object of the room, which answers.

It does so by a call, which only programs can make, not by ``fetch``: an object is no resource to those who
pass on to ``fetch`` whatever comes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, final

from durabase.clock import SystemClock, TimerClock
from durabase.sync_server._peer import ServerSeat
from durabase.sync_server.authorizing import Authorize, decide, with_access
from durabase.sync_server.rest.entry import RestEntry
from durabase.sync_server.rest.events import event_stream, events_response
from durabase.sync_server.rest.permission import Permission
from durabase.sync_server.rest.problems import ProblemError
from durabase.sync_server.rest.room import RestRoom, check_events_request
from durabase.sync_server.rest.target import Target, target_of
from durabase.types import Id
from durabase.web import Request, Response

__all__ = ["ObjectsEntry", "answer_in_object"]


@final
class ObjectsEntry:
    """The resources of all rooms of a namespace.

    Args:
        prefix: the path below which they are.
        namespace_name: of the binding of the objects.
        authorize: says who a client is, before the object is reached.

    Raises:
        ValueError: the prefix is no path.
    """

    def __init__(self, prefix: str, namespace_name: str, authorize: Authorize | None = None) -> None:
        self._authorize = authorize
        self._entry = RestEntry(prefix)
        self._namespace_name = namespace_name

    async def answer(self, env: Any, request: Request) -> Response | None:
        """The answer; ``None`` if the request's path is not below the prefix."""

        async def ask_object(request: Request, target: Target) -> Response:
            if self._authorize is not None:
                now_ms = SystemClock().now_ms()
                access = await decide(self._authorize, request, target.path_id, now_ms)
                if isinstance(access, Response):
                    return access
                request = with_access(request, access)
            namespace = getattr(env, self._namespace_name)
            stub = namespace.get_by_name(target.path_id)
            response: Response = await stub.rest_fetch(request, self._entry.prefix)
            return response

        return await self._entry.answer(request, ask_object)


async def answer_in_object(
    request: Request,
    prefix: str,
    seat: ServerSeat | None,
    storage: Any,
    clock: TimerClock,
    permission_of: Callable[[Id], Awaitable[Permission | Response]],
) -> Response:
    """What the object of a room answers. A stream of events keeps it awake for as long as it is read.

    ``permission_of`` gives what the client may do on a path, or how it is refused.
    """

    async def saved() -> None:
        if seat is not None:
            await seat.saved()
            await storage.sync()

    try:
        target = target_of(prefix, request)
        permission = await permission_of(target.path_id)
        if isinstance(permission, Response):
            return permission
        if seat is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"the room {target.path_id!r} keeps no store")
        if target.is_events:
            check_events_request(request, target)
            return events_response(event_stream(seat.store, clock, request, permission.access))
        return await RestRoom(seat.store, saved, permission).answer(request, target)
    except ProblemError as problem:
        return problem.response()
