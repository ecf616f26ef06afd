from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from durabase.errors import ContentError
from durabase.store import Store
from durabase.types import UNDEFINED


def test_content_that_is_no_list_changes_nothing() -> None:
    store = Store().set_content([{"t": {"r": {"c": 1}}}, {"v": 1}])
    for content in (None, 5, {}, "xx", UNDEFINED):
        store.set_content(content)  # type: ignore[arg-type]
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {"v": 1}]


def test_an_empty_half_deletes_and_an_invalid_half_does_nothing() -> None:
    store = Store().set_content([{"t": {"r": {"c": 1}}}, {"v": 1}])
    store.set_content([{}, None])
    assert store.get_content() == [{}, {"v": 1}]
    store.set_content([{"t": {"r": {"c": 1}}}])
    store.set_content((5, {}))  # type: ignore[arg-type]
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {}]


def test_changes_are_applied_in_object_order_and_undefined_deletes() -> None:
    store = Store().set_content(
        [{"t": {"r": {"a": 1, "b": 2}, "s": {"a": 1}}, "u": {"r": {"a": 1}}}, {"v": 1}]
    )
    tables = {"t": {"r": {"a": UNDEFINED, "c": [1], "1": 3}, "s": UNDEFINED, "q": {}}, "u": UNDEFINED}
    store.apply_changes([tables, MappingProxyType({"v": UNDEFINED, "w": None}), 1])
    assert store.get_content() == [{"t": {"r": {"b": 2, "1": 3, "c": [1]}}}, {"w": None}]
    assert store.get_cell_ids("t", "r") == ["b", "1", "c"]
    store.apply_changes([{5: {6: {7: 8}}}, {}])
    assert store.get_cell("5", "6", "7") == 8


@pytest.mark.parametrize(
    "changes",
    [
        None,
        UNDEFINED,
        5,
        "xy",
        [],
        [{}],
        [None, {}],
        [{}, None],
        [{"t": None}, {}, 1],
        [{"t": []}, {}, 1],
        [{"t": {"r": None}}, {}, 1],
        [{"t": {"r": [1]}}, {}, 1],
    ],
)
def test_changes_of_another_shape_are_refused_as_a_whole(changes: Any) -> None:
    store = Store().set_cell("a", "b", "c", 1)
    if isinstance(changes, list) and len(changes) > 1 and isinstance(changes[0], dict):
        changes[0] = {"a": {"b": {"c": 2}}, **changes[0]}
    with pytest.raises(ContentError, match=r"tinybase:1:.*must be a"):
        store.apply_changes(changes)
    assert store.get_content() == [{"a": {"b": {"c": 1}}}, {}]


def test_a_partial_row_leaves_other_cells() -> None:
    store = Store().set_row("t", "r", {"a": 1})
    store.set_partial_row("t", "r", {"b": 2, "c": UNDEFINED})
    assert store.get_row("t", "r") == {"a": 1, "b": 2}
    store.set_partial_row("t", "s", {"c": UNDEFINED})
    assert not store.has_row("t", "s")


SCHEMA = {"t": {"a": {"type": "number", "default": 1}, "b": {"type": "string"}}}


def test_a_row_that_a_cell_creates_gets_defaults_an_existing_one_does_not() -> None:
    store = Store().set_tables_schema(SCHEMA).set_cell("t", "r", "b", "x")
    assert store.get_row("t", "r") == {"b": "x", "a": 1}
    store.set_partial_row("t", "s", {"b": "x"})
    assert store.get_row("t", "s") == {"b": "x", "a": 1}
    assert store.get_row("t", str(store.add_row("t", {}))) == {"a": 1}


def test_a_new_tables_schema_is_applied_to_what_is_there() -> None:
    store = Store().set_tables({"t": {"r": {"b": "x", "c": 1}, "s": {"b": 5}}, "u": {"r": {"b": "x"}}})
    store.set_cell("t", "r", "o", {"k": 1})
    store.set_tables_schema({"t": {**SCHEMA["t"], "o": {"type": "object"}}})
    assert store.get_tables() == {"t": {"r": {"b": "x", "o": {"k": 1}, "a": 1}, "s": {"a": 1}}}
    assert store.has_tables_schema()


