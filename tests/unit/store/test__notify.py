"""The order of calls is proved by the vectors; here is what each kind is told."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.store import IdChange, Store
from durabase.types import UNDEFINED


def _record(store: Store, kind: str, *ids: Any, mutator: bool = False) -> list[Any]:
    """The arguments after the store of each call, functions called."""
    calls: list[Any] = []

    def listen(given: Store, *args: Any) -> None:
        assert given is store
        calls.append([arg() if callable(arg) and kind.endswith("ids") else arg for arg in args])

    getattr(store, f"add_{kind}_listener")(*ids, listen, mutator=mutator)
    return calls


def _base() -> Store:
    return Store().set_content([{"t": {"r": {"a": 1, "b": "x"}}}, {"v": 1}])


@pytest.mark.parametrize("mutator", [False, True])
@pytest.mark.parametrize(
    ("kind", "ids", "told"),
    [
        ("table_ids", (), [[{"u": 1, "t": -1}]]),
        ("has_table", (None,), [["u", True], ["t", False]]),
        ("has_table", ("t",), [["t", False]]),
        ("table_cell_ids", (None,), [["u", {"c": 1}], ["t", {"a": -1, "b": -1}]]),
        ("has_table_cell", (None, "c"), [["u", "c", True]]),
        ("row_count", (None,), [["u", 2], ["t", 0]]),
        ("row_ids", (None,), [["u", {"r": 1, "s": 1}], ["t", {"r": -1}]]),
        ("has_row", (None, "r"), [["u", "r", True], ["t", "r", False]]),
        ("cell_ids", ("u", None), [["u", "r", {"c": 1}], ["u", "s", {"c": 1}]]),
        ("has_cell", ("t", "r", None), [["t", "r", "a", False], ["t", "r", "b", False]]),
        ("has_tables", (), []),
        ("has_values", (), [[False]]),
        ("value_ids", (), [[{"v": -1}]]),
        ("has_value", (None,), [["v", False]]),
    ],
)
def test_ids(kind: str, ids: tuple[Any, ...], told: Any, mutator: bool) -> None:
    store = _base()
    calls = _record(store, kind, *ids, mutator=mutator)
    with store.transaction():
        store.set_tables({"u": {"r": {"c": 1}, "s": {"c": 1}}}).del_values()
    assert calls == told


def test_cells_tell_new_and_old_decoded() -> None:
    store = _base()
    calls = _record(store, "cell", None, None, None)
    store.set_cell("t", "r", "a", {"k": [1]})
    store.del_cell("t", "r", "b")
    assert [call[:5] for call in calls] == [["t", "r", "a", {"k": [1]}, 1], ["t", "r", "b", UNDEFINED, "x"]]


def test_values_tell_new_and_old_decoded() -> None:
    store = _base()
    calls = _record(store, "value", None)
    store.set_value("v", [1]).set_value("w", None)
    assert [call[:3] for call in calls] == [["v", [1], 1], ["w", None, UNDEFINED]]


def test_rows_tables_and_all_tables_get_a_function_that_tells_any_change() -> None:
    store = _base()
    told: list[Any] = []

    def ask(*args: Any) -> None:
        get_cell_change = args[-1]
        told.append([get_cell_change("t", "r", cell_id) for cell_id in ("a", "b", "c")])
        told.append(get_cell_change("x", "y", "z"))

    store.add_row_listener("t", "r", ask)
    store.add_table_listener("t", ask)
    store.add_tables_listener(ask)
    store.set_partial_row("t", "r", {"a": [2], "c": 3})
    changes = [(True, 1, [2]), (False, "x", "x"), (True, UNDEFINED, 3)]
    assert told == [changes, (False, UNDEFINED, UNDEFINED)] * 3


def test_values_listeners_get_a_function_that_tells_any_change() -> None:
    store = _base().set_value("w", [1])
    told: list[Any] = []
    store.add_values_listener(
        lambda _store, get_value_change: told.extend(get_value_change(value_id) for value_id in "vwx")
    )
    store.set_value("v", {})
    assert told == [(True, 1, {}), (False, [1], [1]), (False, UNDEFINED, UNDEFINED)]


def test_what_was_touched_but_is_as_before_is_silent() -> None:
    store = _base()
    kinds = [
        ("cell", 3),
        ("row", 2),
        ("table", 1),
        ("tables", 0),
        ("value", 1),
        ("values", 0),
        ("row_count", 1),
    ]
    calls = [_record(store, kind, *[None] * count) for kind, count in kinds]
    with store.transaction():
        store.set_cell("t", "r", "a", 5).set_cell("t", "r", "a", 1.0).set_value("v", 5).set_value("v", 1)
        store.add_row("t", {"a": 1})
        store.del_row("t", "0")
    assert calls == [[]] * len(kinds)


def test_having_tables_and_values_is_told_when_it_flips() -> None:
    store = Store()
    tables, values = _record(store, "has_tables"), _record(store, "has_values")
    store.set_cell("t", "r", "c", 1).set_cell("t", "r", "c", 2).set_value("v", 1).set_value("v", 2)
    store.del_tables().del_values()
    assert tables == values == [[True], [False]]


def test_invalid_things_are_told_as_they_were_given() -> None:
    store = Store()
    cells, values = _record(store, "invalid_cell", None, None, None), _record(store, "invalid_value", None)
    with store.transaction():
        store.set_row("t", "r", {"c": {1}}).set_cell("t", "r", "c", UNDEFINED).set_table("t", {})
        store.set_value("v", {2}).set_values({})
    assert cells == [["t", "r", "c", [{1}, UNDEFINED]], ["t", UNDEFINED, UNDEFINED, [UNDEFINED]]]
    assert values == [["v", [{2}]], [UNDEFINED, [UNDEFINED]]]


def test_mutators_do_not_see_what_others_of_their_group_write() -> None:
    store = _base()
    seen: list[Any] = []

    def mutate(_store: Store, table_id: str, row_id: str, cell_id: str, new: Any, *_: Any) -> None:
        seen.append((cell_id, new))
        store.set_cell(table_id, row_id, "extra", new).set_value("w", 1).del_cell("t", "r", "b")

    store.add_cell_listener("t", "r", None, mutate, mutator=True)
    cells, values = _record(store, "cell", None, None, None), _record(store, "value", None, mutator=True)
    store.set_cell("t", "r", "a", 2)
    assert seen == [("a", 2)]
    assert [call[2:5] for call in cells] == [["a", 2, 1], ["extra", 2, UNDEFINED], ["b", UNDEFINED, "x"]]
    assert [call[:2] for call in values] == [["w", 1]]


def test_sorted_row_ids_are_told_when_the_page_changes() -> None:
    store = Store().set_table("t", {"a": {"n": 1}, "b": {"n": 2}, "c": {"n": 3}})
    by_cell = _record(store, "sorted_row_ids", "t", "n", True, 0, 2)
    by_id = _record(store, "sorted_row_ids", "t", None, False, 0, None)
    store.set_cell("t", "a", "n", 0)
    assert by_cell == []
    store.set_cell("t", "a", "n", 4).set_cell("t", "a", "other", 1)
    assert by_cell == [["t", "n", True, 0, 2, ["a", "c"]]]
    assert by_id == []
    store.del_row("t", "a")
    assert by_cell[1:] == [["t", "n", True, 0, 2, ["c", "b"]]]
    assert by_id == [["t", None, False, 0, None, ["b", "c"]]]


def test_a_sorted_row_ids_listener_forgets_touched_cells_that_are_as_before() -> None:
    store = _base()
    told: list[Any] = []
    store.add_sorted_row_ids_listener("t", "a", False, 0, None, print)
    store.add_tables_listener(lambda _store, get_cell_change: told.append(get_cell_change("t", "r", "a")))
    with store.transaction():
        store.set_cell("t", "r", "a", 2).set_cell("t", "r", "b", 2).set_cell("t", "r", "a", 1)
    assert told == [(False, 1, 1)]


def test_id_changes_are_named() -> None:
    store = _base()
    calls = _record(store, "row_ids", "t")
    store.add_row("t", {"a": 1})
    assert calls == [["t", {"0": IdChange.ADDED}]]


def test_there_are_no_changes_outside_of_a_transaction() -> None:
    store = _base()
    assert store.get_transaction_changes() == [{}, {}, 1]
    assert store.get_transaction_log() == [False, False, {}, {}, {}, {}, {}, {}, {}, {}]


def test_old_and_new_of_cells_are_not_looked_up_for_those_who_do_not_ask() -> None:
    store = _base()
    looked_up: list[Any] = []
    store.add_did_finish_transaction_listener(lambda _: looked_up.append(dict(store._log._cells)))
    store.set_cell("t", "r", "a", 2)
    assert looked_up == [{}]
    _record(store, "row", None, None)
    store.set_cell("t", "r", "a", 3)
    assert looked_up[1:] == [{"t": {"r": {"a": (2, 3)}}}]
