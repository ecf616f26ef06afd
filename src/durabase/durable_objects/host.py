"""All objects of this process: the local :class:`~durabase.durable_objects.routing.ObjectRouter`.

Only objects that live, sleep with sockets, or are being woken take memory; a name that nobody uses takes
none. The host owns the databases, the alarms and the threads that sync.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final

from durabase.clock import SystemClock, TimerClock
from durabase.durable_objects.alarms import AlarmScheduler
from durabase.durable_objects.definition import Bindings
from durabase.durable_objects.events import ObjectEvent, ObjectObserver
from durabase.durable_objects.hosted import ClassHost, ObjectClass
from durabase.durable_objects.ids import DurableObjectId, IdMint
from durabase.durable_objects.limits import ObjectLimits
from durabase.durable_objects.namespace import DurableObjectNamespace
from durabase.durable_objects.observing import Watch
from durabase.durable_objects.partition import WHOLE, Partition
from durabase.durable_objects.phases import Phase
from durabase.durable_objects.routing import Holder, ObjectKey, ObjectRouter
from durabase.durable_objects.slot import ObjectSlot
from durabase.durable_objects.started import Attribution, OutsideClock
from durabase.durable_objects.storage.disk import Disk
from durabase.durable_objects.storage.lock import FolderLock
from durabase.durable_objects.storage.partitioning import divide
from durabase.durable_objects.sweeping import Sweeper
from durabase.durable_objects.waiting import Nesting
from durabase.errors import ObjectError

__all__ = ["HostStats", "ObjectClass", "ObjectHost"]

SYNC_THREADS: Final = 4
GOING_AWAY: Final = 1001
DRAIN_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class HostStats:
    """How many objects there are in memory: ``live`` with an instance, ``sleeping`` with sockets only."""

    live: int
    sleeping: int
    sockets: int


class ObjectHost:
    """Hosts objects: ``async with ObjectHost(folder) as host``.

    Args:
        state_dir: where everything is kept; one host at a time may use it.
        clock: the source of time and timers.
        idle_seconds: how long an object has to be quiet before it hibernates: 0 for not at all, ``math.inf``
            for ever. A class may say otherwise.
        observer: is told of constructions, hibernations, resets and handled events.
        limits: of calls, and of what may wait for an object.
        id_secret: goes into the ids, so that nobody else can make any; they are not those of Cloudflare then.
        disk: makes the commits, in place of the plain one.
        partition: which objects are hosted here; others are by other hosts, of other processes. Whoever
            starts several has the lock of ``state_dir``, and has divided it.

    Attributes:
        watch: how closely the events of objects are watched.
        router: delivers what stubs send; the host itself, unless other hosts have a part of the objects.
    """

    router: ObjectRouter
    loop: AbstractEventLoop
    context: Context
    scheduler: AlarmScheduler
    sweeper: Sweeper
    executor: ThreadPoolExecutor
    _attribution: Attribution

    def __init__(
        self,
        state_dir: Path | str,
        *,
        clock: TimerClock | None = None,
        idle_seconds: float = 10.0,
        observer: ObjectObserver | None = None,
        limits: ObjectLimits | None = None,
        id_secret: str | None = None,
        disk: Disk | None = None,
        partition: Partition = WHOLE,
    ) -> None:
        self.state_dir = Path(state_dir)
        self.partition = partition
        self.router = self
        self.clock: TimerClock = OutsideClock(SystemClock() if clock is None else clock)
        self.idle_seconds = idle_seconds
        self.watch = Watch(observer, self.clock)
        self.limits = limits or ObjectLimits()
        self.nesting = Nesting()
        self.id_secret = id_secret
        self.disk = disk
        self._classes: dict[str, ClassHost] = {}
        self._lock = FolderLock(self.state_dir, partition)
        self._is_open = False

    def register(self, object_class: ObjectClass, *, env: Any = None, exports: Any = None) -> None:
        """Host this class; its objects get ``env``, and ``exports`` as ``ctx.exports``.

        Raises:
            ObjectError: a class of this name is hosted already.
            TypeError: the class defines a handler under both its names.
        """
        self._register(object_class, Bindings(env, exports))

    def _register(self, object_class: ObjectClass, bindings: Bindings) -> None:
        name = object_class.class_name
        if name in self._classes:
            raise ObjectError(f"the class {name} is hosted already")
        self._classes[name] = hosted = ClassHost(self, object_class, bindings)
        if self._is_open:
            hosted.open()

    def namespace(self, class_name: str) -> DurableObjectNamespace:
        """The binding for this class, registered now or later.

        Raises:
            ObjectError: no class of this name is hosted.
        """
        return DurableObjectNamespace(self.router, class_name, self._class(class_name).mint)

    def mint(self, class_name: str) -> IdMint:
        """What makes the ids of this class."""
        return self._class(class_name).mint

    async def __aenter__(self) -> ObjectHost:
        self.loop = asyncio.get_running_loop()
        self.context = copy_context()
        self._lock.acquire()
        if self.partition == WHOLE:
            self._divide()
        self.executor = ThreadPoolExecutor(SYNC_THREADS, "durabase-sync")
        self.scheduler = AlarmScheduler(self.loop, self.clock)
        self.sweeper = Sweeper(self.loop)
        self._attribution = Attribution(self.loop)
        self._attribution.begin()
        self._is_open = True
        try:
            for hosted in self._classes.values():
                hosted.open()
        except BaseException:
            await self._shut()
            raise
        return self

    def _divide(self) -> None:
        try:
            divide(self.state_dir, WHOLE.count)
        except BaseException:
            self._lock.release()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Let events end, commit what they wrote, close sockets with 1001."""
        self.scheduler.close()
        every = self._classes.values()
        with self._patience(every, self._refuse_events):
            while _awake(every):  # an event that ends may have woken another object
                await self._drain(every, "stopped")
        for hosted in self._classes.values():
            for slot in hosted.slots.values():
                slot.sockets.close_all(GOING_AWAY, "")
            hosted.slots.clear()
        await self._shut()

    async def _shut(self) -> None:
        self._is_open = False
        self.scheduler.close()
        self.sweeper.close()
        for hosted in self._classes.values():
            await hosted.close()
        self.executor.shutdown()
        self._attribution.end()
        self._lock.release()

    async def replace(self, classes: Iterable[ObjectClass]) -> None:
        """Go on with other versions of the classes, and with classes that are new.

        Lives end as soon as what they have under way is over, sockets stay connected, and the next event
        builds an instance of the new class. If one of the new classes can't be hosted, nothing changes.

        Raises:
            TypeError, ObjectError: why it can't.
        """
        changes, additions = [], []
        for object_class in classes:
            hosted = self._classes.get(object_class.class_name)
            if hosted is not None:
                changes.append((hosted, hosted.replaced(object_class)))
            elif object_class.handlers():
                additions.append(object_class)
        for _, replace in changes:
            replace()
        for object_class in additions:
            self._register(object_class, self._any_bindings())
        changed = [hosted for hosted, _ in changes]
        with self._patience(changed):
            await self._drain(changed, "codeUpdated")

    def _any_bindings(self) -> Bindings:
        return next((hosted.bindings for hosted in self._classes.values()), Bindings())

    @contextmanager
    def _patience(
        self, classes: Collection[ClassHost], then: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        """Within it, lives that do not end in ``DRAIN_SECONDS`` are reset, after ``then`` was called."""

        def give_up() -> None:
            then()
            for slot in _awake(classes):
                slot.reset(_stopped())

        timer = self.clock.call_later(DRAIN_SECONDS, give_up)
        try:
            yield
        finally:
            timer.cancel()

    async def _drain(self, classes: Collection[ClassHost], reason: str) -> None:
        """Let every life end that there is now; events that still wait afterwards begin another."""
        waits: list[Future[None]] = []
        for slot in _awake(classes):
            waits.append(self.loop.create_future())
            slot.drain(partial(waits[-1].set_result, None), reason)
        await asyncio.gather(*waits)

    def _refuse_events(self) -> None:
        self._is_open = False

    def deliver(self, key: ObjectKey, event: ObjectEvent) -> Future[Any]:
        """Let the object have the event; see :class:`~durabase.durable_objects.routing.ObjectRouter`.

        Raises:
            ObjectError: the class is not hosted, or the host is not open.
        """
        if not self._is_open:
            raise ObjectError("the host of the objects is not open")
        return self._class(key.class_name).slot(key.id).deliver(event)

    def hosts(self, key: ObjectKey) -> bool:
        """Whether that object lives here; all do."""
        return True

    def hold(self, key: ObjectKey, holder: Holder) -> None:
        """Keep that object awake for as long as ``holder`` is there and in use."""
        slot = self._class(key.class_name).slots.get(key.id.key)
        if slot is not None and slot.life is not None:
            slot.life.hold(holder)

    async def evict(self, key: ObjectKey, *, close_sockets: bool = False) -> bool:
        """Let the object's instance go as soon as its events are over, as when it has long been quiet.

        Its sockets stay, or are closed with 1001. The result tells whether it had an instance.

        Raises:
            ObjectError: the class is not hosted.
        """
        hosted = self._class(key.class_name)
        slot = hosted.slots.get(key.id.key)
        if slot is None:
            return False
        was_awake = slot.phase is not Phase.EMPTY
        ended: Future[None] = self.loop.create_future()
        slot.drain(partial(ended.set_result, None))
        await ended
        if close_sockets:
            slot.sockets.close_all(GOING_AWAY, "")
            if slot.phase is Phase.EMPTY:
                hosted.vanished(slot)
        return was_awake

    def abort(self, key: ObjectKey, error: Exception) -> bool:
        """End the object's life at once with ``error``: what is under way fails, sockets are dropped.

        The result tells whether there was one.

        Raises:
            ObjectError: the class is not hosted.
        """
        slot = self._class(key.class_name).slots.get(key.id.key)
        if slot is None or slot.phase is Phase.EMPTY:
            return False
        slot.reset(error)
        return True

    @property
    def classes(self) -> Mapping[str, ClassHost]:
        """The classes that are hosted, by name."""
        return MappingProxyType(self._classes)

    def ids(self, class_name: str) -> list[DurableObjectId]:
        """The ids of all objects of the class that keep anything."""
        return self._class(class_name).ids()

    async def settle(self) -> None:
        """Wait until everything that was written so far is durable."""
        for hosted in self._classes.values():
            await hosted.settle()

    def tell_messages(self, every: bool) -> None:
        """Tell the observer of every message of a socket from now on, which costs time; or not any more."""
        self.watch.tells_messages = every

    def stats(self) -> HostStats:
        """How many objects and sockets there are in memory."""
        slots = [slot for hosted in self._classes.values() for slot in hosted.slots.values()]
        live = sum(slot.life is not None for slot in slots)
        return HostStats(live, len(slots) - live, sum(len(slot.sockets) for slot in slots))

    def _class(self, class_name: str) -> ClassHost:
        try:
            return self._classes[class_name]
        except KeyError:
            raise ObjectError(f"no class {class_name} is hosted") from None


def _awake(classes: Collection[ClassHost]) -> list[ObjectSlot]:
    every = [slot for hosted in classes for slot in hosted.slots.values()]
    return [slot for slot in every if slot.phase is not Phase.EMPTY]


def _stopped() -> ObjectError:
    return ObjectError(
        "Durable Object reset because it was stopped.", retryable=True, durable_object_reset=True
    )
