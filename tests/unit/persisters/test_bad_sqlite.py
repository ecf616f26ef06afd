"""SQLite databases that are broken, foreign, full, locked or gone: reported, and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durabase.errors import ContentError, PersisterError
from durabase.mergeable import MergeableStore
from durabase.persisters import SqlitePersister, TabularMode
from durabase.store import Store
from durabase.testing import FakeClock

PETS = TabularMode({"pets": "pets"}, {"pets": "pets"}, values_load=True, values_save=True)


@pytest.fixture
def errors() -> list[Exception]:
    return []


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "store.db", isolation_level=None, timeout=0)
    yield connection
    connection.close()


def started(store: Any, db: Any, errors: list[Exception], config: Any = None) -> SqlitePersister:
    persister = SqlitePersister(store, db, config, on_ignored_error=errors.append, clock=FakeClock())
    assert persister.start_auto_persisting().done()
    return persister


def dump(db: sqlite3.Connection) -> list[str]:
    return list(db.iterdump())


@pytest.mark.parametrize(
    "stored", ["", "[", '[{"t":{"r":{"c":1', "[{},{}]x", "5", '{"a":1}', "[NaN,{}]", b"\xff"]
)
@pytest.mark.parametrize("make_store", [Store, MergeableStore])
def test_text_that_is_no_content(
    db: sqlite3.Connection, errors: list[Exception], make_store: Any, stored: Any
) -> None:
    db.execute("CREATE TABLE tinybase(_id PRIMARY KEY, store)")
    db.execute("INSERT INTO tinybase VALUES('_', ?)", [stored])
    before = dump(db)
    store = make_store().set_value("mine", 1)
    persister = started(store, db, errors)
    store.set_value("mine", 2)
    assert len(errors) == 2
    assert isinstance(errors[0], (ContentError, ValueError))
    assert isinstance(errors[1], PersisterError)
    assert "withheld" in str(errors[1])
    assert store.get_content() == [{}, {"mine": 2}]
    assert dump(db) == before
    db.execute('UPDATE tinybase SET store=\'[{"t":{"r":{"c":1}}},{}]\'')
    persister.load()
    assert store.get_tables() == {"t": {"r": {"c": 1}}}
    assert dump(db) != before
    assert len(errors) == 2


def test_stamps_of_wrong_shapes(db: sqlite3.Connection, errors: list[Exception]) -> None:
    db.execute("CREATE TABLE tinybase(_id PRIMARY KEY, store)")
    db.execute("INSERT INTO tinybase VALUES('_', ?)", ['[[{"t":[{"r":5},"",0]},"",0],[{},"",0]]'])
    before = dump(db)
    store = MergeableStore().set_value("mine", 1)
    started(store, db, errors)
    store.set_value("mine", 2)
    assert [type(error) for error in errors] == [PersisterError, PersisterError]
    assert store.get_content() == [{}, {"mine": 2}]
    assert dump(db) == before


@pytest.mark.parametrize("config", ["pets", PETS], ids=["json", "tabular"])
def test_a_foreign_table_without_the_column_of_ids_is_not_emptied(
    db: sqlite3.Connection, errors: list[Exception], config: Any
) -> None:
    db.execute("CREATE TABLE pets(name, species)")
    db.execute("INSERT INTO pets VALUES('Fido', 'dog')")
    before = dump(db)
    store = Store().set_table("pets", {"mine": {"name": "Felix"}})
    started(store, db, errors, config)
    store.set_cell("pets", "mine", "name", "Tom")
    assert "table 'pets' has rows but no column of ids, '_id'" in str(errors[0])
    assert "withheld" in str(errors[1])
    assert store.get_tables() == {"pets": {"mine": {"name": "Tom"}}}
    assert dump(db) == before


@pytest.mark.parametrize("config", [None, PETS], ids=["json", "tabular"])
def test_a_database_of_which_half_is_gone(tmp_path: Path, errors: list[Exception], config: Any) -> None:
    path = tmp_path / "torn.db"
    store = Store().set_table("pets", {str(number): {"x": "y" * 1000} for number in range(50)})
    persister = started(store, path, errors, config)
    persister.save()
    persister.destroy()
    torn = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(torn)
    errors.clear()
    empty = Store()
    persister = started(empty, path, errors, config)
    empty.set_value("v", 1)
    persister.destroy()
    assert {str(error) for error in errors[:1]} == {"database disk image is malformed"}
    assert empty.get_content() == [{}, {"v": 1}]
    assert path.read_bytes() == torn


def test_a_view_in_place_of_a_table(db: sqlite3.Connection, errors: list[Exception]) -> None:
    db.executescript(
        "CREATE TABLE animals(_id PRIMARY KEY, name); INSERT INTO animals VALUES('a', 'Fido');"
        "CREATE VIEW pets AS SELECT * FROM animals"
    )
    store = Store()
    started(store, db, errors, PETS)
    assert store.get_tables() == {"pets": {"a": {"name": "Fido"}}}
    store.del_tables()
    assert errors
    assert {type(error) for error in errors} == {sqlite3.OperationalError}
    assert db.execute("SELECT * FROM animals").fetchall() == [("a", "Fido")]


def test_a_foreign_table_in_json_mode_is_not_emptied(db: sqlite3.Connection, errors: list[Exception]) -> None:
    db.execute("CREATE VIEW tinybase AS SELECT '_' AS _id, '[{},{}]' AS store")
    store = Store()
    started(store, db, errors)
    store.set_value("v", 1)
    assert [type(error) for error in errors] == [sqlite3.OperationalError] * len(errors)
    assert errors
    assert store.get_values() == {"v": 1}
    assert db.execute("SELECT * FROM tinybase").fetchall() == [("_", "[{},{}]")]


def test_blobs_in_a_foreign_table(db: sqlite3.Connection, errors: list[Exception]) -> None:
    db.execute("CREATE TABLE pets(_id PRIMARY KEY, name, picture)")
    db.execute("INSERT INTO pets VALUES('a', 'Fido', x'00')")
    store = Store()
    started(store, db, errors, PETS)
    assert store.get_table("pets") == {"a": {"name": "Fido"}}
    store.set_cell("pets", "a", "name", "Felix")
    assert db.execute("SELECT * FROM pets").fetchall()[0][:2] == ("a", "Felix")


def test_a_file_that_is_no_database(tmp_path: Path, errors: list[Exception]) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database, but long enough to be taken for one " * 50)
    before = path.read_bytes()
    store = Store().set_value("mine", 1)
    persister = started(store, path, errors)
    store.set_value("mine", 2)
    persister.destroy()
    assert isinstance(errors[0], sqlite3.DatabaseError)
    assert store.get_values() == {"mine": 2}
    assert path.read_bytes() == before


@pytest.mark.parametrize("config", [None, PETS], ids=["json", "tabular"])
def test_a_database_that_may_only_be_read(
    db: sqlite3.Connection, tmp_path: Path, errors: list[Exception], config: Any
) -> None:
    started(Store().set_table("pets", {"a": {"x": 1}}), db, errors, config).save()
    before = dump(db)
    reader = sqlite3.connect(f"file:{tmp_path}/store.db?mode=ro", uri=True, isolation_level=None)
    errors.clear()
    store = Store()
    persister = started(store, reader, errors, config)
    store.set_cell("pets", "a", "x", 2)
    assert {str(error) for error in errors} == {"attempt to write a readonly database"}
    assert store.get_table("pets") == {"a": {"x": 2}}
    assert dump(db) == before
    persister.destroy()
    reader.close()


@pytest.mark.parametrize("config", [None, PETS], ids=["json", "tabular"])
def test_a_full_disk(db: sqlite3.Connection, errors: list[Exception], config: Any) -> None:
    store = Store().set_value("v", 1).set_table("pets", {"a": {"x": 1}})
    started(store, db, errors, config)
    errors.clear()
    before = dump(db)
    db.execute(f"PRAGMA max_page_count={db.execute('PRAGMA page_count').fetchone()[0]}")
    store.set_cell("pets", "a", "x", "x" * 100_000)
    assert [str(error) for error in errors] == ["database or disk is full"]
    assert dump(db) == before
    db.execute("PRAGMA max_page_count=1000000")
    store.set_value("w", 1)
    assert len(errors) == 1
    again = Store()
    started(again, db, errors, config)
    assert again.get_content() == store.get_content()
    assert again.get_cell("pets", "a", "x") == "x" * 100_000


@pytest.mark.parametrize("config", [None, PETS], ids=["json", "tabular"])
def test_a_database_that_another_has_locked(
    db: sqlite3.Connection, tmp_path: Path, errors: list[Exception], config: Any
) -> None:
    started(Store().set_value("v", 1), db, errors, config)
    before = dump(db)
    store = Store()
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None, timeout=0)
    db.execute("BEGIN EXCLUSIVE")
    errors.clear()
    persister = started(store, other, errors, config)
    store.set_value("w", 2)
    assert "database is locked" in str(errors[0])
    assert "withheld" in str(errors[-1])
    db.execute("ROLLBACK")
    assert dump(db) == before
    persister.load()
    assert store.get_value("v") == 1
    persister.destroy()
    other.close()


@pytest.mark.parametrize("config", [None, PETS], ids=["json", "tabular"])
def test_a_connection_that_was_closed(
    db: sqlite3.Connection, tmp_path: Path, errors: list[Exception], config: Any
) -> None:
    store = Store().set_value("v", 1)
    persister = started(store, db, errors, config)
    errors.clear()
    db.close()
    store.set_value("w", 2)
    persister.load()
    assert {str(error) for error in errors[:2]} == {"Cannot operate on a closed database."}
    assert store.get_values() == {"v": 1, "w": 2}
    assert os.path.getsize(tmp_path / "store.db") > 0
    persister.stop_auto_persisting()
