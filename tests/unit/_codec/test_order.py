"""The order of an object's members."""

from __future__ import annotations

import pytest

from durabase._codec import (
    is_array_index,
    ordered_items,
)
from durabase._codec.order import is_in_order


@pytest.mark.parametrize("key", ["0", "7", "10", "4294967294"])
def test_array_indexes(key: str) -> None:
    assert is_array_index(key)


@pytest.mark.parametrize(
    "key", ["", "01", "-1", "1.5", "4294967295", "99999999999", "a", "1a", "²", "٣", "+1", " 1"]
)
def test_other_keys(key: str) -> None:
    assert not is_array_index(key)


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ([], []),
        (["b", "a"], ["b", "a"]),
        (["b", "1", "a"], ["1", "b", "a"]),
        (
            ["10", "9", "01", "", "4294967295", "4294967294", "-1"],
            ["9", "10", "4294967294", "01", "", "4294967295", "-1"],
        ),
        (["٣", "2"], ["2", "٣"]),
        (["~", "!"], ["~", "!"]),
    ],
)
def test_object_order(keys: list[str], order: list[str]) -> None:
    items = list(ordered_items({key: f"of {key}" for key in keys}))
    assert items == [(key, f"of {key}") for key in order]


def test_keys_become_strings() -> None:
    assert list(ordered_items({"b": 1, 2: 2, None: 3, True: 4})) == [
        ("2", 2),
        ("b", 1),
        ("null", 3),
        ("true", 4),
    ]
    assert list(ordered_items({3: 1})) == [("3", 1)]


def test_being_in_order() -> None:
    assert is_in_order({"1": 0, "2": 0, "b": 0, "a": 0})
    assert is_in_order({"b": 0, "a": 0})
    assert not is_in_order({"2": 0, "1": 0})
    assert not is_in_order({"a": 0, "1": 0})
