"""What the admin address answers for all processes: an object's own is asked for it, all for lists."""

from __future__ import annotations

import asyncio
import json
from asyncio import Queue
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

from durabase.cluster.router import ClusterRouter
from durabase.durable_objects.partition import partition_of
from durabase.errors import DurabaseError
from durabase.operations.admin import AdminApp
from durabase.operations.objects import ObjectOperations
from durabase.web import Request, Response

__all__ = ["ClusterAdmin"]

Merge: TypeAlias = Callable[[Sequence[Response], Mapping[str, list[str]]], Awaitable[Response]]

_DEFAULT_LIMIT: Final = "100"


class ClusterAdmin:
    """Answers as :class:`~durabase.operations.admin.AdminApp` does, for all processes.

    Args:
        app: answers for this one.
        objects: the operations on the objects of this one.
        router: the way to the others.
    """

    def __init__(self, app: AdminApp, objects: ObjectOperations, router: ClusterRouter) -> None:
        self._app = app
        self._objects = objects
        self._router = router
        self._merges: dict[str, Merge] = {
            "/classes": _merged_classes,
            "/objects": _merged_objects,
            "/metrics": _merged_metrics,
            "/tail": _merged_tails,
            "/activity": _merged_tails,
            "/readyz": _same,
            "/drain": _same,
        }

    async def fetch(self, request: Request) -> Response:
        """Answer one request."""
        url = urlsplit(request.url)
        query = parse_qs(url.query, keep_blank_values=True)
        merge = self._merges.get(url.path)
        if merge is None:
            return await self._ask(self._owner(query), request)
        everybody = range(self._router.partition.count)
        answers = await asyncio.gather(*(self._ask(index, request.clone()) for index in everybody))
        for answer in answers:
            if answer.status >= 400:
                return answer
        return await merge(answers, query)

    async def _ask(self, index: int, request: Request) -> Response:
        if index == self._router.partition.index:
            return await self._app.fetch(request)
        answer: Response = await self._router.ask_admin(index, request)
        return answer

    def _owner(self, query: Mapping[str, list[str]]) -> int:
        """Who has the object; this process if there is none: it says what is wrong."""
        try:
            (class_name,) = query["class"]
            id = self._objects.id_of(class_name, name=_last(query, "name"), id=_last(query, "id"))
        except (KeyError, ValueError, TypeError, DurabaseError):
            return self._router.partition.index
        return partition_of(id.key, self._router.partition.count)


def _last(query: Mapping[str, list[str]], name: str) -> str | None:
    return query[name][-1] if name in query else None


async def _same(answers: Sequence[Response], query: Mapping[str, list[str]]) -> Response:
    return answers[0]


async def _merged_classes(answers: Sequence[Response], query: Mapping[str, list[str]]) -> Response:
    first, *others = [(await answer.json())["classes"] for answer in answers]
    for classes in others:
        counts = {each["class"]: each["objects"] for each in classes}
        for each in first:
            each["objects"] += counts.get(each["class"], 0)
    return _json({"classes": first})


async def _merged_objects(answers: Sequence[Response], query: Mapping[str, list[str]]) -> Response:
    listings = [await answer.json() for answer in answers]
    found = sorted((each for listing in listings for each in listing["objects"]), key=_cursor)
    page = found[: int(_last(query, "limit") or _DEFAULT_LIMIT)]
    more = len(found) > len(page) or any(listing["cursor"] for listing in listings)
    return _json({"objects": page, "cursor": _cursor(page[-1]) if page and more else None})


def _cursor(listed: Mapping[str, Any]) -> str:
    return f"{listed['class']} {listed['id']}"


async def _merged_metrics(answers: Sequence[Response], query: Mapping[str, list[str]]) -> Response:
    """Every sample is labelled with its process."""
    comments: dict[str, dict[str, None]] = {}
    samples: dict[str, list[str]] = {}
    for index, answer in enumerate(answers):
        family = ""
        for line in (await answer.text()).splitlines():
            if line.startswith("#"):
                family = line.split()[2]
                comments.setdefault(family, {})[line] = None
            else:
                samples.setdefault(family, []).append(_labelled(line, index))
    lines = [line for family, told in comments.items() for line in (*told, *samples.get(family, ()))]
    return Response("\n".join([*lines, ""]), headers=answers[0].headers)


def _labelled(sample: str, index: int) -> str:
    name, value = sample.rsplit(" ", 1)
    label = f'process="{index}"'
    return f"{name[:-1]},{label}}} {value}" if name.endswith("}") else f"{name}{{{label}}} {value}"


async def _merged_tails(answers: Sequence[Response], query: Mapping[str, list[str]]) -> Response:
    return Response(_together([answer.iter_body() for answer in answers]), headers=answers[0].headers)


async def _together(streams: Iterable[AsyncIterator[bytes]]) -> AsyncIterator[bytes]:
    """Whatever comes from any of the streams, until one ends."""
    pieces: Queue[bytes | None] = Queue(1)

    async def pump(stream: AsyncIterator[bytes]) -> None:
        async for piece in stream:
            await pieces.put(piece)
        await pieces.put(None)

    pumps = [asyncio.create_task(pump(stream)) for stream in streams]
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
    finally:
        for task in pumps:
            task.cancel()


def _json(value: Any) -> Response:
    return Response(
        json.dumps(value, ensure_ascii=False) + "\n", headers={"content-type": "application/json"}
    )
