"""A file of its own for one object: its tables, its keys and values, its name and its alarm.

Writes go into the file's open transaction when they are made; the turn's end commits it, all of it or
nothing. The index of the class has copies of the name and the alarm, so that they are found without opening
the file. Nothing that leaves the object is sent before both are durable, and what a crash left between them
is repaired at the next start.
"""

from __future__ import annotations

import logging
import sqlite3
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

from durabase.durable_objects.gates import OutputGate, WriteGates
from durabase.durable_objects.storage.engine import Database
from durabase.durable_objects.storage.index import IndexEntry
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.object_copy import KV_TABLE, put_into
from durabase.durable_objects.storage.record import ObjectRecord, is_empty, read_record, write_record
from durabase.durable_objects.storage.sql import sql_error
from durabase.durable_objects.storage.sql_policy import FileRules
from durabase.durable_objects.storage.sql_text import quoted
from durabase.durable_objects.storage.store import AlarmRow, KeyRange
from durabase.errors import StorageError, StorageFileError

__all__ = ["FileStore"]

_logger = logging.getLogger("durabase.durable_objects")

_PUT: Final = "INSERT INTO _cf_KV VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_OBJECTS: Final = (
    "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
    "AND type IN ('table', 'view') ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC"
)

_Pairs: TypeAlias = list[tuple[bytes, bytes]]


