"""Tables as columns, and what kind of things a column holds."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.frames._columns import Kind, columns_of, kind_of
from durabase.store import Store


@pytest.mark.parametrize(
    ("things", "kind"),
    [
        ([True, None, False], Kind.BOOLEAN),
        ([1, None, 2], Kind.INTEGER),
        ([1.5], Kind.NUMBER),
        ([1, 2.5, None], Kind.NUMBER),
        (["a", ""], Kind.TEXT),
        ([1, True], Kind.ANYTHING),
        ([1, "a"], Kind.ANYTHING),
        ([[1]], Kind.ANYTHING),
        ([{"a": 1}, None], Kind.ANYTHING),
        ([None], Kind.ANYTHING),
        ([], Kind.ANYTHING),
    ],
)
def test_kinds(things: list[Any], kind: Kind) -> None:
    assert kind_of(iter(things)) is kind


def test_each_column_has_a_thing_for_each_row() -> None:
    table = {"r1": {"a": 1, "b": None}, "r2": {"b": "x", "c": [1]}, "r3": {"a": 3}}
    row_ids, columns = columns_of(Store().set_table("t", table), "t")
    assert row_ids == ["r1", "r2", "r3"]
    assert list(columns.items()) == [
        *(("a", [1, None, 3]), ("b", [None, "x", None]), ("c", [None, [1], None])),
    ]


def test_a_table_that_does_not_exist() -> None:
    assert columns_of(Store(), "t") == ([], {})
