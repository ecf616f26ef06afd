from __future__ import annotations

from typing import Any

import pytest

from durabase.store import Store
from durabase.types import UNDEFINED

KINDS = {
    "has_tables": 0,
    "tables": 0,
    "table_ids": 0,
    "has_table": 1,
    "table": 1,
    "table_cell_ids": 1,
    "has_table_cell": 2,
    "row_count": 1,
    "row_ids": 1,
    "has_row": 2,
    "row": 2,
    "cell_ids": 2,
    "has_cell": 3,
    "cell": 3,
    "invalid_cell": 3,
    "has_values": 0,
    "values": 0,
    "value_ids": 0,
    "has_value": 1,
    "value": 1,
    "invalid_value": 1,
}


def _add(store: Store, kind: str, listener: Any, *ids: Any, **options: Any) -> str:
    added: str = getattr(store, f"add_{kind}_listener")(*(ids or [None] * KINDS[kind]), listener, **options)
    return added


@pytest.mark.parametrize("mutator", [False, True])
def test_every_kind_is_counted_and_can_be_removed(mutator: bool) -> None:
    store = Store()
    ids = [_add(store, kind, print, mutator=mutator) for kind in KINDS]
    ids.append(store.add_sorted_row_ids_listener("t", "c", False, 0, None, print, mutator=mutator))
    ids.append(store.add_start_transaction_listener(print))
    ids.append(store.add_will_finish_transaction_listener(print))
    ids.append(store.add_did_finish_transaction_listener(print))
    assert ids == [str(number) for number in range(25)]
    expected = dict.fromkeys([*KINDS, "sorted_row_ids"], 1) | {"transaction": 3}
    assert store.get_listener_stats() == expected
    for listener_id in ids:
        assert store.del_listener(listener_id) is store
    assert store.del_listener("99") is store
    assert set(store.get_listener_stats().values()) == {0}


def test_sorted_row_ids_are_counted_by_what_they_sort_by() -> None:
    store = Store()
    for cell_id in ("a", "a", "b", None):
        store.add_sorted_row_ids_listener("t", cell_id, False, 0, None, print)
    assert store.get_listener_stats()["sorted_row_ids"] == 3


def test_ids_that_are_no_strings_are_those_that_setters_make() -> None:
    store = Store()
    calls: list[Any] = []
    _add(store, "cell", lambda _store, *args: calls.append(args[:4]), 1, True, 2.0)
    store.set_cell(1, True, 2.0, "x")  # type: ignore[arg-type]
    assert calls == [("1", "true", "2", "x")]


def test_undefined_as_an_id_means_what_is_unknown() -> None:
    store = Store()
    calls: list[Any] = []
    _add(store, "invalid_cell", lambda _store, *args: calls.append(args), "t", UNDEFINED, UNDEFINED)
    store.set_table("t", {}).set_cell("t", "r", "c", UNDEFINED)
    assert calls == [("t", UNDEFINED, UNDEFINED, [UNDEFINED])]


def _content() -> Store:
    return Store().set_content([{"t": {"r": {"a": [1]}}, "u": {"s": {"b": 2}}}, {"v": {}, "w": 1}])


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("has_tables", [(True,)]),
        ("tables", [(UNDEFINED,)]),
        ("table_ids", [(UNDEFINED,)]),
        ("has_table", [("t", True), ("u", True)]),
        ("table", [("t", UNDEFINED), ("u", UNDEFINED)]),
        ("table_cell_ids", [("t", UNDEFINED), ("u", UNDEFINED)]),
        ("has_table_cell", [("t", "a", True), ("u", "b", True)]),
        ("row_count", [("t", UNDEFINED), ("u", UNDEFINED)]),
        ("row_ids", [("t", UNDEFINED), ("u", UNDEFINED)]),
        ("has_row", [("t", "r", True), ("u", "s", True)]),
        ("row", [("t", "r", UNDEFINED), ("u", "s", UNDEFINED)]),
        ("cell_ids", [("t", "r", UNDEFINED), ("u", "s", UNDEFINED)]),
        ("has_cell", [("t", "r", "a", True), ("u", "s", "b", True)]),
        ("cell", [("t", "r", "a", [1], [1], UNDEFINED), ("u", "s", "b", 2, 2, UNDEFINED)]),
        ("invalid_cell", []),
        ("has_values", [(True,)]),
        ("values", [(UNDEFINED,)]),
        ("value_ids", [(UNDEFINED,)]),
        ("has_value", [("v", True), ("w", True)]),
        ("value", [("v", {}, {}, UNDEFINED), ("w", 1, 1, UNDEFINED)]),
        ("invalid_value", []),
    ],
)
def test_a_direct_call_tells_what_there_is(kind: str, told: Any) -> None:
    store = _content()
    calls: list[Any] = []
    listener_id = _add(store, kind, lambda _store, *args: calls.append(args))
    assert store.call_listener(listener_id) is store
    assert calls == told


def test_a_direct_call_of_exact_ids_needs_no_content() -> None:
    store = Store()
    calls: list[Any] = []
    listen = lambda _store, *args: calls.append(args)  # noqa: E731
    for kind in ("has_cell", "cell", "invalid_cell"):
        store.call_listener(_add(store, kind, listen, "t", "r", "c"))
    assert calls == [
        ("t", "r", "c", False),
        ("t", "r", "c", UNDEFINED, UNDEFINED, UNDEFINED),
        ("t", "r", "c", UNDEFINED),
    ]


def test_a_direct_call_of_sorted_row_ids_tells_news_only() -> None:
    store = _content()
    calls: list[Any] = []
    listener_id = store.add_sorted_row_ids_listener(
        "t", "a", False, 0, None, lambda _store, *args: calls.append(args)
    )
    store.call_listener(listener_id)
    assert calls == []


def test_a_sorted_row_ids_listener_with_a_sorter_of_its_own() -> None:
    store = Store().set_table("t", {"x": {"n": "aaa"}, "y": {"n": "b"}})
    calls: list[Any] = []
    store.add_sorted_row_ids_listener(
        "t",
        "n",
        False,
        0,
        None,
        lambda _store, *args: calls.append(args[-1]),
        sorter=lambda one, other: len(one) - len(other),
    )
    store.set_cell("t", "z", "n", "cc")
    assert calls == [["y", "z", "x"]]


def test_transaction_listeners_can_be_called_directly() -> None:
    store = Store()
    calls: list[Any] = []
    store.call_listener(store.add_did_finish_transaction_listener(calls.append))
    assert calls == [store]


def test_a_listener_may_remove_itself() -> None:
    store = Store()
    calls: list[Any] = []

    def once(_store: Store, value_id: str, *_: Any) -> None:
        calls.append(value_id)
        store.del_listener(listener_id)

    listener_id = _add(store, "value", once)
    store.set_values({"v": 1, "w": 2}).set_value("x", 1)
    assert calls == ["v"]
