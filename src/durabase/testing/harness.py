"""A worker under test: its runtime in this process, without a port, on a clock that is driven by hand."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from inspect import isawaitable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urljoin

from durabase.durable_objects import (
    DurableObjectNamespace,
    DurableObjectStub,
)
from durabase.durable_objects.base import DurableObjectAbort
from durabase.durable_objects.events import AlarmInfo, Run
from durabase.durable_objects.handlers import fitting_arguments
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.phases import Phase
from durabase.durable_objects.routing import ObjectKey
from durabase.errors import ObjectResetError
from durabase.sync_server import WsServerDurableObject
from durabase.testing.client_socket import ClientSocket, in_process
from durabase.testing.fake_clock import FakeClock
from durabase.testing.faulty_disk import FaultyDisk
from durabase.testing.leaks import LeakCheck
from durabase.testing.network import FlakyNetwork
from durabase.testing.settling import settle, slots
from durabase.web import Request, Response
from durabase.workers.config import Config, load_config
from durabase.workers.env import Env
from durabase.workers.facts import RuntimeFact
from durabase.workers.loader import Worker, load_workers, unload_workers
from durabase.workers.runtime import Runtime
from durabase.workers.scheduled import ScheduledController

if TYPE_CHECKING:
    from durabase.testing.port import Port

__all__ = ["WorkerHarness"]

_T = TypeVar("_T")

_ORIGIN = "http://localhost/"
_PATIENCE_SECONDS = 0.1
_DRAIN_MS = 5_000


class WorkerHarness:
    """A worker under test: ``async with WorkerHarness(project) as worker``.

    Stubs and sockets from before :meth:`crash` and :meth:`reset` are of no use afterwards.

    Args:
        project: a configuration file, or a directory that holds one or lies below one.
        others: such places of further workers, for the first one's bindings.
        state_dir: where data is kept; a temporary directory if it is not given.
        environment: the environment to use.
        vars: variables of ``env`` that differ from the configuration.
        idle_seconds: how long an object has to be quiet before it hibernates.
        now_ms: what the clock shows first.
        is_strict: what objects store becomes, or is refused, as on Cloudflare.
        history_days: for how long objects of SQLite classes can go back in time; by default not at all.
        leak_check: fail at the end if tasks, sockets or work of objects are left behind.

    Attributes:
        clock: drives alarms, hibernation, time limits and crons.
        disk: what objects are kept on; it can be made to fail.
        network: what sockets of clients go through; it can be made to fail.
        facts: what has happened to objects and entrypoints so far.
    """

    def __init__(
        self,
        project: str | Path,
        *,
        others: Sequence[str | Path] = (),
        state_dir: Path | None = None,
        environment: str | None = None,
        vars: Mapping[str, Any] | None = None,
        idle_seconds: float = 10.0,
        now_ms: int = 1_700_000_000_000,
        is_strict: bool = False,
        history_days: float | None = None,
        leak_check: bool = False,
    ) -> None:
        self._is_strict = is_strict
        self._history_days = history_days
        self.clock = FakeClock(now_ms)
        self.disk = FaultyDisk(self.clock)
        self.network = FlakyNetwork(self.clock)
        self.facts: list[RuntimeFact] = []
        first, *rest = [load_config(place, environment or "")[0] for place in (project, *others)]
        self._configs = [first.with_vars(vars or {}), *rest]
        self._idle_seconds = idle_seconds
        self._state_dir = state_dir
        self._generation = 0
        self._programs: list[Worker] = []
        self._runtime: Runtime | None = None
        self._open = AsyncExitStack()
        self._leaks = LeakCheck() if leak_check else None

    # Beginning and end

    async def __aenter__(self) -> WorkerHarness:
        async with AsyncExitStack() as opening:
            if self._state_dir is None:
                folder = opening.enter_context(tempfile.TemporaryDirectory(prefix="durabase-"))
                self._state_dir = Path(folder)
            opening.callback(setattr, WsServerDurableObject, "clock", WsServerDurableObject.clock)
            WsServerDurableObject.clock = self.clock
            opening.callback(lambda: unload_workers(self._programs))
            opening.push_async_callback(self._stop)
            self._programs = load_workers(self._configs)
            await self._start()
            if self._leaks is not None:
                self._leaks.begin()
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        async with self._open:
            if self._leaks is not None and error is None:
                await self.settle()
                self._leaks.check(slots(self.runtime.host), self.network)

    def run(self, function: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Start, run an asynchronous function, and stop: for tests that are not asynchronous."""

        async def main() -> _T:
            async with self:
                return await function()

        return asyncio.run(main())

    async def _start(self) -> None:
        first, *rest = zip(self._configs, self._programs, strict=True)
        runtime = Runtime(
            *first,
            self._data,
            others=rest,
            clock=self.clock,
            idle_seconds=self._idle_seconds,
            observer=self.facts.append,
            may_delete_classes=True,
            disk=self.disk,
            is_strict=self._is_strict,
            history_days=self._history_days,
        )
        await runtime.__aenter__()
        self._runtime = runtime

    async def _stop(self) -> None:
        self.disk.heal()
        runtime, self._runtime = self._runtime, None
        if runtime is None:
            return
        closing = asyncio.ensure_future(runtime.__aexit__(None, None, None))
        while not closing.done():
            await asyncio.wait([closing], timeout=_PATIENCE_SECONDS)
            self.clock.advance(_DRAIN_MS)  # objects get some time of the clock to end, and no more
        await closing

    @property
    def _data(self) -> Path:
        if self._state_dir is None:
            raise RuntimeError("the worker is not running: use `async with`")
        return self._state_dir / str(self._generation)

    # What there is

    @property
    def runtime(self) -> Runtime:
        """The runtime.

        Raises:
            RuntimeError: it does not run.
        """
        if self._runtime is None:
            raise RuntimeError("the worker is not running: use `async with`")
        return self._runtime

    @property
    def env(self) -> Env:
        """The worker's bindings, as its own code sees them."""
        return self.runtime.env

    @property
    def config(self) -> Config:
        """The worker's configuration."""
        return self._configs[0]

    @property
    def program(self) -> Worker:
        """The worker's module and its classes."""
        return self._programs[0]

    # Events of the worker

    async def fetch(self, resource: str | Request, **options: Any) -> Response:
        """Let the worker answer a request.

        Args:
            resource: a request, or a URL, which may be a path only.
            options: as of :class:`~durabase.web.Request`.
        """
        if isinstance(resource, str):
            resource = urljoin(_ORIGIN, resource)
        request = resource if isinstance(resource, Request) and not options else Request(resource, **options)
        return await self.runtime.dispatch(request)

    async def scheduled(self, cron: str = "* * * * *", scheduled_time: int | None = None) -> None:
        """Call the worker's ``scheduled``, now if no time is given, in milliseconds since 1970."""
        time = self.clock.now_ms() if scheduled_time is None else scheduled_time
        await self.runtime.scheduled(ScheduledController(cron, time))

    async def connect(
        self, resource: str, *, protocols: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> ClientSocket:
        """Open a WebSocket to the worker.

        Raises:
            ConnectionError: the worker did not accept it, or the network is cut.
        """
        if self.network.is_cut:
            raise ConnectionError("the network is cut")
        offered = {"sec-websocket-protocol": ", ".join(protocols)} if protocols else {}
        upgrade = {"upgrade": "websocket", "connection": "Upgrade", **offered, **(headers or {})}
        response = await self.fetch(resource, headers=upgrade)
        if response.web_socket is None:
            raise ConnectionError(f"{resource} answered {response.status}: {await response.text()}")
        return in_process(response.web_socket, self.network)

    def serve(self) -> AbstractAsyncContextManager[Port]:
        """Serve the worker on a free port of this machine: ``async with worker.serve() as port``."""
        from durabase.testing.port import serving  # which needs what the extra `server` installs

        return serving(self.fetch, self.network)

    # Objects

    async def run_in_durable_object(
        self, stub: DurableObjectStub, function: Callable[[Any, Any], Awaitable[_T] | _T]
    ) -> _T:
        """Call ``function(instance, ctx)`` as an event of the object, which is started if need be.

        Returns or raises what the function does, as it is.
        """
        outcome: list[_T] = []
        errors: list[BaseException] = []

        async def run(instance: Any, ctx: Any) -> None:
            try:
                result = function(instance, ctx)
                outcome.append(await result if isawaitable(result) else result)
            except (DurableObjectAbort, asyncio.CancelledError):
                raise
            except BaseException as error:  # a test framework's failures and skips are no Exceptions
                errors.append(error)

        await self.runtime.host.deliver(ObjectKey(self._class_of(stub.id), stub.id), Run(run))
        if errors:
            raise errors[0]
        return outcome[0]

    async def run_durable_object_alarm(self, stub: DurableObjectStub) -> bool:
        """Run the object's alarm now, once, if it has one; tell whether it had.

        What the handler raises is raised; there is no retry.
        """

        async def run(instance: Any, ctx: Any) -> bool:
            scheduled = await ctx.storage.get_alarm()
            if scheduled is None:
                return False
            await ctx.storage.delete_alarm()
            arguments = (AlarmInfo(0, False, scheduled),)
            result = instance.alarm(*arguments[: fitting_arguments(instance.alarm)])
            if isawaitable(result):
                await result
            return True

        return await self.run_in_durable_object(stub, run)

    async def list_durable_object_ids(self, namespace: DurableObjectNamespace) -> list[DurableObjectId]:
        """Return the ids of the namespace's objects that keep anything, with their names if they have any."""
        await self.settle()
        return self.runtime.host.ids(self._class_of(namespace.new_unique_id()))

    async def evict(
        self, stub: DurableObjectStub, *, web_sockets: Literal["hibernate", "close"] = "hibernate"
    ) -> None:
        """Let the object's instance go as soon as its events are over, as when it has long been quiet.

        Raises:
            RuntimeError: it is not running.
        """
        class_name = self._class_of(stub.id)
        key = ObjectKey(class_name, stub.id)
        if not await self.runtime.host.evict(key, close_sockets=web_sockets == "close"):
            raise RuntimeError(f"{class_name}({stub.id.name or stub.id}) is not running")

    async def evict_all(self, *, web_sockets: Literal["hibernate", "close"] = "hibernate") -> None:
        """Let all instances go that run."""
        host, close = self.runtime.host, web_sockets == "close"
        await asyncio.gather(*[host.evict(key, close_sockets=close) for key in self._running()])

    async def abort_all(self) -> None:
        """Reset all objects that run: what is under way fails, what is not committed is lost."""
        self._end_lives("Durable Object was aborted by the test.")
        await self.settle()

    # Data and time

    async def crash(self) -> None:
        """Go on as after the end of the process: with what was committed, and with nothing else.

        Sockets are gone, the program is loaded anew.
        """
        before = self._data
        self._generation += 1
        with self.disk.still():
            shutil.copytree(before, self._data)
        self._end_lives("The process has crashed.", sleeping_sockets=True)
        await self._restart(before)
        self._programs = load_workers(self._configs)
        await self._start()

    async def reset(self) -> None:
        """Delete all data, of objects and of key-value namespaces, and start anew."""
        before = self._data
        self._generation += 1
        self._end_lives("The test has reset everything.", sleeping_sockets=True)
        await self._restart(before)
        await self._start()

    async def _restart(self, before: Path) -> None:
        await self._stop()
        shutil.rmtree(before)

    async def advance(self, seconds: float) -> None:
        """Let time pass: what becomes due is done, in order."""
        await self.clock.advance_and_settle(seconds * 1000, settle=self.settle)

    async def settle(self) -> None:
        """Wait until what is under way is over, or waits for something that does not come by itself."""
        await settle(self.runtime.host, self.disk, lambda: self.runtime.is_idle)

    def _end_lives(self, why: str, *, sleeping_sockets: bool = False) -> None:
        for key in self._running():
            self.runtime.host.abort(key, ObjectResetError(why))
        if sleeping_sockets:
            for slot in slots(self.runtime.host):
                slot.sockets.drop_all()

    def _running(self) -> list[ObjectKey]:
        return [
            ObjectKey(name, slot.id)
            for name, hosted in self.runtime.host.classes.items()
            for slot in hosted.slots.values()
            if slot.phase is not Phase.EMPTY
        ]

    def _class_of(self, id: DurableObjectId) -> str:
        for name, hosted in self.runtime.host.classes.items():
            if hosted.mint.accepts(id):
                return name
        raise LookupError(f"{id!r} belongs to no class of the workers under test")
