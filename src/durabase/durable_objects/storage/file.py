"""A file of its own for one object: its tables, and its keys and values as one of them.

Writes go into the file's open transaction when they are made; the turn's end commits it. The alarm and
the object's name are kept in the class's database, where they can be found without opening the file.
The two are committed one after the other: a power cut in between can separate an alarm from the rows that
were written with it. Nothing that leaves the object is sent before both are durable.
"""

from __future__ import annotations

import sqlite3
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from pathlib import Path
from typing import Final, TypeAlias

from durabase.durable_objects.gates import OutputGate, WriteGates
from durabase.durable_objects.storage.engine import Database
from durabase.durable_objects.storage.shared import NamespaceDatabase, SharedStore
from durabase.durable_objects.storage.sql import sql_error
from durabase.durable_objects.storage.sql_policy import LIMITS
from durabase.durable_objects.storage.store import AlarmRow, KeyRange

__all__ = ["FileStore"]

_TABLE: Final = "CREATE TABLE IF NOT EXISTS _cf_KV (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID"
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

    Attributes:
        generation: another number after everything was deleted, when what was open is not valid any more.
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
    ) -> None:
        gates = WriteGates(gate)
        self.generation = 0
        self._path = path
        self._loop = loop
        self._executor = executor
        self._gate = gates.part()
        self._on_failed = on_failed
        self._disk = namespace.database.disk
        self._index = SharedStore(namespace, id, name, gates.part(), on_failed)
        self._database: Database | None = None
        self._savepoints: list[int] = []
        self._holds = 0
        self._closed = False
        self._closing: Future[None] | None = None
        self._restore_keys = False

    @property
    def name(self) -> str | None:
        """The object's name, if anybody ever used it."""
        return self._index.name

    def learn_name(self, name: str) -> None:
        self._index.learn_name(name)

    # The file

    def connection(self) -> sqlite3.Connection:
        """The connection, with a transaction open that ends with the turn."""
        if self._database is None:
            self._database = self._opened()
        self._database.begin()
        self._database.end_turn_soon(self)
        return self._database.connection

    def wrote(self, confirmed: bool = True) -> None:
        """Something was written by way of :meth:`connection`."""
        self._gate.wrote(confirmed)

    def _opened(self) -> Database:
        database = Database(self._path, self._loop, self._executor, every_turn=True, disk=self._disk)
        for limit, value in LIMITS.items():
            database.connection.setlimit(limit, value)
        return database

    def _reader(self) -> sqlite3.Connection | None:
        """The connection for reading keys; ``None`` if there are none."""
        if self._database is None and not self._path.exists():
            return None
        connection = self.connection()
        there = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = '_cf_KV'").fetchone()
        return connection if there else None

    def size(self) -> int:
        """Bytes of the pages in use."""
        if self._database is None and not self._path.exists():
            return 0
        connection = self.connection()
        (pages,), (free,), (size,) = (
            connection.execute(f"PRAGMA {name}").fetchone()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    # Keys and values

    def get(self, key: bytes) -> bytes | None:
        reader = self._reader()
        row = reader and reader.execute("SELECT value FROM _cf_KV WHERE key = ?", (key,)).fetchone()
        return None if not row else row[0]

    def list(self, keys: KeyRange) -> _Pairs:
        reader = self._reader()
        if reader is None:
            return []
        query, arguments = "SELECT key, value FROM _cf_KV WHERE key >= ?", [keys.start]
        if keys.end is not None:
            query, arguments = f"{query} AND key < ?", [*arguments, keys.end]
        query += f" ORDER BY key {'DESC' if keys.reverse else 'ASC'} LIMIT ?"
        return reader.execute(query, (*arguments, -1 if keys.limit is None else keys.limit)).fetchall()

    def write(self, entries: dict[bytes, bytes | None], confirmed: bool) -> None:
        puts = [(key, value) for key, value in entries.items() if value is not None]
        deletes = [(key,) for key, value in entries.items() if value is None]
        connection = self.connection()
        self.wrote(confirmed)
        try:
            connection.execute(_TABLE)
            connection.executemany(_PUT, puts)
            connection.executemany("DELETE FROM _cf_KV WHERE key = ?", deletes)
        except sqlite3.Error as error:
            raise sql_error(error) from error

    def defer(self, write: Callable[[], object]) -> None:
        write()

    def clear(self, with_alarm: bool) -> None:
        """Drop every table. What the turn wrote before is rolled back, it would be dropped as well."""
        self._index.clear(with_alarm)
        self.generation += 1
        if self._database is None and not self._path.exists():
            return
        connection = self.connection()
        connection.execute("ROLLBACK")
        connection.execute("PRAGMA foreign_keys = OFF")  # possible only outside of a transaction
        self._restore_keys = True
        connection = self.connection()
        for kind, name, _ in connection.execute(_OBJECTS).fetchall():
            quoted = name.replace('"', '""')
            connection.execute(f'DROP {kind.upper()} IF EXISTS "{quoted}"')
        self.wrote()

    def get_alarm(self) -> AlarmRow | None:
        return self._index.get_alarm()

    def set_alarm(self, alarm: AlarmRow | None, confirmed: bool = True) -> None:
        self._index.set_alarm(alarm, confirmed)

    # Rolling back

    def savepoint(self) -> int:
        savepoint = self._index.savepoint()
        self._savepoints.append(savepoint)
        self.connection().execute(f"SAVEPOINT s{len(self._savepoints)}")
        return savepoint

    def release(self, savepoint: int, *, rolled_back: bool) -> None:
        self._index.release(savepoint, rolled_back=rolled_back)
        name = f"s{len(self._savepoints)}"
        self._savepoints.pop()
        if self._closed:
            return
        connection = self.connection()
        if rolled_back:
            connection.execute(f"ROLLBACK TO {name}")
        connection.execute(f"RELEASE {name}")

    def hold(self) -> None:
        self._index.hold()
        if self._database is not None:
            self._database.end_turn_now(self)
        self._holds += 1

    def resume(self) -> None:
        self._index.resume()
        self._holds -= 1
        if not self._holds and self._database is not None and not self._closed:
            self._database.end_turn_soon(self)

    # Ending

    def close(self) -> None:
        self._index.close()
        self._closed = True
        database, self._database = self._database, None
        if database is not None:
            database.forget(self)
            if database.connection.in_transaction:
                database.connection.execute("ROLLBACK")
            # Not a task of the object, whose tasks may be about to be cancelled.
            self._closing = Context().run(self._loop.create_task, self._close(database))

    async def _close(self, database: Database) -> None:
        empty = database.connection.execute("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)").fetchone()
        await database.close()
        if empty == (1,):
            self._path.unlink(missing_ok=True)

    def when_settled(self, action: Callable[[], object]) -> None:
        def index_settled() -> None:
            if self._closing is None or self._closing.done():
                action()
            else:
                self._closing.add_done_callback(lambda _: action())

        self._index.when_settled(index_settled)

    def end_turn(self) -> int | None:
        if self._holds or self._closed or self._database is None:
            return None
        connection = self._database.connection
        if connection.in_transaction:
            self._disk.commit(connection)
        if self._restore_keys:
            connection.execute("PRAGMA foreign_keys = ON")
            self._restore_keys = False
        return self._gate.written

    def durable(self, turn: int) -> None:
        self._gate.safe(turn)

    def failed(self, error: Exception) -> None:
        self._on_failed(error)
