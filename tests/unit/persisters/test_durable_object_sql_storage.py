"""Mergeable stores in SQL storage, in fragments."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from durabase.errors import PersisterError, StoreTypeError
from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectSqlStoragePersister, FragmentedMode, JsonMode
from durabase.store import Store
from durabase.testing import FakeClock


class Rows:
    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def to_array(self) -> list[Any]:
        return self._rows


class Storage:
    """SQL storage over a database in memory; ``writes`` counts the statements that change something."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.writes = 0
        self.error: Exception | None = None
        self.read_error: Exception | None = None

    def exec(self, sql: str, *params: Any) -> Any:
        error = (self.read_error if sql.startswith("SELECT") else None) or self.error
        if error is not None:
            raise error
        if "CREATE TABLE IF" in sql:
            return self.connection.executescript(sql)
        self.writes += not sql.startswith("SELECT")
        cursor = self.connection.execute(sql, params)
        names = [column[0] for column in cursor.description or ()]
        return Rows([dict(zip(names, row, strict=True)) for row in cursor])


@pytest.fixture
def storage() -> Iterator[Storage]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield Storage(connection)


class Room:
    def __init__(self, storage: Storage, prefix: str = "", config: Any = None) -> None:
        self.store = MergeableStore(clock=FakeClock())
        self.errors: list[Exception] = []
        self.persister = DurableObjectSqlStoragePersister(
            self.store, storage, config or FragmentedMode(prefix), on_ignored_error=self.errors.append
        )
        self.persister.load()
        storage.writes = 0
        self.persister.start_auto_save()


def test_it_wants_a_mergeable_store(storage: Storage) -> None:
    with pytest.raises(StoreTypeError):
        DurableObjectSqlStoragePersister(Store(), storage)  # type: ignore[arg-type]


def test_waking_writes_nothing_when_nothing_changed(storage: Storage) -> None:
    Room(storage).store.set_cell("t", "r", "c", 1).set_value("v", 1)
    woken = Room(storage)
    assert storage.writes == 0
    woken.store.set_value("v", 2)
    assert storage.writes == 6
    assert woken.persister.get_sql_storage() is storage


def test_rows_are_stored_as_a_whole(storage: Storage) -> None:
    room = Room(storage)
    room.store.set_row("t", "r", {"a": 1, "b": 2})
    room.store.set_cell("t", "r", "a", 3)
    (row,) = storage.connection.execute(
        "SELECT value_data FROM tinybase_tables WHERE row_id IS NOT NULL"
    ).fetchall()
    assert '"a":[3' in row[0]
    assert '"b":[2' in row[0]


def test_a_row_of_the_old_layout_beside_a_whole_row_goes_on_waking(storage: Storage) -> None:
    room = Room(storage)
    room.store.set_cell("t", "r", "a", 1)
    storage.connection.execute(
        "INSERT INTO tinybase_tables VALUES('t', 't', 'r', 'old', '[1]', 'NjEtLV-----7JQY8', 5)"
    )
    woken = Room(storage)
    assert woken.store.get_row("t", "r") == {"a": 1}
    assert storage.writes > 0
    assert Room(storage).store.get_mergeable_content_hashes() == room.store.get_mergeable_content_hashes()
    assert storage.writes == 0


def test_prefixes_keep_apart(storage: Storage) -> None:
    for prefix in ("", "a_", "A", "é😀"):
        Room(storage, prefix).store.set_value("v", prefix)
    for prefix in ("", "a_", "A", "é😀"):
        assert Room(storage, prefix).store.get_values() == {"v": prefix}


@pytest.mark.parametrize("data", ["garbage", "", "[1", "5"])
def test_what_cannot_be_read_is_not_overwritten(storage: Storage, data: str) -> None:
    Room(storage).store.set_value("v", 1)
    storage.connection.execute("UPDATE tinybase_values SET value_data = ? WHERE value_id = 'v'", [data])
    room = Room(storage)
    room.store.set_value("w", 1)
    assert storage.writes == 0
    assert isinstance(room.errors[-1], PersisterError)
    assert room.store.get_values() == {"w": 1}


@pytest.mark.parametrize("config", [FragmentedMode(), JsonMode()], ids=["fragmented", "json"])
def test_a_storage_that_cannot_be_read_is_not_overwritten(storage: Storage, config: Any) -> None:
    Room(storage, config=config).store.set_value("v", 1)
    storage.read_error = OSError("broken")
    room = Room(storage, config=config)
    storage.read_error = None
    room.store.set_value("w", 2)
    assert storage.writes == 0
    assert str(room.errors[0]) == "broken"
    assert isinstance(room.errors[-1], PersisterError)
    assert Room(storage, config=config).store.get_values() == {"v": 1}


@pytest.mark.parametrize("config", [FragmentedMode(), JsonMode()], ids=["fragmented", "json"])
def test_a_write_that_fails_is_made_up_for(storage: Storage, config: Any) -> None:
    room = Room(storage, config=config)
    room.errors.clear()
    storage.error = OSError("full")
    room.store.set_value("v", 1)
    storage.error = None
    room.store.set_value("w", 1)
    assert [str(error) for error in room.errors] == ["full"]
    assert Room(storage, config=config).store.get_values() == {"v": 1, "w": 1}


def test_foreign_tables_of_its_names_are_left_alone(storage: Storage) -> None:
    storage.connection.executescript(
        "CREATE TABLE tinybase_values(mine); INSERT INTO tinybase_values VALUES('precious')"
    )
    room = Room(storage)
    room.store.set_value("v", 1)
    assert "no table of a store: it has no column" in str(room.errors[0])
    assert isinstance(room.errors[1], PersisterError)
    assert room.store.get_values() == {"v": 1}
    assert storage.connection.execute("SELECT * FROM tinybase_values").fetchall() == [("precious",)]


def test_json_mode_follows_changes(storage: Storage) -> None:
    clock = FakeClock()
    stores = [MergeableStore(clock=clock) for _ in range(2)]
    for store in stores:
        DurableObjectSqlStoragePersister(
            store, storage, on_ignored_error=lambda _: None, clock=clock
        ).start_auto_persisting()
    stores[0].set_value("v", 1)
    clock.advance(1000)
    assert stores[1].get_values() == {"v": 1}
