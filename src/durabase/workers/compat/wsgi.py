"""The module ``workers.wsgi``: a WSGI application answers a worker's requests, in a thread.

In a program that uses ``run_sync`` it runs on the event loop's thread, as on Cloudflare. The request body
is read first; the response is streamed as the application's iterator gives it.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from durabase.durable_objects.suspension import suspending, with_suspension
from durabase.web import Request, Response
from durabase.workers.compat.gateway import BaseOptions
from durabase.workers.entrypoint import WorkerEntrypoint

__all__ = ["Options", "entrypoint", "fetch"]

_NO_BODY = frozenset({101, 103, 204, 205, 304})

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Options(BaseOptions):
    """Options of a call of a WSGI application."""


async def fetch(
    app: Application, request: Request, env: Any, ctx: Any = None, *, options: Options | None = None
) -> Response:
    """Let ``app`` answer the request.

    Raises:
        RuntimeError: it did not start a response.
        Exception: what it raises.
    """
    return await _Call(app, _environ(request, await request.bytes(), env)).respond()


def entrypoint(app: Application, *, options: Options | None = None) -> type[WorkerEntrypoint]:
    """Return a class ``Default`` whose requests ``app`` answers."""

    class Default(WorkerEntrypoint):
        async def fetch(self, request: Request) -> Response:
            return await fetch(app, request, self.env, self.ctx, options=options)

    return Default


def _environ(request: Request, body: bytes, env: Any) -> dict[str, Any]:
    url = urlsplit(request.url)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": str(request.method),
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname or "",
        "SERVER_PORT": str(url.port or (443 if url.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": request.headers.get("content-type") or "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "workers.env": env,
    }
    for name, value in request.headers.items():
        if name not in ("content-length", "content-type"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


class _Call:
    """One request under way in an application; its steps run one after the other, in threads."""

    def __init__(self, app: Application, environ: dict[str, Any]) -> None:
        self._app = app
        self._environ = environ
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._written: list[bytes] = []
        self._result: Iterable[bytes] = ()

    async def respond(self) -> Response:
        """Run the application up to its first piece, and respond."""
        pieces, first = await _performed(self._begin)
        if not self._status:
            raise RuntimeError("the application returned without a response")
        number, _, reason = self._status.partition(" ")
        status = int(number)
        body = None if status in _NO_BODY else self._stream(first, pieces)
        return Response(body, status, reason, self._headers)

    def _begin(self) -> tuple[Iterator[bytes], bytes]:
        self._result = self._app(self._environ, self._start_response)
        pieces = iter(self._result)
        first = next(pieces, b"")
        return pieces, b"".join(self._written) + first

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        self._status, self._headers = status, headers
        return self._written.append

    async def _stream(self, first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        piece: bytes | None = first
        try:
            while piece is not None:
                if piece:
                    yield piece
                piece = await _performed(next, pieces, None)
        finally:
            close = getattr(self._result, "close", None)
            if close is not None:
                await _performed(close)


async def _performed(step: Callable[..., Any], *arguments: Any) -> Any:
    """Run a step in a thread; in a program that uses ``run_sync``, here, where that works."""
    if suspending():
        return await with_suspension(step)(*arguments)
    return await asyncio.to_thread(step, *arguments)
