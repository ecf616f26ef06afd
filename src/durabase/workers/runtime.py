"""The one place where the parts of a worker are put together: objects, bindings, the program's entrypoint.

Knows nothing of connections: requests come in, responses go out. What a handler raises is passed on.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from types import TracebackType
from typing import Any

from durabase.clock import SystemClock, TimerClock
from durabase.durable_objects import HostStats, ObjectClass, ObjectHost, ObjectObserver
from durabase.durable_objects.handlers import fitting_arguments
from durabase.web import Request, Response
from durabase.workers.bindings.assets import Assets
from durabase.workers.bindings.missing import missing_bindings
from durabase.workers.bindings.objects import namespace_bindings, object_classes
from durabase.workers.bindings.variables import variable_bindings
from durabase.workers.config import Config
from durabase.workers.entrypoint import BackgroundTasks, ExecutionContext, ambient_context
from durabase.workers.env import Env, ambient_env
from durabase.workers.loader import Worker

__all__ = ["Runtime"]

_DEFAULT_MAX_VALUE_BYTES = 131_072
_BACKGROUND_SECONDS = 10.0


class Runtime:
    """A worker that runs: ``async with Runtime(…) as runtime: await runtime.dispatch(request)``.

    Args:
        config: the checked configuration.
        worker: the program, loaded for it.
        state_dir: where the objects' data is kept.
        clock: the source of time and timers.
        idle_seconds: how long an object has to be quiet before it hibernates.
        max_value_bytes: the largest value that a key-value class may store.
        observer: called with the events of the objects' lives.
    """

    def __init__(
        self,
        config: Config,
        worker: Worker,
        state_dir: Path,
        *,
        clock: TimerClock | None = None,
        idle_seconds: float = 10.0,
        max_value_bytes: int = _DEFAULT_MAX_VALUE_BYTES,
        observer: ObjectObserver | None = None,
    ) -> None:
        self.config = config
        self.worker = worker
        self.env = Env({})
        self._assets: Assets | None = None
        self._arguments: dict[str, int] = {}
        self._max_value_bytes = max_value_bytes
        self._background = BackgroundTasks()
        self._host = ObjectHost(
            state_dir, clock=clock or SystemClock(), idle_seconds=idle_seconds, observer=observer
        )
        self._hosted: set[str] = set()
        self._register(object_classes(config, worker, max_value_bytes))
        self._bind(config)

    async def __aenter__(self) -> Runtime:
        ambient_env.set(self.env)
        await self._host.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._background.finish(_BACKGROUND_SECONDS)
        await self._host.__aexit__(kind, error, trace)

    async def dispatch(self, request: Request) -> Response:
        """Answer a request: by a static asset if one is meant, else by the program's ``Default.fetch``.

        Raises:
            TypeError: the program has no such handler, or its result is no response.
            Exception: whatever the handler raises.
        """
        if self._serves_assets_first(request) and self._assets is not None:
            asset = await self._assets.match(request)
            if asset is not None:
                return asset
        response = await self._call("fetch", request)
        if not isinstance(response, Response):
            raise TypeError("Incorrect type for Promise: the Promise did not resolve to 'Response'.")
        return response

    async def scheduled(self, controller: object) -> None:
        """Call the program's ``Default.scheduled`` with ``controller``.

        Raises:
            TypeError: the program has no such handler.
            Exception: whatever the handler raises.
        """
        await self._call("scheduled", controller, None, None)

    async def reload(self, config: Config, worker: Worker) -> None:
        """Go on with another configuration and program.

        Objects are built from the new classes at their next event; their sockets stay connected.

        Raises:
            ObjectError: a class would change its ids or its kind of storage; then nothing has changed.
        """
        classes = object_classes(config, worker, self._max_value_bytes)
        await self._host.replace(known for known in classes if known.class_name in self._hosted)
        self._register([added for added in classes if added.class_name not in self._hosted])
        self.config, self.worker = config, worker
        self._arguments = {}
        self._bind(config)

    def stats(self) -> HostStats:
        """Return the counts of the objects' host."""
        return self._host.stats()

    def _register(self, classes: list[ObjectClass]) -> None:
        for object_class in classes:
            self._host.register(object_class, env=self.env)
            self._hosted.add(object_class.class_name)

    def _bind(self, config: Config) -> None:
        bindings: dict[str, object] = {**variable_bindings(config), **namespace_bindings(config, self._host)}
        self._assets = Assets(config.assets) if config.assets is not None else None
        if config.assets is not None and config.assets.binding is not None:
            bindings[config.assets.binding] = self._assets
        Env.replace(self.env, Env(bindings, missing_bindings(config)))

    def _serves_assets_first(self, request: Request) -> bool:
        assets = self.config.assets
        return (
            assets is not None
            and not assets.run_worker_first
            and request.method in ("GET", "HEAD")
            and "upgrade" not in request.headers
        )

    async def _call(self, handler: str, *arguments: object) -> Any:
        if self.worker.default is None:
            raise TypeError(f"Handler does not export a {handler}() function: there is no class Default.")
        context = ExecutionContext(self._background)
        ambient_env.set(self.env)
        token = ambient_context.set(context)
        try:
            entrypoint = self.worker.default(context, self.env)
            function = getattr(entrypoint, handler, None)
            if function is None:
                raise TypeError(f"Handler does not export a {handler}() function.")
            if handler not in self._arguments:
                self._arguments[handler] = fitting_arguments(function)
            result = function(*arguments[: self._arguments[handler]])
            return await result if inspect.isawaitable(result) else result
        finally:
            ambient_context.reset(token)
