"""The worker before rooms that are objects: sends each client to the object of its path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from durabase._codec import utf8_length
from durabase.clock import SystemClock
from durabase.sync_server._fetch import opens_web_socket
from durabase.sync_server.authorizing import Authorize, decide, is_refresh, may_refresh, with_access
from durabase.sync_server.rest.objects import ObjectsEntry
from durabase.types import Id
from durabase.web import Request, Response
from durabase.web.cors import shared

__all__ = ["path_id_of_request", "refusal_of", "ws_server_fetch"]

_MAX_PATH_BYTES: Final = 16_000  # what can be attached to a socket, roughly


def ws_server_fetch(
    namespace_name: str, authorize: Authorize | None = None, *, rest: str | None = None
) -> Callable[[Any, Request], Awaitable[Response]]:
    """The ``fetch`` of a worker that sends each client to the object of its path.

    ::

        class Default(WorkerEntrypoint):
            fetch = ws_server_fetch("TinyBaseDurableObjects")

    Args:
        namespace_name: of the binding of a :class:`WsServerDurableObject`.
        authorize: says who a client is and what it may do, ``authorize(request, path_id)``, before the object
            is reached. Whom it refuses gets 401 or 403.
        rest: the path below which rooms are resources, as ``/api``; by default nowhere.

    Raises:
        ValueError: ``rest`` is no path.
    """
    entry = None if rest is None else ObjectsEntry(rest, namespace_name, authorize)

    async def fetch(self: Any, request: Request) -> Response:
        if entry is not None and not opens_web_socket(request):
            answer = await entry.answer(self.env, request)
            if answer is not None:
                return answer
        if is_refresh(request):
            return shared(request, await ask_object(self.env, request))
        return may_refresh(request) or refusal_of(request) or await ask_object(self.env, request)

    async def ask_object(env: Any, request: Request) -> Response:
        path_id = path_id_of_request(request)
        if authorize is not None:
            access = await decide(authorize, request, path_id, SystemClock().now_ms())
            if isinstance(access, Response):
                return access
            request = with_access(request, access)
        namespace = getattr(env, namespace_name)
        response: Response = await namespace.get(namespace.id_from_name(path_id)).fetch(request)
        return response

    return fetch


def refusal_of(request: Request) -> Response | None:
    """The answer to a request that does not open a WebSocket on a path; ``None`` if it does."""
    if not opens_web_socket(request):
        return Response("Upgrade required", status=426)
    if utf8_length(path_id_of_request(request)) > _MAX_PATH_BYTES:
        return Response(f"A path of at most {_MAX_PATH_BYTES} bytes is taken", status=414)
    return None


def path_id_of_request(request: Request) -> Id:
    """The path of the room that a request is for."""
    return urlsplit(request.url).path.removeprefix("/")
