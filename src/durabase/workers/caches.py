"""``caches``: responses that a program puts aside, in memory, for as long as their headers say.

As under ``wrangler dev``: what does not say how long it is good (``Cache-Control: max-age``, ``s-maxage`` or
``Expires``) is not kept. Each worker has caches of its own, which end with the process.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

from durabase.clock import Clock
from durabase.web import Headers, Request, Response

__all__ = ["Cache", "CacheStorage", "ambient_caches", "caches", "freshness_ms"]

_BUDGET: Final = 64 * 1024 * 1024
_STATUSES: Final = frozenset((200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501))
_DIRECTIVE: Final = re.compile(r'([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,]*)))?')


@dataclass(frozen=True, slots=True)
class _Kept:
    body: bytes | None
    status: int
    status_text: str
    headers: Headers
    until_ms: int


def freshness_ms(headers: Headers, now_ms: int) -> int:
    """How long a shared cache may answer with a response that has these headers, in milliseconds."""
    found = _DIRECTIVE.findall(headers.get("cache-control", ""))
    said = {name.lower(): (quoted or plain).lower() for name, quoted, plain in found}
    if {"no-store", "no-cache"} & said.keys() or said.get("private") == "":
        return 0
    for name in ("s-maxage", "max-age"):
        if name in said:
            return int(said[name]) * 1000 if said[name].isdecimal() else 0
    expires = _moment_ms(headers.get("expires"))
    return 0 if expires is None else max(0, expires - now_ms)


class Cache:
    """One cache. Bodies are kept whole; when there are too many, those go that were not asked for longest.

    Args:
        clock: decides what is still good.
        budget: how many bytes of bodies are kept.
    """

    def __init__(self, clock: Clock, budget: int = _BUDGET) -> None:
        self._clock = clock
        self._budget = budget
        self._size = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def put(self, request: Any, response: Response) -> None:
        """Keep a response to a GET request, if its headers allow that. Reads its body.

        Args:
            request: a request, or its URL.
            response: what to answer with.

        Raises:
            TypeError: it is no GET request, or the response is a part of something, or varies by everything.
        """
        asked = _asked(request)
        if asked.method != "GET":
            raise TypeError("Cannot cache response to non-GET request.")
        if response.status == 206:
            raise TypeError("Cannot cache response to a range request (206 Partial Content).")
        if "*" in response.headers.get("vary", ""):
            raise TypeError("Cannot cache response with 'Vary: *' header.")
        body = await response.bytes() if response.body is not None else None
        headers, now = Headers(response.headers), self._clock.now_ms()
        if "private=set-cookie" in headers.get("cache-control", "").lower().replace('"', ""):
            headers.delete("set-cookie")
        lasting = freshness_ms(headers, now)
        if "set-cookie" in headers or response.status not in _STATUSES or not lasting:
            return
        self._keep(_key(asked), _Kept(body, response.status, response.status_text, headers, now + lasting))

    async def match(
        self, request: Any, options: Mapping[str, Any] | None = None, **more: Any
    ) -> Response | None:
        """The response that is kept for a request, with the header ``cf-cache-status: HIT``; or ``None``.

        Whoever has it already, as ``If-None-Match`` or ``If-Modified-Since`` say, is given the status 304.

        Args:
            request: a request, or its URL.
            options: ``ignoreMethod``: answer other methods than GET as well.
            more: the same by keyword.
        """
        asked = _asked(request)
        kept = self._found(asked, options, more)
        if kept is None:
            return None
        self._kept.move_to_end(_key(asked))
        headers = Headers(kept.headers)
        headers.set("cf-cache-status", "HIT")
        if _has_it(asked.headers, headers):
            return Response(None, 304, headers=headers)
        return Response(kept.body, kept.status, kept.status_text, headers)

    async def delete(self, request: Any, options: Mapping[str, Any] | None = None, **more: Any) -> bool:
        """Forget the response to a request; tell whether there was one. Arguments as of :meth:`match`."""
        asked = _asked(request)
        found = self._found(asked, options, more) is not None
        if found:
            self._forget(_key(asked))
        return found

    def _found(
        self, asked: Request, options: Mapping[str, Any] | None, more: Mapping[str, Any]
    ) -> _Kept | None:
        chosen = {**(options or {}), **more}
        if asked.method != "GET" and not (chosen.get("ignoreMethod") or chosen.get("ignore_method")):
            return None
        kept = self._kept.get(_key(asked))
        if kept is not None and kept.until_ms <= self._clock.now_ms():
            self._forget(_key(asked))
            return None
        return kept

    def _keep(self, url: str, kept: _Kept) -> None:
        self._forget(url)
        size = len(kept.body or b"")
        if size > self._budget:
            return
        self._kept[url] = kept
        self._size += size
        while self._size > self._budget:
            self._forget(next(iter(self._kept)))

    def _forget(self, url: str) -> None:
        kept = self._kept.pop(url, None)
        self._size -= 0 if kept is None else len(kept.body or b"")


class CacheStorage:
    """The caches of one worker: the ``default`` one, and others by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._named: dict[str, Cache] = {}
        self.default = Cache(clock)

    async def open(self, name: str) -> Cache:
        """The cache of this name; it is made when it is first asked for."""
        if name not in self._named:
            self._named[name] = Cache(self._clock)
        return self._named[name]


ambient_caches: ContextVar[CacheStorage] = ContextVar("durabase_caches")
"""The caches of the worker that is running, set by its runtime."""


class _AmbientCaches:
    """Stands for the caches of the running worker."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = ambient_caches.get(None)
        if found is None:
            raise RuntimeError("there are no caches here: no worker is running")
        return getattr(found, name)


caches = _AmbientCaches()


def _asked(request: Any) -> Request:
    return request if isinstance(request, Request) else Request(str(request))


def _key(asked: Request) -> str:
    return asked.url.partition("#")[0]


def _has_it(asked: Headers, kept: Headers) -> bool:
    tags = asked.get("if-none-match")
    if tags is not None:
        etag = kept.get("etag", "").removeprefix("W/")
        return bool(etag) and (tags.strip() == "*" or etag in re.findall(r'"[^"]*"', tags))
    since, changed = _moment_ms(asked.get("if-modified-since")), _moment_ms(kept.get("last-modified"))
    return since is not None and changed is not None and changed <= since


def _moment_ms(text: str | None) -> int | None:
    try:
        return None if text is None else int(parsedate_to_datetime(text).timestamp() * 1000)
    except ValueError:
        return None
