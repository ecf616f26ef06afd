"""Files of one directory as responses.

Content types and caching are those of Cloudflare's static assets: an entity tag and
revalidation each time; ranges are ignored. Which file answers which path is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import AsyncIterator
from os import stat_result
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from urllib.parse import unquote, urlsplit

from durabase.web import Request, Response

__all__ = ["StaticFiles", "url_path"]

_REVALIDATE = "public, max-age=0, must-revalidate"
_WHOLE_BELOW = 256 * 1024
_CHUNK = 64 * 1024
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


def url_path(request: Request) -> str:
    """Return the decoded path of the request's URL."""
    return unquote(urlsplit(request.url).path, errors="replace") or "/"


class StaticFiles:
    """The regular files below ``directory``; nothing outside of it can be reached."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()

    def find(self, path: str) -> Path | None:
        """Return the file that the decoded URL path names exactly, ``None`` if there is none."""
        parts = PurePosixPath(path.lstrip("/")).parts
        if path.endswith("/") or "\0" in path or "\\" in path or ".." in parts or not parts:
            return None
        try:
            file = self.directory.joinpath(*parts).resolve()
            return file if file.is_relative_to(self.directory) and file.is_file() else None
        except (OSError, RuntimeError):  # a name that no file can have, or links that go round in a circle
            return None

    async def response(
        self, file: Path, request: Request, *, status: int = 200, cache_control: str = _REVALIDATE
    ) -> Response:
        """Answer with ``file``: 304 if the request knows its entity tag, 405 if it is no GET or HEAD.

        Raises:
            OSError: the file can't be read.
        """
        if request.method not in ("GET", "HEAD"):
            return Response("Method Not Allowed", 405, headers={"allow": "GET, HEAD"})
        state = await asyncio.to_thread(file.stat)
        if not S_ISREG(state.st_mode):
            raise FileNotFoundError(f"{file} is no regular file")
        headers = {"etag": _entity_tag(state), "cache-control": cache_control}
        if status == 200 and headers["etag"] in (request.headers.get("if-none-match") or ""):
            return Response(None, 304, headers=headers)
        headers["content-type"] = _content_type(file)
        if state.st_size <= _WHOLE_BELOW:
            return Response(await asyncio.to_thread(file.read_bytes), status, headers=headers)
        headers["content-length"] = str(state.st_size)
        return Response(_chunks(file), status, headers=headers)


def _entity_tag(state: stat_result) -> str:
    facts = f"{state.st_ino}:{state.st_mtime_ns}:{state.st_size}"
    return f'"{hashlib.sha256(facts.encode()).hexdigest()[:32]}"'


def _content_type(file: Path) -> str:
    known = _TYPES.get(file.suffix.lower())
    return known or mimetypes.guess_type(file.name)[0] or "application/octet-stream"


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    opened = await asyncio.to_thread(file.open, "rb")
    try:
        while chunk := await asyncio.to_thread(opened.read, _CHUNK):
            yield chunk
    finally:
        opened.close()
