"""What the admin address answers: health, metrics, records, and operations on objects, as JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

from durabase.durable_objects import DurableObjectId
from durabase.errors import DurabaseError
from durabase.operations.filters import RecordFilter
from durabase.operations.guard import AdminGuard
from durabase.operations.objects import ObjectOperations
from durabase.operations.prometheus import CONTENT_TYPE
from durabase.operations.telemetry import Telemetry
from durabase.web import Request, Response

__all__ = ["AdminApp"]

Query: TypeAlias = Mapping[str, list[str]]
Handler: TypeAlias = Callable[[Query, Request], Awaitable[Response]]

_TEXT: Final = {"content-type": "text/plain; charset=utf-8"}
_LINES: Final = {"content-type": "application/x-ndjson; charset=utf-8", "cache-control": "no-store"}


class AdminApp:
    """Answers the requests of administrators, load balancers and Prometheus.

    Args:
        objects: the operations.
        telemetry: what is heard of the runtime; ``None`` if nothing runs.
        token: what administrators have to show; ``None`` lets in programs of this machine.

    Attributes:
        is_ready: what load balancers are told.
    """

    def __init__(
        self, objects: ObjectOperations, telemetry: Telemetry | None = None, token: str | None = None
    ) -> None:
        self._objects = objects
        self._telemetry = telemetry
        self._guard = AdminGuard(token)
        self.is_ready = False
        self._open: dict[tuple[str, str], Handler] = {
            ("GET", "/healthz"): self._healthz,
            ("GET", "/readyz"): self._readyz,
        }
        self._guarded: dict[tuple[str, str], Handler] = {
            ("GET", "/metrics"): self._metrics,
            ("GET", "/tail"): self._tail,
            ("POST", "/drain"): self._drain,
            ("GET", "/classes"): self._classes,
            ("GET", "/objects"): self._list,
            ("GET", "/object"): self._show,
            ("GET", "/object/entries"): self._entries,
            ("POST", "/object/sql"): self._sql,
            ("POST", "/object/evict"): self._evict,
            ("POST", "/object/abort"): self._abort,
            ("DELETE", "/object"): self._delete,
            ("GET", "/object/export"): self._export,
            ("PUT", "/object/import"): self._import,
            ("GET", "/object/copy"): self._copy,
            ("PUT", "/object/upload"): self._upload,
            ("POST", "/object/restore"): self._restore,
        }

    async def fetch(self, request: Request) -> Response:
        """Answer one request."""
        url = urlsplit(request.url)
        route = (str(request.method), url.path)
        handler = self._open.get(route)
        if handler is None:
            refusal = self._guard.refusal(request)
            if refusal is not None:
                return refusal
            handler = self._guarded.get(route)
        if handler is None:
            return _problem(404, f"There is nothing at {request.method} {url.path}.")
        try:
            return await handler(parse_qs(url.query, keep_blank_values=True), request)
        except DurabaseError as error:
            return _problem(error.status or 409, str(error))
        except (TypeError, ValueError) as error:
            return _problem(400, str(error))

    def close(self) -> None:
        """Tell load balancers to look elsewhere, and let who follows go."""
        self.is_ready = False
        self._objects.copies.close()
        if self._telemetry is not None:
            self._telemetry.tail.close()

    # Health and telemetry

    async def _healthz(self, query: Query, request: Request) -> Response:
        return Response("ok\n", headers=_TEXT)

    async def _readyz(self, query: Query, request: Request) -> Response:
        return Response("ready\n" if self.is_ready else "draining\n", 200 if self.is_ready else 503)

    async def _drain(self, query: Query, request: Request) -> Response:
        self.is_ready = False
        return _json({"ready": False})

    async def _metrics(self, query: Query, request: Request) -> Response:
        telemetry = self._running()
        return Response(await telemetry.metrics(), headers={"content-type": CONTENT_TYPE})

    async def _tail(self, query: Query, request: Request) -> Response:
        tail, wanted = self._running().tail, RecordFilter.from_query(query)

        async def lines() -> AsyncIterator[bytes]:
            yield b"\n"  # so that the client knows at once that it follows
            async for record in tail.follow(wanted):
                yield json.dumps(record, ensure_ascii=False, default=str).encode() + b"\n"

        return Response(lines(), headers=_LINES)

    def _running(self) -> Telemetry:
        if self._telemetry is None:
            raise DurabaseError("No server is running.")
        return self._telemetry

    # Objects

    async def _classes(self, query: Query, request: Request) -> Response:
        return _json({"classes": self._objects.classes()})

    async def _list(self, query: Query, request: Request) -> Response:
        class_name, limit = _one(query, "class"), _limit(query)
        search, after = _one(query, "search") or "", _one(query, "cursor") or ""
        return _json(self._objects.list(class_name, search=search, after=after, limit=limit))

    async def _show(self, query: Query, request: Request) -> Response:
        return _json(await self._objects.show(*self._object(query)))

    async def _entries(self, query: Query, request: Request) -> Response:
        prefix = _one(query, "prefix") or ""
        return _json(await self._objects.entries(*self._object(query), prefix=prefix, limit=_limit(query)))

    async def _sql(self, query: Query, request: Request) -> Response:
        asked = await request.json()
        if not isinstance(asked, dict) or "query" not in asked:
            raise ValueError("the body has to be a JSON object with a `query`")
        text, parameters, write = asked["query"], asked.get("parameters", ()), asked.get("write", False)
        return _json(await self._objects.sql(*self._object(query), text, parameters, write=write is True))

    async def _evict(self, query: Query, request: Request) -> Response:
        await self._objects.evict(*self._object(query), close_sockets=_one(query, "sockets") == "close")
        return _json({})

    async def _abort(self, query: Query, request: Request) -> Response:
        self._objects.abort(*self._object(query), _one(query, "reason") or "")
        return _json({})

    async def _delete(self, query: Query, request: Request) -> Response:
        await self._objects.delete(*self._object(query))
        return _json({})

    async def _export(self, query: Query, request: Request) -> Response:
        return _json(await self._objects.export(*self._object(query)))

    async def _import(self, query: Query, request: Request) -> Response:
        replace = _one(query, "replace") == "yes"
        await self._objects.take_in(*self._object(query), await request.json(), replace=replace)
        return _json({})

    async def _copy(self, query: Query, request: Request) -> Response:
        chunks = await self._objects.copies.send(*self._object(query))
        return Response(chunks, headers={"content-type": "application/vnd.sqlite3"})

    async def _upload(self, query: Query, request: Request) -> Response:
        await self._objects.copies.receive(_one(query, "upload") or "", request)
        return _json({})

    async def _restore(self, query: Query, request: Request) -> Response:
        token, replace = _one(query, "upload") or "", _one(query, "replace") == "yes"
        await self._objects.copies.restore(*self._object(query), token, replace=replace)
        return _json({})

    def _object(self, query: Query) -> tuple[str, DurableObjectId]:
        class_name = _one(query, "class")
        if class_name is None:
            raise ValueError("the parameter `class` is missing")
        return class_name, self._objects.id_of(class_name, name=_one(query, "name"), id=_one(query, "id"))


def _one(query: Query, name: str) -> str | None:
    return query[name][-1] if name in query else None


def _limit(query: Query) -> int:
    text = _one(query, "limit") or "100"
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"`limit` is a number, not {text}")
    return int(text)


def _json(value: Any) -> Response:
    return Response(
        json.dumps(value, ensure_ascii=False) + "\n", headers={"content-type": "application/json"}
    )


def _problem(status: int, text: str) -> Response:
    return Response(json.dumps({"error": text}) + "\n", status, headers={"content-type": "application/json"})
