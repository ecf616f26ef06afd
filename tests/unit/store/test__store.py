from __future__ import annotations

from typing import Any

import pytest

from durabase.store import Store, StoreHooks
from durabase.types import UNDEFINED


def test_writers_can_be_chained() -> None:
    store = Store()
    chained = (
        store.set_content([{"t": {"r": {"c": 1}}}, {"v": 1}])
        .set_tables({"t": {"r": {"c": 1}}})
        .set_table("t", {"r": {"c": 2}})
        .set_row("t", "r", {"c": 3})
        .set_partial_row("t", "r", {"d": 1})
        .set_cell("t", "r", "c", 4)
        .set_values({"v": 2})
        .set_partial_values({"w": 1})
        .set_value("v", 3)
        .apply_changes([{}, {}, 1])
        .set_tables_json("{")
        .set_values_json("{")
        .set_json("{")
        .set_tables_schema({})
        .set_values_schema({})
        .set_schema({}, {})
        .del_tables_schema()
        .del_values_schema()
        .del_schema()
        .start_transaction()
        .finish_transaction()
        ._set_encoded_content(None)  # type: ignore[arg-type]
        ._apply_encoded_changes([{}, {}, 1])
        .del_value("w")
        .del_cell("t", "r", "d")
    )
    assert chained is store
    assert store.get_content() == [{"t": {"r": {"c": 4}}}, {"v": 3}]
    assert store.del_row("t", "r").del_table("t").del_tables().del_values() is store
    assert store.get_content() == [{}, {}]


def test_functions_get_the_present_value() -> None:
    store = Store()
    seen: list[Any] = []
    store.set_value("v", lambda value: seen.append(value) or "x")
    store.set_value("v", lambda value: value + "x")
    store.set_value("v", lambda value: print)
    assert seen == [UNDEFINED]
    assert store.get_content() == [{}, {"v": "xx"}]
    store.set_content(lambda: [{}, {"w": 1}])
    assert store.get_content() == [{}, {"w": 1}]


def test_ids_that_are_no_strings_become_those_of_javascript() -> None:
    store = Store()
    store.set_cell(1, None, UNDEFINED, 1).set_value(1.5, 2)  # type: ignore[arg-type]
    store.set_row(True, -0.0, {2: 1}).set_table(1e21, {3: {4: 5}})  # type: ignore[arg-type,dict-item]
    assert store.get_content() == [
        {"1": {"null": {"undefined": 1}}, "true": {"0": {"2": 1}}, "1e+21": {"3": {"4": 5}}},
        {"1.5": 2},
    ]
    store.del_cell(1, None, UNDEFINED).del_row(True, 0).del_table(1e21).del_value(1.5)  # type: ignore[arg-type]
    assert store.get_content() == [{}, {}]


def test_odd_ids_are_ordinary() -> None:
    store = Store()
    for odd in ("", "__proto__", "constructor", "\ufffc"):
        store.set_cell(odd, odd, odd, 1)
        assert store.get_cell(odd, odd, odd) == 1
    assert store.get_table_ids() == ["", "__proto__", "constructor", "\ufffc"]


def test_add_row_gives_the_id_or_none() -> None:
    store = Store()
    assert store.add_row("t", {"a": 1}) == "0"
    assert store.add_row(7, {"a": 1}) == "0"  # type: ignore[arg-type]
    assert store.add_row("t", {}) is None
    assert store.add_row("t", {"a": 1}) == "1"
    store.del_row("t", "0")
    assert store.add_row("t", {"a": 1}, False) == "2"
    assert store.add_row("t", {"a": 1}) == "0"


def test_forced_deletion() -> None:
    store = Store().set_tables_schema({"t": {"a": {"type": "number", "default": 1}, "b": {"type": "number"}}})
    store.set_row("t", "r", {"a": 2, "b": 3}).set_row("t", "s", {"a": 2})
    store.del_cell("t", "r", "a").del_cell("t", "s", "a", force_del=True)
    assert store.get_tables() == {"t": {"r": {"a": 1, "b": 3}}}


def test_a_schema_for_tables_only() -> None:
    store = Store().set_schema({"t": {"a": {"type": "number"}}})
    assert store.has_tables_schema()
    assert not store.has_values_schema()


def test_a_store_is_not_mergeable() -> None:
    assert not Store().is_mergeable()


def test_a_store_built_upon_this_one_is_the_one_that_listeners_get() -> None:
    class Outer(Store):
        pass

    inner, outer = Store(), Outer()
    inner._public = outer
    calls: list[Any] = []
    inner.add_value_listener("v", lambda store, *_: calls.append(store))
    with inner.transaction(lambda store: calls.append(store)) as given:
        inner.set_value("v", 1)
    assert calls == [outer, outer]
    assert given is outer
    assert inner._public is outer


def test_hooks_can_be_set_later() -> None:
    class Hooks(StoreHooks):
        def __init__(self) -> None:
            self.values: list[Any] = []

        def value_changed(self, *args: Any) -> None:
            self.values.append(args)

    store, hooks = Store(), Hooks()
    assert store._hooks is None
    store._hooks = hooks
    assert store._hooks is hooks
    store.set_value("v", [1])
    assert hooks.values == [("v", "\ufffd[1]", False, False)]


def test_encoded_changes() -> None:
    store = Store()
    seen: list[Any] = []
    store.add_did_finish_transaction_listener(
        lambda _s: seen.append(store._get_encoded_transaction_changes())
    )
    changes = [{"t": {"r": {"c": "\ufffd{}", "d": "\ufffdbad"}}}, {"v": "\ufffd[1]"}, 1]
    store._apply_encoded_changes(changes)
    assert seen == [[{"t": {"r": {"c": "\ufffd{}"}}}, {"v": "\ufffd[1]"}, 1]]
    assert store.get_content() == [{"t": {"r": {"c": {}}}}, {"v": [1]}]
    store.apply_changes([{"t": {"r": {"c": "\ufffd[]"}}}, {}, 1])
    assert store.get_cell("t", "r", "c") == {}


def test_setting_json_of_tables_or_values_swallows_and_logs_what_listeners_raise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Store()

    def fail(_: Store, *arguments: object) -> None:
        raise ZeroDivisionError

    store.add_tables_listener(fail)
    store.add_values_listener(fail)
    store.set_tables_json('{"t":{"r":{"c":1}}}').set_values_json('{"v":1}')
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {"v": 1}]
    assert len(caplog.records) == 2
    with pytest.raises(ZeroDivisionError):
        store.set_json("[{},{}]")
