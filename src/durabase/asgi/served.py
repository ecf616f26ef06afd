"""What an application serves: a worker with its objects, or a sync server; each opens and closes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from durabase.asgi.life import Open, Served
from durabase.clock import TimerClock
from durabase.durable_objects import DurableObjectNamespace
from durabase.errors import ServerError, StorageInUseError
from durabase.server.origins import OriginCheck
from durabase.sync_server import OpeningRoom, WsServer, WsServerDurableObject, object_room
from durabase.types import Id
from durabase.web import Request, Response
from durabase.workers.config import Config, load_config
from durabase.workers.loader import load_workers
from durabase.workers.places import id_secret, state_dir_of
from durabase.workers.runtime import Runtime

__all__ = ["Place", "Project", "SyncServer", "guarded", "opened_by"]

_log = logging.getLogger("durabase.asgi")

_ONE_PROCESS = (
    "An object has one instance, so one process serves it: run the ASGI server with a single worker process "
    "(`uvicorn --workers 1`, `hypercorn --workers 1`, `granian --workers 1`)"
)

Place: TypeAlias = str | Path | Config
"""A configuration file, a directory that holds one or lies below one, or a configuration."""


@runtime_checkable
class SyncServer(Protocol):
    """A :class:`~durabase.sync_server.WsServer` or :class:`~durabase.sync_server.WsServerSimple`."""

    async def fetch(self, request: Request) -> Response:
        """Answer a request for a WebSocket on a path."""

    async def destroy(self) -> None:
        """Close all connections and finish what is being written."""


@dataclass(frozen=True, slots=True)
class Project:
    """A worker to be loaded, and how; see :func:`~durabase.asgi.asgi_app`."""

    place: Place
    others: Sequence[Place]
    environment: str | None
    variables: Mapping[str, Any]
    state_dir: str | Path | None
    idle_seconds: float
    clock: TimerClock


def opened_by(served: Project | SyncServer) -> Open:
    """How to open what is served."""
    return partial(_worker, served) if isinstance(served, Project) else partial(_sync_server, served)


def guarded(opens: Open, origins: Sequence[str]) -> Open:
    """What ``opens`` opens, its WebSockets for pages of these origins only.

    Raises:
        ValueError: one of them is none.
    """
    OriginCheck(_nothing, origins)  # says what is wrong with them before anything is opened

    @asynccontextmanager
    async def opened() -> AsyncIterator[Served]:
        async with opens() as served:
            yield Served(OriginCheck(served.fetch, origins).fetch, served.room)

    return opened


async def _nothing(_: Request) -> Response:
    return Response()


@asynccontextmanager
async def _sync_server(server: SyncServer) -> AsyncIterator[Served]:
    try:
        yield Served(server.fetch, partial(_path_room, server))
    finally:
        await server.destroy()


@asynccontextmanager
async def _worker(project: Project) -> AsyncIterator[Served]:
    first, *others = [_config(place, project.environment) for place in (project.place, *project.others)]
    config = first.with_vars(project.variables)
    worker, *programs = load_workers([config, *others])
    runtime = Runtime(
        config,
        worker,
        Path(project.state_dir or state_dir_of(config)),
        others=list(zip(others, programs, strict=True)),
        clock=project.clock,
        idle_seconds=project.idle_seconds,
        id_secret=id_secret(),
    )
    try:
        await runtime.__aenter__()
    except StorageInUseError as error:
        raise StorageInUseError(f"{error}. {_ONE_PROCESS}") from None
    try:
        yield Served(runtime.dispatch, partial(_object_room, runtime))
    finally:
        await runtime.__aexit__(None, None, None)


def _config(place: Place, environment: str | None) -> Config:
    if isinstance(place, Config):
        return place
    config, diagnostics = load_config(place, environment)
    if warnings := diagnostics.render_warnings():
        _log.warning("%s", warnings)
    return config


def _path_room(server: SyncServer, path_id: Id, binding: str | None) -> OpeningRoom:
    if not isinstance(server, WsServer):
        raise ServerError(f"{type(server).__name__} keeps no stores; WsServer does")
    if binding is not None:
        raise ServerError(f"a sync server has no bindings, so none called {binding!r}")
    return server.room(path_id)


def _object_room(runtime: Runtime, path_id: Id, binding: str | None) -> OpeningRoom:
    name = _only_binding(runtime) if binding is None else binding
    namespace = getattr(runtime.env, name, None)
    if not isinstance(namespace, DurableObjectNamespace):
        raise ServerError(f"{name!r} is no binding of Durable Objects")
    return object_room(namespace, path_id)


def _only_binding(runtime: Runtime) -> str:
    """The binding of the only class whose objects keep stores."""
    classes = runtime.worker.object_classes
    names = [
        bound.name
        for bound in runtime.config.durable_objects
        if issubclass(classes.get(bound.class_name, object), WsServerDurableObject)
    ]
    if len(names) != 1:
        found = ", ".join(names) or "none"
        raise ServerError(f"which binding? Those of a WsServerDurableObject: {found}")
    return names[0]
