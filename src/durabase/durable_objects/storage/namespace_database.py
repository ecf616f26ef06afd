"""One database for all objects of a class: numbers for objects, their names, their alarms."""

from __future__ import annotations

import heapq
import sqlite3
from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import Executor
from itertools import islice
from pathlib import Path
from typing import Final

from durabase.durable_objects.storage.disk import Disk
from durabase.durable_objects.storage.engine import Database
from durabase.durable_objects.storage.record import name_bytes, name_text
from durabase.durable_objects.storage.shared_table import KV_TABLE
from durabase.durable_objects.storage.store import AlarmRow
from durabase.errors import StorageError

__all__ = ["SCHEMA", "NamespaceDatabase", "check_format"]

FORMAT: Final = 1

SCHEMA: Final = f"""
CREATE TABLE objects (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, name BLOB);
{KV_TABLE};
CREATE TABLE alarms
    (object INTEGER PRIMARY KEY, scheduled INTEGER, due INTEGER, retries INTEGER, serial INTEGER);
CREATE INDEX alarms_by_time ON alarms (due);
PRAGMA user_version = 1;
"""


class NamespaceDatabase:
    """The database of one class.

    Alarms of turns that have ended are known from then on, whether they are written yet or not; of names and
    numbers it tells what is written.

    Attributes:
        database: the file and its commits.
        alarms_changed: called when alarms were set or deleted.

    Raises:
        StorageError: the file was written by a later version, or is no database.
    """

    def __init__(
        self, path: Path, loop: AbstractEventLoop, executor: Executor, disk: Disk | None = None
    ) -> None:
        try:
            self.database = Database(path, loop, executor, disk=disk)
        except sqlite3.DatabaseError as error:
            raise StorageError(f"{path} can't be used: {error}") from error
        self.connection = self.database.connection
        try:
            self._prepare(path)
        except BaseException:
            self.connection.close()
            raise
        (last,) = self.connection.execute("SELECT max(number) FROM objects").fetchone()
        self._last_number: int = last or 0
        (serial,) = self.connection.execute("SELECT max(serial) FROM alarms").fetchone()
        self._last_serial: int = serial or 0
        self.alarms_changed: Callable[[], object] = lambda: None
        self._expected_alarms: dict[bytes, AlarmRow | None] = {}

    def _prepare(self, path: Path) -> None:
        if check_format(self.connection, path) == 0:
            self.connection.executescript(f"BEGIN; {SCHEMA} COMMIT;")

    def new_number(self) -> int:
        """A number for one more object."""
        self._last_number += 1
        return self._last_number

    def new_serial(self) -> int:
        """A serial number for one more alarm."""
        self._last_serial += 1
        return self._last_serial

    def saw_serial(self, serial: int) -> None:
        """An alarm has this serial number: give no new one that is the same."""
        self._last_serial = max(self._last_serial, serial)

    def find(self, id: bytes) -> tuple[int, str | None] | None:
        """Number and name of the object with this id, if it keeps anything."""
        row = self.connection.execute("SELECT number, name FROM objects WHERE id = ?", (id,)).fetchone()
        return None if row is None else (row[0], name_text(row[1]))

    def ids(self) -> list[tuple[bytes, str | None]]:
        """Ids and names of all objects that keep anything, ordered by id."""
        rows = self.connection.execute("SELECT id, name FROM objects ORDER BY id").fetchall()
        return [(id, name_text(name)) for id, name in rows]

    # Alarms, by time

    def next_due(self, after: int) -> int | None:
        """When the next alarm after this time is due."""
        query = "SELECT due, id FROM alarms JOIN objects ON object = number WHERE due > ? ORDER BY due"
        expected = self._expected_alarms
        stored = (due for due, id in self.connection.execute(query, (after,)) if id not in expected)
        dues = [alarm.due for alarm in expected.values() if alarm is not None and alarm.due > after]
        return min((*islice(stored, 1), *dues), default=None)

    def alarm_counts(self, until: int) -> tuple[int, int]:
        """How many alarms are set, and how many of them are due."""
        query = "SELECT count(*), count(*) FILTER (WHERE due <= ?) FROM alarms"
        every, due = self.connection.execute(query, (until,)).fetchone()
        for id, expected in self._expected_alarms.items():
            found = self.find(id)
            before = None if found is None else self._stored_alarm(found[0])
            every += (expected is not None) - (before is not None)
            due += _is_due(expected, until) - _is_due(before, until)
        return every, due

    def alarms(self, until: int, limit: int = -1) -> list[tuple[bytes, AlarmRow]]:
        """The first objects whose alarms are due, in order."""
        rows = self.connection.execute(
            "SELECT id, scheduled, due, retries, serial FROM alarms JOIN objects ON object = number "
            "WHERE due <= ? ORDER BY due",
            (until,),
        )
        expected = self._expected_alarms
        stored = ((id, AlarmRow(*alarm)) for id, *alarm in rows if id not in expected)
        others = [(id, row) for id, row in expected.items() if row is not None and row.due <= until]
        others.sort(key=_due)
        return list(islice(heapq.merge(stored, others, key=_due), None if limit < 0 else limit))

    def expect_alarm(self, id: bytes, alarm: AlarmRow | None) -> None:
        """The object's alarm will be this one, or none, when it is written."""
        self._expected_alarms[id] = alarm
        self.alarms_changed()

    def forget_expected_alarm(self, id: bytes, alarm: AlarmRow | None) -> None:
        """What was expected is written, or lost."""
        if id in self._expected_alarms and self._expected_alarms[id] is alarm:
            del self._expected_alarms[id]

    # One object, by its number

    def put_object(self, number: int, id: bytes, name: str | None) -> None:
        """Note the object, or another name of it, as part of the open transaction."""
        row = (number, id, name_bytes(name))
        self.connection.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", row)

    def drop_object(self, number: int) -> None:
        """Forget the object and its alarm, as part of the open transaction."""
        self.put_alarm(number, None)
        self.connection.execute("DELETE FROM objects WHERE number = ?", (number,))

    def alarm(self, id: bytes, number: int | None) -> AlarmRow | None:
        """The object's alarm, if it has one; its number, if it keeps anything."""
        if id in self._expected_alarms:
            return self._expected_alarms[id]
        return None if number is None else self._stored_alarm(number)

    def _stored_alarm(self, number: int) -> AlarmRow | None:
        query = "SELECT scheduled, due, retries, serial FROM alarms WHERE object = ?"
        row = self.connection.execute(query, (number,)).fetchone()
        return None if row is None else AlarmRow(*row)

    def put_alarm(self, number: int, alarm: AlarmRow | None) -> None:
        """Set the object's alarm, or delete it, as part of the open transaction."""
        if alarm is None:
            self.connection.execute("DELETE FROM alarms WHERE object = ?", (number,))
        else:
            row = (number, alarm.scheduled, alarm.due, alarm.retries, alarm.serial)
            self.connection.execute("INSERT OR REPLACE INTO alarms VALUES (?, ?, ?, ?, ?)", row)


def _due(found: tuple[bytes, AlarmRow]) -> int:
    return found[1].due


def _is_due(alarm: AlarmRow | None, until: int) -> bool:
    return alarm is not None and alarm.due <= until


def check_format(connection: sqlite3.Connection, path: Path, schema: str = "main") -> int:
    """The format of a database of a class, 0 if it is new.

    Raises:
        StorageError: it was written by a later version.
    """
    (version,) = connection.execute(f"PRAGMA {schema}.user_version").fetchone()
    if version > FORMAT:
        raise StorageError(f"{path} has the format {version}; this version reads up to {FORMAT}")
    return int(version)
