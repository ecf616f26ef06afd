"""One room's answers to requests: reading and editing its store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, final
from urllib.parse import quote

from durabase._codec import json_text, parse_json
from durabase.errors import PersisterError
from durabase.mergeable import MergeableStore
from durabase.sync_server.rest.conditions import Conditions
from durabase.sync_server.rest.edits import Edit, apply_edits, edits_of, tag_of
from durabase.sync_server.rest.pages import page_of
from durabase.sync_server.rest.permission import EVERYTHING, Permission
from durabase.sync_server.rest.problems import ProblemError
from durabase.sync_server.rest.resources import Resource, resource_of
from durabase.sync_server.rest.target import Target
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES
from durabase.web import Request, Response

__all__ = ["RestRoom", "check_events_request"]

_READERS: Final = ("GET", "HEAD")
_JSON: Final = "application/json"
_TRANSACTIONS: Final = ["transactions"]


def check_events_request(request: Request, target: Target) -> None:
    """Complain if a request for a stream of events asks for something else.

    Raises:
        ProblemError: it does.
    """
    if request.method != "GET":
        raise ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, "events are had by GET", {"allow": "GET"})
    _without_query(target.query)


@final
class RestRoom:
    """The resources of one room.

    Args:
        store: of the room.
        saved: waits until what was edited before is durable.
        permission: of whoever asks.
    """

    def __init__(
        self,
        store: MergeableStore,
        saved: Callable[[], Awaitable[None]],
        permission: Permission = EVERYTHING,
    ) -> None:
        self._store = store
        self._saved = saved
        self._permission = permission

    async def answer(self, request: Request, target: Target) -> Response:
        """Answer a request; one that edits when that is durable.

        Raises:
            ProblemError: it can't be done.
        """
        self._permission.check_reading()
        if target.steps == _TRANSACTIONS:
            return await self._transact(request, target)
        resource = resource_of(target.steps)
        if request.method in _READERS:
            return self._read(request, resource, target.query)
        _without_query(target.query)
        if request.method not in resource.kind.writers:
            resource.write(self._store, request.method, None)
        return await self._edit(request, resource)

    def _read(self, request: Request, resource: Resource, query: dict[str, str]) -> Response:
        tag = tag_of(self._store, resource)
        if tag is None:
            raise resource.missing()
        conditions = _conditions_of(request)
        headers = {"etag": tag, "cache-control": "no-cache"}
        if conditions.is_known(tag):
            return Response(None, HTTPStatus.NOT_MODIFIED, headers=headers)
        Conditions(conditions.if_match).check(tag)
        if not resource.has_pages:
            _without_query(query)
            return _json(resource.read(self._store), HTTPStatus.OK, headers)
        page = page_of(query)
        read = page.read(self._store, resource.ids[0])
        link = page.next_link(read["rowCount"])
        return _json(read, HTTPStatus.OK, headers if link is None else {**headers, "link": link})

    async def _edit(self, request: Request, resource: Resource) -> Response:
        self._permission.check_writing()
        body = None if request.method == "DELETE" else await _body_of(request)
        edit = Edit(request.method, resource, body, _conditions_of(request))
        (outcome,) = apply_edits(self._store, [edit], self._permission)
        tag = tag_of(self._store, resource) if self._is_as_sent(edit) else None
        await self._make_durable()
        headers = {} if tag is None else {"etag": tag}
        if outcome.row_id is None:
            return Response(None, outcome.status, headers=headers)
        headers["location"] = f"rows/{quote(outcome.row_id, safe='')}"
        return _json({"id": outcome.row_id}, outcome.status, headers)

    def _is_as_sent(self, edit: Edit) -> bool:
        """Whether there is now exactly what was sent: else its entity tag is not the client's to know."""
        return edit.method == "PUT" and edit.resource.read(self._store) == edit.body

    async def _transact(self, request: Request, target: Target) -> Response:
        if request.method != "POST":
            raise ProblemError(
                HTTPStatus.METHOD_NOT_ALLOWED, "transactions are made by POST", {"allow": "POST"}
            )
        _without_query(target.query)
        self._permission.check_writing()
        edits = edits_of(await _body_of(request))
        outcomes = apply_edits(self._store, edits, self._permission)
        await self._make_durable()
        return _json([outcome.member() for outcome in outcomes], HTTPStatus.OK, {})

    async def _make_durable(self) -> None:
        try:
            await self._saved()
        except PersisterError as error:
            detail = f"the edit was made, and could not be saved yet: {error}"
            raise ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail) from error


def _conditions_of(request: Request) -> Conditions:
    return Conditions(request.headers.get("if-match"), request.headers.get("if-none-match"))


def _without_query(query: dict[str, str]) -> None:
    if query:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "only rows have a query")


async def _body_of(request: Request) -> Any:
    """A request's body. That it must say to be JSON keeps pages of other origins from sending it unasked."""
    kind = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if kind != _JSON:
        detail = f"the content type is {kind[:100]!r}; {_JSON} is taken"
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    data = await request.bytes()
    if len(data) > MAX_PAYLOAD_BYTES:
        detail = f"the body has {len(data)} bytes; at most {MAX_PAYLOAD_BYTES} are taken"
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    try:
        return parse_json(data)
    except ValueError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}") from None


def _json(thing: Any, status: HTTPStatus, headers: dict[str, str]) -> Response:
    return Response(json_text(thing).encode(), int(status), headers={"content-type": _JSON, **headers})
