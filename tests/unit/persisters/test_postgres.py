"""Stores in PostgreSQL databases, as one text and as tables, by a real server."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from durabase.errors import ContentError, PersisterError, StoreTypeError
from durabase.mergeable import MergeableStore
from durabase.persisters import PostgresPersister, custom_postgres
from durabase.persisters.postgres import JsonMode, LoadTable, SaveTable, TabularMode
from durabase.store import Store
from durabase.testing import FakeClock
from durabase.testing.persister_checks import PERSISTER_CHECKS, PersisterSubject
from unit.persisters.postgres_server import Database, PostgresServer

PATIENCE_SECONDS = 20.0
BOTH = TabularMode({"pets": "pets"}, {"pets": "pets"}, values_load=True, values_save=True)


class Kept:
    """A store with a persister over a database; ``commands`` are the statements that it ran."""

    def __init__(self, connection: Any, config: Any = None, store: Any = None) -> None:
        self.store = Store() if store is None else store
        self.clock = FakeClock()
        self.errors: list[Exception] = []
        self.commands: list[str] = []
        self.persister = PostgresPersister(
            self.store,
            connection.url if isinstance(connection, Database) else connection,
            config,
            on_sql_command=lambda sql, _params: self.commands.append(sql),
            on_ignored_error=self.errors.append,
            clock=self.clock,
        )

    async def start(self, initial: Any = None) -> Kept:
        await self.persister.start_auto_persisting(initial)
        return self

    async def settled(self) -> None:
        await self.persister.schedule(lambda: None)

    async def __aenter__(self) -> Kept:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.persister.destroy()


async def until(condition: Callable[[], object]) -> None:
    """Let others work until something is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - it is the server that has to get there
            await asyncio.sleep(0.005)


def mergeable(id_: str) -> MergeableStore:
    return MergeableStore(id_, clock=FakeClock(1_700_000_000_000))


class TestJson:
    def test_one_text_in_one_cell(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database) as kept, Kept(database) as again:
                await kept.start([{}, {"v": 1}])
                assert [str(error) for error in kept.errors] == ["tinybase:1:null"]
                kept.store.set_cell("t", "r", "c", [1, "\0é\U0001f600"])
                await kept.settled()
                text = '[{"t":{"r":{"c":"\ufffd[1,\\"\\\\u0000é\U0001f600\\"]"}}},{"v":1}]'
                assert database.run("SELECT * FROM tinybase") == [("_", text)]
                await again.start()
                assert again.store.get_content() == kept.store.get_content()
                assert again.errors == []

        asyncio.run(main())

    def test_a_mergeable_store(self, database: Database) -> None:
        async def main() -> None:
            async with (
                Kept(database, store=mergeable("s1")) as kept,
                Kept(database, store=mergeable("s2")) as again,
            ):
                await kept.start()
                kept.store.set_value("v", 1).del_value("v")
                await kept.settled()
                await again.start()
                assert again.store.get_mergeable_content_hashes() == kept.store.get_mergeable_content_hashes()
                assert again.errors == []

        asyncio.run(main())

    def test_names_of_ones_own(self, database: Database) -> None:
        async def main() -> None:
            mode = JsonMode('odd "name"', "key", "content")
            async with (
                Kept(database, mode) as kept,
                Kept(database, mode) as other,
                Kept(database, "named") as named,
            ):
                await kept.start()
                await other.start()
                kept.store.set_value("v", 1)
                await until(lambda: other.store.get_values() == {"v": 1})
                assert database.rows('SELECT * FROM "odd ""name"""') == [
                    {"key": "_", "content": '[{},{"v":1}]'}
                ]
                await named.persister.save()
                assert database.run("SELECT * FROM named") == [("_", "[{},{}]")]

        asyncio.run(main())

    def test_other_columns_and_rows_go(self, database: Database) -> None:
        async def main() -> None:
            database.run("CREATE TABLE tinybase(_id text, x int, store text)")
            database.run("INSERT INTO tinybase VALUES('a', 1, '[]')")
            async with Kept(database) as kept:
                await kept.persister.save()
                await kept.persister.save()
                assert kept.errors == []
            assert database.rows("SELECT * FROM tinybase") == [{"_id": "_", "store": "[{},{}]"}]
            assert database.run("SELECT count(*) FROM pg_indexes WHERE tablename='tinybase'") == [(1,)]

        asyncio.run(main())

    def test_a_failed_save_is_rolled_back(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database) as kept:
                await kept.persister.save()
                database.run("INSERT INTO tinybase VALUES('other', '')")
                database.run(
                    "CREATE FUNCTION no() RETURNS trigger AS $$ BEGIN RAISE 'no'; END; $$ LANGUAGE plpgsql;"
                    "CREATE TRIGGER t BEFORE DELETE ON tinybase EXECUTE FUNCTION no()"
                )
                await kept.persister.start_auto_save()
                kept.store.set_value("v", 1)
                await kept.settled()
                assert "no" in str(kept.errors[-1])
                assert database.run("SELECT store FROM tinybase WHERE _id='_'") == [("[{},{}]",)]
                assert kept.commands[-1] == "ROLLBACK"
                database.run("DROP TRIGGER t ON tinybase")
                kept.store.set_value("w", 1)
                await kept.settled()
                assert database.run("SELECT * FROM tinybase") == [("_", '[{},{"v":1,"w":1}]')]

        asyncio.run(main())


