"""Rows of one object in the table that all of a class share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.storage.shared_table import (
    KV_TABLE,
    delete_object,
    read_rows,
    read_value,
    write_rows,
)
from durabase.durable_objects.storage.store import KeyRange

ROWS = [(b"a", b"1"), (b"b", b""), (b"c", b"3"), (b"\xc3\xa9", b"4")]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "objects.sqlite")) as connection:
        connection.execute(KV_TABLE)
        write_rows(connection, 1, ROWS)
        write_rows(connection, 2, [(b"a", b"other")])
        yield connection


def test_a_value_is_that_of_the_object(connection: sqlite3.Connection) -> None:
    assert read_value(connection, 1, b"a") == b"1"
    assert read_value(connection, 1, b"b") == b""
    assert read_value(connection, 2, b"a") == b"other"
    assert read_value(connection, 2, b"b") is None
    assert read_value(connection, 3, b"a") is None


@pytest.mark.parametrize(
    ("keys", "more", "found"),
    [
        (KeyRange(), 0, ROWS),
        (KeyRange(b"b"), 0, ROWS[1:]),
        (KeyRange(b"b", b"c"), 0, ROWS[1:2]),
        (KeyRange(b"a\0", b"\xff", True), 0, ROWS[:0:-1]),
        (KeyRange(limit=2), 0, ROWS[:2]),
        (KeyRange(limit=2), 1, ROWS[:3]),
        (KeyRange(reverse=True, limit=1), 1, ROWS[:1:-1]),
        (KeyRange(), 5, ROWS),
        (KeyRange(b"d", b"a"), 0, []),
    ],
)
def test_a_range_in_its_order(
    connection: sqlite3.Connection, keys: KeyRange, more: int, found: list[tuple[bytes, bytes]]
) -> None:
    assert read_rows(connection, 1, keys, more) == found


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 32, 33, 50])
def test_any_number_of_rows_is_written(connection: sqlite3.Connection, count: int) -> None:
    rows = [(b"%03d" % number, b"v%d" % number) for number in range(count)]
    write_rows(connection, 3, rows)
    assert read_rows(connection, 3, KeyRange()) == rows
    assert read_rows(connection, 3, KeyRange(limit=2)) == rows[:2]


def test_writes_overwrite_and_delete_among_others_and_of_one_object_only(
    connection: sqlite3.Connection,
) -> None:
    rows: list[tuple[bytes, bytes | None]] = [(b"k%02d" % number, b"new") for number in range(20)]
    write_rows(connection, 1, [(b"a", None), *rows[:9], (b"gone", None), *rows[9:], (b"b", b"2")])
    assert read_rows(connection, 1, KeyRange()) == [(b"b", b"2"), (b"c", b"3"), *rows, (b"\xc3\xa9", b"4")]
    assert read_rows(connection, 2, KeyRange()) == [(b"a", b"other")]


def test_it_is_part_of_the_open_transaction(connection: sqlite3.Connection) -> None:
    connection.commit()
    delete_object(connection, 1)
    assert read_rows(connection, 1, KeyRange()) == []
    assert read_rows(connection, 2, KeyRange()) == [(b"a", b"other")]
    connection.rollback()
    assert read_rows(connection, 1, KeyRange()) == ROWS
