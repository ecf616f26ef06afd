"""One class of objects in this process: its database, its slots, its alarms."""

from __future__ import annotations

import sqlite3
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Protocol
from urllib.parse import quote

from durabase.clock import TimerClock
from durabase.durable_objects.alarms import AlarmScheduler
from durabase.durable_objects.definition import Bindings, HostedClass, Opened
from durabase.durable_objects.events import Alarm
from durabase.durable_objects.execution import quiet_future
from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.handlers import HandlerTable
from durabase.durable_objects.ids import DurableObjectId, IdMint
from durabase.durable_objects.limits import ObjectLimits
from durabase.durable_objects.observing import Watch
from durabase.durable_objects.partition import Partition
from durabase.durable_objects.resting import checked_idle_seconds
from durabase.durable_objects.slot import ObjectSlot
from durabase.durable_objects.storage.change_journal import ChangeJournal
from durabase.durable_objects.storage.disk import Disk
from durabase.durable_objects.storage.file import FileStore
from durabase.durable_objects.storage.history import FOREVER_MS, History, forget_old, history_path
from durabase.durable_objects.storage.kv import DurableObjectStorage, StorageRules
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.object_copy import CopyLabel, copy_file, copy_shared
from durabase.durable_objects.storage.repair import INDEX_STEM, repair
from durabase.durable_objects.storage.shared import SharedStore
from durabase.durable_objects.storage.sql_policy import MAX_ROW_BYTES, FileRules
from durabase.durable_objects.storage.store import AlarmRow
from durabase.durable_objects.sweeping import Sweeper
from durabase.durable_objects.tally import Tally
from durabase.durable_objects.waiting import Nesting
from durabase.errors import ObjectError, ObjectResetError, StorageError

__all__ = ["ClassHost", "ObjectClass"]

MAX_KEY_BYTES: Final = 2048
MAX_KEYS: Final = 128


@dataclass(frozen=True, slots=True)
class ObjectClass:
    """One class to host.

    Args:
        class_name: its name in the configuration.
        unique_key: what its ids and its data belong to; it stays when the class is renamed.
        factory: the class itself; called with ``(ctx, env)``.
        storage: ``"kv"`` or ``"sqlite"``; fixed for as long as there is data.
        max_value_bytes: the largest value that may be stored; with ``"sqlite"``, 2.1 MiB at least.
        max_database_bytes: with ``"sqlite"``, how large the file of an object may grow.
        idle_seconds: how long an object has to be quiet before it sleeps, ``math.inf`` for never; else as the
            attribute ``idle_seconds`` of the class says, or the host.
        delete_all_deletes_alarm: whether ``delete_all`` deletes the alarm as well.
        is_strict: values become, or are refused, as on Cloudflare, in place of being kept as they are.
        history_ms: with ``"sqlite"``, for how long it can be gone back in time; ``None``: not at all.
        continues_histories: histories that are there already go on, and let go of nothing.
    """

    class_name: str
    unique_key: str
    factory: Callable[[Any, Any], Any]
    storage: Literal["kv", "sqlite"] = "kv"
    max_value_bytes: int = 131_072
    max_database_bytes: int = 10 * 1024**3
    delete_all_deletes_alarm: bool = True
    is_strict: bool = False
    idle_seconds: float | None = None
    history_ms: int | None = None
    continues_histories: bool = False

    def handlers(self) -> HandlerTable:
        """Which of its methods answer which events.

        Raises:
            TypeError: the factory is no class, or defines a handler under both its names.
        """
        if not isinstance(self.factory, type):
            raise TypeError(f"{self.class_name}: a class is needed, not {self.factory!r}")
        return HandlerTable(self.factory)


def _max_row_bytes(definition: ObjectClass) -> int:
    return max(MAX_ROW_BYTES, definition.max_value_bytes)


def _file_rules(definition: ObjectClass) -> FileRules:
    return FileRules(_max_row_bytes(definition), definition.max_database_bytes)


class ClassSurroundings(Protocol):
    """What a class needs of the host."""

    loop: AbstractEventLoop
    clock: TimerClock
    context: Context
    id_secret: str | None
    idle_seconds: float
    limits: ObjectLimits
    nesting: Nesting
    watch: Watch
    disk: Disk | None
    partition: Partition
    state_dir: Path
    scheduler: AlarmScheduler
    sweeper: Sweeper

    @property
    def executor(self) -> Executor:
        """Where syncs run."""


