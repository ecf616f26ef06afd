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
from typing import TypeAlias

from durabase.durable_objects.gates import OutputGate, WriteGates
from durabase.durable_objects.storage.change_journal import NoJournal
from durabase.durable_objects.storage.engine import Database
from durabase.durable_objects.storage.history import History
from durabase.durable_objects.storage.index import IndexEntry
from durabase.durable_objects.storage.kv_table import list_query, read_rows, write_entries
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.object_copy import put_aside, put_into
from durabase.durable_objects.storage.record import (
    ObjectRecord,
    complete_record,
    drop_everything,
    is_empty,
    is_surely_empty,
    read_record,
    used_bytes,
    write_record,
)
from durabase.durable_objects.storage.sql import sql_error
from durabase.durable_objects.storage.sql_policy import FileRules
from durabase.durable_objects.storage.store import AlarmRow, KeyRange
from durabase.errors import StorageError, StorageFileError

__all__ = ["FileStore"]

_logger = logging.getLogger("durabase.durable_objects")

_Pairs: TypeAlias = list[tuple[bytes, bytes]]


class FileStore:
    """One object's file, made when it is first written to, and removed when it is empty.

    Args:
        path: the file.
        namespace: the class's database.
        id, name, gate, on_failed: as of :class:`~.shared.SharedStore`.
        rules, follow, journal: how much it may hold; what makes its history, and what tells who changed what,
            if these are to be kept.

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
        follow: Callable[[Path], History | None] | None = None,
        journal: NoJournal | None = None,
    ) -> None:
        gates = WriteGates(gate)
        self.journal = journal or NoJournal()
        self._path, self._namespace = path, namespace
        self._loop, self._executor = loop, executor
        self._id, self._gate = id, gates.part()
        self._on_failed, self._rules = on_failed, rules
        self._disk = namespace.database.disk
        self._index = IndexEntry(namespace, id, gates.part(), on_failed)
        self._database: Database | None = None
        self._follow = follow
        self._history: History | None = None
        self._record_changed = self._restore_keys = self._closed = False
        self.generation = self._committed = self._savepoints = self._holds = 0
        self._closing: Future[None] | None = None
        known = self._index.record
        self.name = known.name if known is not None and name is None else name
        if known is not None:
            self._expect_file(known)
        if follow is not None and History.request_path(path).exists():
            self.connection()

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

    def ran(self, statement: str, rows: int) -> None:
        """A statement that may write has run, and has written so many rows."""
        self.wrote()
        self.journal.note_statement(statement, rows)

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
            self._history = None if self._follow is None else self._follow(self._path)
            if self._history is not None:
                self._history.follow(database)
            record = read_record(database.connection) or self._adopted(database)
        except BaseException:
            database.connection.close()
            if self._history is not None:
                self._history.give_up()
            raise
        self._record_changed = record is None or record.name != self.name
        if record is not None:
            self.name = record.name if self.name is None else self.name
            self._namespace.saw_serial(0 if record.alarm is None else record.alarm.serial)
            record = replace(record, name=self.name)
        self._index.update(record)

    def history(self) -> History | None:
        """The history of all that was written so far, if one is kept. Ends the turn, but in a transaction.

        Raises:
            StorageFileError: the file can't be used.
        """
        if self._follow is None:
            return None
        if not self._savepoints:
            self.hold()
            self.resume()
        self.connection()
        return self._history

    def _adopted(self, database: Database) -> ObjectRecord | None:
        """A file that says nothing of its object, but holds something, believes the index."""
        if (known := self._index.record) is None or is_empty(database.connection):
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
            return read_rows(connection, query, arguments)
        except sqlite3.Error as error:
            raise self.failure(error) from error

    def size(self) -> int:
        """Bytes of the pages in use."""
        return used_bytes(self.connection()) if self._is_there() else 0

    # Keys and values

    def get(self, key: bytes) -> bytes | None:
        rows = self._rows("SELECT value FROM _cf_KV WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def count(self) -> int:
        rows = self._rows("SELECT count(*) FROM _cf_KV", ())
        return int(rows[0][0]) if rows else 0

    def list(self, keys: KeyRange) -> _Pairs:
        return self._rows(*list_query(keys))  # type: ignore[return-value]

    def write(self, entries: dict[bytes, bytes | None], confirmed: bool) -> None:
        connection = self.connection()
        self.wrote(confirmed)
        try:
            self.journal.note_keys(connection, entries)
            write_entries(connection, entries)
        except sqlite3.Error as error:
            raise self.failure(error) from error

    def defer(self, write: Callable[[], object], at_once: bool) -> None:
        write()

    def clear(self, with_alarm: bool) -> None:
        """Drop every table. What the turn wrote before is rolled back, it would be dropped as well."""
        alarm = None if with_alarm else self.get_alarm()
        self.generation += 1
        if not self._is_there():
            return
        connection = self.connection()
        self.journal.forget()
        connection.execute("ROLLBACK")
        connection.execute("PRAGMA foreign_keys = OFF")  # possible only outside of a transaction
        self._restore_keys = True
        connection = self.connection()
        drop_everything(connection, None if alarm is None else ObjectRecord(self._id, self.name, alarm))
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
        self.journal.note_alarm(record.alarm, alarm)
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
        self.journal.mark()
        self.connection().execute(f"SAVEPOINT s{self._savepoints}")
        return self._savepoints

    def release(self, savepoint: int, *, rolled_back: bool) -> None:
        self._savepoints -= 1
        self.journal.release(rolled_back=rolled_back)
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
            put_aside(self._path)
            self._index.update(None)
            self.connection()
        database = self._database
        assert database is not None  # noqa: S101 - it was opened just now
        database.connection.execute("ROLLBACK")
        self.name = name
        await self._loop.run_in_executor(
            self._executor, put_into, copy, database.connection, self._id, name, self._namespace.new_serial()
        )
        self.wrote()
        self._record_changed = True
        self.connection()

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
        empty = is_surely_empty(database.connection)
        await database.close()
        if empty:
            self._path.unlink(missing_ok=True)
            if self._history is not None:
                self._history.vanish()

    def when_settled(self, action: Callable[[], object]) -> None:
        if self._closing is not None and not self._closing.done():
            self._closing.add_done_callback(lambda _: action())
        else:
            self._index.when_settled(action)

    def end_turn(self) -> int | None:
        """Commit; the number of the last write, none if it was committed already."""
        if self._holds or self._closed or self._database is None:
            return None
        connection = self._database.connection
        if connection.in_transaction:
            self.journal.write(connection)
            changed = self._record_changed and not is_empty(connection)
            record = complete_record(connection, self._id, self.name) if changed else None
            self._disk.commit(connection)
            self._tell_index(record)
        if self._restore_keys:
            connection.execute("PRAGMA foreign_keys = ON")
            self._restore_keys = False
        written, before = self._gate.written, self._committed
        self._committed = written
        return None if written == before else written

    def _tell_index(self, record: ObjectRecord | None) -> None:
        if self._record_changed:
            self._index.update(record)
            self._record_changed = record is None

    def write_turns(self, most: int) -> int:
        return 0

    def durable(self, turn: int) -> None:
        self._gate.safe(turn)

    def failed(self, error: Exception) -> None:
        self._on_failed(error)
