"""What the program did with each request: a line as wrangler writes it, and a page for what it raised."""

from __future__ import annotations

import time
import traceback
from http import HTTPStatus
from urllib.parse import urlsplit

from durabase.cli.console import Console
from durabase.cli.error_page import error_page
from durabase.cli.frontend.site import Fetch
from durabase.durable_objects.tracebacks import program_traceback
from durabase.operations.redaction import redacted_url
from durabase.web import Request, Response

__all__ = ["AccessLog", "ErrorPages"]


class AccessLog:
    """Writes ``GET /path 200 OK (22ms)`` for each request that the program answered."""

    def __init__(self, program: Fetch, console: Console) -> None:
        self._program = program
        self._console = console

    async def fetch(self, request: Request) -> Response:
        """Pass the request on and log it."""
        started = time.perf_counter()
        response = await self._program(request)
        took = (time.perf_counter() - started) * 1000
        target = urlsplit(redacted_url(request.url))
        query = f"?{target.query}" if target.query else ""
        self._console.info(f"{request.method} {target.path}{query} {_status(response)} ({took:.0f}ms)")
        return response


class ErrorPages:
    """Turns what the program raises into a logged error and a response with the status 500.

    Args:
        program: who may raise.
        console: told the traceback.
        show: whether the response shows the traceback, too.
    """

    def __init__(self, program: Fetch, console: Console, *, show: bool) -> None:
        self._program = program
        self._console = console
        self._show = show

    async def fetch(self, request: Request) -> Response:
        """Pass the request on; never raises."""
        try:
            return await self._program(request)
        except Exception as error:
            title, text = _titled(error), program_traceback(error)
            self._console.error(f"Uncaught {title}\n{text}")
            return self._page(request, title, text)

    def _page(self, request: Request, title: str, text: str) -> Response:
        if not self._show:
            return Response("Internal Server Error", 500)
        if "text/html" in (request.headers.get("accept") or ""):
            page = error_page(title, f"{request.method} {request.url}", text)
            return Response(page, 500, headers={"content-type": "text/html; charset=utf-8"})
        return Response(text, 500)


def _titled(error: Exception) -> str:
    return traceback.format_exception_only(error)[0].rstrip().partition("\n")[0]


def _status(response: Response) -> str:
    phrase = response.status_text
    if not phrase and response.status in HTTPStatus._value2member_map_:
        phrase = HTTPStatus(response.status).phrase
    return f"{response.status} {phrase}".rstrip()
