"""Frames of pandas: types, missing values, and tables that come back as they were."""

from __future__ import annotations

import datetime
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from durabase.errors import ContentError
from durabase.frames import from_pandas, to_pandas
from durabase.store import Store
from durabase.types import UNDEFINED, Table

from ._tables import store_with, tables, without_nulls

PETS: Table = {
    "fido": {"name": "Fido", "age": 3, "price": 5, "sold": True, "tags": ["a"]},
    "felix": {"name": None, "price": 4.5, "sold": False, "any": "x"},
    "rex": {"age": None, "any": 1},
}


@given(tables())
def test_a_table_that_comes_back_changes_nothing(table: Table) -> None:
    store = store_with(table)
    before = store.get_mergeable_content()
    from_pandas(store, "t", to_pandas(store, "t"))
    assert store.get_mergeable_content() == before


@given(tables())
def test_a_table_arrives_elsewhere_as_it_was_but_for_nulls(table: Table) -> None:
    elsewhere = store_with({"other": {"other": 1}})
    from_pandas(elsewhere, "t", to_pandas(store_with(table), "t"))
    assert elsewhere.get_table("t") == without_nulls(store_with(table).get_table("t"))


def test_columns_have_types_that_know_missing_values() -> None:
    frame = to_pandas(store_with(PETS), "t")
    assert list(frame.index) == ["fido", "felix", "rex"]
    assert frame.index.name == "id"
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "name": "string",
        "age": "Int64",
        "price": "Float64",
        "sold": "boolean",
        "tags": "object",
        "any": "object",
    }
    assert frame["price"].sum() == 9.5
    assert frame["name"].isna().tolist() == [False, True, True]
    assert frame.loc["rex", "any"] == 1


def test_a_table_that_does_not_exist_is_an_empty_frame() -> None:
    frame = to_pandas(Store(), "t")
    assert frame.shape == (0, 0)
    assert from_pandas(store_with(PETS), "t", frame).get_tables() == {}


def test_only_what_differs_is_written_in_one_transaction() -> None:
    store = store_with(PETS)
    heard: list[tuple[Any, ...]] = []
    store.add_cell_listener(
        None, None, None, lambda _s, _t, row, cell, new, *_: heard.append((row, cell, new))
    )
    transactions: list[Any] = []
    store.add_did_finish_transaction_listener(transactions.append)
    frame = to_pandas(store, "t")
    frame.loc["fido", "age"] = 4
    frame.loc["felix", "any"] = None
    from_pandas(store, "t", frame.drop(index="rex"))
    assert sorted(heard, key=repr) == sorted(
        [
            ("fido", "age", 4),
            ("felix", "any", UNDEFINED),
            ("rex", "age", UNDEFINED),
            ("rex", "any", UNDEFINED),
        ],
        key=repr,
    )
    assert len(transactions) == 1


def test_a_part_leaves_the_rest_alone() -> None:
    frame = pd.DataFrame({"age": [5, np.nan]}, index=["fido", "felix"])
    store = from_pandas(store_with(PETS), "t", frame, partial=True)
    assert store.get_table("t") == {**PETS, "fido": {**PETS["fido"], "age": 5}}


def test_missing_values_may_become_null() -> None:
    frame = pd.DataFrame({"a": [1, None], "b": [None, np.nan]}, index=["r", "s"])
    assert from_pandas(Store(), "t", frame).get_table("t") == {"r": {"a": 1}}
    assert from_pandas(Store(), "t", frame, nulls=True).get_table("t") == {
        "r": {"a": 1, "b": None},
        "s": {"a": None, "b": None},
    }


def test_usual_frames_are_taken() -> None:
    frame = pd.DataFrame(
        {
            "i": np.array([1, 2], dtype="int8"),
            "f": np.array([0.5, np.nan], dtype="float32"),
            "b": [True, False],
            "s": ["x", None],
            "c": pd.Categorical(["u", "v"]),
            "l": [np.array([1, 2]), {"k": [1]}],
            7: [pd.NA, 1],
        }
    )
    table = from_pandas(Store(), "t", frame).get_table("t")
    assert table == {
        "0": {"i": 1, "f": 0.5, "b": True, "s": "x", "c": "u", "l": [1, 2]},
        "1": {"i": 2, "b": False, "c": "v", "l": {"k": [1]}, "7": 1},
    }
    assert [type(cell) for cell in table["0"].values()] == [int, float, bool, str, str, list]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (np.inf, "inf"),
        (pd.Timestamp(2026, 1, 1), "Timestamp"),
        (b"x", "bytes"),
        (datetime.date(2026, 1, 1), "date"),
    ],
)
def test_what_can_t_be_a_cell_is_refused_and_nothing_is_written(value: Any, name: str) -> None:
    store = store_with(PETS)
    with pytest.raises(ContentError, match=rf"row 's', column 'a': .*{name}.* can't be kept in a cell"):
        from_pandas(store, "t", pd.DataFrame({"a": [1, value]}, index=["r", "s"]))
    assert store.get_table("t") == PETS


@pytest.mark.parametrize("index", [["r", "r"], [1, "1"], [0.5, 1], [("a", "b"), ("a", "c")], [True, False]])
def test_ids_are_text_and_there_once(index: list[Any]) -> None:
    with pytest.raises(ContentError, match=r"row ids .* must be"):
        from_pandas(Store(), "t", pd.DataFrame({"a": [1, 2]}, index=index))
    with pytest.raises(ContentError, match=r"cell ids .* must be"):
        from_pandas(Store(), "t", pd.DataFrame([[1, 2]], columns=index))


def test_without_pandas_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install 'durabase\[pandas\]'"):
        to_pandas(Store(), "t")
