"""The table of keys and values that all objects of a class share, row by row of one object."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final, TypeAlias

from durabase.durable_objects.storage.store import KeyRange

__all__ = ["KV_TABLE", "delete_object", "read_rows", "read_value", "write_rows"]

KV_TABLE: Final = (
    "CREATE TABLE kv (object INTEGER, key BLOB, value BLOB NOT NULL, PRIMARY KEY (object, key)) WITHOUT ROWID"
)

_Pairs: TypeAlias = list[tuple[bytes, bytes]]

_AT_ONCE: Final = 16
"""How many rows one statement puts: twice as quick as one each; with more of them it gains little."""
# Without row ids, further indexes and triggers SQLite overwrites what is there without looking for it.
_PUTS: Final = tuple(
    "INSERT OR REPLACE INTO kv VALUES "  # noqa: S608
    + ", ".join(f"(?1, ?{2 * row + 2}, ?{2 * row + 3})" for row in range(rows))
    for rows in range(_AT_ONCE + 1)
)
_DELETE: Final = "DELETE FROM kv WHERE object = ? AND key = ?"


def read_value(connection: sqlite3.Connection, number: int, key: bytes) -> bytes | None:
    """The value of a key of the object with this number."""
    row = connection.execute("SELECT value FROM kv WHERE object = ? AND key = ?", (number, key)).fetchone()
    return None if row is None else row[0]


def read_rows(connection: sqlite3.Connection, number: int, keys: KeyRange, more: int = 0) -> _Pairs:
    """Keys and values of a range, in its order, ``more`` of them than its limit."""
    query = "SELECT key, value FROM kv WHERE object = ? AND key >= ?"
    arguments: list[object] = [number, keys.start]
    if keys.end is not None:
        query += " AND key < ?"
        arguments.append(keys.end)
    query += f" ORDER BY key {'DESC' if keys.reverse else 'ASC'} LIMIT ?"
    arguments.append(-1 if keys.limit is None else keys.limit + more)
    return connection.execute(query, arguments).fetchall()


def write_rows(
    connection: sqlite3.Connection, number: int, entries: Sequence[tuple[bytes, bytes | None]]
) -> None:
    """Set keys, or delete those whose value is ``None``, as part of the open transaction."""
    row: list[object] = [number]
    for key, value in entries:
        if value is None:
            connection.execute(_DELETE, (number, key))
            continue
        row.append(bytearray(key))  # bytes would be looked up among SQLite's adapters, one by one
        row.append(bytearray(value))
        if len(row) > 2 * _AT_ONCE:
            connection.execute(_PUTS[_AT_ONCE], row)
            row = [number]
    if len(row) > 1:
        connection.execute(_PUTS[len(row) // 2], row)


def delete_object(connection: sqlite3.Connection, number: int) -> None:
    """Delete all keys of an object, as part of the open transaction."""
    connection.execute("DELETE FROM kv WHERE object = ?", (number,))
