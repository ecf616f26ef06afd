"""Objects that ``wrangler dev`` keeps, as copies that can be restored here.

Source: the files that wrangler 4 leaves in ``.wrangler/state``. Ids are made there as here, so objects of the
same worker and class stay what they are.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from durabase.durable_objects.storage.kv_table import KV_TABLE
from durabase.durable_objects.storage.object_copy import CopyLabel, finish_copy, new_copy
from durabase.durable_objects.storage.record import ObjectRecord, write_record
from durabase.durable_objects.storage.sql_text import quoted
from durabase.durable_objects.storage.store import AlarmRow
from durabase.errors import StorageError, StorageFileError
from durabase.web.structured_clone import encode_value
from durabase.web.v8_value import read_v8

__all__ = ["WranglerObject", "convert", "objects_in"]

_IS_ID: Final = re.compile(r"[0-9a-f]{64}")
_THEIRS: Final = (
    "SELECT name FROM sqlite_schema WHERE type = 'table' "
    "AND (name LIKE '\\_cf\\_%' ESCAPE '\\' OR name LIKE '\\_\\_miniflare\\_%' ESCAPE '\\')"
)


class WranglerObject(NamedTuple):
    """The file of one object, and ``<worker>-<Class>``, which its class is known by."""

    unique_key: str
    file: Path


def objects_in(state: Path) -> list[WranglerObject]:
    """The objects in the directory where ``wrangler dev`` keeps its state, or in one above or below that."""
    files = sorted(path for path in state.rglob("*.sqlite") if _IS_ID.fullmatch(path.stem))
    return [WranglerObject(path.parent.name, path) for path in files if path.parent.parent.name == "do"]


def convert(source: Path, target: Path, class_name: str, now_ms: int) -> CopyLabel:
    """Write a copy of the object as this runtime makes them, for a class of this name.

    Raises:
        StorageError: there is a value that can't be read.
        StorageFileError: the file is none of wrangler's, or is damaged.
    """
    try:
        with (
            closing(sqlite3.connect(source, isolation_level=None)) as original,
            closing(new_copy(target)) as copy,
        ):
            original.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            record = ObjectRecord(bytes.fromhex(source.stem), _name_in(copy), _alarm_in(copy))
            copy.execute("BEGIN")
            entries = list(_entries_in(copy))
            for (name,) in copy.execute(_THEIRS).fetchall():
                copy.execute(f"DROP TABLE {quoted(name)}")
            if entries:
                copy.execute(KV_TABLE)
                copy.executemany("INSERT INTO _cf_KV VALUES (?, ?)", entries)
            write_record(copy, record)
            copy.execute("COMMIT")
            label = CopyLabel(class_name, now_ms, record.id, record.name)
            finish_copy(copy, label)
    except sqlite3.Error as error:
        raise StorageFileError(f"{source} can't be read: {error}") from error
    return label


def _has(copy: sqlite3.Connection, table: str) -> bool:
    return copy.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchone() is not None


def _name_in(copy: sqlite3.Connection) -> str | None:
    if not _has(copy, "__miniflare_do_name"):
        return None
    row = copy.execute("SELECT name FROM __miniflare_do_name").fetchone()
    return None if row is None else row[0]


def _alarm_in(copy: sqlite3.Connection) -> AlarmRow | None:
    """It is kept in nanoseconds."""
    if not _has(copy, "_cf_METADATA"):
        return None
    row = copy.execute("SELECT value FROM _cf_METADATA WHERE key = 1").fetchone()
    if row is None or row[0] is None:
        return None
    return AlarmRow(row[0] // 1_000_000, row[0] // 1_000_000)


def _entries_in(copy: sqlite3.Connection) -> Iterator[tuple[bytes, bytes]]:
    if not _has(copy, "_cf_KV"):
        return
    for key, value in copy.execute("SELECT CAST(key AS BLOB), value FROM _cf_KV").fetchall():
        try:
            yield key, encode_value(read_v8(value))
        except (TypeError, ValueError) as error:
            text = key.decode("utf-8", "replace")
            raise StorageError(f"the value of the key {text!r} can't be read: {error}") from error
