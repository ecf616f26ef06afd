"""What a file says of its object, and what is left of a database when everything is dropped."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.storage.record import (
    FORMAT,
    ObjectRecord,
    complete_record,
    drop_everything,
    is_empty,
    is_surely_empty,
    name_bytes,
    name_text,
    read_record,
    used_bytes,
    write_record,
)
from durabase.durable_objects.storage.store import AlarmRow
from durabase.errors import StorageFileError

ID = b"i" * 32


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "object.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        yield connection


@pytest.mark.parametrize("name", [None, "", "x", "é", "\ud800"])
def test_names_are_stored_as_bytes(name: str | None) -> None:
    assert name_text(name_bytes(name)) == name
    assert name is None or isinstance(name_bytes(name), bytes)


@pytest.mark.parametrize("alarm", [None, AlarmRow(1, 2, 3, 4), AlarmRow(5, 5)])
@pytest.mark.parametrize("name", [None, "the name"])
def test_what_is_written_is_read(
    connection: sqlite3.Connection, name: str | None, alarm: AlarmRow | None
) -> None:
    assert read_record(connection) is None
    write_record(connection, ObjectRecord(b"other", "other", AlarmRow(9, 9)))
    record = ObjectRecord(ID, name, alarm)
    write_record(connection, record)
    assert read_record(connection) == record
    assert connection.execute("SELECT count(*) FROM _cf_OBJECT").fetchone() == (1,)


def test_a_table_without_a_row_says_nothing(connection: sqlite3.Connection) -> None:
    write_record(connection, ObjectRecord(ID))
    connection.execute("DELETE FROM _cf_OBJECT")
    assert read_record(connection) is None


def test_a_file_of_a_later_version_is_not_read(connection: sqlite3.Connection) -> None:
    write_record(connection, ObjectRecord(ID))
    connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(StorageFileError, match=r"has the format 2; this version reads up to 1$"):
        read_record(connection)


def test_a_record_is_made_complete_and_only_written_if_it_was_not(connection: sqlite3.Connection) -> None:
    assert complete_record(connection, ID, None) == read_record(connection) == ObjectRecord(ID)
    changes = connection.total_changes
    assert complete_record(connection, ID, None) == ObjectRecord(ID)
    assert connection.total_changes == changes
    alarm = AlarmRow(1, 2, 3, 4)
    write_record(connection, ObjectRecord(ID, None, alarm))
    complete = ObjectRecord(ID, "learnt", alarm)
    assert complete_record(connection, ID, "learnt") == read_record(connection) == complete


def test_a_database_is_empty_until_there_is_anything(tmp_path: Path, connection: sqlite3.Connection) -> None:
    assert is_empty(connection)
    assert is_surely_empty(connection)
    connection.execute("CREATE VIEW v AS SELECT 1")
    assert not is_empty(connection)
    assert not is_surely_empty(connection)
    (tmp_path / "no database").write_bytes(b"no database" * 1000)
    with closing(sqlite3.connect(tmp_path / "no database")) as damaged:
        assert not is_surely_empty(damaged)
        with pytest.raises(sqlite3.DatabaseError):
            is_empty(damaged)


@pytest.mark.parametrize("leave", [None, ObjectRecord(ID, "x", AlarmRow(1, 1))])
def test_everything_is_dropped_but_the_record(
    connection: sqlite3.Connection, leave: ObjectRecord | None
) -> None:
    write_record(connection, ObjectRecord(ID, "before"))
    connection.executescript(
        """
        CREATE TABLE "a ""table" (x PRIMARY KEY);
        CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, x UNIQUE);
        CREATE TABLE referring (x REFERENCES counted);
        CREATE TABLE _cf_KV (key BLOB PRIMARY KEY, value BLOB);
        CREATE INDEX i ON referring (x);
        CREATE VIEW v AS SELECT * FROM counted;
        CREATE TRIGGER t AFTER INSERT ON counted BEGIN SELECT 1; END;
        CREATE VIRTUAL TABLE docs USING fts5(text);
        INSERT INTO counted (x) VALUES (1);
        INSERT INTO docs VALUES ('a word');
        """
    )
    drop_everything(connection, leave)
    left = connection.execute("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'").fetchall()
    assert left == ([] if leave is None else [("_cf_OBJECT",)])
    assert read_record(connection) == leave


def test_used_bytes_are_those_of_pages_that_hold_something(connection: sqlite3.Connection) -> None:
    assert used_bytes(connection) == 0
    connection.execute("CREATE TABLE t (x)")
    assert used_bytes(connection) == 2 * 4096
    connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    assert used_bytes(connection) > 100_000
    connection.execute("DELETE FROM t")
    assert used_bytes(connection) == 2 * 4096
