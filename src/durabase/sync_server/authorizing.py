"""Asking an application who may come in: what its hook is given, and what becomes of its answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, cast
from urllib.parse import parse_qs, urlsplit

from durabase._refusals import refused
from durabase.errors import AccessError
from durabase.sync_server.access import Access, Level
from durabase.types import Id
from durabase.web import Request, Response
from durabase.web.cors import is_preflight, preflight_answer

__all__ = [
    "Authorize",
    "Verdict",
    "decide",
    "is_refresh",
    "may_refresh",
    "passed_on",
    "refreshed",
    "session_of",
    "with_access",
]

Verdict: TypeAlias = Access | Response | None
"""What a hook says of a client: its access; ``None``, it has not shown who it is (401); or a response of the
application's own, to be sent in place of the WebSocket."""
Authorize: TypeAlias = Callable[[Request, Id], Verdict | Awaitable[Verdict]]
"""``authorize(request, path_id)``, plain or asynchronous. The request is the one that opens the WebSocket, or
refreshes an access. It may raise :class:`~durabase.errors.AccessError` as well.

A socket that carries several stores is asked for with ``path_id`` ending in a slash, and then once more for
the path of each store."""

_UNKNOWN: Final = (
    "This room is for those who have shown who they are, and this request does not (or not any more)."
)
_FORBIDDEN: Final = "This room is not for you."
_SESSION: Final = "session"
MAX_SESSION: Final = 128
"""How long the name of a session may be: it is kept with the socket."""


async def decide(authorize: Authorize, request: Request, path_id: Id, now_ms: float) -> Access | Response:
    """The access that the hook gives, or the refusal that follows from its answer.

    Raises:
        Exception: what the hook raises, but for access errors.
        TypeError: it has given something else.
    """
    if len(session_of(request)) > MAX_SESSION:
        return Response(f"The name of a session has at most {MAX_SESSION} characters", 400)
    try:
        said = authorize(request, path_id)
        verdict = await said if isinstance(said, Awaitable) else said
    except AccessError as error:
        return _refusal(error.status or 403, str(error) or _FORBIDDEN, path_id)
    if isinstance(verdict, Response):
        refused("application", path_id)
        return verdict
    if verdict is None:
        return _refusal(401, _UNKNOWN, path_id)
    if not isinstance(verdict, Access):
        raise TypeError(f"authorize gave {verdict!r}; an Access, a Response or None was expected")
    if verdict.level is Level.NONE:
        return _refusal(403, _FORBIDDEN, path_id)
    return _refusal(401, _UNKNOWN, path_id) if verdict.is_over(now_ms) else verdict


def _refusal(status: int, text: str, path_id: Id) -> Response:
    refused("unauthenticated" if status == 401 else "forbidden", path_id)
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    return Response(text, status, headers=headers)


def session_of(request: Request) -> str:
    """The name that a client has given its connection, by ``?session=``; empty for none."""
    query = urlsplit(request.url).query
    return parse_qs(query).get(_SESSION, [""])[0] if query else ""


def is_refresh(request: Request) -> bool:
    """Whether this request is to give the connections of a session another access."""
    return request.method == "POST" and session_of(request) != ""


def may_refresh(request: Request) -> Response | None:
    """The answer to a browser that asks whether a page may send such a request; ``None`` if it is none."""
    return preflight_answer(request) if session_of(request) and is_preflight(request) else None


def refreshed(count: int, access: Access) -> Response:
    """The answer to such a request: how many connections have the new access."""
    if not count:
        return no_such_session()
    said = {"refreshed": count, "level": str(access.level), "expires_at": access.expires_at}
    return Response(json.dumps(said), headers={"content-type": "application/json"})


def no_such_session() -> Response:
    """Nobody is there with the session and the identity."""
    return Response("No connection of this session is here: connect anew.", 404)


def passed_on(request: Request) -> Access | None:
    """The access that the worker has found out, and given the object along with the request.

    It travels as what the platform says of the request, which nobody can send from outside.
    """
    facts = request.cf
    made = facts.get(_PASSED_ON) if isinstance(facts, dict) else None
    return None if made is None else Access.from_json(made)


def with_access(request: Request, access: Access) -> Request:
    """The request for the object, with what :func:`passed_on` gives there."""
    facts = cast("dict[str, Any]", request.cf) if isinstance(request.cf, dict) else {}
    return Request(request, cf={**facts, _PASSED_ON: access.to_json()})


_PASSED_ON: Final = "durabaseAccess"
