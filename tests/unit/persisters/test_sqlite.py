"""Stores in SQLite databases, as one text and as tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durabase.errors import PersisterError, StoreTypeError
from durabase.mergeable import MergeableStore
from durabase.persisters.sqlite import JsonMode, LoadTable, SaveTable, SqlitePersister, TabularMode
from durabase.store import Store
from durabase.testing import FakeClock


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


class Kept:
    """A store with a persister over a connection; ``commands`` are the statements that it ran."""

    def __init__(self, db: Any, config: Any = None, store: Any = None) -> None:
        self.store = Store() if store is None else store
        self.clock = FakeClock()
        self.errors: list[Exception] = []
        self.commands: list[str] = []
        self.persister = SqlitePersister(
            self.store,
            db,
            config,
            on_sql_command=lambda sql, _params: self.commands.append(sql),
            on_ignored_error=self.errors.append,
            clock=self.clock,
        )

    def start(self, initial: Any = None) -> Kept:
        assert self.persister.start_auto_persisting(initial).done()
        return self


def rows(db: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    return db.execute(sql).fetchall()


class TestJson:
    def test_one_text_in_one_cell(self, db: sqlite3.Connection) -> None:
        kept = Kept(db).start([{}, {"v": 1}])
        assert [str(error) for error in kept.errors] == ["tinybase:1:null"]
        kept.store.set_cell("t", "r", "c", [1])
        assert rows(db, "SELECT * FROM tinybase") == [("_", '[{"t":{"r":{"c":"\ufffd[1]"}}},{"v":1}]')]
        again = Kept(db).start()
        assert again.store.get_content() == kept.store.get_content()
        assert again.errors == []

    def test_a_mergeable_store(self, db: sqlite3.Connection) -> None:
        kept = Kept(db, store=MergeableStore("s1", clock=FakeClock())).start()
        kept.store.set_value("v", 1).del_value("v")
        again = Kept(db, store=MergeableStore("s2", clock=FakeClock())).start()
        assert again.store.get_mergeable_content_hashes() == kept.store.get_mergeable_content_hashes()

    def test_names_of_ones_own(self, db: sqlite3.Connection) -> None:
        Kept(db, JsonMode('odd "name"', "key", "content")).start().store.set_value("v", 1)
        assert rows(db, 'SELECT "key","content" FROM "odd ""name"""') == [("_", '[{},{"v":1}]')]
        Kept(db, "named").start()
        assert rows(db, "SELECT * FROM named") == [("_", "[{},{}]")]

    def test_other_columns_and_rows_go(self, db: sqlite3.Connection) -> None:
        db.executescript("CREATE TABLE tinybase(_id, x, store); INSERT INTO tinybase VALUES('a', 1, '[]')")
        Kept(db).start()
        assert rows(db, "SELECT * FROM tinybase") == [("_", "[{},{}]")]
        assert rows(db, "SELECT count(*) FROM pragma_index_list('tinybase') WHERE \"unique\"=1") == [(1,)]

    @pytest.mark.parametrize("stored", ["'garbage'", "5", "'5'", "x'00'"])
    def test_what_cannot_be_read_is_not_overwritten(self, db: sqlite3.Connection, stored: str) -> None:
        db.execute("CREATE TABLE tinybase(_id PRIMARY KEY, store)")
        db.execute("INSERT INTO tinybase VALUES('_', " + stored + ")")
        before = rows(db, "SELECT * FROM tinybase")
        kept = Kept(db).start()
        kept.store.set_value("v", 1)
        assert rows(db, "SELECT * FROM tinybase") == before
        assert isinstance(kept.errors[-1], PersisterError)

    def test_a_failed_save_is_rolled_back(self, db: sqlite3.Connection) -> None:
        kept = Kept(db).start()
        db.execute("CREATE TRIGGER t BEFORE DELETE ON tinybase BEGIN SELECT RAISE(ABORT, 'no'); END")
        db.execute("INSERT INTO tinybase VALUES('other', '')")
        kept.store.set_value("v", 1)
        assert str(kept.errors[-1]) == "no"
        assert rows(db, "SELECT store FROM tinybase WHERE _id='_'") == [("[{},{}]",)]
        assert not db.in_transaction
        assert kept.commands[-1] == "ROLLBACK"
        db.execute("DROP TRIGGER t")
        kept.store.set_value("w", 1)
        assert rows(db, "SELECT * FROM tinybase") == [("_", '[{},{"v":1,"w":1}]')]

    def test_a_path(self, tmp_path: Path) -> None:
        path = tmp_path / "store.db"
        kept = Kept(path).start()
        kept.store.set_value("v", 1)
        connection = kept.persister.get_db()
        kept.persister.destroy()
        with pytest.raises(sqlite3.ProgrammingError):
            connection.execute("SELECT 1")
        again = Kept(str(path)).start()
        assert again.store.get_values() == {"v": 1}
        again.persister.destroy()

    def test_a_connection_of_ones_own_stays_open(self, db: sqlite3.Connection) -> None:
        Kept(db).start().persister.destroy()
        assert rows(db, "SELECT 1") == [(1,)]

    def test_a_connection_with_implicit_transactions(self) -> None:
        connection = sqlite3.connect(":memory:")
        Kept(connection).start().store.set_value("v", 1)
        assert not connection.in_transaction
        assert rows(connection, "SELECT store FROM tinybase") == [('[{},{"v":1}]',)]
        connection.close()


