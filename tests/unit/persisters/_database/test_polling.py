"""Following a database of SQLite's kind: by asking, and by what its driver tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durabase.persisters._database.config import JsonMode, TabularMode
from durabase.persisters._database.dialect import SQLITE
from durabase.persisters._database.modes import layout_of
from durabase.persisters._database.polling import PollingPersister
from durabase.store import Store
from durabase.testing import FakeClock
from unit.persisters.test_custom_sqlite import Driver
from unit.persisters.test_sqlite import Kept

from .databases import Database


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


class Polled:
    """A store over a database, asked every ``interval`` seconds."""

    def __init__(self, interval: float | None = 1, **options: Any) -> None:
        self.database, self.clock, self.store = Database(), FakeClock(), Store()
        self.persister = PollingPersister(
            self.store,
            self.database.execute,
            lambda execute: layout_of(JsonMode(), execute, SQLITE),
            auto_load_interval=interval,
            clock=self.clock,
            **options,
        )

    def asked(self) -> int:
        """How often the versions were asked for since the last time."""
        ran = [sql for sql in self.database.ran if "data_version" in sql]
        self.database.ran.clear()
        return len(ran)


def test_changes_of_others_and_through_the_same_connection(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    one, other = Kept(path).start(), Kept(path).start()
    other.store.set_value("v", 1)
    one.clock.advance(999)
    assert one.store.get_values() == {}
    one.clock.advance(1)
    assert one.store.get_values() == {"v": 1}
    one.persister.get_db().execute("UPDATE tinybase SET store='[{},{\"w\":1}]'")
    one.clock.advance(1000)
    assert one.store.get_values() == {"w": 1}
    for kept in (one, other):
        kept.persister.destroy()


def test_what_was_written_by_itself_is_no_change(db: sqlite3.Connection) -> None:
    kept = Kept(db).start()
    kept.store.set_value("v", 1)
    kept.clock.advance(5000)
    assert kept.persister.get_stats()["loads"] == 1


def test_a_change_before_an_own_save_is_still_seen(db: sqlite3.Connection) -> None:
    kept = Kept(db, TabularMode({"pets": "pets"}, {"pets": "pets"})).start()
    kept.store.set_cell("pets", "fido", "legs", 4)
    db.execute("INSERT INTO pets VALUES('felix', 4)")
    kept.store.set_cell("pets", "fido", "legs", 3)
    kept.clock.advance(1000)
    assert kept.store.get_table("pets") == {"fido": {"legs": 3}, "felix": {"legs": 4}}


def test_it_ends(db: sqlite3.Connection) -> None:
    kept = Kept(db).start()
    kept.persister.stop_auto_load()
    kept.commands.clear()
    kept.clock.advance(5000)
    assert kept.commands == []


def test_the_driver_tells_of_changes_of_others(db: sqlite3.Connection) -> None:
    driver, store = Driver(db), Store()
    persister = driver.persister(store)
    persister.start_auto_persisting()
    db.execute("CREATE TABLE pets(_id PRIMARY KEY, x)")
    db.execute("INSERT INTO pets VALUES('a', 1)")
    driver.listener("others")
    assert store.get_tables() == {}
    driver.listener("pets")
    assert store.get_tables() == {"pets": {"a": {"x": 1}}}
    loads = persister.get_stats()["loads"]
    driver.listener("pets")
    assert persister.get_stats()["loads"] == loads + 1
    persister.stop_auto_load()
    assert driver.deleted == ["handle"]
    driver.listener("pets")
    assert persister.get_stats()["loads"] == loads + 1


def test_what_it_tells_while_the_persister_saves_is_no_change_of_others(db: sqlite3.Connection) -> None:
    driver, store = Driver(db, tells=True), Store()
    persister = driver.persister(store)
    persister.start_auto_persisting()
    store.set_cell("pets", "a", "x", 1)
    assert db.execute("SELECT * FROM pets").fetchall() == [("a", 1)]
    assert persister.get_stats() == {"loads": 1, "saves": 2}


def test_it_asks_at_the_interval_while_it_loads_automatically_only() -> None:
    polled = Polled(2)
    polled.clock.advance(10_000)
    assert polled.asked() == 0
    polled.persister.start_auto_load([{}, {}])
    assert polled.asked() == 1
    polled.clock.advance(1999)
    assert polled.asked() == 0
    polled.clock.advance(1)
    assert polled.asked() == 1
    polled.clock.advance(4000)
    assert polled.asked() == 2
    polled.persister.destroy()
    polled.clock.advance(10_000)
    assert polled.asked() == 0


def test_without_an_interval_it_loads_once() -> None:
    polled = Polled(None)
    polled.persister.start_auto_persisting([{}, {"v": 1}])
    polled.clock.advance(10_000)
    assert polled.asked() == 0
    assert polled.persister.get_stats() == {"loads": 1, "saves": 1}
    assert polled.persister.stop_auto_load().done()


def test_a_save_asks_before_and_after_it_while_it_is_followed() -> None:
    polled = Polled()
    polled.persister.save()
    assert polled.asked() == 0
    polled.persister.start_auto_load()
    polled.asked()
    polled.persister.save()
    assert polled.asked() == 2
    polled.clock.advance(1000)
    assert polled.persister.get_stats()["loads"] == 1


def test_after_a_save_that_failed_it_still_hears_and_sees() -> None:
    listeners: list[Any] = []
    polled = Polled(
        managed_tables=frozenset({"tinybase"}),
        add_change_listener=listeners.append,
        del_change_listener=lambda handle: None,
        on_ignored_error=lambda error: None,
    )
    polled.persister.start_auto_load([{}, {}])
    listeners[0]("tinybase")
    assert polled.persister.get_stats()["loads"] == 2
    polled.database.broken = "INSERT"
    polled.persister.save()
    polled.database.broken = None
    loads = polled.persister.get_stats()["loads"]
    listeners[0]("tinybase")
    assert polled.persister.get_stats()["loads"] == loads + 1
    listeners[0]("another")
    assert polled.persister.get_stats()["loads"] == loads + 1
