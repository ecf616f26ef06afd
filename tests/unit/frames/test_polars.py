"""Frames of polars: types, missing values, and tables that come back as they were."""

from __future__ import annotations

import datetime
import sys
from typing import Any

import polars as pl
import pytest
from hypothesis import given

from durabase.errors import ContentError
from durabase.frames import from_polars, to_polars
from durabase.store import Store
from durabase.types import Table

from ._tables import store_with, tables, without_nulls

PETS: Table = {
    "fido": {"name": "Fido", "age": 3, "price": 5, "sold": True, "tags": ["a"]},
    "felix": {"name": None, "price": 4.5, "sold": False, "any": "x"},
    "rex": {"age": None, "any": 1},
}
KEY = "the ids of the rows"


@given(tables())
def test_a_table_that_comes_back_changes_nothing(table: Table) -> None:
    store = store_with(table)
    before = store.get_mergeable_content()
    from_polars(store, "t", to_polars(store, "t", id_column=KEY), id_column=KEY)
    assert store.get_mergeable_content() == before


@given(tables())
def test_a_table_arrives_elsewhere_as_it_was_but_for_nulls(table: Table) -> None:
    elsewhere = store_with({"other": {"other": 1}})
    from_polars(elsewhere, "t", to_polars(store_with(table), "t", id_column=KEY), id_column=KEY)
    assert elsewhere.get_table("t") == without_nulls(store_with(table).get_table("t"))


def test_columns_have_types() -> None:
    frame = to_polars(store_with(PETS), "t")
    assert frame.schema == {
        "id": pl.String,
        "name": pl.String,
        "age": pl.Int64,
        "price": pl.Float64,
        "sold": pl.Boolean,
        "tags": pl.Object,
        "any": pl.Object,
    }
    assert frame["id"].to_list() == ["fido", "felix", "rex"]
    assert frame["price"].sum() == 9.5
    assert frame["name"].to_list() == ["Fido", None, None]


def test_a_table_that_does_not_exist_is_an_empty_frame() -> None:
    frame = to_polars(Store(), "t")
    assert frame.schema == {"id": pl.String}
    assert from_polars(store_with(PETS), "t", frame).get_tables() == {}


def test_a_part_leaves_the_rest_alone() -> None:
    frame = pl.DataFrame({"id": ["fido", "felix"], "age": [5, None]})
    store = from_polars(store_with(PETS), "t", frame, partial=True)
    assert store.get_table("t") == {**PETS, "fido": {**PETS["fido"], "age": 5}}


def test_missing_values_may_become_null() -> None:
    frame = pl.DataFrame({"id": [1, 2], "a": [1.0, float("nan")], "b": [None, None]})
    assert from_polars(Store(), "t", frame).get_table("t") == {"1": {"a": 1}}
    assert from_polars(Store(), "t", frame, nulls=True).get_table("t") == {
        "1": {"a": 1, "b": None},
        "2": {"a": None, "b": None},
    }


def test_structs_and_lists_are_objects_and_arrays() -> None:
    frame = pl.DataFrame({"id": ["r"], "s": [{"a": 1, "b": None}], "l": [[1, 2]]})
    assert from_polars(Store(), "t", frame).get_row("t", "r") == {"s": {"a": 1, "b": None}, "l": [1, 2]}


@pytest.mark.parametrize("value", [float("inf"), datetime.datetime(2026, 1, 1), b"x", datetime.timedelta(1)])
def test_what_can_t_be_a_cell_is_refused_and_nothing_is_written(value: Any) -> None:
    store = store_with(PETS)
    with pytest.raises(ContentError, match=r"row 's', column 'a': .* can't be kept in a cell"):
        from_polars(store, "t", pl.DataFrame({"id": ["s"], "a": [value]}))
    assert store.get_table("t") == PETS


def test_a_column_of_ids_is_needed() -> None:
    with pytest.raises(ContentError, match=r"a column 'id' with row ids is needed; there are \['a'\]"):
        from_polars(Store(), "t", pl.DataFrame({"a": [1]}))
    with pytest.raises(ContentError, match=r"row ids .* must be text or whole numbers, not None"):
        from_polars(Store(), "t", pl.DataFrame({"id": [None], "a": [1]}))
    with pytest.raises(ContentError, match="has cells 'id': name the column of row ids with id_column="):
        to_polars(store_with({"r": {"id": 1}}), "t")
    with pytest.raises(ContentError, match=r"can't be named '\\ud800'"):
        to_polars(store_with({"r": {"\ud800": 1}}), "t")


def test_without_polars_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match=r"pip install 'durabase\[polars\]'"):
        to_polars(Store(), "t")
