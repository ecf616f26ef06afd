"""The one place where the parts of a worker are put together: objects, bindings, the program's entrypoint.

Knows nothing of connections: requests come in, responses go out. What a handler raises is passed on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType

from durabase.clock import SystemClock, TimerClock
from durabase.durable_objects import HostStats, ObjectClass, ObjectHost, ObjectLimits
from durabase.durable_objects.partition import WHOLE, Partition
from durabase.durable_objects.routing import ObjectRouter
from durabase.durable_objects.storage.disk import Disk
from durabase.errors import ConfigError
from durabase.web import Request, Response
from durabase.workers.bindings.binder import Binder, Program, check_programs
from durabase.workers.bindings.kv import KvStores
from durabase.workers.bindings.objects import object_classes
from durabase.workers.class_ledger import ClassLedger, DeletedClass, MigrationPlan
from durabase.workers.config import Config
from durabase.workers.entrypoint import BackgroundTasks
from durabase.workers.env import Env, ambient_env
from durabase.workers.facts import RuntimeObserver
from durabase.workers.hosted_worker import HostedWorker
from durabase.workers.loader import Worker
from durabase.workers.router import Router
from durabase.workers.scheduled import CronScheduler, ScheduledController

__all__ = ["Runtime"]

_log = logging.getLogger("durabase.workers")

_DEFAULT_MAX_VALUE_BYTES = 131_072
_BACKGROUND_SECONDS = 10.0
_DAY_MS = 86_400_000


class Runtime:
    """A worker that runs: ``async with Runtime(…) as runtime: await runtime.dispatch(request)``.

    Args:
        config: the checked configuration.
        worker: the program, loaded for it.
        state_dir: where the data of objects and key-value namespaces is kept.
        others: further workers, for the first one's bindings, and for one another's. They get the requests
            that their routes match.
        clock: the source of time and timers.
        idle_seconds: how long an object has to be quiet before it hibernates; classes may say otherwise.
        max_value_bytes: the largest value that a key-value class may store.
        observer: called with the events of the objects' lives, and of the workers' entrypoints.
        may_delete_classes: whether migrations may delete classes with all their objects.
        limits: of calls, and of what may wait for an object.
        id_secret: goes into the ids of objects, so that nobody else can make any; must never change.
        disk: makes the commits, in place of the plain one.
        is_strict: what objects store becomes, or is refused, as on Cloudflare.
        history_days: for how long objects of SQLite classes can go back in time; by default not at all.
        partition: which of the objects live in this process; crons run in the first one.
        router: makes what delivers to all objects, of the host of those that live here.

    Between entering and leaving it, the workers' crons call their ``scheduled``.

    Raises:
        ConfigError: two workers have the same name.
        WorkerLoadError: a binding names a class that another program does not have.
    """

    def __init__(
        self,
        config: Config,
        worker: Worker,
        state_dir: Path,
        *,
        others: Sequence[Program] = (),
        clock: TimerClock | None = None,
        idle_seconds: float = 10.0,
        max_value_bytes: int = _DEFAULT_MAX_VALUE_BYTES,
        observer: RuntimeObserver | None = None,
        may_delete_classes: bool = False,
        limits: ObjectLimits | None = None,
        id_secret: str | None = None,
        disk: Disk | None = None,
        is_strict: bool = False,
        history_days: float | None = None,
        partition: Partition = WHOLE,
        router: Callable[[ObjectHost], ObjectRouter] | None = None,
    ) -> None:
        self._is_strict = is_strict
        self._history_ms = None if history_days is None else int(history_days * _DAY_MS)
        clock = clock or SystemClock()
        self._max_value_bytes = max_value_bytes
        self._background = BackgroundTasks()
        self._host = ObjectHost(
            state_dir,
            clock=clock,
            idle_seconds=idle_seconds,
            observer=observer,
            limits=limits,
            id_secret=id_secret,
            disk=disk,
            partition=partition,
        )
        if router is not None:
            self._host.router = router(self._host)
        self._kv = KvStores(state_dir / "kv", clock)
        self._binder = Binder(self._host, self._kv, clock)
        self._ledger = ClassLedger(state_dir)
        self._may_delete_classes = may_delete_classes
        self._hosted: dict[str, str] = {}
        check_programs([(config, worker), *others])
        watch = self._host.watch
        self._workers = [HostedWorker(config, worker, self._background, "", observer, watch, clock)]
        for other, program in others:
            prefix = f"{other.name}:"
            self._workers.append(
                HostedWorker(other, program, self._background, prefix, observer, watch, clock)
            )
        self._router = Router([])
        self._crons = [CronScheduler(clock, partial(self._run_cron, worker)) for worker in self._workers]
        self._open = AsyncExitStack()

    @property
    def config(self) -> Config:
        """The first worker's configuration."""
        return self._workers[0].config

    @property
    def worker(self) -> Worker:
        """The first worker's program."""
        return self._workers[0].program

    @property
    def env(self) -> Env:
        """The first worker's bindings; there are none before the runtime is entered."""
        return self._workers[0].env

    @property
    def host(self) -> ObjectHost:
        """The host of the objects, for tests and administration."""
        return self._host

    @property
    def is_idle(self) -> bool:
        """Whether no work is left that handlers began and did not wait for, crons included."""
        return self._background.is_empty

    async def __aenter__(self) -> Runtime:
        async with AsyncExitStack() as opening:
            opening.push_async_callback(self._kv.close)
            await opening.enter_async_context(self._host)
            opening.push_async_callback(self._background.finish, _BACKGROUND_SECONDS)
            programs = self._migrate([(worker.config, worker.program) for worker in self._workers])
            for worker, program in zip(self._workers, programs, strict=True):
                worker.start()
                self._register(worker, self._object_classes(worker, *program))
            self._bind(programs)
            opening.callback(self._stop_crons)
            self._start_crons()
            self._open = opening.pop_all()
        ambient_env.set(self.env)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    async def dispatch(self, request: Request) -> Response:
        """Answer a request: by a static asset if one is meant, else by the program's ``Default.fetch``.

        With several workers it is the one whose route matches best, else the first.

        Raises:
            TypeError: the program has no such handler, or its result is no response.
            Exception: whatever the handler raises.
        """
        return await self._workers[self._router.worker_for(request.url)].fetch(request)

    def leads_elsewhere(self, request: Request) -> bool:
        """Tell whether a route leads the request to another worker than the first."""
        return self._router.worker_for(request.url) != 0

    async def scheduled(self, controller: object) -> None:
        """Call the program's ``Default.scheduled`` with ``controller``.

        Raises:
            TypeError: the program has no such handler.
            Exception: whatever the handler raises.
        """
        await self._workers[0].scheduled(controller)

    async def reload(self, config: Config, worker: Worker, others: Sequence[Program] = ()) -> None:
        """Go on with other configurations and programs of the same workers.

        Objects are built from the new classes at their next event; their sockets stay connected.

        Raises:
            ConfigError: they are other workers, or new migrations delete or rename classes.
            ObjectError: a class would change its ids or its kind of storage; then nothing has changed.
            WorkerLoadError: a binding names a class that another program does not have.
        """
        programs = [(config, worker), *others]
        _check_same([hosted.config.name for hosted in self._workers], [config.name for config, _ in programs])
        check_programs(programs)
        plan = self._ledger.plan([config for config, _ in programs])
        programs = [
            (migrated, program) for migrated, (_, program) in zip(plan.configs, programs, strict=True)
        ]
        classes = [
            (hosted, self._object_classes(hosted, *program))
            for hosted, program in zip(self._workers, programs, strict=True)
        ]
        every = [known for _, of_worker in classes for known in of_worker]
        self._check_reloadable(plan, every)
        hosted_names = set(self._hosted.values())
        await self._host.replace(known for known in every if known.class_name in hosted_names)
        for hosted, of_worker in classes:
            self._register(hosted, [added for added in of_worker if added.class_name not in hosted_names])
        self._ledger.carry_out(plan)
        self._bind(programs)
        self._start_crons()

    def stats(self) -> HostStats:
        """Return the counts of the objects' host."""
        return self._host.stats()

    def _migrate(self, programs: Sequence[Program]) -> list[Program]:
        """Make the new migrations, and return the programs with the classes that there are then."""
        plan = self._ledger.plan([config for config, _ in programs])
        if plan.deletions and not self._may_delete_classes:
            raise ConfigError(
                f"{_listed(plan.deletions)}: migrations delete them, with all their objects. "
                "Start once with --delete-classes to have that done."
            )
        self._ledger.carry_out(plan)
        return [(config, program) for config, (_, program) in zip(plan.configs, programs, strict=True)]

    def _bind(self, programs: Sequence[Program]) -> None:
        self._binder.bind(self._workers, programs)
        self._router = Router([config.routes for config, _ in programs])

    def _check_reloadable(self, plan: MigrationPlan, classes: Sequence[ObjectClass]) -> None:
        """What is hosted can neither be deleted nor get another name."""
        if plan.deletions:
            raise ConfigError(
                f"{_listed(plan.deletions)}: migrations delete them, with all their objects. "
                "Stop and start to have that done."
            )
        for known in classes:
            if self._hosted.get(known.unique_key, known.class_name) != known.class_name:
                raise ConfigError(
                    f"A migration renames {self._hosted[known.unique_key]} to {known.class_name}. "
                    "Stop and start to have that done."
                )

    def _start_crons(self) -> None:
        if self._host.partition.index:
            return
        for worker, scheduler in zip(self._workers, self._crons, strict=True):
            scheduler.start(worker.config.crons)

    def _stop_crons(self) -> None:
        for scheduler in self._crons:
            scheduler.stop()

    def _run_cron(self, worker: HostedWorker, controller: ScheduledController) -> None:
        async def run() -> None:
            try:
                await worker.scheduled(controller)
            except Exception:
                _log.exception(
                    'the scheduled handler of %s failed ("%s")', worker.config.name, controller.cron
                )
            else:
                _log.info('%s ran its scheduled handler ("%s")', worker.config.name, controller.cron)

        self._background.add(worker.run(run))

    def _object_classes(self, hosted: HostedWorker, config: Config, program: Worker) -> list[ObjectClass]:
        return object_classes(
            config,
            program,
            self._max_value_bytes,
            prefix=hosted.class_prefix,
            is_strict=self._is_strict,
            history_ms=self._history_ms,
        )

    def _register(self, worker: HostedWorker, classes: list[ObjectClass]) -> None:
        self._host.context = worker.context  # objects run in the context of their worker
        for object_class in classes:
            self._host.register(object_class, env=worker.env, exports=worker.exports)
            self._hosted[object_class.unique_key] = object_class.class_name


def _listed(deletions: Sequence[DeletedClass]) -> str:
    return ", ".join(f"{deletion.worker}: {deletion.class_name}" for deletion in deletions)


def _check_same(before: list[str], now: list[str]) -> None:
    if now != before:
        raise ConfigError(
            f"The configuration is for {', '.join(now)} now, and was for {', '.join(before)}: their objects "
            "have other ids. Stop and start to serve them."
        )
