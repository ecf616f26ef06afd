"""The static assets of a worker: which file answers which path, before the worker and as ``env.ASSETS``.

Follows wrangler 4.86 for ``html_handling`` and ``not_found_handling``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from durabase.web import Request, Response
from durabase.workers.config import AssetsConfig
from durabase.workers.static_files import StaticFiles, url_path

__all__ = ["Assets", "runs_first"]


@dataclass(frozen=True, slots=True)
class _Redirect:
    path: str


class Assets:
    """The asset server; also the object bound to ``env``."""

    def __init__(self, config: AssetsConfig) -> None:
        self._config = config
        self._files = StaticFiles(Path(config.directory))

    async def fetch(self, input: str | Request, **options: Any) -> Response:
        """Answer a request, or a GET of an absolute URL, from the files alone."""
        request = input if isinstance(input, Request) and not options else Request(input, **options)
        return await self.match(request) or await self._not_found(request)

    async def match(self, request: Request) -> Response | None:
        """Return the answer if a file is meant, else ``None``."""
        path = url_path(request)
        found = self._resolve(path)
        if isinstance(found, _Redirect):
            return Response(None, 307, headers={"location": _location(found.path, request)})
        return await self._files.response(found, request) if found is not None else None

    async def _not_found(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response("Method Not Allowed", 405, headers={"allow": "GET, HEAD"})
        handling = self._config.not_found_handling
        if handling == "single-page-application" and (index := self._files.find("/index.html")):
            return await self._files.response(index, request)
        if handling == "404-page" and (page := self._nearest_404(url_path(request))):
            return await self._files.response(page, request, status=404)
        return Response(None, 404)

    def _nearest_404(self, path: str) -> Path | None:
        folders = (str(folder) for folder in PurePosixPath(path).parents)
        return next((page for folder in folders if (page := self._files.find(f"{folder}/404.html"))), None)

    def _resolve(self, path: str) -> Path | _Redirect | None:
        handling = self._config.html_handling
        if handling == "none":
            return self._files.find(path)
        for file_path, canonical in _candidates(path, handling):
            if (file := self._files.find(file_path)) is not None:
                return file if canonical == path else _Redirect(canonical)
        return None


def runs_first(rule: bool | tuple[str, ...], request: Request) -> bool:
    """Tell whether a request is the worker's before the files are asked, as ``run_worker_first`` says."""
    if isinstance(rule, bool):
        return rule
    path = url_path(request)
    exceptions = [pattern[1:] for pattern in rule if pattern.startswith("!")]
    return _matches(path, [pattern for pattern in rule if not pattern.startswith("!")]) and not _matches(
        path, exceptions
    )


def _matches(path: str, patterns: list[str]) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), path, re.DOTALL) for pattern in patterns
    )


def _location(path: str, request: Request) -> str:
    query = urlsplit(request.url).query
    location = "/" + quote(path.lstrip("/"))
    return f"{location}?{query}" if query else location


def _candidates(path: str, handling: str) -> Iterator[tuple[str, str]]:
    """Yield, best first, the files that ``path`` may mean, each with the one path that it is served under."""
    if not path.endswith((".html", "/index")):
        yield (path, path)
    stem = _stem(path)
    page, index = f"{stem}.html", f"{stem}/index.html"
    with_slash, without = f"{stem}/", stem or "/"
    page_at = with_slash if handling == "force-trailing-slash" else without
    index_at = without if handling == "drop-trailing-slash" else with_slash
    candidates = [(page, page_at), (index, index_at)] if stem else [(index, index_at)]
    yield from reversed(candidates) if path.endswith(("/", "/index.html", "/index")) else candidates


def _stem(path: str) -> str:
    """``/a/``, ``/a.html``, ``/a/index`` and ``/a/index.html`` are all about ``/a``."""
    for ending in ("/index.html", "/index", ".html", "/"):
        if path.endswith(ending):
            return path.removesuffix(ending)
    return path
