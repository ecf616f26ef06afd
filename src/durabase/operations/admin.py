"""What the admin address answers: health, metrics, records, and operations on objects, as JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import parse_qs, urlsplit

from durabase.durable_objects import DurableObjectId
from durabase.errors import DurabaseError
from durabase.operations.filters import RecordFilter
from durabase.operations.guard import AdminGuard
from durabase.operations.objects import ObjectOperations
from durabase.operations.prometheus import CONTENT_TYPE
from durabase.operations.telemetry import Telemetry
from durabase.web import Request, Response

__all__ = [
    "AdminApp",
    "Drainable",
    "ObjectHandler",
    "Query",
    "document_of",
    "json_response",
    "lines_response",
    "moment_of",
    "needed",
    "number_of",
    "one_of",
    "things_of",
]

Query: TypeAlias = Mapping[str, list[str]]
Handler: TypeAlias = Callable[[Query, Request], Awaitable[Response]]
ObjectHandler: TypeAlias = Callable[[str, DurableObjectId, Query, Request], Awaitable[Response]]
"""Answers a request that concerns an object: its class, its id, the parameters, the request."""

MAX_SECONDS: Final = 3600
_TEXT: Final = {"content-type": "text/plain; charset=utf-8"}
_LINES: Final = {"content-type": "application/x-ndjson; charset=utf-8", "cache-control": "no-store"}


class Drainable(Protocol):
    """The server whose clients can be let go."""

    def start_draining(self, seconds: float) -> None:
        """Take nobody in, and let who is there go, over so many seconds."""

    def stop_draining(self) -> None:
        """Take that back."""


class AdminApp:
    """Answers the requests of administrators, load balancers and Prometheus.

    Args:
        objects: the operations.
        telemetry: what is heard of the runtime; ``None`` if nothing runs.
        token: what administrators have to show; ``None`` lets in programs of this machine.
        more: further operations on objects, by method and path below ``/object/``.

    Attributes:
        is_ready: what load balancers are told, unless the server is being drained.
        server: whose clients can be let go; ``None`` if it does not listen yet.
    """

    def __init__(
        self,
        objects: ObjectOperations,
        telemetry: Telemetry | None = None,
        token: str | None = None,
        more: Mapping[tuple[str, str], ObjectHandler] = MappingProxyType({}),
    ) -> None:
        self._objects = objects
        self._telemetry = telemetry
        self._guard = AdminGuard(token)
        self.is_ready = False
        self.server: Drainable | None = None
        self._is_drained = False
        self._open: dict[tuple[str, str], Handler] = {
            ("GET", "/healthz"): self._healthz,
            ("GET", "/readyz"): self._readyz,
        }
        self._guarded: dict[tuple[str, str], Handler] = {
            ("GET", "/metrics"): self._metrics,
            ("GET", "/tail"): self._tail,
            ("GET", "/activity"): self._activity,
            ("POST", "/drain"): self._drain,
            ("DELETE", "/drain"): self._stop_draining,
            ("GET", "/classes"): self._classes,
            ("GET", "/objects"): self._list,
            ("PUT", "/object/upload"): self._upload,
        }
        self._of_objects = self._object_routes() | dict(more)

    def _object_routes(self) -> dict[tuple[str, str], ObjectHandler]:
        return {
            ("GET", "/object"): self._show,
            ("GET", "/object/status"): self._status,
            ("GET", "/object/entries"): self._entries,
            ("PUT", "/object/entry"): self._put_entry,
            ("DELETE", "/object/entry"): self._delete_entry,
            ("POST", "/object/sql"): self._sql,
            ("POST", "/object/alarm"): self._alarm,
            ("POST", "/object/evict"): self._evict,
            ("POST", "/object/abort"): self._abort,
            ("DELETE", "/object"): self._delete,
            ("GET", "/object/history"): self._history,
            ("GET", "/object/changes"): self._changes,
            ("GET", "/object/preview"): self._preview,
            ("POST", "/object/rewind"): self._rewind,
            ("GET", "/object/export"): self._export,
            ("PUT", "/object/import"): self._import,
            ("GET", "/object/copy"): self._copy,
            ("POST", "/object/restore"): self._restore,
        }

    async def fetch(self, request: Request) -> Response:
        """Answer one request."""
        url = urlsplit(request.url)
        route = (str(request.method), url.path)
        query = parse_qs(url.query, keep_blank_values=True)
        opened = self._open.get(route)
        if opened is None and (refusal := self._guard.refusal(request)) is not None:
            return refusal
        try:
            if (handler := opened or self._guarded.get(route)) is not None:
                return await handler(query, request)
            if (of_object := self._of_objects.get(route)) is not None:
                return await of_object(*self._object(query), query, request)
        except DurabaseError as error:
            return _problem(error.status or 409, str(error))
        except (TypeError, ValueError) as error:
            return _problem(400, str(error))
        return _problem(404, f"There is nothing at {request.method} {url.path}.")

    def close(self) -> None:
        """Tell load balancers to look elsewhere, and let who follows go."""
        self.is_ready = False
        self._objects.copies.close()
        if self._telemetry is not None:
            self._telemetry.close()

    # Health and telemetry

    async def _healthz(self, query: Query, request: Request) -> Response:
        return Response("ok\n", headers=_TEXT)

    async def _readyz(self, query: Query, request: Request) -> Response:
        is_ready = self.is_ready and not self._is_drained
        return Response("ready\n" if is_ready else "draining\n", 200 if is_ready else 503)

    async def _drain(self, query: Query, request: Request) -> Response:
        if one_of(query, "close") == "yes":
            if self.server is None:
                raise DurabaseError("No server is running.")
            self.server.start_draining(number_of(query, "seconds", 10))
        self._is_drained = True
        return json_response({"ready": False})

    async def _stop_draining(self, query: Query, request: Request) -> Response:
        if self.server is not None:
            self.server.stop_draining()
        self._is_drained = False
        return json_response({"ready": self.is_ready})

    async def _metrics(self, query: Query, request: Request) -> Response:
        telemetry = self._running()
        return Response(await telemetry.metrics(), headers={"content-type": CONTENT_TYPE})

    async def _tail(self, query: Query, request: Request) -> Response:
        return lines_response(self._running().tail.follow(RecordFilter.from_query(query)))

    async def _activity(self, query: Query, request: Request) -> Response:
        seconds, telemetry = float(one_of(query, "seconds") or 2), self._running()
        if telemetry.host is None or not 0.1 <= seconds <= MAX_SECONDS:
            raise ValueError(f"seconds is a number from 0.1 to {MAX_SECONDS}")
        follow = telemetry.activity.follow
        return lines_response(follow(telemetry.host, self._objects, seconds, number_of(query)))

    def _running(self) -> Telemetry:
        if self._telemetry is None:
            raise DurabaseError("No server is running.")
        return self._telemetry

    # Objects

    async def _classes(self, query: Query, request: Request) -> Response:
        return json_response({"classes": self._objects.classes()})

    async def _list(self, query: Query, request: Request) -> Response:
        class_name, limit = one_of(query, "class"), number_of(query)
        search, after = one_of(query, "search") or "", one_of(query, "cursor") or ""
        return json_response(self._objects.list(class_name, search=search, after=after, limit=limit))

    async def _status(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        return json_response(self._objects.status(class_name, id))

    async def _show(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        return json_response(await self._objects.show(class_name, id))

    async def _entries(
        self, class_name: str, id: DurableObjectId, query: Query, request: Request
    ) -> Response:
        prefix, after, limit = one_of(query, "prefix") or "", one_of(query, "after"), number_of(query)
        return json_response(
            await self._objects.entries(class_name, id, prefix=prefix, after=after, limit=limit)
        )

    async def _put_entry(
        self, class_name: str, id: DurableObjectId, query: Query, request: Request
    ) -> Response:
        await self._objects.put_entry(class_name, id, needed(query, "key"), await request.json())
        return json_response({})

    async def _delete_entry(
        self, class_name: str, id: DurableObjectId, query: Query, request: Request
    ) -> Response:
        await self._objects.delete_entry(class_name, id, needed(query, "key"))
        return json_response({})

    async def _sql(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        asked = await document_of(request, "query")
        parameters, write, limit = asked.get("parameters", ()), asked.get("write") is True, asked.get("limit")
        return json_response(
            await self._objects.sql(class_name, id, asked["query"], parameters, write=write, limit=limit)
        )

    async def _alarm(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        await self._objects.set_alarm(class_name, id, (await document_of(request, "time"))["time"])
        return json_response({})

    async def _evict(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        await self._objects.evict(class_name, id, close_sockets=one_of(query, "sockets") == "close")
        return json_response({})

    async def _abort(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        self._objects.abort(class_name, id, one_of(query, "reason") or "")
        return json_response({})

    async def _delete(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        await self._objects.delete(class_name, id)
        return json_response({})

    async def _history(
        self, class_name: str, id: DurableObjectId, query: Query, request: Request
    ) -> Response:
        return json_response(await self._objects.past.about(class_name, id))

    async def _changes(
        self, class_name: str, id: DurableObjectId, query: Query, request: Request
    ) -> Response:
        before = number_of(query, "cursor") if "cursor" in query else None
        limit, of = number_of(query), things_of(query)
        return json_response(
            await self._objects.past.changes(class_name, id, of=of, before=before, limit=limit)
        )

    async def _preview(
        self, class_name: str, id: DurableObjectId, query: Query, request: Request
    ) -> Response:
        return json_response(await self._objects.past.preview(class_name, id, moment_of(needed(query, "to"))))

    async def _rewind(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        to = (await document_of(request, "to"))["to"]
        return json_response(await self._objects.past.rewind(class_name, id, to))

    async def _export(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        return json_response(await self._objects.export(class_name, id))

    async def _import(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        replace = one_of(query, "replace") == "yes"
        await self._objects.take_in(class_name, id, await request.json(), replace=replace)
        return json_response({})

    async def _copy(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        chunks = await self._objects.copies.send(class_name, id)
        return Response(chunks, headers={"content-type": "application/vnd.sqlite3"})

    async def _upload(self, query: Query, request: Request) -> Response:
        await self._objects.copies.receive(one_of(query, "upload") or "", request)
        return json_response({})

    async def _restore(
        self, class_name: str, id: DurableObjectId, query: Query, request: Request
    ) -> Response:
        token, replace = one_of(query, "upload") or "", one_of(query, "replace") == "yes"
        await self._objects.copies.restore(class_name, id, token, replace=replace)
        return json_response({})

    def _object(self, query: Query) -> tuple[str, DurableObjectId]:
        class_name = one_of(query, "class")
        if class_name is None:
            raise ValueError("the parameter `class` is missing")
        return class_name, self._objects.id_of(class_name, name=one_of(query, "name"), id=one_of(query, "id"))


def one_of(query: Query, name: str) -> str | None:
    """A parameter; the last one if there are several."""
    return query[name][-1] if name in query else None


def needed(query: Query, name: str) -> str:
    """A parameter that has to be there.

    Raises:
        ValueError: it is not.
    """
    if (text := one_of(query, name)) is None:
        raise ValueError(f"the parameter `{name}` is missing")
    return text


def number_of(query: Query, name: str = "limit", default: int = 100) -> int:
    """A parameter that is a number.

    Raises:
        ValueError: it is none.
    """
    text = one_of(query, name) or str(default)
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"`{name}` is a number, not {text}")
    return int(text)


def things_of(query: Query) -> list[str]:
    """Which things of an object are meant: ``key``, ``value``, or ``table`` and perhaps ``row`` and ``cell``.

    Raises:
        ValueError: a row without a table, or a cell without a row.
    """
    for name in ("key", "value"):
        if name in query:
            return [name, needed(query, name)]
    names = ("table", "row", "cell")
    given = [name for name in names if name in query]
    if given != list(names[: len(given)]):
        raise ValueError("a row is of a table, and a cell of a row: give these, too")
    return ["cell", *(needed(query, name) for name in given)] if given else []


def moment_of(text: str) -> int | str:
    """A time in milliseconds since 1970, or a bookmark."""
    return int(text) if text.isascii() and text.isdigit() else text


async def document_of(request: Request, member: str) -> dict[str, Any]:
    """The JSON object that a request brings, which has to have this member.

    Raises:
        ValueError: it brings none.
    """
    asked = await request.json()
    if not isinstance(asked, dict) or member not in asked:
        raise ValueError(f"the body has to be a JSON object with a `{member}`")
    return asked


def json_response(value: Any) -> Response:
    """The answer that has a value as JSON."""
    return Response(json.dumps(value) + "\n", headers={"content-type": "application/json"})


def lines_response(records: AsyncGenerator[Any, None]) -> Response:
    """The answer that goes on: each record, as it comes, is a line of JSON."""

    async def lines() -> AsyncIterator[bytes]:
        yield b"\n"  # so that the client knows at once that it follows
        async with aclosing(records):
            async for record in records:
                yield json.dumps(record, default=str).encode() + b"\n"

    return Response(lines(), headers=_LINES)


def _problem(status: int, text: str) -> Response:
    return Response(json.dumps({"error": text}) + "\n", status, headers={"content-type": "application/json"})
