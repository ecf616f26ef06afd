"""The page at ``/_durabase/``, and below it, at ``/_durabase/api/``, what it asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias, final
from urllib.parse import urlsplit, urlunsplit

from durabase.operations.guard import is_local
from durabase.web import Request, Response
from durabase.workers.static_files import StaticFiles

__all__ = ["PATH", "InspectorSite"]

Fetch: TypeAlias = Callable[[Request], Awaitable[Response]]

PATH: Final = "/_durabase/"
"""Where it is."""

_API: Final = f"{PATH}api/"
_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@final
class InspectorSite:
    """Answers what is at :data:`PATH`, and leaves all else to others.

    Args:
        admin: answers administrators, and keeps others out.
        others: answers all else.
        local_only: let in nobody from another machine, whatever address is served.
    """

    def __init__(self, admin: Fetch, others: Fetch, *, local_only: bool = False) -> None:
        self._admin = admin
        self._others = others
        self._local_only = local_only
        self._files = StaticFiles(Path(__file__).parent / "page")

    async def fetch(self, request: Request) -> Response:
        """Answer one request."""
        path = urlsplit(request.url).path
        if not path.startswith(PATH) and path != PATH.rstrip("/"):
            return await self._others(request)
        if self._local_only and not is_local(request):
            return Response("Only this machine may look here.\n", 403)
        response = await (self._api(request) if path.startswith(_API) else self._page(path, request))
        for name, value in _HEADERS.items():
            response.headers[name] = value
        return response

    async def _api(self, request: Request) -> Response:
        inner, url = Request(request), urlsplit(request.url)
        inner.url = urlunsplit(url._replace(path=f"/{url.path.removeprefix(_API)}"))
        return await self._admin(inner)

    async def _page(self, path: str, request: Request) -> Response:
        if path == PATH.rstrip("/"):
            return Response(None, 308, headers={"location": PATH})
        file = self._files.find(path.removeprefix(PATH) or "index.html")
        if file is None:
            return Response("There is nothing here.\n", 404)
        return await self._files.response(file, request)
