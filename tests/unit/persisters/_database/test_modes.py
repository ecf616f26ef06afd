"""The two layouts, in a database of SQLite's."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import ContentError
from durabase.persisters._database.config import JsonMode, LoadTable, SaveTable, TabularMode
from durabase.persisters._database.dialect import SQLITE
from durabase.persisters._database.modes import JsonLayout, TabularLayout, layout_of
from durabase.types import UNDEFINED

from .databases import Database, done

CONTENT: list[Any] = [{"pets": {"a": {"kind": "cat"}}, "other": {"x": {"y": 1}}}, {"open": True, "v": "w"}]


class Rig:
    def __init__(self, mode: Any, script: str = "") -> None:
        self.database = Database(script)
        self.layout = layout_of(mode, self.database.execute, SQLITE)

    def load(self) -> Any:
        return done(self.layout.load_steps())

    def save(self, content: Any = None, changes: Any = None) -> None:
        def get_content() -> Any:
            assert changes is None
            return content

        done(self.layout.save_steps(get_content, changes))


def test_each_configuration_has_its_layout() -> None:
    assert isinstance(Rig(JsonMode()).layout, JsonLayout)
    assert isinstance(Rig(TabularMode()).layout, TabularLayout)


@pytest.mark.parametrize("mode", [JsonMode(), TabularMode(values_save=True)])
def test_a_frame_is_around_what_a_save_does_within_its_transaction(mode: Any) -> None:
    database = Database()

    def frame(saving: Any) -> Any:
        database.ran.append("before")
        yield from saving
        database.ran.append("after")

    layout = layout_of(mode, database.execute, SQLITE, frame)
    done(layout.save_steps(lambda: CONTENT, None))
    assert database.ran[0] == "BEGIN"
    assert (database.ran[2], database.ran[-2:]) == ("before", ["after", "END"])
    database.ran.clear()
    done(layout.load_steps())
    assert "before" not in database.ran


class TestJson:
    def test_content_is_one_text_and_comes_back(self) -> None:
        rig = Rig(JsonMode("t", "i", "s"))
        assert rig.load() is None
        content = [[{"a": [{}, UNDEFINED]}], [{"v": [UNDEFINED, "stamp"]}]]
        rig.save(content)
        assert rig.database.rows("SELECT i, s FROM t") == [
            ("_", '[[{"a":[{},"\ufffc"]}],[{"v":["\ufffc","stamp"]}]]')
        ]
        assert rig.load() == content

    def test_changes_make_no_difference_and_all_else_in_the_table_goes(self) -> None:
        rig = Rig(
            JsonMode(), "CREATE TABLE tinybase (_id, store, more); INSERT INTO tinybase VALUES (1, 2, 3)"
        )
        done(rig.layout.save_steps(lambda: CONTENT, [{}, {"v": 1}, 1]))
        assert rig.database.columns("tinybase") == ["_id", "store"]
        assert rig.load() == CONTENT
        assert len(rig.database.rows("SELECT * FROM tinybase")) == 1

    def test_what_is_no_content(self) -> None:
        rig = Rig(JsonMode(), "CREATE TABLE tinybase (_id, store)")
        for stored, error, text in (("{", ValueError, "property name"), (5, ContentError, "tinybase:1:5")):
            rig.database.execute("DELETE FROM tinybase", None)
            rig.database.execute("INSERT INTO tinybase VALUES ('_', ?)", [stored])
            with pytest.raises(error, match=text):
                rig.load()

    def test_nothing_is_there_without_the_row_or_the_text(self) -> None:
        script = "CREATE TABLE tinybase (_id, store); INSERT INTO tinybase VALUES ('x', '[]'), ('_', NULL)"
        assert Rig(JsonMode(), script).load() is None


class TestTabular:
    def test_only_what_is_listed_is_saved_and_loaded(self) -> None:
        rig = Rig(TabularMode({"db": "pets"}, {"pets": "db"}))
        assert rig.load() == [{}, {}]
        rig.save(CONTENT)
        assert rig.database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'") == [("db",)]
        assert rig.load() == [{"pets": {"a": {"kind": "cat"}}}, {}]

    def test_tables_may_go_elsewhere_than_they_come_from(self) -> None:
        rig = Rig(
            TabularMode({"one": LoadTable("t", "key", "$tableName.n > 1")}, {"u": SaveTable("two", "key")}),
            "CREATE TABLE one (key, n); INSERT INTO one VALUES ('a', 1), ('b', 2)",
        )
        assert rig.load() == [{"t": {"b": {"n": 2}}}, {}]
        rig.save([{"u": {"r": {"c": 1}}}, {}])
        assert rig.database.rows("SELECT key, c FROM two") == [("r", 1)]

    @pytest.mark.parametrize(
        ("choice", "stored"),
        [(True, {"open": 1, "v": "w"}), (["v"], {"v": "w"}), (["v", "more"], {"v": "w"})],
    )
    def test_values_are_one_row(self, choice: Any, stored: dict[str, Any]) -> None:
        rig = Rig(TabularMode(values_load=True, values_save=choice))
        rig.save(CONTENT)
        assert rig.load() == [{}, stored]
        assert len(rig.database.rows("SELECT * FROM tinybase_values WHERE _id = '_'")) == 1
        rig.save(changes=[{}, {"v": UNDEFINED, "open": False}, 1])
        assert rig.load()[1]["v"] is None
        assert rig.load()[1].get("open", 0) == 0

    def test_some_values_are_loaded(self) -> None:
        script = "CREATE TABLE tinybase_values (_id, a, b); INSERT INTO tinybase_values VALUES ('_', 1, 2)"
        assert Rig(TabularMode(values_load=["b"]), script).load() == [{}, {"b": 2}]
        assert Rig(TabularMode(), script).load() == [{}, {}]

    def test_without_rows_there_is_no_content_if_values_are_loaded(self) -> None:
        assert Rig(TabularMode(values_load=True)).load() is UNDEFINED

    def test_without_values_their_row_goes_with_the_table_unless_only_some_are_saved(self) -> None:
        script = """
            CREATE TABLE tinybase_values (_id PRIMARY KEY, a, b);
            INSERT INTO tinybase_values VALUES ('_', 1, 2);
        """
        all_of_them, some = (Rig(TabularMode(values_save=choice), script) for choice in (True, ["a"]))
        all_of_them.save([{}, {}])
        assert all_of_them.database.columns("tinybase_values") == []
        some.save([{}, {"a": 3, "c": 4}])
        assert some.database.rows("SELECT * FROM tinybase_values") == [("_", 3, 2)]

    def test_changes_are_of_what_is_listed(self) -> None:
        rig = Rig(TabularMode({"db": "pets"}, {"pets": "db"}))
        rig.save(CONTENT)
        rig.save(changes=[{"pets": {"a": {"kind": "cow"}}, "other": UNDEFINED}, {"v": 1}, 1])
        assert rig.load() == [{"pets": {"a": {"kind": "cow"}}}, {}]
        rig.save(changes=[{"other": UNDEFINED}, {}, 1])
        assert rig.load() == [{"pets": {"a": {"kind": "cow"}}}, {}]
        rig.save(changes=[{"pets": UNDEFINED}, {}, 1])
        assert rig.load() == [{}, {}]
