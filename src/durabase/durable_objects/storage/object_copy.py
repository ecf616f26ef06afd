"""A copy of one object in a file of its own: how it is made, checked, and put back. Runs on threads.

Copies of classes of either storage are alike: a database of the form of an object's own file, with a label
that says of which class it is. SQLite's own means of copying are used, so that a copy is of one moment, whole
turns, while its object goes on.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from durabase.durable_objects.storage.kv_table import KV_TABLE
from durabase.durable_objects.storage.record import ObjectRecord, name_text, read_record, write_record
from durabase.durable_objects.storage.store import AlarmRow
from durabase.errors import StorageFileError

__all__ = [
    "CopyLabel",
    "copied_entries",
    "copy_file",
    "copy_shared",
    "finish_copy",
    "new_copy",
    "put_aside",
    "put_into",
    "read_label",
]

PAGES_AT_A_TIME: Final = 4096

_LABEL: Final = "CREATE TABLE _cf_COPY (class TEXT, made INTEGER, id BLOB, name BLOB, has_tables INTEGER)"
_IS_LABELLED: Final = "SELECT 1 FROM sqlite_schema WHERE name = '_cf_COPY'"
_HAS_TABLES: Final = "SELECT count(*) > 0 FROM sqlite_schema WHERE name NOT LIKE '\\_cf\\_%' ESCAPE '\\'"


@dataclass(frozen=True, slots=True)
class CopyLabel:
    """Of what, and when, a copy was made: the name of the class, milliseconds since 1970, id and name."""

    class_name: str
    made_ms: int
    id: bytes
    name: str | None
    has_tables: bool = False


def copy_file(source: Path, target: Path, label: CopyLabel) -> None:
    """Copy an object's own file as of its last turn that is committed.

    Raises:
        StorageFileError: the file is damaged.
    """
    try:
        with (
            closing(_opened(source)) as original,
            closing(new_copy(target)) as copy,
        ):
            original.execute("BEGIN")  # one moment, however long it takes
            original.execute("SELECT 1 FROM sqlite_schema").fetchone()
            original.backup(copy, pages=PAGES_AT_A_TIME)
            finish_copy(copy, label)
    except sqlite3.Error as error:
        raise StorageFileError(f"{source.name} can't be copied: {error}") from error
    _make_durable(target)


def copy_shared(database: Path, target: Path, label: CopyLabel) -> None:
    """Copy what the database of a class has of one object.

    Raises:
        StorageFileError: the database is damaged.
    """
    try:
        with (
            closing(_opened(database)) as shared,
            closing(new_copy(target)) as copy,
        ):
            copy.execute("BEGIN")
            copy.execute(KV_TABLE)
            shared.execute("BEGIN")
            number, record = _record_in(shared, label.id)
            rows = shared.execute("SELECT key, value FROM kv WHERE object = ?", (number,))
            copy.executemany("INSERT INTO _cf_KV VALUES (?, ?)", rows)
            write_record(copy, record)
            copy.execute("COMMIT")
            finish_copy(copy, label)
    except sqlite3.Error as error:
        raise StorageFileError(f"{database.name} can't be copied from: {error}") from error
    _make_durable(target)


def _record_in(shared: sqlite3.Connection, id: bytes) -> tuple[int, ObjectRecord]:
    """The object's number in the database, its name and its alarm."""
    query = (
        "SELECT number, name, scheduled, due, retries, serial "
        "FROM objects LEFT JOIN alarms ON object = number WHERE id = ?"
    )
    number, name, *alarm = shared.execute(query, (id,)).fetchone() or (0, None, None)
    return number, ObjectRecord(id, name_text(name), None if alarm[0] is None else AlarmRow(*alarm))


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, isolation_level=None)


def new_copy(target: Path) -> sqlite3.Connection:
    """An empty database in this file, whatever was there."""
    target.unlink(missing_ok=True)
    return _opened(target)


def finish_copy(copy: sqlite3.Connection, label: CopyLabel) -> None:
    """Write the label, and let the copy be one file without a log."""
    copy.execute("PRAGMA journal_mode = DELETE")
    (has_tables,) = copy.execute(_HAS_TABLES).fetchone()
    copy.execute("BEGIN")
    copy.execute(_LABEL)
    name = None if label.name is None else label.name.encode("utf-8", "surrogatepass")
    row = (label.class_name, label.made_ms, label.id, name, has_tables)
    copy.execute("INSERT INTO _cf_COPY VALUES (?, ?, ?, ?, ?)", row)
    copy.execute("COMMIT")


def _make_durable(target: Path) -> None:
    descriptor = os.open(target, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_label(copy: Path) -> CopyLabel:
    """What a copy says of itself, after all of it was looked at.

    Raises:
        StorageFileError: it is none, is damaged, or of a later version.
    """
    try:
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            if connection.execute(_IS_LABELLED).fetchone() is None:
                raise StorageFileError(f"{copy.name} is no copy of an object")
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise StorageFileError(f"{copy.name} is damaged: {found}")
            read_record(connection)
            query = "SELECT class, made, id, name, has_tables FROM _cf_COPY"
            class_name, made, id, name, has_tables = connection.execute(query).fetchone()
    except sqlite3.Error as error:
        raise StorageFileError(f"{copy.name} is no copy of an object, or is damaged: {error}") from error
    return CopyLabel(class_name, made, id, name_text(name), bool(has_tables))


def put_into(copy: Path, target: sqlite3.Connection, id: bytes, name: str | None, serial: int) -> None:
    """Have a database hold what the copy has, as one commit, for the object of this id and name.

    The copy is changed by it: what it says of its object is made to fit first. ``serial`` is for its alarm.
    """
    with closing(_opened(copy)) as connection:
        alarm = _alarm_in(connection, serial)
        connection.execute("BEGIN")
        connection.execute("DROP TABLE IF EXISTS _cf_COPY")
        write_record(connection, ObjectRecord(id, name, alarm))
        connection.execute("COMMIT")
        connection.backup(target)


def put_aside(file: Path) -> None:
    """Leave a damaged file for whoever wants to look at it, and let there be none in its place."""
    file.with_name(f"{file.name}-wal").unlink(missing_ok=True)
    file.replace(file.with_suffix(".damaged"))


def copied_entries(copy: Path, serial: int) -> tuple[dict[bytes, bytes], AlarmRow | None]:
    """Keys and values that a copy has, and its alarm, with this serial."""
    with closing(_opened(copy)) as connection:
        connection.execute(KV_TABLE)
        rows: list[tuple[bytes, bytes]] = connection.execute("SELECT key, value FROM _cf_KV").fetchall()
        return dict(rows), _alarm_in(connection, serial)


def _alarm_in(copy: sqlite3.Connection, serial: int) -> AlarmRow | None:
    record = read_record(copy)
    return None if record is None or record.alarm is None else replace(record.alarm, serial=serial)