class TestTabular:
    def test_it_takes_no_mergeable_store(self, database: Database) -> None:
        with pytest.raises(StoreTypeError):
            Kept(database, TabularMode(), MergeableStore())

    def test_tables_and_values(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database, BOTH) as kept, Kept(database, BOTH) as again:
                await kept.persister.load()
                await kept.persister.start_auto_save()
                kept.store.set_table(
                    "pets", {"fido": {"species": "dog", "good": True}, "felix": {"tags": ["a"]}}
                )
                kept.store.set_table("other", {"r": {"c": 1}})
                kept.store.set_values({"open": False, "n": 1.5, "none": None})
                await kept.settled()
                assert database.rows("SELECT * FROM pets ORDER BY _id") == [
                    {"_id": "felix", "species": None, "good": None, "tags": '"\ufffd[\\"a\\"]"'},
                    {"_id": "fido", "species": '"dog"', "good": "true", "tags": None},
                ]
                assert database.rows("SELECT * FROM tinybase_values") == [
                    {"_id": "_", "open": "false", "n": "1.5", "none": "null"}
                ]
                names = "SELECT tablename FROM pg_tables WHERE schemaname='public' ORDER BY 1"
                assert database.run(names) == [("pets",), ("tinybase_values",)]
                await again.persister.load()
                assert again.store.get_tables() == {
                    "pets": {
                        "fido": {"species": "dog", "good": True, "tags": None},
                        "felix": {"species": None, "good": None, "tags": ["a"]},
                    }
                }
                assert again.store.get_value("open") is False
                assert again.store.get_values() == {"open": False, "n": 1.5, "none": None}
                assert kept.errors == again.errors == []

        asyncio.run(main())

    def test_changes_write_only_what_changed(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database, BOTH) as kept:
                await kept.start()
                kept.store.set_table("pets", {"a": {"x": 1, "y": 1}, "b": {"x": 1}, "c": {"x": 1}})
                await kept.settled()
                kept.commands.clear()
                with kept.store.transaction():
                    kept.store.set_cell("pets", "a", "x", 2)
                    kept.store.del_cell("pets", "a", "y")
                    kept.store.del_row("pets", "b")
                await kept.settled()
                assert [sql for sql in kept.commands if "pets" in sql] == [
                    'INSERT INTO"pets"("_id","x","y")VALUES($1,$2,$3)'
                    'ON CONFLICT("_id")DO UPDATE SET"x"=excluded."x","y"=excluded."y"',
                    'DELETE FROM"pets"WHERE("_id"=$1)',
                ]
                assert database.run("SELECT _id, x, y FROM pets ORDER BY 1") == [
                    ("a", "2", None),
                    ("c", "1", None),
                ]
                kept.store.del_table("pets")
                await kept.settled()
                assert database.run("SELECT * FROM pets") == []
                assert kept.errors == []

        asyncio.run(main())

    def test_full_saves_replace_and_drop_on_demand(self, database: Database) -> None:
        async def main() -> None:
            database.run("CREATE TABLE pets(_id text PRIMARY KEY, old text)")
            database.run("INSERT INTO pets VALUES('x', '1')")
            keep = TabularMode(tables_save={"pets": "pets"})
            drop = TabularMode(tables_save={"pets": SaveTable("pets", "_id", True, True)})
            async with Kept(database, keep) as kept, Kept(database, drop) as dropping:
                kept.store.set_cell("pets", "a", "new", 1)
                await kept.persister.save()
                assert database.run("SELECT _id, old, new FROM pets") == [("a", None, "1")]
                dropping.store.set_cell("pets", "a", "new", 2)
                await dropping.persister.save()
                assert database.rows("SELECT * FROM pets") == [{"_id": "a", "new": "2"}]
                dropping.store.del_tables()
                await dropping.persister.save()
                assert database.run("SELECT tablename FROM pg_tables WHERE schemaname='public'") == []
                assert kept.errors == dropping.errors == []

        asyncio.run(main())

    def test_columns_of_any_type(self, database: Database) -> None:
        async def main() -> None:
            database.run("CREATE TABLE pets(_id int PRIMARY KEY, n int, price numeric, ok bool, x float8)")
            database.run("INSERT INTO pets VALUES(7, 1, 1.5, true, 0.5)")
            async with Kept(database, BOTH) as kept:
                await kept.start()
                assert kept.store.get_table("pets") == {"7": {"n": 1, "price": 1.5, "ok": True, "x": 0.5}}
                kept.store.set_row("pets", "7", {"n": 2, "price": 2.5, "ok": False, "x": 1})
                await kept.settled()
                assert database.run("SELECT _id, n, price::text, ok, x FROM pets") == [
                    (7, 2, "2.5", False, 1.0)
                ]
                assert kept.errors == []

        asyncio.run(main())

    def test_conditions_limit_what_is_loaded_deleted_and_followed(self, database: Database) -> None:
        async def main() -> None:
            database.run("CREATE TABLE pets(name text PRIMARY KEY, mine text)")
            database.run("INSERT INTO pets VALUES('a', '1'), ('b', '0'), ('c', '1')")
            mode = TabularMode(
                {"pets": LoadTable("pets", "name", "$tableName.\"mine\"='1'")},
                {"pets": SaveTable("pets", "name")},
            )
            async with Kept(database, mode) as kept:
                await kept.start()
                assert kept.store.get_table("pets") == {"a": {"mine": 1}, "c": {"mine": 1}}
                kept.store.del_row("pets", "a")
                await kept.settled()
                assert database.run("SELECT name FROM pets ORDER BY name") == [("b",), ("c",)]
                loads = kept.persister.get_stats()["loads"]
                database.run("INSERT INTO pets VALUES('d', '0')")
                database.run("INSERT INTO pets VALUES('e', '1')")
                await until(lambda: kept.store.has_row("pets", "e"))
                assert kept.persister.get_stats()["loads"] == loads + 1
                kept.store.del_tables()
                await kept.settled()
                assert database.run("SELECT name FROM pets ORDER BY name") == [("b",), ("d",)]

        asyncio.run(main())

    def test_some_values_only(self, database: Database) -> None:
        async def main() -> None:
            mode = TabularMode(values_load=["a", "b"], values_save=["a"])
            database.run("CREATE TABLE tinybase_values(_id text PRIMARY KEY, b text, c text)")
            database.run("INSERT INTO tinybase_values VALUES('_', '2', '3')")
            async with Kept(database, mode) as kept:
                await kept.start()
                assert kept.store.get_values() == {"b": 2}
                kept.store.set_values({"a": 1, "b": 5, "d": 6})
                await kept.settled()
                assert database.run("SELECT * FROM tinybase_values") == [("_", "2", "3", "1")]

        asyncio.run(main())

    def test_many_rows_take_several_statements(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            custom_postgres, "POSTGRES", replace(custom_postgres.POSTGRES, max_parameters=100)
        )

        async def main() -> None:
            async with Kept(database, BOTH) as kept:
                await kept.persister.load()
                kept.store.set_table("pets", {f"r{n}": {"a": n, "b": 2**70} for n in range(1000)})
                await kept.persister.save()
                kept.store.del_row("pets", "r5")
                await kept.persister.save()
                assert kept.errors == []
                assert sum(sql.startswith("INSERT") for sql in kept.commands) == 31 + 31
            assert database.run("SELECT count(*), max(b) FROM pets") == [(999, "1.1805916207174113e+21")]

        asyncio.run(main())


