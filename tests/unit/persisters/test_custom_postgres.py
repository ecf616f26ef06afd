"""A PostgreSQL database through a driver that is given as functions: here, one that does all at once."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from durabase.errors import StoreTypeError
from durabase.mergeable import MergeableStore
from durabase.persisters import CustomPostgresPersister, Persists, TabularMode
from durabase.store import Store
from unit.persisters.postgres_driver import Driver
from unit.persisters.postgres_server import Database


@pytest.fixture
def driver(database: Database) -> Iterator[Driver]:
    new = Driver(database.url)
    yield new
    new.close()


def test_all_happens_within_the_call_and_own_changes_are_known(driver: Driver, database: Database) -> None:
    store = Store()
    persister = driver.persister(store)
    assert persister.start_auto_persisting().done()
    store.set_value("v", 1)
    assert database.run("SELECT * FROM tinybase") == [("_", '[{},{"v":1}]')]
    payloads = driver.deliver()
    assert [payload[:2] for payload in payloads] == ["b:", "d:", "e:"] * 2
    assert payloads[-2] == "d:tinybase"
    assert persister.get_stats() == {"loads": 1, "saves": 2}
    database.run("UPDATE tinybase SET store='[{},{\"v\":2}]'")
    assert driver.deliver(1) == ["d:tinybase"]
    assert store.get_values() == {"v": 2}
    persister.destroy()
    assert driver.log == ["deleted handle", "destroyed"]
    assert database.functions() == []


def test_the_channel_is_that_of_the_original(driver: Driver) -> None:
    driver.persister(Store()).start_auto_load()
    assert driver.channel == "tinybase_3963516547"


def test_other_configurations_do_not_share_it(driver: Driver) -> None:
    channels = set()
    for config in ("other", TabularMode({"a": "a"}), TabularMode({"b": "b"}), TabularMode({"b": "c"})):
        persister = driver.persister(Store(), config)
        persister.start_auto_load()
        channels.add(driver.channel)
        persister.destroy()
    assert len(channels) == 4


@pytest.mark.parametrize(
    "payload", ["", "d", "d:other", "x:tinybase", "b:somebody", "e:somebody", ":tinybase"]
)
def test_what_says_nothing_about_its_tables_is_ignored(driver: Driver, payload: str) -> None:
    persister = driver.persister(Store())
    persister.start_auto_load()
    driver.listener(payload)
    assert persister.get_stats()["loads"] == 1
    driver.listener("d:tinybase")
    assert persister.get_stats()["loads"] == 2


def test_after_missing_something_it_restores_the_triggers_and_loads(
    driver: Driver, database: Database
) -> None:
    store = Store()
    persister = driver.persister(store)
    persister.start_auto_persisting()
    database.run("DROP TABLE tinybase; DROP FUNCTION durabase_d_3963516547 CASCADE")
    database.run("CREATE TABLE tinybase AS SELECT '_' AS _id, '[{},{\"v\":2}]' AS store")
    driver.listener(None)
    assert store.get_values() == {"v": 2}
    database.run("UPDATE tinybase SET store='[{},{\"v\":3}]'")
    driver.deliver(1)
    assert store.get_values() == {"v": 3}
    persister.destroy()
    assert database.functions() == []


def test_what_a_plain_store_could_not_save_wins_after_that(driver: Driver, database: Database) -> None:
    store = Store()
    persister = driver.persister(store, on_ignored_error=lambda error: None)
    persister.start_auto_persisting()
    database.run("ALTER TABLE tinybase ADD CONSTRAINT no CHECK (store NOT LIKE '%mine%')")
    store.set_value("mine", 1)
    database.run("ALTER TABLE tinybase DROP CONSTRAINT no; UPDATE tinybase SET store='[{},{\"v\":2}]'")
    driver.listener(None)
    assert store.get_values() == {"mine": 1}
    assert database.run("SELECT store FROM tinybase") == [('[{},{"mine":1}]',)]


def test_what_a_mergeable_store_could_not_save_is_merged(driver: Driver, database: Database) -> None:
    mine, other = MergeableStore(), MergeableStore()
    persister = driver.persister(mine, on_ignored_error=lambda error: None)
    persister.start_auto_persisting()
    database.run("ALTER TABLE tinybase ADD CONSTRAINT no CHECK (store NOT LIKE '%mine%')")
    mine.set_value("mine", 1)
    other.set_value("others", 2)
    CustomPostgresPersister(other, None, driver.execute).save()
    database.run("ALTER TABLE tinybase DROP CONSTRAINT no")
    driver.listener(None)
    assert mine.get_values() == {"mine": 1, "others": 2}
    again = MergeableStore()
    CustomPostgresPersister(again, None, driver.execute).load()
    assert again.get_values() == {"mine": 1, "others": 2}


def test_what_cannot_be_followed_is_reported_and_leaves_nothing_behind(
    driver: Driver, database: Database
) -> None:
    errors: list[Exception] = []
    database.run("CREATE TABLE real(_id text, x text); CREATE VIEW pets AS SELECT * FROM real")
    database.run("INSERT INTO real VALUES('a', '1')")
    store = Store()
    persister = driver.persister(store, TabularMode({"pets": "pets"}), on_ignored_error=errors.append)
    persister.start_auto_load()
    assert [type(error) for error in errors] == [psycopg.errors.WrongObjectType]
    assert store.get_tables() == {"pets": {"a": {"x": 1}}}
    assert not persister.is_auto_loading()
    assert database.functions() == []


def test_without_a_listener_it_loads_and_saves_only(driver: Driver, database: Database) -> None:
    persister = CustomPostgresPersister(Store().set_value("v", 1), "mine", driver.execute)
    persister.start_auto_persisting(None, True)
    assert database.run("SELECT store FROM mine") == [('[{},{"v":1}]',)]
    persister.destroy()
    assert database.functions() == []


def test_kinds_of_stores(driver: Driver) -> None:
    with pytest.raises(StoreTypeError):
        driver.persister(MergeableStore(), TabularMode())
    with pytest.raises(StoreTypeError):
        driver.persister(Store(), persists=Persists.MERGEABLE_STORE_ONLY)