class ClassHost:
    """The objects of one class.

    Attributes:
        name: the class's name.
        mint: makes its ids.
        slots: what is in memory, by the bytes of the id.
        bindings: what its objects get.
        watch: how closely they are watched.
        tally: what is counted of them.
        folder: where its data is kept.
        clock, context, limits, loop, nesting, sweeper: the host's, for the slots.
    """

    def __init__(self, host: ClassSurroundings, definition: ObjectClass, bindings: Bindings) -> None:
        self.name = definition.class_name
        self.mint = IdMint(definition.unique_key, secret=host.id_secret)
        self.slots: dict[bytes, ObjectSlot] = {}
        self.bindings = bindings
        self.clock = host.clock
        self.limits, self.nesting = host.limits, host.nesting
        self.watch = host.watch
        self.tally = Tally()
        self.loop: AbstractEventLoop
        self.context: Context
        self.sweeper: Sweeper
        self._host = host
        self._database: NamespaceDatabase | None = None
        self._definition = definition
        self.folder = host.state_dir / quote(definition.unique_key, safe="")
        self._hosted = self._as_hosted(definition)
        self._file_rules = _file_rules(definition)

    @property
    def storage(self) -> Literal["kv", "sqlite"]:
        """What its objects keep their data in."""
        return self._definition.storage

    def _as_hosted(self, definition: ObjectClass) -> HostedClass:
        handlers = definition.handlers()
        is_kv = definition.storage == "kv"
        rules = StorageRules(
            max_key_bytes=MAX_KEY_BYTES if is_kv else None,
            max_value_bytes=definition.max_value_bytes if is_kv else _max_row_bytes(definition),
            delete_all_deletes_alarm=definition.delete_all_deletes_alarm,
            has_alarm_handler=handlers.alarm is not None,
            is_strict=definition.is_strict,
            max_keys=MAX_KEYS if is_kv and definition.is_strict else None,
        )
        idle = checked_idle_seconds(definition.idle_seconds, definition.factory, self._host.idle_seconds)
        factory = definition.factory
        return HostedClass(self.name, factory, self.bindings, handlers, rules, self._open_store, idle)

    def open(self) -> None:
        """Open the database and let alarms run.

        Raises:
            StorageError: it can't be opened.
        """
        self.loop, self.context, self.sweeper = self._host.loop, self._host.context, self._host.sweeper
        path = self.folder / self._host.partition.file_name(INDEX_STEM)
        is_new = not path.exists()
        self._database = NamespaceDatabase(path, self.loop, self._host.executor, self._host.disk)
        if self._definition.storage == "sqlite":
            repair(self.folder, self._database, self._host.partition, every=is_new)
        if self._definition.history_ms is not None:
            forget_old(self.folder, self.clock.now_ms() - self._definition.history_ms)
        self._database.alarms_changed = self._host.scheduler.changed
        self._host.scheduler.add(self)

    async def settle(self) -> None:
        """Wait until everything that was written so far is durable."""
        await self._open_database().database.settle()

    async def close(self) -> None:
        """Close the database; everything in it is durable then."""
        database, self._database = self._database, None
        if database is not None:
            await database.database.close()

    def replaced(self, definition: ObjectClass) -> Callable[[], None]:
        """Prepare to go on with another version of the class; the result, called, does it.

        Raises:
            ObjectError: its data belong to another key, or another kind of storage.
            TypeError: the class can't be hosted.
        """
        mine = self._definition
        if (definition.unique_key, definition.storage) != (mine.unique_key, mine.storage):
            raise ObjectError(
                f"{self.name} can't change its unique key or its kind of storage while it is hosted"
            )
        hosted = self._as_hosted(definition)

        def replace() -> None:
            self._definition, self._hosted = definition, hosted
            self._file_rules = _file_rules(definition)
            for slot in self.slots.values():
                slot.hosted = hosted

        return replace

    # Objects

    def slot(self, id: DurableObjectId) -> ObjectSlot:
        """The place of the object, made if it has none."""
        slot = self.slots.get(id.key)
        if slot is None:
            own = DurableObjectId(id.key, id.name, id.jurisdiction)
            slot = self.slots[id.key] = ObjectSlot(self, self._hosted, own)
        elif id.name is not None and slot.id.name is None:
            slot.learn_name(id.name)
        return slot

    def vanished(self, slot: ObjectSlot) -> None:
        """Nothing of the object is left in memory."""
        if self.slots.get(slot.id.key) is slot:
            del self.slots[slot.id.key]

    def ids(self) -> list[DurableObjectId]:
        """The ids of all objects that keep anything."""
        return [DurableObjectId(key, name) for key, name in self._open_database().ids()]

    def stored(self, key: bytes) -> tuple[DurableObjectId | None, AlarmRow | None]:
        """The id of the object if it keeps anything, with its name; and its alarm."""
        database = self._open_database()
        found = database.find(key)
        return (
            (None, None) if found is None else (DurableObjectId(key, found[1]), database.alarm(key, found[0]))
        )

    def _open_store(
        self, id: DurableObjectId, gate: OutputGate, on_failed: Callable[[Exception], object]
    ) -> Opened:
        rules, database = self._hosted.rules, self._open_database()
        if self._definition.storage == "kv":
            store = SharedStore(database, id.key, id.name, gate, on_failed)
            return store, lambda life: DurableObjectStorage(store, gate, rules, life)
        file = FileStore(
            self.file_of(id),
            database,
            self.loop,
            self._host.executor,
            id.key,
            id.name,
            gate,
            on_failed,
            self._file_rules,
            self._followed,
            self._journal(self.file_of(id)),
        )
        return file, lambda life: DurableObjectStorage(file, gate, rules, life, file)

    def _keep_ms(self, file: Path) -> int | None:
        """For how long it is kept what the object of this file was, if at all."""
        goes_on = self._definition.continues_histories and history_path(file).exists()
        return FOREVER_MS if goes_on else self._definition.history_ms

    def _followed(self, file: Path) -> History | None:
        keep_ms = self._keep_ms(file)
        return None if keep_ms is None else History(file, self.clock.now_ms, keep_ms)

    def _journal(self, file: Path) -> ChangeJournal | None:
        keep_ms = self._keep_ms(file)
        return None if keep_ms is None else ChangeJournal(self.clock.now_ms, keep_ms)

    @property
    def history_ms(self) -> int | None:
        """For how long it is kept what its objects were; ``None``: not at all."""
        return None if self.storage == "kv" else self._definition.history_ms

    def file_of(self, id: DurableObjectId) -> Path:
        """Where the object keeps what it keeps, if it has a file of its own."""
        return self.folder / f"{id}.sqlite"

    def _open_database(self) -> NamespaceDatabase:
        if self._database is None:
            raise ObjectError("the host of the objects is not open")
        return self._database

    async def copy(self, id: DurableObjectId, target: Path) -> None:
        """Write what the object keeps to a file, as of its last turn that is committed; it goes on meanwhile.

        Raises:
            StorageFileError: what it keeps is damaged.
        """
        is_shared = self._definition.storage == "kv"
        source = self._open_database().database.path if is_shared else self.file_of(id)
        label = CopyLabel(self.name, self.clock.now_ms(), id.key, id.name)
        await self.loop.run_in_executor(None, copy_shared if is_shared else copy_file, source, target, label)

    async def restore(self, id: DurableObjectId, copy: Path) -> None:
        """Have the object keep what a copy has, and nothing else. Its life ends; events wait for the next.

        The copy is used up by it.

        Raises:
            StorageError: it can't be restored; the object keeps what it kept.
        """
        slot = self.slot(id)
        if slot.is_occupied:
            raise ObjectError(f"{slot.label} is being restored already")
        empty = self.loop.create_future()
        slot.is_occupied = True
        slot.drain(partial(empty.set_result, None))
        slot.reset(ObjectResetError("Durable Object was reset because it was restored from a copy."))
        try:
            await empty
            await self._restore(DurableObjectId(id.key), id.name, copy)
        finally:
            slot.sockets.drop_all()
            slot.is_occupied = False
            slot.go_on()

    async def _restore(self, id: DurableObjectId, name: str | None, copy: Path) -> None:
        gate, durable, closed = OutputGate(), quiet_future(self.loop), self.loop.create_future()

        def lost(error: Exception) -> None:
            if not durable.done():
                durable.set_exception(error)

        store, _ = self._open_store(id, gate, lost)
        try:
            await store.restore(copy, name)
            gate.hold_for_all(partial(durable.set_result, None))
            await durable
        except sqlite3.Error as error:
            raise StorageError(f"the copy can't be restored: {error}") from error
        finally:
            store.close()
            store.when_settled(partial(closed.set_result, None))
            await closed

    # Alarms

    def next_due(self, after_ms: int) -> int | None:
        """When the next alarm after this time is due."""
        return self._open_database().next_due(after_ms)

    def due(self, until_ms: int, limit: int = -1) -> list[tuple[bytes, AlarmRow]]:
        """The first objects whose alarms are due, in order, with their alarms."""
        return self._open_database().alarms(until_ms, limit)

    def alarm_counts(self, until_ms: int) -> tuple[int, int]:
        """How many alarms are set, and how many of them are due."""
        return self._open_database().alarm_counts(until_ms)

    def run(self, key: bytes, alarm: Alarm) -> Future[Any]:
        """Deliver the alarm to the object."""
        return self.slot(DurableObjectId(key)).deliver(alarm)

    def expire(self, key: bytes) -> None:
        """Reset the object: its alarm's handler has taken too long."""
        slot = self.slots.get(key)
        if slot is not None:
            slot.reset(ObjectResetError("Alarm exceeded its allowed execution time"))

    def conclude(self, key: bytes, row: AlarmRow, following: AlarmRow | None) -> None:
        """Replace the alarm, unless the object has set or deleted it meanwhile."""
        slot = self.slots.get(key)
        if slot is not None and (slot.is_occupied or slot.conclude_alarm(row, following)):
            return
        store, _ = self._open_store(DurableObjectId(key), OutputGate(), lambda error: None)
        current = store.get_alarm()
        if current is not None and current.serial == row.serial:
            store.set_alarm(following)
        store.hold()  # that commits it
        store.close()