class TestFollowing:
    def test_both_ways_and_nothing_is_left_behind(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database) as one:
                await one.start()
                async with Kept(database) as other:
                    await other.start()
                    one.store.set_value("v", 1)
                    await until(lambda: other.store.get_values() == {"v": 1})
                    other.store.set_value("w", 2)
                    await until(lambda: one.store.get_values() == {"v": 1, "w": 2})
                assert [name[:11] for name in database.functions()] == [
                    "durabase_c_",
                    "durabase_d_",
                    "durabase_x_",
                ]
                database.run("UPDATE tinybase SET store='[{},{\"x\":1}]'")
                await until(lambda: one.store.get_values() == {"x": 1})
            assert database.functions() == []
            assert database.run("SELECT count(*) FROM pg_event_trigger") == [(0,)]

        asyncio.run(main())

    def test_what_was_written_by_itself_is_no_change(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database) as kept:
                await kept.start()
                loads = kept.persister.get_stats()["loads"]
                for number in range(20):
                    kept.store.set_value("v", number)
                await kept.settled()
                database.run("UPDATE tinybase SET store='[{},{\"x\":1}]'")
                await until(lambda: kept.store.has_value("x"))
                assert kept.persister.get_stats()["loads"] == loads + 1

        asyncio.run(main())

    def test_tables_that_are_emptied_dropped_and_made_again(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database, TabularMode({"pets": "pets"})) as kept:
                await kept.persister.start_auto_load()
                database.run("ALTER TABLE pets ADD x text")
                database.run("INSERT INTO pets VALUES('a', '1')")
                await until(lambda: kept.store.get_tables() == {"pets": {"a": {"x": 1}}})
                database.run("TRUNCATE pets")
                await until(lambda: kept.store.get_tables() == {})
                database.run("INSERT INTO pets VALUES('b', '1')")
                await until(lambda: kept.store.has_row("pets", "b"))
                database.run("DROP TABLE pets")
                await until(lambda: kept.store.get_tables() == {})
                database.run("CREATE TABLE pets AS SELECT 'c' AS _id, '1' AS x")
                await until(lambda: kept.store.has_row("pets", "c"))
                await kept.settled()
                database.run("INSERT INTO pets VALUES('d', '1')")
                await until(lambda: kept.store.has_row("pets", "d"))
                assert kept.errors == []

        asyncio.run(main())

    def test_a_table_that_it_drops_itself_is_followed_when_it_is_made_again(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database, BOTH) as kept:
                await kept.start([{}, {"v": 1}])
                kept.store.del_values()
                await kept.persister.save()
                assert database.run("SELECT to_regclass('tinybase_values')") == [(None,)]
                kept.store.set_value("v", 2)
                await kept.settled()
                triggers = "SELECT count(*) FROM pg_trigger WHERE tgrelid='tinybase_values'::regclass"
                await until(lambda: database.run(triggers) == [(4,)])
                database.run("UPDATE tinybase_values SET v='3'")
                await until(lambda: kept.store.get_values() == {"v": 3})
                assert kept.errors == []

        asyncio.run(main())

    def test_it_ends(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database) as kept:
                await kept.start()
                await kept.persister.stop_auto_load()
                database.run("UPDATE tinybase SET store='[{},{\"x\":1}]'")
                await kept.settled()
                assert kept.store.get_values() == {}
                assert database.functions() == []

        asyncio.run(main())

    def test_a_role_without_the_right_to_event_triggers(
        self, postgres: PostgresServer, database: Database
    ) -> None:
        async def main() -> None:
            database.run("CREATE ROLE plain LOGIN; GRANT USAGE, CREATE ON SCHEMA public TO plain")
            url = database.url.replace("postgres@", "plain@")
            async with Kept(url) as kept, Kept(url) as other:
                await kept.start([{}, {}])
                assert isinstance(kept.errors[0], PersisterError)
                assert "tables that are made or dropped" in str(kept.errors[0])
                await other.start()
                other.store.set_value("v", 1)
                await until(lambda: kept.store.get_values() == {"v": 1})
            assert database.functions() == []
            database.run("DROP OWNED BY plain; DROP ROLE plain")

        asyncio.run(main())


