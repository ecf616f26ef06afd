"""The table of an object's keys and values in a file of its own."""

from __future__ import annotations

import sqlite3
from typing import Final

from durabase.durable_objects.storage.store import KeyRange

__all__ = ["KV_TABLE", "list_query", "read_rows", "write_entries"]

KV_TABLE: Final = "CREATE TABLE IF NOT EXISTS _cf_KV (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID"

_PUT: Final = "INSERT INTO _cf_KV VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"


def list_query(keys: KeyRange) -> tuple[str, tuple[object, ...]]:
    """The query for these keys and their values, and its parameters."""
    query, arguments = "SELECT key, value FROM _cf_KV WHERE key >= ?", [keys.start]
    if keys.end is not None:
        query, arguments = f"{query} AND key < ?", [*arguments, keys.end]
    query += f" ORDER BY key {'DESC' if keys.reverse else 'ASC'} LIMIT ?"
    return query, (*arguments, -1 if keys.limit is None else keys.limit)


def read_rows(
    connection: sqlite3.Connection, query: str, arguments: tuple[object, ...]
) -> list[tuple[bytes, ...]]:
    """What a query of the table gives; nothing if there is no such table."""
    there = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = '_cf_KV'").fetchone()
    return connection.execute(query, arguments).fetchall() if there else []


def write_entries(connection: sqlite3.Connection, entries: dict[bytes, bytes | None]) -> None:
    """Set keys, or delete those whose value is ``None``; the table is made if it is not there."""
    connection.execute(KV_TABLE)
    connection.executemany(_PUT, [(key, value) for key, value in entries.items() if value is not None])
    deletes = [(key,) for key, value in entries.items() if value is None]
    connection.executemany("DELETE FROM _cf_KV WHERE key = ?", deletes)