def test_an_invalid_schema_changes_nothing() -> None:
    store = Store().set_cell("t", "r", "z", 1).set_value("v", 1)
    store.set_tables_schema({}).set_tables_schema({"t": {"a": {"type": "x"}}}).set_values_schema({})
    assert not store.has_tables_schema()
    assert not store.has_values_schema()
    assert store.get_content() == [{"t": {"r": {"z": 1}}}, {"v": 1}]


def test_a_new_values_schema_gives_defaults_at_once_and_can_be_replaced() -> None:
    store = Store().set_values({"v": "x", "w": 1})
    store.set_values_schema({"v": {"type": "number", "default": 1}, "x": {"type": "array", "default": [2]}})
    assert store.get_values() == {"v": 1, "x": [2]}
    store.del_value("v").del_values()
    assert store.get_values() == {"v": 1, "x": [2]}
    store.set_values_schema({"x": {"type": "array"}})
    assert store.get_values() == {"x": [2]}
    store.del_values()
    assert store.get_values() == {}


def test_without_schema_everything_is_allowed_again_and_content_stays() -> None:
    store = Store().set_schema(SCHEMA, {"v": {"type": "number", "default": 1}}).set_cell("t", "r", "b", "x")
    store.del_schema()
    assert not store.has_tables_schema()
    assert not store.has_values_schema()
    assert store.get_content() == [{"t": {"r": {"b": "x", "a": 1}}}, {"v": 1}]
    store.set_cell("t", "r", "b", 5).del_cell("t", "r", "a").del_value("v")
    assert store.get_content() == [{"t": {"r": {"b": 5}}}, {}]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('[{"t":{"r":{"c":2}}},{"w":2}]', [{"t": {"r": {"c": 2}}}, {"w": 2}]),
        ('{"t":{"r":{"c":2}}}', [{"t": {"r": {"c": 2}}}, {"v": 1}]),
        ("{}", [{}, {"v": 1}]),
        ("[{},{}]", [{}, {}]),
        ('[{},{"w":"\ufffd[1]"}]', [{}, {"w": [1]}]),
        ("[{}]", [{}, {"v": 1}]),
        ("null", [{"t": {"r": {"c": 1}}}, {"v": 1}]),
        ('"ab"', [{"t": {"r": {"c": 1}}}, {"v": 1}]),
        ("[NaN]", [{"t": {"r": {"c": 1}}}, {"v": 1}]),
    ],
)
def test_set_json(text: str, content: Any) -> None:
    store = Store().set_content([{"t": {"r": {"c": 1}}}, {"v": 1}])
    assert store.set_json(text).get_content() == content


def test_json_of_one_half() -> None:
    store = Store().set_content([{"t": {"r": {"c": 1}}}, {"v": 1}])
    store.set_tables_json('{"t":{"r":{"c":"\ufffd{}","d":"\ufffdx"}}}').set_values_json('{"w":"\ufffd[]"}')
    assert store.get_content() == [{"t": {"r": {"c": {}}}}, {"w": []}]
    store.set_tables_json("{").set_values_json("")
    assert store.get_content() == [{"t": {"r": {"c": {}}}}, {"w": []}]
    store.set_tables_json("{}").set_values_json("{}")
    assert store.get_content() == [{}, {}]
    store.set_value("v", "\ufffd[]")
    assert not store.has_value("v")


def test_text_that_is_no_json_begins_no_transaction() -> None:
    store = Store()
    calls: list[Any] = []
    store.add_did_finish_transaction_listener(calls.append)
    store.set_tables_json("{").set_values_json("{")
    assert calls == []
    store.set_json("{")
    assert calls == [store]
