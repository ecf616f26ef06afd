"""What an object's own file says of it: who it is, and its alarm.

The file is the truth; the index of the class has copies, to be found without opening the file. So the alarm
and what was written with it are one commit, and a lost or outdated index can be made again of the files.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import Final

from durabase.durable_objects.storage.sql_text import quoted
from durabase.durable_objects.storage.store import AlarmRow
from durabase.errors import StorageFileError

__all__ = [
    "FORMAT",
    "ObjectRecord",
    "complete_record",
    "drop_everything",
    "is_empty",
    "is_surely_empty",
    "name_bytes",
    "name_text",
    "read_record",
    "used_bytes",
    "write_record",
]

FORMAT: Final = 1
"""The version of the file's layout: SQLite's ``user_version``, which programs can't set."""

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS _cf_OBJECT "
    "(id BLOB, name BLOB, scheduled INTEGER, due INTEGER, retries INTEGER, serial INTEGER)"
)
_EVERYTHING: Final = (
    "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
    "AND type IN ('table', 'view') ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC"
)
_HAS_TABLE: Final = "SELECT 1 FROM sqlite_schema WHERE name = '_cf_OBJECT'"
_READ: Final = "SELECT id, name, scheduled, due, retries, serial FROM _cf_OBJECT"


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """An object's id, its name if anybody ever used it, and its alarm if one is set."""

    id: bytes
    name: str | None = None
    alarm: AlarmRow | None = None


def name_bytes(name: str | None) -> bytes | None:
    """A name as it is stored."""
    return None if name is None else name.encode("utf-8", "surrogatepass")


def name_text(name: bytes | None) -> str | None:
    """The name that is stored so."""
    return None if name is None else name.decode("utf-8", "surrogatepass")


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether there is no table or anything else in the database."""
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None


def read_record(connection: sqlite3.Connection) -> ObjectRecord | None:
    """What the database says of its object; ``None`` if it says nothing.

    Raises:
        StorageFileError: it was written by a later version.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise StorageFileError(
            f"the object's file has the format {version}; this version reads up to {FORMAT}"
        )
    if connection.execute(_HAS_TABLE).fetchone() is None:
        return None
    row = connection.execute(_READ).fetchone()
    if row is None:
        return None
    id, name, *alarm = row
    return ObjectRecord(id, name_text(name), None if alarm[1] is None else AlarmRow(*alarm))


def write_record(connection: sqlite3.Connection, record: ObjectRecord) -> None:
    """Have the database say this of its object, as part of the open transaction."""
    alarm = record.alarm
    times = (None,) * 4 if alarm is None else (alarm.scheduled, alarm.due, alarm.retries, alarm.serial)
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute(_TABLE)
    connection.execute("DELETE FROM _cf_OBJECT")
    row = (record.id, name_bytes(record.name), *times)
    connection.execute("INSERT INTO _cf_OBJECT VALUES (?, ?, ?, ?, ?, ?)", row)


def complete_record(connection: sqlite3.Connection, id: bytes, name: str | None) -> ObjectRecord:
    """What the database says of its object, made complete as part of the open transaction."""
    there = read_record(connection)
    record = replace(there or ObjectRecord(id), name=name)
    if record != there:
        write_record(connection, record)
    return record


def is_surely_empty(connection: sqlite3.Connection) -> bool:
    """Whether the database is empty; not if it can't be read."""
    try:
        return is_empty(connection)
    except sqlite3.Error:
        return False


def drop_everything(connection: sqlite3.Connection, leave: ObjectRecord | None) -> None:
    """Drop every table and view, but for what is said of the object, if anything is to be left.

    That is part of the open transaction; foreign keys must not be checked in it.
    """
    for kind, name, _ in connection.execute(_EVERYTHING).fetchall():
        connection.execute(f"DROP {kind.upper()} IF EXISTS {quoted(name)}")
    if leave is not None:
        write_record(connection, leave)


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the pages in use."""
    (pages,), (free,), (size,) = (
        connection.execute(f"PRAGMA {name}").fetchone()
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
