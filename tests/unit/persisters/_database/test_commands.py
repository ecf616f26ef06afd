"""Statements that load and save tables, run by SQLite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from durabase.errors import ContentError
from durabase.persisters._database import commands as module
from durabase.persisters._database.commands import Commands, quoted
from durabase.persisters._database.config import SaveTable
from durabase.persisters._database.dialect import POSTGRES, SQLITE
from durabase.types import UNDEFINED

from .databases import Database, done

PETS = """
CREATE TABLE pets (_id PRIMARY KEY, kind, age);
INSERT INTO pets VALUES ('a', 'cat', 1), ('b', 'dog', 2);
"""
TABLE = SaveTable("pets", condition="true")


class Rig:
    """Commands for one table of a database."""

    def __init__(self, script: str = "", dialect: Any = SQLITE, table: str = "pets") -> None:
        self.database = Database(script)
        self.commands = Commands(self.database.execute, [table], dialect)

    def within(self, work: Any) -> Any:
        """Work in a transaction; what it gives."""
        self.database.ran.clear()
        return done(self.commands.transaction_steps(work))

    def load(self, *arguments: Any, **options: Any) -> Any:
        return self.within(lambda: self.commands.load_table_steps(*(arguments or ("pets", "_id")), **options))

    def save(self, rows: Any, table: SaveTable = TABLE, only: Any = None) -> None:
        self.within(lambda: self.commands.save_table_steps(table, rows, only))

    def change(self, rows: Any, table: SaveTable = TABLE, only: Any = None) -> None:
        self.within(lambda: self.commands.save_changes_steps(table, rows, only))

    def pets(self) -> list[tuple[Any, ...]]:
        return self.database.rows("SELECT * FROM pets ORDER BY _id")

    def statements(self) -> list[str]:
        """What was run beside what every transaction has."""
        return self.database.ran[2:-1]


@pytest.mark.parametrize(("name", "text"), [("a", '"a"'), ('a"b', '"a""b"'), ("s.t", '"s"."t"'), ("", '""')])
def test_identifiers_are_quoted(name: str, text: str) -> None:
    assert quoted(name) == text


class TestTransactions:
    def test_work_is_within_one_with_fresh_knowledge_of_the_schema(self) -> None:
        rig = Rig()
        assert rig.load() == {}
        assert (rig.database.ran[0], rig.database.ran[-1]) == ("BEGIN", "END")
        rig.database.connection.executescript(PETS)
        assert list(rig.load()) == ["a", "b"]

    @pytest.mark.parametrize("broken", ["INSERT", "END", "SELECT t.name"])
    def test_what_fails_is_undone(self, broken: str) -> None:
        rig = Rig(PETS)
        rig.database.broken = broken
        with pytest.raises(OSError, match="broken"):
            rig.save({"c": {"kind": "cow"}})
        assert rig.database.ran[-1] == "ROLLBACK"
        assert not rig.database.connection.in_transaction
        assert rig.pets() == [("a", "cat", 1), ("b", "dog", 2)]

    def test_of_two_errors_the_first_is_told(self) -> None:
        rig = Rig(PETS)

        def work() -> Any:
            rig.database.broken = "ROLLBACK"
            raise ValueError("first")
            yield

        with pytest.raises(ValueError, match="first"):
            rig.within(work)


class TestLoading:
    def test_rows_by_id_without_what_has_no_cells(self) -> None:
        rig = Rig(PETS)
        assert rig.load() == {"a": {"kind": "cat", "age": 1}, "b": {"kind": "dog", "age": 2}}
        assert rig.load("pets", "kind") == {"cat": {"_id": "a", "age": 1}, "dog": {"_id": "b", "age": 2}}
        assert Rig("CREATE TABLE pets (_id); INSERT INTO pets VALUES (1)").load() == {}

    def test_a_table_that_is_not_there_or_not_managed_has_no_rows(self) -> None:
        rig = Rig("CREATE TABLE other (_id, a); INSERT INTO other VALUES (1, 1)")
        assert rig.load("other", "_id") == {}

    def test_ids_become_texts_as_in_javascript(self) -> None:
        rig = Rig("CREATE TABLE pets (_id, a); INSERT INTO pets VALUES (1, 1), (2.5, 1), (NULL, 1)")
        assert list(rig.load()) == ["1", "2.5", "null"]

    def test_some_columns_of_rows_that_meet_a_condition(self) -> None:
        rig = Rig(PETS)
        assert rig.load("pets", "_id", "$tableName.age > 1", ["age", "not there"]) == {"b": {"age": 2}}

    def test_rows_without_a_column_of_ids_are_an_error_and_no_rows_are_none(self) -> None:
        rig = Rig("CREATE TABLE pets (a)")
        assert rig.load() == {}
        rig.database.connection.execute("INSERT INTO pets VALUES (1)")
        with pytest.raises(ContentError, match="table 'pets' has rows but no column of ids, '_id'"):
            rig.load()

    def test_what_can_not_be_decoded_says_where_it_is(self) -> None:
        dialect = replace(SQLITE, decode=POSTGRES.decode)
        rig = Rig("CREATE TABLE pets (_id, a); INSERT INTO pets VALUES (1, '{')", dialect)
        with pytest.raises(ContentError, match=r"column 'a' of table 'pets' holds '\{': "):
            rig.load()


class TestSavingAll:
    def test_a_table_is_made_with_its_columns_in_order_of_the_rows(self) -> None:
        rig = Rig()
        rig.save({"a": {"kind": "cat"}, "b": {"age": 2, "kind": "dog"}})
        assert rig.database.columns("pets") == ["_id", "kind", "age"]
        assert rig.pets() == [("a", "cat", None), ("b", "dog", 2)]
        with pytest.raises(Exception, match="UNIQUE"):
            rig.database.connection.execute("INSERT INTO pets (_id) VALUES ('a')")

    def test_rows_are_replaced_and_others_go(self) -> None:
        rig = Rig(PETS)
        rig.save({"b": {"kind": "bear", "size": 3}, "c": {"age": 4}})
        assert rig.pets() == [("b", "bear", None, 3), ("c", None, 4, None)]

    def test_nothing_is_made_for_no_rows(self) -> None:
        rig = Rig()
        rig.save({})
        rig.save({"a": {}})
        assert rig.database.columns("pets") == []

    def test_a_column_of_ids_that_is_missing_or_not_unique_is_mended(self) -> None:
        rig = Rig("CREATE TABLE pets (kind); CREATE TABLE other (_id, kind)")
        rig.save({"a": {"kind": "cat"}})
        assert rig.pets() == [("cat", "a")]
        (index,) = rig.database.rows("SELECT name FROM sqlite_schema WHERE type = 'index'")
        assert index[0].startswith("tinybase_pk_")
        rig.save({"a": {"kind": "cow"}})
        assert not [sql for sql in rig.statements() if sql.startswith("CREATE")]

    def test_without_rows_the_table_goes_if_it_may(self) -> None:
        for table, is_there, count in (
            (TABLE, True, 0),
            (replace(TABLE, delete_empty_table=True), False, 0),
            (replace(TABLE, delete_empty_table=True, condition=None), False, 0),
            (replace(TABLE, delete_empty_table=True, condition="age > 1"), True, 1),
        ):
            rig = Rig(PETS)
            rig.save({}, table)
            assert bool(rig.database.columns("pets")) is is_there
            assert not is_there or len(rig.pets()) == count

    def test_columns_without_cells_go_if_they_may(self) -> None:
        rig = Rig(PETS)
        rig.save({"a": {"size": 3}})
        assert rig.database.columns("pets") == ["_id", "kind", "age", "size"]
        rig.save({"a": {"size": 3}}, replace(TABLE, delete_empty_columns=True))
        assert rig.database.columns("pets") == ["_id", "size"]
        assert rig.pets() == [("a", 3)]

    def test_some_columns_only_leave_the_others_and_the_table(self) -> None:
        rig = Rig(PETS)
        table = replace(TABLE, delete_empty_columns=True, delete_empty_table=True)
        rig.save({"a": {"age": 7, "kind": "cow", "size": 1}}, table, ["age", "size"])
        assert rig.pets() == [("a", "cat", 7, 1)]
        rig.save({"a": {"age": 8}}, table, ["age", "size"])
        assert rig.database.columns("pets") == ["_id", "kind", "age"]
        rig.save({}, table, ["age"])
        assert rig.pets() == [("a", "cat")]

    def test_rows_that_do_not_meet_the_condition_stay(self) -> None:
        rig = Rig(PETS)
        rig.save({"c": {"kind": "cow"}}, replace(TABLE, condition="$tableName.age > 1"))
        assert rig.pets() == [("a", "cat", 1), ("c", "cow", None)]

    def test_many_rows_take_several_statements_and_no_id_is_forgotten(self) -> None:
        rig = Rig("CREATE TABLE pets (_id PRIMARY KEY, n); INSERT INTO pets VALUES ('x', 1)")
        rig.commands._dialect = replace(SQLITE, max_parameters=500)
        rows = {str(number): {"n": number} for number in range(module._MAX_LISTED_IDS + 1)}
        rig.save(rows)
        assert sum(sql.startswith("INSERT") for sql in rig.statements()) == 3
        assert "json_each" in rig.statements()[-1]
        assert rig.load() == rows
        del rows["7"]
        rig.save(rows)
        assert "json_each" not in rig.statements()[-1]
        assert rig.load() == rows


class TestSavingChanges:
    def test_cells_rows_and_deletions(self) -> None:
        rig = Rig(PETS)
        rig.change({"a": {"age": 7, "size": 1}, "b": UNDEFINED, "c": {"kind": "cow"}})
        assert rig.pets() == [("a", "cat", 7, 1), ("c", "cow", None, None)]
        rig.change({"a": {"age": UNDEFINED}})
        assert rig.pets()[0] == ("a", "cat", None, 1)
        rig.change(UNDEFINED)
        assert rig.pets() == []

    def test_a_table_comes_with_the_first_cell_and_not_with_deletions(self) -> None:
        rig = Rig()
        rig.change(UNDEFINED)
        rig.change({"a": UNDEFINED})
        assert rig.database.columns("pets") == []
        rig.change({"a": UNDEFINED, "b": {"kind": "cat"}})
        assert rig.pets() == [("b", "cat")]

    def test_deletions_are_of_rows_that_meet_the_condition(self) -> None:
        rig, table = Rig(PETS), replace(TABLE, condition="age > 1")
        rig.change({"a": UNDEFINED, "b": UNDEFINED}, table)
        assert rig.pets() == [("a", "cat", 1)]
        rig.change(UNDEFINED, table)
        assert rig.pets() == [("a", "cat", 1)]

    def test_cells_of_some_columns_only(self) -> None:
        rig = Rig(PETS)
        rig.change({"a": {"age": 7, "kind": "cow"}, "b": {"kind": "cow"}}, TABLE, ["age"])
        assert rig.pets() == [("a", "cat", 7), ("b", "dog", 2)]
