from __future__ import annotations

from typing import Any

import pytest

from durabase.store import Store
from durabase.types import UNDEFINED


@pytest.fixture
def store() -> Store:
    tables = {"t": {"r": {"a": 1, "o": {"k": [1]}}, "s": {"b": None, "a": 0}}, "5": {"0": {"c": "x"}}}
    return Store().set_content([tables, {"w": [1], "v": -0.0}])


def test_getters(store: Store) -> None:
    assert store.get_content() == [store.get_tables(), store.get_values()]
    assert store.get_table_ids() == ["5", "t"]
    assert store.get_table("t") == {"r": {"a": 1, "o": {"k": [1]}}, "s": {"b": None, "a": 0}}
    assert store.get_table_cell_ids("t") == ["a", "o", "b"]
    assert store.get_row_count("t") == 2
    assert store.get_row_ids("t") == ["r", "s"]
    assert store.get_row("t", "s") == {"b": None, "a": 0}
    assert store.get_cell_ids("t", "s") == ["b", "a"]
    assert store.get_cell("t", "r", "o") == {"k": [1]}
    assert store.get_value_ids() == ["w", "v"]
    assert store.get_value("w") == [1]


def test_getters_of_what_is_not_there(store: Store) -> None:
    assert store.get_table("x") == store.get_row("t", "x") == store.get_row("x", "r") == {}
    assert store.get_row_ids("x") == store.get_cell_ids("x", "y") == store.get_table_cell_ids("x") == []
    assert store.get_row_count("x") == 0
    assert store.get_cell("t", "r", "x") is None
    assert store.get_cell("t", "x", "a", 5) == 5
    assert store.get_cell("t", "s", "b", UNDEFINED) is None
    assert store.get_cell("t", "s", "x", UNDEFINED) is UNDEFINED
    assert store.get_value("x") is None
    assert store.get_value("x", "default") == "default"


def test_checks(store: Store) -> None:
    assert store.has_tables()
    assert store.has_table("t")
    assert store.has_table_cell("t", "b")
    assert store.has_row("t", "r")
    assert store.has_cell("t", "s", "b")
    assert store.has_values()
    assert store.has_value("v")
    assert not store.has_table("x")
    assert not store.has_table_cell("t", "c")
    assert not store.has_table_cell("x", "a")
    assert not store.has_row("t", "x")
    assert not store.has_cell("t", "r", "b")
    assert not store.has_value("x")
    assert not Store().has_tables()
    assert not Store().has_values()


def test_ids_that_are_no_strings(store: Store) -> None:
    assert store.get_cell(5, 0, "c") == "x"  # type: ignore[arg-type]
    assert store.has_row(5.0, -0.0)  # type: ignore[arg-type]
    assert not store.has_table(True)  # type: ignore[arg-type]


def test_results_are_fresh(store: Store) -> None:
    store.get_table("t")["r"]["a"] = 2
    store.get_cell("t", "r", "o")["k"].append(2)  # type: ignore[index,call-overload,union-attr]
    store.get_value_ids().append("x")
    store.get_values()["w"] = 1
    store._get_encoded_content()[0]["t"]["r"]["a"] = 2
    assert store.get_row("t", "r") == {"a": 1, "o": {"k": [1]}}
    assert store.get_values() == {"w": [1], "v": 0}


def test_json_is_in_object_order_and_encoded(store: Store) -> None:
    tables = '{"5":{"0":{"c":"x"}},"t":{"r":{"a":1,"o":"\ufffd{\\"k\\":[1]}"},"s":{"b":null,"a":0}}}'
    values = '{"w":"\ufffd[1]","v":0}'
    assert store.get_tables_json() == tables
    assert store.get_values_json() == values
    assert store.get_json() == f"[{tables},{values}]"
    assert Store().set_json(store.get_json()).get_content() == store.get_content()


def test_the_encoded_content_can_be_set(store: Store) -> None:
    encoded = store._get_encoded_content()
    assert encoded[1] == {"w": "\ufffd[1]", "v": 0}
    assert Store()._set_encoded_content(encoded).get_content() == store.get_content()
    assert Store().set_content(encoded).get_values() == {"v": 0}


def test_schemas_as_json() -> None:
    store = Store()
    assert store.get_schema_json() == "[{},{}]"
    entry = {"default": [1], "type": "array", "x": 1}
    store.set_schema({"t": {"c": entry, "1": {"enum": [1]}}}, {"v": entry})
    tables = '{"t":{"1":{"enum":[1]},"c":{"default":[1],"type":"array"}}}'
    assert store.get_tables_schema_json() == tables
    assert store.get_values_schema_json() == '{"v":{"default":[1],"type":"array"}}'
    assert store.get_schema_json() == f'[{tables},{{"v":{{"default":[1],"type":"array"}}}}]'


def test_iteration_is_over_what_there_is_when_it_begins(store: Store) -> None:
    assert list(store.iter_tables()) == ["5", "t"]
    assert list(store.iter_table_cells("t")) == [("a", 2), ("o", 1), ("b", 1)]
    assert list(store.iter_table_cells("x")) == []
    assert list(store.iter_cells("t", "s")) == [("b", None), ("a", 0)]
    assert list(store.iter_values()) == [("w", [1]), ("v", 0)]
    for row_id, row in store.iter_rows("t"):
        store.set_cell("t", row_id + "2", "a", row["a"]).del_row("t", row_id)
    assert list(store.iter_rows("t")) == [("r2", {"a": 1}), ("s2", {"a": 0})]


@pytest.mark.parametrize(
    ("args", "row_ids"),
    [
        ((), ["a", "b", "c", "d"]),
        ((None, True), ["d", "c", "b", "a"]),
        (("n",), ["d", "b", "c", "a"]),
        (("n", True), ["a", "c", "b", "d"]),
        (("n", False, 1), ["b", "c", "a"]),
        (("n", False, 1, 2), ["b", "c"]),
        (("n", False, 0, 0), []),
        (("n", False, -2), ["c", "a"]),
        (("n", False, -2, 1), ["c"]),
        (("n", False, -2, 2), []),
        (("n", False, 9), []),
        (("n", False, 0, None, lambda one, other: (other or 0) - (one or 0)), ["a", "b", "c", "d"]),
        (("missing",), ["a", "b", "c", "d"]),
    ],
)
def test_sorted_row_ids(args: tuple[Any, ...], row_ids: list[str]) -> None:
    store = Store().set_table("t", {"a": {"n": 3}, "b": {"n": 1}, "c": {"n": 1}, "d": {"x": 1}})
    assert store.get_sorted_row_ids("t", *args) == row_ids
    assert store.get_sorted_row_ids("x", *args) == []
