from __future__ import annotations

from typing import Any

import pytest

from durabase.store._sorting import default_sorter, sorted_row_ids
from durabase.types import UNDEFINED

NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (-1, None),
        (UNDEFINED, 1),
        (None, True),
        (False, True),
        ("a", "b"),
        ("10", "9"),
        ("10", 11),
        (2, "10"),
        ("", 1),
        (" \u00a0\ufeff5\n", 6),
        ("0x0f", 16),
        ("0b1", 2),
        ("0O7", 8),
        ("1e3", 1001),
        (".5", 0.6),
        ("5.", 6),
        ("-Infinity", -1e300),
        (1e300, "Infinity"),
        (1e300, "+Infinity"),
        ([1, 2], "1,3"),
        (["5"], 6),
        ({}, "[object Objecu"),
        ("😀", "\ue000"),
    ],
)
def test_less(one: Any, other: Any) -> None:
    assert default_sorter(one, other) == -1
    assert default_sorter(other, one) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0, None),
        (0, UNDEFINED),
        ("x", 1),
        ({}, 1),
        ("1_0", 9),
        ("٣", 4),
        ("0x", 1),
        ("inf", 1),
        ("-0x1", 0),
    ],
)
def test_neither_less(one: Any, other: Any) -> None:
    assert default_sorter(one, other) == 1
    assert default_sorter(other, one) == 1


@pytest.mark.parametrize(
    "keys",
    [
        [3, 1, 2, 1, 3],
        ["b", "a", "b", "A"],
        ["é", "z", "é", "\ue000", "😀"],
        [None, 1, False, UNDEFINED, True, -1.5],
        ["x", 2, "10", 1, None],
        [[2], {}, "a", "b", [1]],
    ],
)
def test_ascending_is_stable_and_descending_its_exact_reverse(keys: list[Any]) -> None:
    row_ids = [str(index) for index in range(len(keys))]
    ascending = sorted_row_ids(keys, row_ids, False, None)
    assert ascending == sorted_row_ids(keys, row_ids, False, default_sorter)
    if all(isinstance(key, str) for key in keys) or not any(isinstance(key, str) for key in keys):
        assert sorted_row_ids(keys, row_ids, True, None) == ascending[::-1]


def test_the_quick_ways_and_the_slow_way_agree() -> None:
    assert sorted_row_ids([2, 1, 2], ["a", "b", "c"], False, None) == ["b", "a", "c"]
    assert sorted_row_ids([2, 1, 2], ["a", "b", "c"], True, None) == ["c", "a", "b"]
    assert sorted_row_ids(["y", "x", "y"], ["a", "b", "c"], True, None) == ["c", "a", "b"]
    assert sorted_row_ids(["2", 1, 2], ["a", "b", "c"], True, None) == ["c", "a", "b"]
    assert sorted_row_ids([], [], True, None) == []


def test_a_sorter_of_the_users_own() -> None:
    lengths = ["ccc", "a", "bb"]
    by_length = lambda one, other: len(one) - len(other)  # noqa: E731
    assert sorted_row_ids(lengths, lengths, False, by_length) == ["a", "bb", "ccc"]
    assert sorted_row_ids(lengths, lengths, True, by_length) == ["ccc", "bb", "a"]
