"""A client that was built: files, and one page for every path of the app."""

from __future__ import annotations

from pathlib import Path

from durabase.cli.frontend.site import wants_page
from durabase.web import Request, Response
from durabase.workers.static_files import StaticFiles, url_path

__all__ = ["BuiltClient"]

_FOREVER = "public, max-age=31536000, immutable"
_HASHED = "/assets/"


class BuiltClient:
    """The :class:`Frontend` of a directory with an ``index.html``, as Vite builds it."""

    def __init__(self, directory: Path) -> None:
        self._files = StaticFiles(directory)

    async def fetch(self, request: Request) -> Response | None:
        """Answer with a file, or for any other path with the page if a page is asked for."""
        path = url_path(request)
        if (file := self._files.find(path)) is not None:
            if path.startswith(_HASHED):  # the name changes with the content
                return await self._files.response(file, request, cache_control=_FOREVER)
            return await self._files.response(file, request)
        if wants_page(request) and (index := self._files.find("/index.html")) is not None:
            return await self._files.response(index, request)
        return None

    async def upgrade(self, request: Request) -> Response | None:
        """Leave all WebSockets to the program."""
        return None
