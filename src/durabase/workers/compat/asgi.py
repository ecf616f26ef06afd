"""The module ``asgi``: an ASGI application answers a worker's requests.

Each call runs the application's lifespan, reads the whole request body first, and streams the
response as soon as the application does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from durabase.web import Request, Response
from durabase.workers.compat.asgi_lifespan import Lifespan
from durabase.workers.compat.asgi_scope import Application, Message, request_scope
from durabase.workers.compat.asgi_socket import websocket
from durabase.workers.compat.gateway import BaseOptions
from durabase.workers.entrypoint import WorkerEntrypoint

__all__ = ["Options", "entrypoint", "env", "fetch", "websocket"]

_log = logging.getLogger("durabase.workers.asgi")
_AHEAD = 8
_NO_BODY = frozenset({101, 103, 204, 205, 304})
_running: set[asyncio.Task[None]] = set()


class Options(BaseOptions):
    """Options of a call of an ASGI application."""


async def fetch(
    app: Application, request: Request, env: Any, ctx: Any = None, *, options: Options | None = None
) -> Response:
    """Let ``app`` answer the request.

    Raises:
        RuntimeError: its start-up failed, or it did not answer.
        Exception: what it raises before it answers; later errors are logged.
    """
    call = _Call(app, {**request_scope(request, env), "type": "http"}, await request.bytes())
    task = call.task = asyncio.create_task(call.run())
    _running.add(task)
    task.add_done_callback(_running.discard)
    response = await call.response
    call.forget_response()
    return response


def entrypoint(app: Application, *, options: Options | None = None) -> type[WorkerEntrypoint]:
    """Return a class ``Default`` whose requests and WebSockets ``app`` answers."""

    class Default(WorkerEntrypoint):
        async def fetch(self, request: Request) -> Response:
            if (request.headers.get("upgrade") or "").lower() == "websocket":
                return await websocket(app, request, self.env)
            return await fetch(app, request, self.env, self.ctx, options=options)

    return Default


async def env(request: Any) -> Any:
    """Return the worker's env of a FastAPI or Starlette request: a dependency."""
    return request.scope["env"]


class _Call:
    """One request under way in an application."""

    def __init__(self, app: Application, scope: dict[str, Any], body: bytes) -> None:
        self._loop = asyncio.get_running_loop()
        self.response: asyncio.Future[Response] = self._loop.create_future()
        self._has_responded = False
        self.task: asyncio.Task[None] | None = None
        self._app = app
        self._scope = scope
        self._body: bytes | None = body
        self._start: Message = {}
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(_AHEAD)
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Run the application from its start-up to its shutdown; the response is set meanwhile."""
        try:
            async with Lifespan(self._app) as lifespan:
                self._scope["state"] = dict(lifespan.state)
                await self._app(self._scope, self._receive, self._send)
                if not self._has_responded:
                    raise RuntimeError("the application returned without a response")
        except Exception as error:
            if self._has_responded:
                _log.error("the application failed after its response had begun", exc_info=error)
            else:
                self.response.set_exception(error)
        finally:
            self._end()

    def forget_response(self) -> None:
        """Hold on to the response no longer, so that it can be seen when nobody else does."""
        self.response = self._loop.create_future()

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            await self._send_body(bytes(message.get("body", b"")), bool(message.get("more_body", False)))

    async def _send_body(self, body: bytes, more: bool) -> None:
        if self._has_responded:
            await self._room.acquire()
            self._pieces.put_nowait(body)
        elif more:
            self._respond(self._stream(body))
        else:
            self._respond(body)
        if not more:
            self._end()

    def _respond(self, body: bytes | AsyncIterator[bytes]) -> None:
        if not self._start:
            raise RuntimeError("the application sent a body before it started a response")
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in self._start.get("headers", ())
        ]
        status = self._start["status"]
        self._has_responded = True
        self.response.set_result(Response(None if status in _NO_BODY else body, status, headers=headers))

    async def _stream(self, first: bytes) -> AsyncIterator[bytes]:
        try:
            yield first
            while (piece := await self._pieces.get()) is not None:
                self._room.release()
                yield piece
        finally:
            if not self._over.is_set() and self.task is not None:
                self.task.cancel()

    def _end(self) -> None:
        self._over.set()
        self._pieces.put_nowait(None)
