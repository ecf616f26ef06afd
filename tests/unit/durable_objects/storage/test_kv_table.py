"""Keys and values in a file of an object's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.storage.kv_table import list_query, read_rows, write_entries
from durabase.durable_objects.storage.store import KeyRange


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "object.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        yield connection


def test_the_table_comes_with_the_first_write(connection: sqlite3.Connection) -> None:
    assert read_rows(connection, *list_query(KeyRange())) == []
    write_entries(connection, {b"a": None})
    assert read_rows(connection, *list_query(KeyRange())) == []
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("_cf_KV",)]


def test_keys_are_set_overwritten_and_deleted(connection: sqlite3.Connection) -> None:
    write_entries(connection, {b"b": b"1", b"a": b"1", b"c": b""})
    write_entries(connection, {b"b": b"2", b"a": None, b"not there": None})
    assert read_rows(connection, *list_query(KeyRange())) == [(b"b", b"2"), (b"c", b"")]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (KeyRange(), "abcd"),
        (KeyRange(b"b"), "bcd"),
        (KeyRange(b"b", b"d"), "bc"),
        (KeyRange(b"b", b"d", True), "cb"),
        (KeyRange(limit=2), "ab"),
        (KeyRange(b"", b"d", True, 1), "c"),
        (KeyRange(b"d", b"a"), ""),
    ],
)
def test_a_range_in_its_order(connection: sqlite3.Connection, keys: KeyRange, found: str) -> None:
    write_entries(connection, {letter.encode(): letter.encode() for letter in "dbca"})
    rows = [(letter.encode(), letter.encode()) for letter in found]
    assert read_rows(connection, *list_query(keys)) == rows