class TestConnections:
    def test_one_of_ones_own_is_shared_and_stays_open(self, database: Database) -> None:
        async def main() -> None:
            connection = await psycopg.AsyncConnection.connect(database.url, autocommit=True)
            async with (
                connection,
                Kept(connection) as one,
                Kept(connection, "b") as two,
                Kept(connection) as three,
            ):
                await asyncio.gather(*(kept.start() for kept in (one, two, three)))
                for number in range(10):
                    one.store.set_value("v", number)
                    two.store.set_value("w", number)
                await until(lambda: three.store.get_values() == {"v": 9})
                await two.settled()
                for kept in (one, two, three):
                    assert kept.persister.get_connection() is connection
                    await kept.persister.destroy()
                await connection.execute("SELECT 1")
                assert [
                    error for error in one.errors + two.errors + three.errors if not _is_empty(error)
                ] == []
            assert database.run("SELECT store FROM b") == [('[{},{"w":9}]',)]
            assert database.functions() == []

        asyncio.run(main())

    def test_one_that_begins_transactions_is_refused(self, database: Database) -> None:
        async def main() -> None:
            async with await psycopg.AsyncConnection.connect(database.url) as connection:
                with pytest.raises(PersisterError, match="autocommit"):
                    PostgresPersister(Store(), connection)

        asyncio.run(main())

    def test_one_that_is_in_a_transaction_is_left_alone(self, database: Database) -> None:
        async def main() -> None:
            connection = await psycopg.AsyncConnection.connect(database.url, autocommit=True)
            async with connection, Kept(connection) as kept, connection.transaction():
                await connection.execute("CREATE TABLE mine(x int)")
                await kept.persister.save()
                assert "in a transaction" in str(kept.errors[-1])
                await connection.execute("INSERT INTO mine VALUES(1)")
            assert database.run("SELECT x FROM mine") == [(1,)]

        asyncio.run(main())

    def test_psycopg_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "psycopg", None)
        with pytest.raises(PersisterError, match=r"pip install 'durabase\[postgres\]'"):
            PostgresPersister(Store(), "")


