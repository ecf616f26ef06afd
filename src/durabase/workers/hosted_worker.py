"""One worker that runs: its configuration, its program, its env, and the calling of its entrypoints.

Knows nothing of where objects and key-value namespaces are kept, nor of other workers: it is handed bindings.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context, copy_context
from typing import Any, TypeVar

from durabase.clock import Clock, SystemClock
from durabase.durable_objects.crossing import copied
from durabase.durable_objects.events import Call, Read
from durabase.durable_objects.handlers import fitting_arguments
from durabase.durable_objects.invocation import no_response
from durabase.durable_objects.limits import ObjectLimits
from durabase.durable_objects.observing import Watch, Watched
from durabase.durable_objects.origin import Origin, current_origin
from durabase.durable_objects.routing import current_caller
from durabase.durable_objects.rpc import perform_on_instance
from durabase.durable_objects.suspension import with_suspension
from durabase.web import Request, Response
from durabase.workers.bindings.assets import Assets, runs_first
from durabase.workers.caches import CacheStorage, ambient_caches
from durabase.workers.config import Config
from durabase.workers.entrypoint import (
    BackgroundTasks,
    ExecutionContext,
    WorkerEntrypoint,
    ambient_context,
)
from durabase.workers.env import Env, ambient_env
from durabase.workers.facts import EntrypointHandled, RuntimeObserver
from durabase.workers.loader import Worker
from durabase.workers.scheduled import ScheduledController

__all__ = ["HostedWorker"]

_T = TypeVar("_T")


class HostedWorker:
    """A worker of a runtime. What a handler raises is passed on.

    Attributes:
        class_prefix: what the host's names of the worker's object classes begin with.
        config: the checked configuration.
        program: the classes that were loaded for it.
        env: what the classes get, always the same object.
        exports: what ``ctx.exports`` has: the worker's own classes, as bindings.
        assets: its static files, if it has any.
        context: what its code runs in.
        observer: told of every ``fetch`` and ``scheduled``.
        watch: how closely they are watched, those of objects included.
    """

    def __init__(
        self,
        config: Config,
        program: Worker,
        background: BackgroundTasks,
        class_prefix: str = "",
        observer: RuntimeObserver | None = None,
        watch: Watch | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.class_prefix = class_prefix
        self.config = config
        self.program = program
        self.env = Env({})
        self.exports = Env({})
        self.assets: Assets | None = None
        self.context = Context()
        self.observer = observer
        self._clock = clock or SystemClock()
        self.watch = watch or Watch(None, self._clock)
        self._caches = CacheStorage(self._clock)
        self._background = background
        self._arguments: dict[tuple[str, str], int] = {}

    def start(self) -> None:
        """Run in a copy of the current context from now on."""
        self.context = copy_context()
        self.context.run(ambient_env.set, self.env)
        self.context.run(ambient_caches.set, self._caches)

    def bind(
        self,
        config: Config,
        program: Worker,
        bindings: Mapping[str, object],
        missing: Mapping[str, str],
        exports: Mapping[str, object],
    ) -> None:
        """Go on with this configuration and program, and these bindings."""
        self.config, self.program = config, program
        self._arguments = {}
        self.assets = Assets(config.assets) if config.assets is not None else None
        own: dict[str, object] = dict(bindings)
        if config.assets is not None and config.assets.binding is not None:
            own[config.assets.binding] = self.assets
        Env.replace(self.env, Env(own, missing))
        Env.replace(self.exports, Env(exports))

    def run(self, call: Callable[[], Awaitable[_T]]) -> asyncio.Task[_T]:
        """Start what ``call`` returns in the worker's own context, whoever asks for it."""

        async def started() -> _T:
            return await call()

        return self.context.copy().run(asyncio.get_running_loop().create_task, started())

    async def fetch(
        self, request: Request, entrypoint: str = "Default", props: Mapping[str, Any] | None = None
    ) -> Response:
        """Answer a request: by a static asset if one is meant, else by the entrypoint's ``fetch``.

        Raises:
            TypeError: there is no such handler, or its result is no response.
        """
        if entrypoint == "Default" and self.assets is not None and self._serves_assets_first(request):
            asset = await self.assets.match(request)
            if asset is not None:
                return asset
        response = await self._call(entrypoint, "fetch", props, request)
        if not isinstance(response, Response):
            raise no_response(response)
        return response

    async def scheduled(self, controller: object) -> None:
        """Call ``Default.scheduled`` with ``controller``.

        Raises:
            TypeError: there is no such handler.
        """
        await self._call("Default", "scheduled", None, controller, None, None)

    async def perform(
        self, entrypoint: str, event: Call | Read, props: Mapping[str, Any] | None, limits: ObjectLimits
    ) -> Any:
        """Call a method of an entrypoint, or read a property, and return a copy of the result.

        Raises:
            TypeError: there is no such method or property, or its result can't be copied.
            ValueError: its result is too large.
        """

        async def answer(instance: WorkerEntrypoint) -> Any:
            result = perform_on_instance(instance, event)
            return copied(await result if inspect.isawaitable(result) else result, None, limits.message_bytes)

        seen = self._watched(entrypoint, event.name, event)
        return await self._entered(entrypoint, event.name, props, answer, seen)

    def _serves_assets_first(self, request: Request) -> bool:
        assets = self.config.assets
        return (
            assets is not None
            and not runs_first(assets.run_worker_first, request)
            and request.method in ("GET", "HEAD")
            and "upgrade" not in request.headers
        )

    async def _call(
        self, entrypoint: str, handler: str, props: Mapping[str, Any] | None, *arguments: object
    ) -> Any:
        def call(instance: WorkerEntrypoint) -> Any:
            function = getattr(instance, handler, None)
            if function is None:
                raise TypeError(f"Handler does not export a {handler}() function.")
            limit = self._arguments.get((entrypoint, handler))
            if limit is None:
                limit = self._arguments[entrypoint, handler] = fitting_arguments(function)
            return function(*arguments[:limit])

        if entrypoint not in self.program.entrypoints:
            raise TypeError(
                f"Handler does not export a {handler}() function: there is no class {entrypoint}."
            )
        started, result, failure = self._clock.now_ms(), None, None
        seen = self._watched(entrypoint, handler, arguments[0])
        try:
            result = await self._entered(entrypoint, handler, props, call, seen)
        except BaseException as error:
            failure = error
            raise
        finally:
            self._tell(entrypoint, handler, started, arguments[0], result, failure, seen)
        return result

    def _tell(
        self,
        entrypoint: str,
        handler: str,
        started: int,
        event: Any,
        result: Any,
        error: BaseException | None,
        seen: Watched,
    ) -> None:
        if self.observer is not None:
            took, status = self._clock.now_ms() - started, getattr(result, "status", None)
            known = event if isinstance(event, (Request, ScheduledController)) else None
            spent = seen.cpu_milliseconds
            self.observer(
                EntrypointHandled(
                    self.config.name, entrypoint, handler, took, started, known, error, status, spent
                )
            )

    def _watched(self, entrypoint: str, handler: str, event: object) -> Watched:
        origin = Origin(self.class_prefix + entrypoint, None, handler)
        return Watched(self.watch, origin, event, self.watch.carried())

    async def _entered(
        self,
        entrypoint: str,
        handler: str,
        props: Mapping[str, Any] | None,
        call: Callable[[WorkerEntrypoint], Any],
        seen: Watched,
    ) -> Any:
        """Make an instance, and have it called, as code of this worker."""
        context = ExecutionContext(self._background, props, self.exports)
        ambient_env.set(self.env)
        ambient_caches.set(self._caches)
        token = ambient_context.set(context)
        origin = current_origin.set(Origin(self.class_prefix + entrypoint, None, handler))
        caller = current_caller.set(context)
        context.open_events += 1
        try:
            make = self.program.entrypoints[entrypoint]
            result = seen.around(lambda: with_suspension(call)(make(context, self.env)))()
            return await result if inspect.isawaitable(result) else result
        finally:
            context.open_events -= 1
            current_caller.reset(caller)
            current_origin.reset(origin)
            ambient_context.reset(token)
