from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from durabase.store._changes import ChangeLog
from durabase.store._schema import TablesSchema, ValuesSchema
from durabase.store._validation import Validator
from durabase.types import UNDEFINED


class Fixture:
    def __init__(self, tables: Any = None, values: Any = None) -> None:
        self.log = ChangeLog()
        tables_schema, values_schema = TablesSchema(), ValuesSchema()
        if tables:
            tables_schema.set(TablesSchema.valid(tables) or {})
        if values:
            values_schema.set(ValuesSchema.valid(values) or {})
        self.check = Validator(tables_schema, values_schema, self.log)


NOT_OBJECTS = [None, UNDEFINED, 5, "x", [], {}, [{"a": 1}]]


@pytest.mark.parametrize("given", NOT_OBJECTS)
def test_what_is_no_object_or_empty_is_reported_once_as_a_whole(given: Any) -> None:
    f = Fixture()
    assert f.check.tables(given) is None
    assert f.check.table("t", given) is None
    assert f.check.row("t", "r", given) is None
    assert f.check.partial_row("t", "p", given) is None
    assert f.check.values(given) is None
    assert f.check.partial_values(given) is None
    assert f.log.invalid_cells == {
        UNDEFINED: {UNDEFINED: {UNDEFINED: [UNDEFINED]}},
        "t": {
            UNDEFINED: {UNDEFINED: [UNDEFINED]},
            "r": {UNDEFINED: [UNDEFINED]},
            "p": {UNDEFINED: [UNDEFINED]},
        },
    }
    assert f.log.invalid_values == {UNDEFINED: [UNDEFINED, UNDEFINED]}


def test_invalid_children_are_left_out_and_an_emptied_whole_is_not_reported_again() -> None:
    f = Fixture()
    assert f.check.tables({"t": {"r": {"c": print, "d": 1}, "s": {}}, "u": {"r": {"c": print}}}) == {
        "t": {"r": {"d": 1}}
    }
    assert f.log.invalid_cells == {
        "t": {"r": {"c": [print]}, "s": {UNDEFINED: [UNDEFINED]}},
        "u": {"r": {"c": [print]}},
    }
    assert f.check.values({"v": 1, "w": print}) == {"v": 1}
    assert f.check.values({"w": print}) is None
    assert f.log.invalid_values == {"w": [print, print]}


def test_input_is_taken_in_object_order_with_ids_as_strings_and_left_alone() -> None:
    given = {"t": MappingProxyType({"b": {"y": 1, 2: [1], "1": 3}, 5: {"x": 1}})}
    tables = Fixture().check.tables(given)
    assert tables is not None
    assert list(tables["t"]) == ["5", "b"]
    assert list(tables["t"]["b"].items()) == [("1", 3), ("2", "\ufffd[1]"), ("y", 1)]
    assert list(given["t"]["b"]) == ["y", 2, "1"]


def test_encoded_things_count_only_while_they_are_accepted() -> None:
    f = Fixture()
    assert f.check.row("t", "r", {"c": "\ufffd{}"}) is None
    f.check.accept_encoded = True
    assert f.check.row("t", "r", {"c": "\ufffd{}"}) == {"c": "\ufffd{}"}
    assert f.check.value("v", "\ufffd[]") == "\ufffd[]"


SCHEMA = {
    "t": {
        "a": {"type": "number", "default": 1},
        "b": {"type": "string"},
        "c": {"type": "string", "required": True},
    }
}


def test_a_full_row_gets_defaults_and_needs_what_is_required() -> None:
    f = Fixture(SCHEMA)
    assert f.check.row("t", "r", {"c": "x"}) == {"c": "x", "a": 1}
    assert f.check.row("t", "r", {"b": "x"}) is None
    assert f.check.row("t", "r", {"c": 5}) is None
    assert f.check.partial_row("t", "r", {"b": "x"}) == {"b": "x"}
    assert f.log.invalid_cells["t"]["r"] == {"b": [UNDEFINED, UNDEFINED], "c": [UNDEFINED, 5]}


def test_an_invalid_cell_becomes_the_default_and_is_reported() -> None:
    f = Fixture(SCHEMA)
    assert f.check.cell("t", "r", "a", "no") == 1
    assert f.check.cell("t", "r", "b", None) is UNDEFINED
    assert f.check.cell("t", "r", "z", 1) is UNDEFINED
    assert f.check.cell("u", "r", "a", 1) is UNDEFINED
    assert f.check.table("u", {"r": {"a": 1}}) is None
    assert f.log.invalid_cells == {
        "t": {"r": {"a": ["no"], "b": [None], "z": [1]}},
        "u": {"r": {"a": [1]}, UNDEFINED: {UNDEFINED: [UNDEFINED]}},
    }


def test_values_get_defaults_and_need_what_is_required() -> None:
    f = Fixture(values={"v": {"type": "number", "default": 1}, "w": {"type": "string", "required": True}})
    assert f.check.values({"w": "x"}) == {"w": "x", "v": 1}
    assert f.check.values({"v": 2}) is None
    assert f.check.partial_values({"v": "no", "x": 1}) == {"v": 1}
    assert f.check.value("w", 5) is UNDEFINED
    assert f.log.invalid_values == {"w": [UNDEFINED, 5], "v": ["no"], "x": [1]}


def test_no_object_is_no_row_under_a_schema_either() -> None:
    f = Fixture(SCHEMA, {"v": {"type": "number", "default": 1}})
    assert f.check.row("t", "r", None) is None
    assert f.check.values(None) is None
    assert f.log.invalid_cells == {"t": {"r": {UNDEFINED: [UNDEFINED]}}}
    assert f.log.invalid_values == {UNDEFINED: [UNDEFINED]}