def _is_empty(error: Exception) -> bool:
    return str(error) == "tinybase:1:null"


class TestTrouble:
    @pytest.mark.parametrize("stored", ["garbage", '[{"t":', "5", "[NaN,{}]", ""])
    def test_what_cannot_be_read_is_not_overwritten(self, database: Database, stored: str) -> None:
        async def main() -> None:
            database.run("CREATE TABLE tinybase(_id text PRIMARY KEY, store text)")
            database.run(f"INSERT INTO tinybase VALUES('_', '{stored}')")
            async with Kept(database) as kept:
                kept.store.set_value("before", 1)
                await kept.start()
                kept.store.set_value("v", 1)
                await kept.settled()
                assert isinstance(kept.errors[-1], PersisterError)
                assert kept.store.get_values() == {"before": 1, "v": 1}
            assert database.run("SELECT * FROM tinybase") == [("_", stored)]

        asyncio.run(main())

    def test_wrong_shapes_in_a_mergeable_store(self, database: Database) -> None:
        async def main() -> None:
            stored = '[[{"t":5},"",0],[{},"",0]]'
            database.run("CREATE TABLE tinybase(_id text PRIMARY KEY, store text)")
            database.run(f"INSERT INTO tinybase VALUES('_', '{stored}')")
            async with Kept(database, store=mergeable("s")) as kept:
                await kept.start()
                kept.store.set_value("v", 1)
                await kept.settled()
                assert kept.errors
            assert database.run("SELECT * FROM tinybase") == [("_", stored)]

        asyncio.run(main())

    def test_a_foreign_table(self, database: Database) -> None:
        async def main() -> None:
            database.run("CREATE TABLE pets(_id text PRIMARY KEY, name text, born date)")
            database.run("INSERT INTO pets VALUES('1', 'Fido', '2020-01-01')")
            async with Kept(database, BOTH) as kept:
                kept.store.set_cell("pets", "mine", "x", 1)
                await kept.start()
                kept.store.set_cell("pets", "mine", "x", 2)
                await kept.settled()
                assert isinstance(kept.errors[0], ContentError)
                assert "column 'name' of table 'pets' holds 'Fido'" in str(kept.errors[0])
                assert isinstance(kept.errors[1], PersisterError)
                assert len(kept.errors) == 2
                assert kept.store.get_tables() == {"pets": {"mine": {"x": 2}}}
            assert database.run("SELECT _id, name FROM pets") == [("1", "Fido")]

        asyncio.run(main())

    @pytest.mark.parametrize("config", ["pets", BOTH], ids=["json", "tabular"])
    def test_a_foreign_table_without_the_column_of_ids(self, database: Database, config: Any) -> None:
        async def main() -> None:
            database.run("CREATE TABLE pets(name text)")
            database.run("INSERT INTO pets VALUES('Fido')")
            async with Kept(database, config) as kept:
                await kept.start()
                kept.store.set_cell("pets", "mine", "x", 1)
                await kept.settled()
                assert "table 'pets' has rows but no column of ids, '_id'" in str(kept.errors[0])
                assert isinstance(kept.errors[1], PersisterError)
                assert kept.store.get_tables() == {"pets": {"mine": {"x": 1}}}
            assert database.run("SELECT * FROM pets") == [("Fido",)]

        asyncio.run(main())

    @pytest.mark.parametrize("config", [None, BOTH], ids=["json", "tabular"])
    def test_a_database_that_may_only_be_read(self, database: Database, config: Any) -> None:
        async def main() -> None:
            async with Kept(database, config) as kept:
                await kept.start([{"pets": {"a": {"x": 1}}}, {"v": 1}])
            url = f"{database.url}?options=-c%20default_transaction_read_only%3Don"
            async with Kept(url, config) as kept:
                await kept.start()
                assert kept.store.get_values() == {"v": 1}
                kept.store.set_value("w", 2).del_tables()
                await kept.settled()
                assert isinstance(kept.errors[-1], psycopg.errors.ReadOnlySqlTransaction)
                assert kept.store.get_values() == {"v": 1, "w": 2}
            await self._check_stored(database, config, [{"pets": {"a": {"x": 1}}}, {"v": 1}])

        asyncio.run(main())

    @pytest.mark.parametrize("config", [None, BOTH], ids=["json", "tabular"])
    def test_a_full_disk(self, database: Database, config: Any) -> None:
        async def main() -> None:
            table = "tinybase" if config is None else "pets"
            async with Kept(database, config) as kept:
                await kept.start([{"pets": {"a": {"x": 1}}}, {"v": 1}])
                kept.errors.clear()
                database.run(
                    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
                    "EXCEPTION 'could not extend file' USING ERRCODE='disk_full'; END $$"
                )
                database.run(
                    f"CREATE TRIGGER full_disk BEFORE UPDATE ON {table} EXECUTE FUNCTION full_disk()"
                )
                kept.store.set_cell("pets", "a", "x", 2)
                await kept.settled()
                assert [type(error) for error in kept.errors] == [psycopg.errors.DiskFull]
                await self._check_stored(database, config, [{"pets": {"a": {"x": 1}}}, {"v": 1}])
                database.run(f"DROP TRIGGER full_disk ON {table}")
                kept.store.set_value("w", 2)
                await kept.settled()
                assert len(kept.errors) == 1
            await self._check_stored(database, config, [{"pets": {"a": {"x": 2}}}, {"v": 1, "w": 2}])

        asyncio.run(main())

    @staticmethod
    async def _check_stored(database: Database, config: Any, content: Any) -> None:
        """What somebody else finds."""
        async with Kept(database, config) as other:
            await other.persister.load()
            assert other.store.get_content() == content

    @pytest.mark.parametrize("config", [None, BOTH], ids=["json", "tabular"])
    def test_a_connection_that_is_lost_before_the_first_load(self, database: Database, config: Any) -> None:
        async def main() -> None:
            async with Kept(database, config) as kept:
                await kept.start([{"pets": {"a": {"x": 1}}}, {"v": 1}])
            connection = await psycopg.AsyncConnection.connect(database.url, autocommit=True)
            async with connection, Kept(connection, config) as kept:
                database.cut_others_off()
                await kept.persister.load()
                await kept.persister.start_auto_save()
                kept.store.set_value("w", 2)
                await kept.settled()
                assert isinstance(kept.errors[0], psycopg.OperationalError)
                assert kept.store.get_content() == [{}, {"w": 2}]
            await self._check_stored(database, config, [{"pets": {"a": {"x": 1}}}, {"v": 1}])

        asyncio.run(main())

    def test_a_server_that_is_not_there(self) -> None:
        async def main() -> None:
            async with Kept("postgresql://postgres@127.0.0.1:1/none") as kept:
                await kept.start([{}, {"v": 1}])
                assert isinstance(kept.errors[0], psycopg.OperationalError)
                assert kept.store.get_values() == {"v": 1}
                assert kept.persister.get_connection() is None

        asyncio.run(main())

    def test_an_idle_connection_that_was_lost_is_opened_again(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database) as kept:
                await kept.persister.load()
                await kept.persister.start_auto_save()
                kept.errors.clear()
                database.cut_others_off()
                kept.store.set_value("v", 1)
                await kept.settled()
                assert kept.errors == []
            assert database.run("SELECT store FROM tinybase") == [('[{},{"v":1}]',)]

        asyncio.run(main())

    def test_triggers_stay_for_whom_only_the_other_connection_was_lost(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database) as kept:
                await kept.start()
                async with Kept(database) as other:
                    await other.start()
                    await until(lambda: kept.persister.get_stats()["loads"] == 2)
                    await kept.settled()
                    connection = kept.persister.get_connection()
                    assert connection is not None
                    database.run(f"SELECT pg_terminate_backend({connection.info.backend_pid}, 5000)")
                    kept.store.set_value("v", 1)
                    await until(lambda: kept.persister.get_stats()["loads"] == 3)
                    await kept.settled()
                    assert kept.errors[1:] == []
                assert database.functions() != []
                database.run("UPDATE tinybase SET store='[{},{\"x\":1}]'")
                await until(lambda: kept.store.get_values() == {"x": 1})
            assert database.functions() == []

        asyncio.run(main())

    def test_a_lost_listener_is_reported_and_listens_again(self, database: Database) -> None:
        async def main() -> None:
            async with Kept(database) as kept, Kept(database) as other:
                await kept.start()
                await other.persister.load()
                kept.errors.clear()
                database.cut_others_off()
                await until(lambda: len(kept.errors) == 1)
                assert isinstance(kept.errors[0], psycopg.OperationalError)
                other.store.set_value("v", 1)
                await other.persister.save()
                await until(lambda: kept.store.get_values() == {"v": 1})
                kept.store.set_value("w", 2)
                await kept.settled()
                assert len(kept.errors) == 1
            assert database.run("SELECT store FROM tinybase") == [('[{},{"v":1,"w":2}]',)]
            assert database.functions() == []

        asyncio.run(main())

    @pytest.mark.parametrize("is_mergeable", [False, True])
    def test_a_server_that_goes_and_comes_back(
        self, postgres: PostgresServer, database: Database, is_mergeable: bool
    ) -> None:
        async def main() -> None:
            store = mergeable("s1") if is_mergeable else Store()
            async with Kept(database, store=store) as kept:
                await kept.start()
                kept.store.set_value("before", 1)
                await kept.settled()
                await asyncio.to_thread(postgres.stop)
                kept.store.set_value("meanwhile", 1)
                await kept.settled()
                await asyncio.to_thread(postgres.start)
                stored = Database(database.url)
                await until(
                    lambda: (
                        kept.clock.advance(1000),
                        "meanwhile" in stored.run("SELECT store FROM tinybase")[0][0],
                    )[1]
                )
                assert any(isinstance(error, psycopg.OperationalError) for error in kept.errors)
                assert kept.store.get_values() == {"before": 1, "meanwhile": 1}
                async with Kept(database, store=mergeable("s2") if is_mergeable else Store()) as other:
                    await other.start()
                    numbers = itertools.count()  # who catches up may overwrite what another has just saved
                    await until(
                        lambda: (
                            other.store.set_value("after", next(numbers)),
                            kept.store.has_value("after"),
                        )[1]
                    )
                    assert kept.store.get_value_ids() == ["before", "meanwhile", "after"]
                stored.close()

        asyncio.run(main())


_numbers = itertools.count()


@pytest.mark.parametrize("check", PERSISTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("is_mergeable", [False, True], ids=["plain", "mergeable"])
def test_it_does_what_every_persister_does(database: Database, check: Any, is_mergeable: bool) -> None:
    subject = PersisterSubject(
        new_place=lambda: f"place_{next(_numbers)}",
        make_persister=lambda store, place: PostgresPersister(store, database.url, place),
        is_mergeable=is_mergeable,
    )
    asyncio.run(check(subject))
