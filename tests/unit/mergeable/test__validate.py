"""What may be merged; the recorded malformed changes are tested with the recordings."""

from __future__ import annotations

from collections import UserDict
from datetime import date
from typing import Any

import pytest

from durabase.mergeable._validate import changes_of, is_mergeable, only_cell
from durabase.types import UNDEFINED

HLC = "NjEtLV-----7JQY8"
BOUND = "NjEtLV0"


def changes_ok(changes: Any, *, is_content: bool = False, encoded: bool = True) -> bool:
    accepted = is_mergeable(changes, BOUND, is_content=is_content, encoded=encoded)
    assert accepted or is_content or only_cell(changes, BOUND) is None
    return accepted


def value_ok(thing: Any, *, encoded: bool = True) -> bool:
    in_cell = changes_ok([[{"t": [{"r": [{"c": [thing, HLC]}]}]}], [{}], 1], encoded=encoded)
    in_value = changes_ok([[{}], [{"v": [thing, HLC]}], 1], encoded=encoded)
    assert in_cell == in_value
    return in_value


@pytest.mark.parametrize(
    "thing", [0, 1.5, -0.0, 2**60, "", "x", True, None, UNDEFINED, {}, [], {"a": [1]}, "\ufffcx"]
)
def test_things(thing: Any) -> None:
    assert value_ok(thing)
    assert value_ok(thing, encoded=False)


def deep() -> Any:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "thing",
    [
        float("nan"),
        float("inf"),
        10**400,
        "\ufffc",
        b"x",
        date(2000, 1, 1),
        {1, 2},
        len,
        UserDict(),
        [b"x"],
        deep(),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_no_things(thing: Any) -> None:
    assert not value_ok(thing)
    assert not value_ok(thing, encoded=False)


def test_encoded_things_are_for_encoded_changes_only() -> None:
    for thing in ('\ufffd{"a":1}', "\ufffdno json"):
        assert value_ok(thing)
        assert not value_ok(thing, encoded=False)


@pytest.mark.parametrize("last", [1, 1.0])
def test_the_last_element_is_one(last: Any) -> None:
    assert changes_ok([[{}], [{}], last])
    assert changes_ok(([{}], [{}], last))
    assert not changes_ok([[{}], [{}], last], is_content=True)


@pytest.mark.parametrize("last", [True, "1", 2, None, [1], UNDEFINED])
def test_the_last_element_is_nothing_else(last: Any) -> None:
    assert not changes_ok([[{}], [{}], last])


@pytest.mark.parametrize(
    "stamp",
    [[], "x", {}, None, 5, [1, HLC, 1, 1], [1, 5], [1, None], [1, False], [1, 0], [1, []], [1, HLC + "x"],
     [1, BOUND + "-" * 9], [1, HLC, "1"], [1, HLC, True], [1, HLC, None], [1, HLC, float("nan")],
     [1, HLC, 10**400], [1, 0, 1]],
    ids=str,
)  # fmt: skip
def test_no_stamps(stamp: Any) -> None:
    assert not changes_ok([[{}], [{"good": [1, HLC], "v": stamp}], 1])
    assert not changes_ok([[{"t": [{"r": [{"good": [1], "c": stamp}]}]}], [{}], 1])


@pytest.mark.parametrize("stamp", [[1], [1, ""], [1, HLC], [1, HLC, 5], [1, "", -1.5], (1, HLC)], ids=str)
def test_stamps(stamp: Any) -> None:
    assert changes_ok([[{}], [{"v": stamp}], 1])
    assert changes_ok([[{}, "", 0], [{"v": stamp}, "", 0]], is_content=True) == (len(stamp) == 3)


@pytest.mark.parametrize("place", range(4))
def test_containers_are_dicts_at_every_level(place: int) -> None:
    for bad in ([], None, "x", 1, UserDict()):
        levels: list[Any] = [{}, {}, {}, {}]
        levels[place] = bad
        values, row, rows, tables = levels
        if isinstance(rows, dict):
            rows = {**rows, "r": [row]}
        if isinstance(tables, dict):
            tables = {"t": [rows]}
        assert not changes_ok([[tables], [values], 1])
    assert changes_ok([[{"t": [{"r": [{}]}]}], [{}], 1])


@pytest.mark.parametrize(
    "changes", [None, {}, "xx", [], [[{}]], [[{}], [{}], 1, 1], [None, None], [5, 5, 1], UNDEFINED]
)
def test_no_changes(changes: Any) -> None:
    assert not changes_ok(changes)
    assert not changes_ok(changes, is_content=True)


def one_cell(stamp: Any, **ids: Any) -> list[Any]:
    table_id, row_id, cell_id = (ids.get(name, name) for name in ("t", "r", "c"))
    return [[{table_id: [{row_id: [{cell_id: stamp}]}]}], [{}], 1]


@pytest.mark.parametrize("thing", [0, -5, "", "dog", "é", "\ud83d", 1.5, -0.0, True, None])
def test_the_usual_change_of_one_cell(thing: Any) -> None:
    changes = one_cell([thing, HLC])
    cell = only_cell(changes, BOUND)
    assert cell == ("t", "r", "c", thing, HLC)
    assert changes_of(cell) == changes


@pytest.mark.parametrize(
    "changes",
    [
        None,
        [],
        one_cell([1, HLC])[:2],
        (*one_cell([1, HLC]),),
        [*one_cell([1, HLC])[:2], True],
        [*one_cell([1, HLC])[:2], 2],
        one_cell([1]),
        one_cell([1, ""]),
        one_cell([1, "NjEtLV0----7JQY8"]),
        one_cell([1, "NjEtLV-----7JQY+"]),
        one_cell([float("inf"), HLC]),
        one_cell(["😀", HLC]),  # it is looked at more closely, as all from U+FFFC on
        one_cell(["\ufffc", HLC]),
        one_cell([2**60, HLC]),
        one_cell(["\ufffd{}", HLC]),
        one_cell([UNDEFINED, HLC]),
        one_cell([1, HLC], t=1),
        one_cell([1, HLC], r=None),
        one_cell([1, HLC], c=1.5),
        [[{"t": [{"r": [{"c": [1, HLC], "d": [1, HLC]}]}]}], [{}], 1],
        [[{"t": [{"r": [{"c": [1, HLC]}, HLC]}]}], [{}], 1],
        [[{"t": [{"r": [{"c": [1, HLC]}]}]}], [{}, HLC], 1],
        [[{"t": [{"r": [{"c": [1, HLC]}]}]}], [{"v": [1, HLC]}], 1],
        [[{"t": [{"r": [{}]}]}], [{}], 1],
        [[{"t": [{}]}], [{}], 1],
        [[{}], [{}], 1],
    ],
)
def test_other_changes_are_not_taken_for_one_cell(changes: Any) -> None:
    assert only_cell(changes, BOUND) is None
