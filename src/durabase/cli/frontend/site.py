"""Who answers a request: the client's side or the program.

The rule is one for development and production: pages (``/``, and whatever asks for HTML) and
files are the client's; everything else, WebSockets above all, is the program's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from durabase.web import Request, Response
from durabase.workers.static_files import url_path

__all__ = ["Fetch", "Frontend", "Site", "is_upgrade", "wants_page"]

Fetch = Callable[[Request], Awaitable[Response]]


class Frontend(Protocol):
    """The client's side."""

    async def fetch(self, request: Request) -> Response | None:
        """Answer a GET or HEAD, or leave it to the program."""

    async def upgrade(self, request: Request) -> Response | None:
        """Take a WebSocket over, or leave it to the program."""


class Site:
    """A frontend before a program, on one origin.

    Args:
        program: answers all that the frontend does not.
        frontend: the client's side, if there is any.
        is_elsewhere: whether a request is none of the client's worker, but of another one.
    """

    def __init__(
        self,
        program: Fetch,
        frontend: Frontend | None,
        is_elsewhere: Callable[[Request], bool] = lambda request: False,
    ) -> None:
        self._program = program
        self._frontend = frontend
        self._is_elsewhere = is_elsewhere

    async def fetch(self, request: Request) -> Response:
        """Let the right side answer."""
        response = await self._from_frontend(request)
        return await self._program(request) if response is None else response

    async def _from_frontend(self, request: Request) -> Response | None:
        if self._frontend is None or self._is_elsewhere(request):
            return None
        if is_upgrade(request):
            return await self._frontend.upgrade(request)
        return await self._frontend.fetch(request) if request.method in ("GET", "HEAD") else None


def is_upgrade(request: Request) -> bool:
    """Tell whether the request asks for a WebSocket."""
    return (request.headers.get("upgrade") or "").lower() == "websocket"


def wants_page(request: Request) -> bool:
    """Tell whether a page is asked for: by a browser's navigation, or at the root."""
    return url_path(request) == "/" or "text/html" in (request.headers.get("accept") or "")