BOTH = TabularMode(
    {"pets": "pets"}, {"pets": "pets"}, values_load=True, values_save=True, auto_load_interval_seconds=2
)


class TestTabular:
    def test_it_takes_no_mergeable_store(self, db: sqlite3.Connection) -> None:
        with pytest.raises(StoreTypeError):
            SqlitePersister(MergeableStore(), db, TabularMode())

    def test_tables_and_values(self, db: sqlite3.Connection) -> None:
        kept = Kept(db, BOTH).start()
        assert rows(db, "SELECT name FROM sqlite_schema") == []
        kept.store.set_table("pets", {"fido": {"species": "dog", "good": True}, "felix": {"tags": ["a"]}})
        kept.store.set_table("other", {"r": {"c": 1}})
        kept.store.set_values({"open": False, "n": 1.5, "none": None})
        assert rows(db, "SELECT _id, species, good, tags FROM pets") == [
            ("fido", "dog", 1, None),
            ("felix", None, None, '\ufffd["a"]'),
        ]
        assert rows(db, "SELECT _id, open, n, none FROM tinybase_values") == [("_", 0, 1.5, None)]
        assert rows(db, "SELECT name FROM sqlite_schema WHERE type='table'") == [
            ("pets",),
            ("tinybase_values",),
        ]
        again = Kept(db, BOTH).start()
        assert again.store.get_tables() == {
            "pets": {
                "fido": {"species": "dog", "good": 1, "tags": None},
                "felix": {"species": None, "good": None, "tags": ["a"]},
            }
        }
        assert again.store.get_values() == {"open": 0, "n": 1.5, "none": None}
        assert kept.errors == again.errors == []

    def test_changes_write_only_what_changed(self, db: sqlite3.Connection) -> None:
        kept = Kept(db, BOTH).start()
        kept.store.set_table("pets", {"a": {"x": 1, "y": 1}, "b": {"x": 1}, "c": {"x": 1}})
        kept.commands.clear()
        with kept.store.transaction():
            kept.store.set_cell("pets", "a", "x", 2)
            kept.store.del_cell("pets", "a", "y")
            kept.store.del_row("pets", "b")
        assert [sql for sql in kept.commands if "pets" in sql] == [
            'INSERT INTO"pets"("_id","x","y")VALUES(?,?,?)'
            'ON CONFLICT("_id")DO UPDATE SET"x"=excluded."x","y"=excluded."y"',
            'DELETE FROM"pets"WHERE("_id"=?)',
        ]
        assert rows(db, "SELECT _id, x, y FROM pets") == [("a", 2, None), ("c", 1, None)]
        kept.store.del_table("pets")
        assert rows(db, "SELECT * FROM pets") == []

    def test_deleting_what_has_no_table(self, db: sqlite3.Connection) -> None:
        kept = Kept(db, BOTH).start()
        kept.store.set_table("pets", {"a": {"x": 1}, "b": {"x": 1}})
        db.execute("DROP TABLE pets")
        kept.store.del_row("pets", "b")
        kept.store.del_table("pets")
        assert kept.errors == []
        assert rows(db, "SELECT name FROM sqlite_schema WHERE name='pets'") == []

    def test_full_saves_replace_and_drop_on_demand(self, db: sqlite3.Connection) -> None:
        db.executescript("CREATE TABLE pets(_id PRIMARY KEY, old); INSERT INTO pets VALUES('x', 1)")
        keep = TabularMode(tables_save={"pets": "pets"})
        drop = TabularMode(tables_save={"pets": SaveTable("pets", "_id", True, True)})
        kept = Kept(db, keep)
        kept.store.set_cell("pets", "a", "new", 1)
        kept.persister.save()
        assert rows(db, "SELECT _id, old, new FROM pets") == [("a", None, 1)]
        kept = Kept(db, drop)
        kept.store.set_cell("pets", "a", "new", 2)
        kept.persister.save()
        assert rows(db, "SELECT * FROM pets") == [("a", 2)]
        kept.store.del_tables()
        kept.persister.save()
        assert rows(db, "SELECT name FROM sqlite_schema") == []
        Kept(db, keep).persister.save()
        assert kept.errors == []

    def test_without_content_rows_go_and_the_table_stays(self, db: sqlite3.Connection) -> None:
        db.executescript("CREATE TABLE pets(_id PRIMARY KEY, old); INSERT INTO pets VALUES('x', 1)")
        Kept(db, TabularMode(tables_save={"pets": "pets"})).persister.save()
        assert rows(db, "SELECT * FROM pets") == []

    def test_conditions_limit_what_is_loaded_and_deleted(self, db: sqlite3.Connection) -> None:
        db.executescript(
            "CREATE TABLE pets(name PRIMARY KEY, mine);INSERT INTO pets VALUES('a', 1), ('b', 0), ('c', 1)"
        )
        load = LoadTable("pets", "name", '$tableName."mine"=1')
        kept = Kept(db, TabularMode({"pets": load}, {"pets": SaveTable("pets", "name")})).start()
        assert kept.store.get_table("pets") == {"a": {"mine": 1}, "c": {"mine": 1}}
        kept.store.del_row("pets", "a")
        assert rows(db, "SELECT name FROM pets ORDER BY name") == [("b",), ("c",)]
        kept.persister.save()
        kept.store.del_tables()
        assert rows(db, "SELECT name FROM pets ORDER BY name") == [("b",)]

    def test_an_id_column_that_is_not_unique_gets_an_index(self, db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE pets(_id, x)")
        kept = Kept(db, BOTH).start()
        kept.store.set_cell("pets", "a", "x", 1)
        kept.store.set_cell("pets", "a", "x", 2)
        assert kept.errors == []
        assert rows(db, "SELECT * FROM pets") == [("a", 2)]

    def test_a_table_without_the_id_column_counts_as_empty_if_it_is(self, db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE pets(name, x)")
        kept = Kept(db, BOTH).start([{"pets": {"a": {"x": 1}}}, {"v": 1}])
        assert kept.errors == []
        assert kept.store.get_content() == [{"pets": {"a": {"x": 1}}}, {"v": 1}]

    def test_numbers_as_ids(self, db: sqlite3.Connection) -> None:
        db.executescript("CREATE TABLE pets(_id INTEGER PRIMARY KEY, x); INSERT INTO pets VALUES(7, 1)")
        kept = Kept(db, BOTH).start()
        assert kept.store.get_table("pets") == {"7": {"x": 1}}
        kept.store.set_cell("pets", "7", "x", 2)
        assert rows(db, "SELECT * FROM pets") == [(7, 2)]

    def test_some_values_only(self, db: sqlite3.Connection) -> None:
        mode = TabularMode(values_load=["a", "b"], values_save=["a"])
        db.executescript(
            "CREATE TABLE tinybase_values(_id PRIMARY KEY, b, c);"
            "INSERT INTO tinybase_values VALUES('_', 2, 3)"
        )
        kept = Kept(db, mode).start()
        assert kept.store.get_values() == {"b": 2}
        kept.store.set_values({"a": 1, "b": 5, "d": 6})
        assert rows(db, "SELECT * FROM tinybase_values") == [("_", 2, 3, 1)]
        kept.store.del_value("a")
        kept.persister.save()
        assert rows(db, "SELECT * FROM tinybase_values") == [("_", 2, 3)]

    def test_initial_content(self, db: sqlite3.Connection) -> None:
        kept = Kept(db, BOTH).start([{"pets": {"a": {"x": 1}}}, {"v": 1}])
        assert kept.errors == []
        assert rows(db, "SELECT * FROM pets") == [("a", 1)]

    def test_values_stay_when_only_tables_are_there(self, db: sqlite3.Connection) -> None:
        db.executescript("CREATE TABLE pets(_id PRIMARY KEY, x); INSERT INTO pets VALUES('a', 1)")
        kept = Kept(db, BOTH)
        kept.store.set_value("v", 1)
        kept.persister.load()
        assert kept.store.get_content() == [{"pets": {"a": {"x": 1}}}, {"v": 1}]

    def test_the_values_table_is_no_table(self, db: sqlite3.Connection) -> None:
        mode = TabularMode({"tinybase_values": "t"}, {"t": "tinybase_values"})
        assert mode.loads() == {}
        assert mode.saves() == {}
        assert [table.name for table in mode.managed_tables()] == ["tinybase_values"]

    def test_many_rows_and_large_numbers(self, db: sqlite3.Connection) -> None:
        kept = Kept(db, BOTH).start()
        kept.store.set_table("pets", {f"r{n}": {"a": n, "b": "x", "c": 2**70} for n in range(12_000)})
        assert kept.errors == []
        kept.store.del_row("pets", "r5")
        kept.persister.save()
        assert rows(db, "SELECT count(*), max(c) FROM pets") == [(11_999, float(2**70))]
