"""Columns into a table: what is written, what is left alone, and what is refused beforehand."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import ContentError
from durabase.frames._merging import ids_from, merge_columns
from durabase.store import Store
from durabase.types import UNDEFINED, Table


class Index:
    """A whole number as libraries have them."""

    def __index__(self) -> int:
        return 7


def merged(before: Table, columns: dict[str, list[Any]], **options: bool) -> tuple[Table, list[str]]:
    """The table that comes of rows r and s in columns, and the cells that were written or deleted."""
    store = Store().set_table("t", before)
    touched: list[str] = []
    store.add_cell_listener(
        None, None, None, lambda _, __, row_id, cell_id, *___: touched.append(row_id + cell_id)
    )
    merge_columns(store, "t", ["r", "s"], columns, **{"partial": False, "nulls": False, **options})
    return store.get_table("t"), touched


def test_labels() -> None:
    assert ids_from(["a", "", 1, -2, Index()], "ids") == ["a", "", "1", "-2", "7"]
    assert ids_from(iter(()), "ids") == []


@pytest.mark.parametrize("label", [1.0, True, None, ("a",), b"a"])
def test_what_is_no_label(label: Any) -> None:
    with pytest.raises(ContentError) as caught:
        ids_from(["a", label], "the ids")
    assert str(caught.value).endswith(f":the ids must be text or whole numbers, not {label!r}")


def test_labels_that_are_there_twice() -> None:
    with pytest.raises(ContentError, match=r"the ids must be different, but '1' is there twice$"):
        ids_from(["1", 1], "the ids")


def test_rows_hold_what_is_in_the_columns_and_nothing_else() -> None:
    before: Table = {"r": {"a": 1, "old": 1}, "gone": {"a": 1}}
    assert merged(before, {"a": [2, 3], "b": [UNDEFINED, [1]]}) == (
        {"r": {"a": 2}, "s": {"a": 3, "b": [1]}},
        ["gonea", "ra", "rold", "sa", "sb"],
    )


def test_partly_leaves_rows_and_cells_alone_that_are_not_in_the_columns() -> None:
    before: Table = {"r": {"a": 1, "b": 1, "old": 1}, "other": {"a": 1}}
    table, touched = merged(before, {"a": [2, 3], "b": [UNDEFINED, UNDEFINED]}, partial=True)
    assert table == {"r": {"a": 2, "old": 1}, "other": {"a": 1}, "s": {"a": 3}}
    assert sorted(touched) == ["ra", "rb", "sa"]


def test_only_what_differs_is_written() -> None:
    same: Table = {"r": {"a": 1, "b": [1, {"c": None}], "n": None}, "s": {"a": "x"}}
    columns = {"a": [1, "x"], "b": [[1, {"c": None}], UNDEFINED], "n": [None, UNDEFINED]}
    assert merged(same, columns) == (same, [])
    assert merged(same, columns | {"a": [True, "x"]})[1] == ["ra"]
    assert merged(same, columns | {"n": [UNDEFINED, UNDEFINED]}) == (same, [])


def test_what_is_missing_may_become_null() -> None:
    table, _ = merged({"r": {"a": 1}}, {"a": [UNDEFINED, 2], "b": [UNDEFINED, UNDEFINED]}, nulls=True)
    assert table == {"r": {"a": None, "b": None}, "s": {"a": 2, "b": None}}


@pytest.mark.parametrize("thing", [b"x", float("inf"), {1}, object])
def test_what_can_not_be_a_cell_is_refused_before_anything_is_written(thing: Any) -> None:
    store = Store().set_table("t", {"r": {"a": 1}, "gone": {"a": 1}})
    with pytest.raises(ContentError) as caught:
        merge_columns(store, "t", ["r", "s"], {"a": [2, thing]}, partial=False, nulls=False)
    assert str(caught.value).endswith(
        f":row 's', column 'a': {thing!r} ({type(thing).__name__}) can't be kept in a cell: "
        "make text, numbers, booleans, lists or dicts of it"
    )
    assert store.get_table("t") == {"r": {"a": 1}, "gone": {"a": 1}}


def test_it_is_one_transaction() -> None:
    store = Store().set_table("t", {"gone": {"a": 1}})
    finished: list[Any] = []
    store.add_did_finish_transaction_listener(lambda *_: finished.append(store.get_table("t")))
    merge_columns(store, "t", ["r", "s"], {"a": [1, 2]}, partial=False, nulls=False)
    assert finished == [{"r": {"a": 1}, "s": {"a": 2}}]


def test_columns_are_as_long_as_there_are_rows() -> None:
    with pytest.raises(ValueError, match="shorter"):
        merge_columns(Store(), "t", ["r", "s"], {"a": [1]}, partial=False, nulls=False)
