"""A SQLite database through a driver that is given as functions."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from durabase.errors import StoreTypeError
from durabase.mergeable import MergeableStore
from durabase.persisters import CustomSqlitePersister, Persists, TabularMode
from durabase.store import Store
from durabase.testing import FakeClock
from durabase.testing.persister_checks import PersisterSubject, check_persister

PETS = TabularMode({"pets": "pets"}, {"pets": "pets"})


class Driver:
    """Runs statements, and tells of changed tables where it is asked to."""

    def __init__(self, db: sqlite3.Connection, tells: bool = False) -> None:
        self.db = db
        self.listener: Any = None
        self._tells = tells
        self.deleted: list[Any] = []

    def execute(self, sql: str, params: Any) -> list[dict[str, Any]]:
        cursor = self.db.execute(sql, params or ())
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
        if self._tells and sql.startswith("INSERT") and self.listener is not None:
            self.listener("pets")
        return rows

    async def execute_later(self, sql: str, params: Any) -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        return self.execute(sql, params)

    def add(self, listener: Any) -> str:
        self.listener = listener
        return "handle"

    def persister(self, store: Any, config: Any = PETS, **options: Any) -> CustomSqlitePersister:
        return CustomSqlitePersister(
            store, config, self.execute, self.add, self.deleted.append, clock=FakeClock(), **options
        )


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def test_the_end_is_told_to_the_driver(db: sqlite3.Connection) -> None:
    ends: list[str] = []
    driver = Driver(db)
    persister = driver.persister(Store(), destroy=lambda: ends.append("destroyed"))
    persister.start_auto_persisting()
    assert persister.destroy().done()
    assert driver.deleted == ["handle"]
    assert ends == ["destroyed"]


def test_kinds_of_stores(db: sqlite3.Connection) -> None:
    with pytest.raises(StoreTypeError):
        Driver(db).persister(MergeableStore())
    with pytest.raises(StoreTypeError):
        Driver(db).persister(Store(), None, persists=Persists.MERGEABLE_STORE_ONLY)
    Driver(db).persister(MergeableStore().set_value("v", 1), "plain", persists=Persists.STORE_ONLY).save()
    assert db.execute("SELECT store FROM plain").fetchall() == [('[{},{"v":1}]',)]


@pytest.mark.parametrize("is_mergeable", [False, True], ids=["plain", "mergeable"])
def test_an_asynchronous_driver_does_what_every_persister_does(is_mergeable: bool) -> None:
    connections: list[sqlite3.Connection] = []

    def new_place() -> Driver:
        connections.append(sqlite3.connect(":memory:", isolation_level=None))
        return Driver(connections[-1])

    def make_persister(store: Any, driver: Driver) -> CustomSqlitePersister:
        return CustomSqlitePersister(store, None, driver.execute_later, clock=FakeClock())

    asyncio.run(check_persister(PersisterSubject(new_place, make_persister, is_mergeable)))
    for connection in connections:
        connection.close()
