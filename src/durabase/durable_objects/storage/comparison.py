"""What differs between two states of an object: its file, and an image of what that was. Runs on a thread."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from durabase.durable_objects.storage.change_journal import Change
from durabase.durable_objects.storage.keys import key_text
from durabase.durable_objects.storage.record import read_record
from durabase.durable_objects.storage.sql_text import quoted

__all__ = ["Comparison", "TableChange", "compared"]

_HAS_KEYS: Final = "SELECT 1 FROM {}.sqlite_schema WHERE name = '_cf_KV'"
_TABLES: Final = (
    "SELECT name, sql FROM {}.sqlite_schema WHERE type = 'table' "
    "AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
_DIFFERENT: Final = (
    "SELECT n.key AS key, n.value AS now, p.value AS past FROM {now} n LEFT JOIN {past} p ON p.key = n.key "
    "WHERE p.value IS NOT n.value "
    "UNION ALL "
    "SELECT p.key, NULL, p.value FROM {past} p LEFT JOIN {now} n ON n.key = p.key WHERE n.key IS NULL"
)


@dataclass(frozen=True, slots=True)
class TableChange:
    """How many rows of a table would come, and go; a row that changes does both."""

    come: int
    go: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What would change if the past came back.

    Attributes:
        keys: how many keys differ.
        changes: the first of them, from what they are to what they would be.
        tables: those of which rows differ.
        alarm: when it is set for now, and would be, in milliseconds since 1970.
    """

    keys: int
    changes: list[Change]
    tables: dict[str, TableChange]
    alarm: tuple[int | None, int | None]


def compared(file: Path, past: Path, limit: int) -> Comparison:
    """What would change in the object of this file if that state came back; ``limit`` is of ``changes``.

    Raises:
        sqlite3.Error: one of them can't be read.
    """
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS past", (str(past),))
        connection.execute("BEGIN")
        query = _DIFFERENT.format(now=_keys_of(connection, "main"), past=_keys_of(connection, "past"))
        (count,) = connection.execute(f"SELECT count(*) FROM ({query})").fetchone()  # noqa: S608
        rows = connection.execute(f"{query} LIMIT ?", (limit,)).fetchall()
        tables = {name: _rows_of(connection, name) for name in _tables_of(connection)}
        alarm = (_alarm_of(file), _alarm_of(past))
    changes = [_change(*row) for row in rows]
    return Comparison(count, changes, {name: each for name, each in tables.items() if each != _SAME}, alarm)


_SAME: Final = TableChange(0, 0)


def _keys_of(connection: sqlite3.Connection, schema: str) -> str:
    if connection.execute(_HAS_KEYS.format(schema)).fetchone() is None:
        return "(SELECT NULL AS key, NULL AS value WHERE 0)"
    return f"{schema}._cf_KV"


def _change(key: bytes, now: bytes | None, past: bytes | None) -> Change:
    change: Change = {"key": key_text(key)}
    return change | ({} if now is None else {"old": now}) | ({} if past is None else {"new": past})


def _tables_of(connection: sqlite3.Connection) -> list[str]:
    found = [
        (name, text or "")
        for schema in ("main", "past")
        for name, text in connection.execute(_TABLES.format(schema))
    ]
    return sorted({name for name, text in found if not text.upper().startswith("CREATE VIRTUAL")})


def _rows_of(connection: sqlite3.Connection, name: str) -> TableChange:
    """How the rows of a table differ; if its columns do, all of them."""
    columns = [
        [row[1] for row in connection.execute(f"PRAGMA {schema}.table_info({quoted(name)})")]
        for schema in ("main", "past")
    ]
    now, past = (f"SELECT * FROM {schema}.{quoted(name)}" for schema in ("main", "past"))  # noqa: S608
    if columns[0] == columns[1]:
        return TableChange(
            _count(connection, f"{past} EXCEPT {now}"), _count(connection, f"{now} EXCEPT {past}")
        )
    come, go = (
        _count(connection, text) if each else 0 for text, each in ((past, columns[1]), (now, columns[0]))
    )
    return TableChange(come, go)


def _count(connection: sqlite3.Connection, query: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM ({query})").fetchone()  # noqa: S608
    return int(count)


def _alarm_of(file: Path) -> int | None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        record = read_record(connection)
    return None if record is None or record.alarm is None else record.alarm.scheduled