class FileStore:
    """One object's file, made when it is first written to, and removed when it is empty.

    Args:
        path: the file.
        namespace: the class's database.
        id, name, gate, on_failed: as of :class:`~.shared.SharedStore`.
        rules: how much it may hold.

    Attributes:
        name: the object's name, if anybody ever used it.
        generation: another number after everything was deleted, when what was open is not valid any more.

    Raises:
        StorageFileError: the name is new, and the file, which should know it, can't be used.
    """

    def __init__(
        self,
        path: Path,
        namespace: NamespaceDatabase,
        loop: AbstractEventLoop,
        executor: Executor,
        id: bytes,
        name: str | None,
        gate: OutputGate,
        on_failed: Callable[[Exception], object],
        rules: FileRules,
    ) -> None:
        gates = WriteGates(gate)
        self.generation = 0
        self._path = path
        self._namespace = namespace
        self._loop = loop
        self._executor = executor
        self._id = id
        self._gate = gates.part()
        self._on_failed = on_failed
        self._rules = rules
        self._disk = namespace.database.disk
        self._index = IndexEntry(namespace, id, gates.part(), on_failed)
        self._database: Database | None = None
        self._record_changed = False
        self._committed = 0
        self._savepoints = 0
        self._holds = 0
        self._closed = False
        self._closing: Future[None] | None = None
        self._restore_keys = False
        known = self._index.record
        self.name = known.name if known is not None and name is None else name
        if known is not None:
            self._expect_file(known)

    def _expect_file(self, known: ObjectRecord) -> None:
        if not self._path.exists():
            _logger.warning("%s is not there any more: the object is empty", self._path)
            self._index.update(None)
        elif known.name != self.name:
            self._write_name()

    def learn_name(self, name: str) -> None:
        self.name = name
        if self._is_there() and not self._closed:
            self._write_name()

    def _write_name(self) -> None:
        self.connection()
        self.wrote(confirmed=False)
        self._record_changed = True

    # The file

    def connection(self) -> sqlite3.Connection:
        """The connection, with a transaction open that ends with the turn.

        Raises:
            StorageFileError: the file can't be used.
        """
        if self._database is None:
            self._database = self._opened()
        self._database.begin()
        self._database.end_turn_soon(self)
        return self._database.connection

    def wrote(self, confirmed: bool = True) -> None:
        """Something was written by way of :meth:`connection`."""
        self._gate.wrote(confirmed)

    def failure(self, error: Exception) -> StorageError:
        """The error for what SQLite raised. If that has taken the whole turn along, the object is reset."""
        failure = sql_error(error)
        if self._database is not None and not self._database.connection.in_transaction:
            failure.durable_object_reset = True
            self._on_failed(failure)
        return failure

    def _opened(self) -> Database:
        try:
            if self._index.record is not None and self._path.stat().st_size == 0:
                raise StorageFileError("it has been truncated to nothing")
            database = Database(self._path, self._loop, self._executor, every_turn=True, disk=self._disk)
            self._reconcile(database)
        except (OSError, sqlite3.Error, StorageFileError) as error:
            raise StorageFileError(f"the object's file {self._path.name} can't be used: {error}") from error
        return database

    def _reconcile(self, database: Database) -> None:
        """Believe what the file says of its object, and have the index say the same."""
        try:
            self._rules.apply(database.connection)
            record = read_record(database.connection) or self._adopted(database)
        except BaseException:
            database.connection.close()
            raise
        self._record_changed = record is None or record.name != self.name
        if record is not None:
            self.name = record.name if self.name is None else self.name
            self._namespace.saw_serial(0 if record.alarm is None else record.alarm.serial)
            record = replace(record, name=self.name)
        self._index.update(record)

    def _adopted(self, database: Database) -> ObjectRecord | None:
        """A file that says nothing of its object, but holds something, believes the index."""
        known = self._index.record
        if known is None or is_empty(database.connection):
            return None
        database.begin()
        write_record(database.connection, known)
        self.wrote(confirmed=False)
        return known

    def _is_there(self) -> bool:
        return self._database is not None or self._path.exists()

    def _rows(self, query: str, arguments: tuple[object, ...]) -> list[tuple[bytes, ...]]:
        """What a query of the table of keys gives; nothing if there is no such table."""
        if not self._is_there():
            return []
        connection = self.connection()
        try:
            there = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = '_cf_KV'").fetchone()
            return connection.execute(query, arguments).fetchall() if there else []
        except sqlite3.Error as error:
            raise self.failure(error) from error

    def size(self) -> int:
        """Bytes of the pages in use."""
        if not self._is_there():
            return 0
        connection = self.connection()
        (pages,), (free,), (size,) = (
            connection.execute(f"PRAGMA {name}").fetchone()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    # Keys and values

    def get(self, key: bytes) -> bytes | None:
        rows = self._rows("SELECT value FROM _cf_KV WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def list(self, keys: KeyRange) -> _Pairs:
        query, arguments = "SELECT key, value FROM _cf_KV WHERE key >= ?", [keys.start]
        if keys.end is not None:
            query, arguments = f"{query} AND key < ?", [*arguments, keys.end]
        query += f" ORDER BY key {'DESC' if keys.reverse else 'ASC'} LIMIT ?"
        return self._rows(query, (*arguments, -1 if keys.limit is None else keys.limit))  # type: ignore[return-value]

    def write(self, entries: dict[bytes, bytes | None], confirmed: bool) -> None:
        puts = [(key, value) for key, value in entries.items() if value is not None]
        deletes = [(key,) for key, value in entries.items() if value is None]
        connection = self.connection()
        self.wrote(confirmed)
        try:
            connection.execute(KV_TABLE)
            connection.executemany(_PUT, puts)
            connection.executemany("DELETE FROM _cf_KV WHERE key = ?", deletes)
        except sqlite3.Error as error:
            raise self.failure(error) from error

    def defer(self, write: Callable[[], object]) -> None:
        write()

    def clear(self, with_alarm: bool) -> None:
        """Drop every table. What the turn wrote before is rolled back, it would be dropped as well."""
        alarm = None if with_alarm else self.get_alarm()
        self.generation += 1
        if not self._is_there():
            return
        connection = self.connection()
        connection.execute("ROLLBACK")
        connection.execute("PRAGMA foreign_keys = OFF")  # possible only outside of a transaction
        self._restore_keys = True
        connection = self.connection()
        for kind, name, _ in connection.execute(_OBJECTS).fetchall():
            connection.execute(f"DROP {kind.upper()} IF EXISTS {quoted(name)}")
        if alarm is not None:
            write_record(connection, ObjectRecord(self._id, self.name, alarm))
        self._record_changed = True
        self.wrote()

    # The alarm

    def get_alarm(self) -> AlarmRow | None:
        record = self._record()
        return None if record is None else record.alarm

    def set_alarm(self, alarm: AlarmRow | None, confirmed: bool = True) -> None:
        record = self._record() or ObjectRecord(self._id, self.name)
        if alarm is None and record.alarm is None:
            return
        numbered = alarm and replace(alarm, serial=self._namespace.new_serial())
        connection = self.connection()
        self.wrote(confirmed)
        self._record_changed = True
        try:
            write_record(connection, replace(record, alarm=numbered))
        except sqlite3.Error as error:
            raise self.failure(error) from error

    def _record(self) -> ObjectRecord | None:
        return read_record(self.connection()) if self._is_there() else None

    # Rolling back

    def savepoint(self) -> int:
        self._savepoints += 1
        self.connection().execute(f"SAVEPOINT s{self._savepoints}")
        return self._savepoints

    def release(self, savepoint: int, *, rolled_back: bool) -> None:
        self._savepoints -= 1
        if self._closed:
            return
        connection = self.connection()
        if rolled_back:
            connection.execute(f"ROLLBACK TO s{savepoint}")
        connection.execute(f"RELEASE s{savepoint}")

    def hold(self) -> None:
        if self._database is not None:
            self._database.end_turn_now(self)
        self._holds += 1

    def resume(self) -> None:
        self._holds -= 1
        if not self._holds and self._database is not None and not self._closed:
            self._database.end_turn_soon(self)

    async def restore(self, copy: Path, name: str | None) -> None:
        """Keep what the copy has, and nothing else, under this name.

        Only before anything else is done with the store. A file that can't be used is put aside.

        Raises:
            StorageError, sqlite3.Error: nothing was changed.
        """
        try:
            self.connection()
        except StorageFileError:
            self._put_aside()
            self.connection()
        database = self._database
        assert database is not None  # noqa: S101 - it was opened just now
        database.connection.execute("ROLLBACK")
        self.name = name
        serial = self._namespace.new_serial()
        await self._loop.run_in_executor(
            self._executor, put_into, copy, database.connection, self._id, name, serial
        )
        self.wrote()
        self._record_changed = True
        self.connection()

    def _put_aside(self) -> None:
        """Begin with no file, and leave the damaged one for whoever wants to look at it."""
        self._path.with_name(f"{self._path.name}-wal").unlink(missing_ok=True)
        self._path.replace(self._path.with_suffix(".damaged"))
        self._index.update(None)

    # Ending

    def close(self) -> None:
        self._closed = True
        database, self._database = self._database, None
        if database is not None:
            database.forget(self)
            if database.connection.in_transaction:
                database.connection.execute("ROLLBACK")
            # Not a task of the object, whose tasks may be about to be cancelled.
            self._closing = Context().run(self._loop.create_task, self._close(database))

    async def _close(self, database: Database) -> None:
        """Let go of the file, and of its log, which tells that the index may be behind, after the index."""
        settled: Future[None] = self._loop.create_future()
        self._index.when_settled(lambda: settled.set_result(None))
        await settled
        await database.settle()
        try:
            empty = is_empty(database.connection)
        except sqlite3.Error:
            empty = False
        await database.close()
        if empty:
            self._path.unlink(missing_ok=True)

    def when_settled(self, action: Callable[[], object]) -> None:
        if self._closing is not None and not self._closing.done():
            self._closing.add_done_callback(lambda _: action())
        else:
            self._index.when_settled(action)

    def end_turn(self) -> int | None:
        if self._holds or self._closed or self._database is None:
            return None
        connection = self._database.connection
        if connection.in_transaction:
            changed = self._record_changed and not is_empty(connection)
            record = self._completed_record(connection) if changed else None
            self._disk.commit(connection)
            self._tell_index(record)
        if self._restore_keys:
            connection.execute("PRAGMA foreign_keys = ON")
            self._restore_keys = False
        return self._new_turn()

    def _completed_record(self, connection: sqlite3.Connection) -> ObjectRecord:
        """What the file says of its object, made complete."""
        there = read_record(connection)
        record = replace(there or ObjectRecord(self._id), name=self.name)
        if record != there:
            write_record(connection, record)
        return record

    def _tell_index(self, record: ObjectRecord | None) -> None:
        if self._record_changed:
            self._index.update(record)
            self._record_changed = record is None

    def _new_turn(self) -> int | None:
        """The number of the last write; none if it is committed already."""
        if self._gate.written == self._committed:
            return None
        self._committed = self._gate.written
        return self._committed

    def durable(self, turn: int) -> None:
        self._gate.safe(turn)

    def failed(self, error: Exception) -> None:
        self._on_failed(error)
