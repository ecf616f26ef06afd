"""What differs between the file of an object and an image of what that was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.storage.comparison import Comparison, TableChange, compared
from durabase.durable_objects.storage.kv_table import write_entries
from durabase.durable_objects.storage.record import ObjectRecord, write_record
from durabase.durable_objects.storage.store import AlarmRow


def database(
    path: Path, script: str = "", keys: dict[bytes, bytes | None] | None = None, alarm: int | None = None
) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA synchronous = OFF; {script}")
        if keys is not None:
            write_entries(connection, keys)
        if alarm is not None:
            write_record(connection, ObjectRecord(b"id", "name", AlarmRow(alarm, alarm + 1)))
    return path


def of_tables(tmp_path: Path, now: str, past: str) -> dict[str, TableChange]:
    return compared(database(tmp_path / "now", now), database(tmp_path / "past", past), 10).tables


def test_keys_that_come_go_and_change(tmp_path: Path) -> None:
    now = database(tmp_path / "now", keys={b"same": b"1", b"changed": b"1", b"only now": b"1", b"": b""})
    past = database(tmp_path / "past", keys={b"same": b"1", b"changed": b"2", b"\xc3\xa9": b"2"})
    found = compared(now, past, 10)
    assert found.keys == 4
    assert sorted(found.changes, key=lambda change: change["key"]) == [
        {"key": "", "old": b""},
        {"key": "changed", "old": b"1", "new": b"2"},
        {"key": "only now", "old": b"1"},
        {"key": "é", "new": b"2"},
    ]


def test_all_keys_are_counted_and_the_first_are_told(tmp_path: Path) -> None:
    now = database(tmp_path / "now", keys={b"%d" % number: b"v" for number in range(7)})
    found = compared(now, database(tmp_path / "past"), 3)
    assert (found.keys, len(found.changes)) == (7, 3)
    found = compared(database(tmp_path / "none"), now, 3)
    assert (found.keys, [change.get("new") for change in found.changes]) == (7, [b"v"] * 3)


def test_what_is_equal_and_two_that_have_nothing(tmp_path: Path) -> None:
    nothing = Comparison(0, [], {}, (None, None))
    assert compared(database(tmp_path / "now"), database(tmp_path / "past"), 10) == nothing
    script = "CREATE TABLE t (a); INSERT INTO t VALUES (1)"
    full = [database(tmp_path / name, script, {b"k": b"v"}, 7) for name in ("one", "other")]
    assert compared(full[0], full[1], 10) == Comparison(0, [], {}, (7, 7))


def test_the_alarm_is_when_it_is_set_for(tmp_path: Path) -> None:
    now, past = database(tmp_path / "now", alarm=5), database(tmp_path / "past")
    assert compared(now, past, 10).alarm == (5, None)
    assert compared(past, now, 10).alarm == (None, 5)


def test_rows_that_come_and_go(tmp_path: Path) -> None:
    table = 'CREATE TABLE "a ""table" (a, b); CREATE TABLE same (a); INSERT INTO same VALUES (1);'
    row = 'INSERT INTO "a ""table" VALUES'
    now, past = f"{table}{row} (1, 1), (2, 2), (3, 3)", f"{table}{row} (1, 1), (2, 'other')"
    assert of_tables(tmp_path, now, past) == {'a "table': TableChange(come=1, go=2)}


def test_tables_that_are_only_in_one_and_such_with_other_columns_change_wholly(tmp_path: Path) -> None:
    now = (
        "CREATE TABLE new (a); INSERT INTO new VALUES (1), (2); CREATE TABLE t (a); INSERT INTO t VALUES (1)"
    )
    past = (
        "CREATE TABLE old (a); INSERT INTO old VALUES (1);"
        "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 1), (2, 2); CREATE TABLE empty (a)"
    )
    assert of_tables(tmp_path, now, past) == {
        "new": TableChange(come=0, go=2),
        "old": TableChange(come=1, go=0),
        "t": TableChange(come=2, go=1),
    }


def test_tables_of_ours_of_sqlite_and_virtual_ones_are_not_told(tmp_path: Path) -> None:
    now = (
        "CREATE TABLE _cf_KV (key BLOB PRIMARY KEY, value BLOB); INSERT INTO _cf_KV VALUES (x'61', x'62');"
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t DEFAULT VALUES; DELETE FROM t;"
        "create virtual table docs using fts5(text, content='')"
    )
    assert [name for name in of_tables(tmp_path, now, "") if not name.startswith("docs_")] == []


def test_nothing_is_written_to_either(tmp_path: Path) -> None:
    now, past = database(tmp_path / "now", keys={b"k": b"1"}), database(tmp_path / "past", keys={b"k": b"2"})
    before = now.read_bytes(), past.read_bytes()
    compared(now, past, 10)
    assert (now.read_bytes(), past.read_bytes()) == before


def test_one_that_can_not_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "past").write_bytes(b"no database" * 1000)
    with pytest.raises(sqlite3.Error):
        compared(database(tmp_path / "now", keys={b"k": b"1"}), tmp_path / "past", 10)
