"""The ASGI application: starts what it serves, and hands each scope to who serves its kind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, final

from durabase.asgi.http import HttpExchange
from durabase.asgi.life import Life, Open, Settings
from durabase.asgi.served import Place, Project, SyncServer, guarded, opened_by
from durabase.asgi.socket import serve_web_socket
from durabase.clock import SystemClock, TimerClock
from durabase.errors import DurabaseError, ServerError, SyncError
from durabase.server import ServerLimits
from durabase.server.context import ServerContext
from durabase.sync_server import BlockingRoom, OpeningRoom, Room
from durabase.types import Id
from durabase.workers.compat.asgi_scope import Message, Receive, Send

__all__ = ["AsgiApp", "asgi_app"]

_log = logging.getLogger("durabase.asgi")

_GOING_AWAY: Final = (1001, "the server stops")


def asgi_app(
    served: Place | SyncServer = ".",
    *,
    prefix: str = "",
    others: Sequence[Place] = (),
    environment: str | None = None,
    vars: Mapping[str, Any] | None = None,
    state_dir: str | Path | None = None,
    idle_seconds: float = 10.0,
    origins: Sequence[str] = (),
    limits: ServerLimits | None = None,
    farewell: tuple[int, str] = _GOING_AWAY,
    drain_seconds: float = 5.0,
    clock: TimerClock | None = None,
) -> AsgiApp:
    """An ASGI 3 application that serves a worker or a sync server.

    Args:
        served: a configuration file, a directory that holds one or lies below one, or a configuration; or
            a :class:`~durabase.sync_server.WsServer` or :class:`~durabase.sync_server.WsServerSimple`, which
            the application destroys when it stops.
        prefix: the path at which it is mounted, as ``"/sync"``, for outer applications that do not tell by
            ``root_path``.
        others: further workers, for the first one's bindings.
        environment: the environment of the configurations to use.
        vars: variables of ``env`` that differ from the configuration.
        state_dir: where data is kept; ``.durabase/state`` beside the configuration if it is not given.
        idle_seconds: how long an object has to be quiet before it hibernates.
        origins: whose pages may open WebSockets, as ``https://app.example``; ``same`` for the server's own.
            Others get 403. Browsers let every page try, with the user's cookies; without any everybody may.
            The same pages may have rooms as resources (CORS).
        limits: what one connection may cost. Only ``body_bytes``, ``message_bytes``, ``unsent_bytes``,
            ``messages_per_turn`` and ``close_seconds`` are our affair, the others are the ASGI server's.
        farewell: close code and reason for the WebSockets that are open when the application stops.
        drain_seconds: how long stopping waits for them, and for answers that are under way.
        clock: for alarms and time-outs.

    The configuration and the program are loaded when the application starts.

    Raises:
        ValueError: one of the origins is none.
    """
    clock = clock or SystemClock()
    opened = (
        served
        if isinstance(served, SyncServer)
        else Project(served, others, environment, vars or {}, state_dir, idle_seconds, clock)
    )
    settings = Settings(clock, limits or ServerLimits(), farewell, drain_seconds)
    opens = opened_by(opened)
    return AsgiApp(guarded(opens, origins) if origins else opens, settings, prefix.rstrip("/"))


@final
class AsgiApp:
    """What :func:`asgi_app` makes: call it as an ASGI application.

    It starts when the ASGI server says so by the lifespan protocol, or, since frameworks do not pass that
    on to what is mounted, with the first request. It stops with the lifespan, or else when the event loop
    ends. To have it start and stop with the outer application, give that :meth:`lifespan`. ``async with
    app:`` does the same.

    Requests that come after it was stopped get 503.
    """

    def __init__(self, opens: Open, settings: Settings, prefix: str) -> None:
        self._opens = opens
        self._settings = settings
        self._prefix = prefix
        self._life: Life | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one scope: a request, a WebSocket, or a lifespan.

        Raises:
            ServerError: the scope is none of these, or the application runs on another event loop.
            Exception: whatever the program's handler raises, and what keeps the application from starting.
        """
        match scope["type"]:
            case "lifespan":
                await self._serve_lifespan(receive, send)
            case "http":
                context = await self._context()
                await HttpExchange(scope, receive, send, context, self._prefix).run()
            case "websocket":
                context = await self._context()
                await serve_web_socket(scope, receive, send, context, self._prefix)
            case other:
                raise ServerError(f"an ASGI scope of type {other!r}; http, websocket and lifespan are known")

    @asynccontextmanager
    async def lifespan(self, outer: object = None) -> AsyncIterator[None]:
        """Start, and stop at the end: a lifespan for the outer application, which is passed and not used.

        ::

            app = FastAPI(lifespan=sync.lifespan)

        Raises:
            Exception: what keeps it from starting, or went wrong when it stopped.
        """
        async with self:
            yield

    def room(self, path_id: Id, binding: str | None = None) -> OpeningRoom:
        """Open the server's store of a path for edits, with clients there or not, from any task.

        ::

            async with app.room("pets") as room:
                room.store.set_cell("pets", "fido", "sold", True)

        ``room = await app.room("pets")`` leaves it open until ``await room.close()``; see
        :class:`~durabase.sync_server.Room` for what you may rely on. It starts the application if need be.

        Args:
            path_id: the path as it stands in URLs, below the place of mounting: ``"my%20room"``.
            binding: of a worker: the binding of the objects, if several are of ``WsServerDurableObject``.

        Raises:
            ServerError: when it is awaited: there is no store, or the application was stopped.
            Exception: why it could not be opened.
        """
        return OpeningRoom(partial(self._open_room, path_id, binding))

    @contextmanager
    def blocking_room(self, path_id: Id, binding: str | None = None) -> Iterator[BlockingRoom]:
        """The same for other threads, as those in which frameworks run plain functions::

            with app.blocking_room("pets") as room, room.transaction():
                room.store.set_cell("pets", "fido", "sold", True)

        Leaving the context waits until what was edited is durable.

        Raises:
            ServerError: the application has not been started, or see :meth:`room`.
            SyncError: this is the event loop's own thread, which can't wait.
        """
        life = self._life
        if life is None or life.is_over:
            raise ServerError("the application has not been started: give its lifespan to the outer one")
        if life.turns.has_turn():
            raise SyncError("the event loop's own thread can't wait here: use `async with app.room(…)`")
        opened: Room = life.turns.call(lambda: life.room(path_id, binding))
        with opened.blocking() as room:
            yield room

    async def __aenter__(self) -> Self:
        await self._started()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            step = self._started if message["type"] == "lifespan.startup" else self._stop
            try:
                await step()
            except Exception as error:
                if not isinstance(error, DurabaseError):
                    _log.exception("%s failed", message["type"])
                await send({"type": f"{message['type']}.failed", "message": str(error) or repr(error)})
                return
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _started(self) -> ServerContext:
        """Start, if that has not been done."""
        loop = asyncio.get_running_loop()
        life = self._life
        if life is None or life.is_over or life.is_stopping:
            if life is not None and not life.is_over:
                await life.stop()
            life = self._life = Life(self._opens, self._settings)
        elif life.loop is not loop:
            raise ServerError("this application runs on another event loop; each needs one of its own")
        return await life.started()

    async def _context(self) -> ServerContext:
        """What a request needs; the first one starts the application, none does when it was stopped."""
        life = self._life
        if life is not None and life.is_stopping and life.loop is asyncio.get_running_loop():
            return life.refusing()
        return await self._started()

    async def _open_room(self, path_id: Id, binding: str | None) -> Room:
        await self._context()
        if self._life is None:
            raise ServerError("the application has stopped; it has no rooms")
        return await self._life.room(path_id, binding)

    async def _stop(self) -> None:
        if self._life is not None:
            await self._life.stop()
