"""Persisters over databases pass the checks that users can run over theirs, with tables of their own, too."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import count
from typing import Any

import pytest

from durabase.persisters import (
    ActionQueue,
    CustomPostgresPersister,
    CustomSqlitePersister,
    LoadTable,
    PostgresPersister,
    SaveTable,
    SqlitePersister,
    TabularMode,
)
from durabase.testing.persister_checks import (
    ODD_IDS,
    PERSISTER_CHECKS,
    TABLE_IDS,
    PersisterSubject,
    check_persister,
)
from unit.persisters.postgres_driver import Driver
from unit.persisters.postgres_server import Database

checks = pytest.mark.parametrize("check", PERSISTER_CHECKS, ids=lambda check: check.__name__)

# Names of columns: a dot would separate schema and table, as in the original; PostgreSQL wants a character.
SQLITE_IDS = [id_ for id_ in ODD_IDS if id_ != "."]
POSTGRES_IDS = [id_ for id_ in SQLITE_IDS if id_]


def tabular(place: str, table_ids: Sequence[str] = TABLE_IDS) -> TabularMode:
    """All tables of a place, each in one of the database's."""
    names = {table_id: f"{place} {number}" for number, table_id in enumerate(table_ids)}
    return TabularMode(
        {name: LoadTable(table_id) for table_id, name in names.items()},
        {table_id: SaveTable(name, delete_empty_columns=True) for table_id, name in names.items()},
        values_load=True,
        values_save=True,
        values_table_name=f"{place} values",
    )


def without_null(content: Any) -> Any:
    """Columns know no difference between null and nothing."""
    tables, values = content
    rows = {id_: {row_id: filled(row) for row_id, row in table.items()} for id_, table in tables.items()}
    full = {id_: {row_id: row for row_id, row in table.items() if row} for id_, table in rows.items()}
    return [{id_: table for id_, table in full.items() if table}, filled(values)]


def filled(things: dict[str, Any]) -> dict[str, Any]:
    return {id_: thing for id_, thing in things.items() if thing is not None}


def numbers_for_booleans(content: Any) -> Any:
    """SQLite knows no booleans either."""

    def numbers(thing: Any) -> Any:
        if isinstance(thing, dict):
            return {id_: numbers(member) for id_, member in thing.items()}
        return int(thing) if isinstance(thing, bool) else thing

    return [numbers(part) for part in without_null(content)]


class Places:
    """New places in one database, by name."""

    def __init__(self) -> None:
        self._numbers = count()

    def __call__(self) -> str:
        return f"place{next(self._numbers)}"


def sqlite_subject(make_persister: Any, stack: ExitStack) -> PersisterSubject[sqlite3.Connection]:
    return PersisterSubject(
        lambda: stack.enter_context(closing(sqlite3.connect(":memory:", isolation_level=None))),
        lambda store, db: make_persister(store, db, tabular("place")),
        ids=SQLITE_IDS,
        normalise=numbers_for_booleans,
    )


def custom_sqlite_persister(store: Any, db: sqlite3.Connection, mode: TabularMode) -> CustomSqlitePersister:
    """Over a driver that takes its time."""

    async def execute(sql: str, params: Any) -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        cursor = db.execute(sql, params or ())
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    return CustomSqlitePersister(store, mode, execute)


@checks
@pytest.mark.parametrize("make_persister", [SqlitePersister, custom_sqlite_persister])
def test_tables_in_sqlite(make_persister: Any, check: Any) -> None:
    with ExitStack() as stack:
        asyncio.run(check(sqlite_subject(make_persister, stack)))


@checks
def test_tables_in_postgres(database: Database, check: Any) -> None:
    subject = PersisterSubject(
        Places(),
        lambda store, place: PostgresPersister(store, database.url, tabular(place)),
        ids=POSTGRES_IDS,
        normalise=without_null,
    )
    asyncio.run(check(subject))


@pytest.fixture
def driver(database: Database) -> Iterator[Driver]:
    with closing(Driver(database.url)) as new:
        yield new


@checks
@pytest.mark.parametrize("is_mergeable", [False, True], ids=["plain", "mergeable"])
def test_one_text_in_postgres_by_a_driver_of_ones_own(driver: Driver, check: Any, is_mergeable: bool) -> None:
    asyncio.run(check(PersisterSubject(Places(), driver.persister, is_mergeable)))


@checks
def test_tables_in_postgres_by_a_driver_that_takes_its_time(driver: Driver, check: Any) -> None:
    queue = ActionQueue()

    async def execute(sql: str, params: Any) -> Any:
        await asyncio.sleep(0)
        return driver.execute(sql, params)

    def make_persister(store: Any, place: str) -> CustomPostgresPersister:
        return CustomPostgresPersister(store, tabular(place), execute, driver.add, driver.delete, queue=queue)

    subject = PersisterSubject(Places(), make_persister, ids=POSTGRES_IDS, normalise=without_null)
    asyncio.run(check(subject))


def test_a_table_that_is_not_kept_is_missed() -> None:
    def make_persister(store: Any, db: sqlite3.Connection, _mode: TabularMode) -> SqlitePersister:
        return SqlitePersister(store, db, tabular("place", [id_ for id_ in TABLE_IDS if id_ != "things"]))

    with ExitStack() as stack, pytest.raises(AssertionError, match="expected the content that was saved"):
        asyncio.run(check_persister(sqlite_subject(make_persister, stack)))
