from __future__ import annotations

from typing import Any

from durabase.mergeable._ahead import held_later, is_marked, split_ahead
from durabase.store._changes import ChangeLog
from durabase.store._content import Content
from durabase.types import UNDEFINED

NEAR, AHEAD = "NjEtLV-----7JQY8", "OjEtLV-----7JQY8"
BOUND = "NzzzzzzzzzzzzzzzD"


def test_changes_are_split_at_the_bound() -> None:
    changes: list[Any] = [
        [{"t": [{"r": [{"a": [1, NEAR], "b": [2, AHEAD], "c": [3]}, AHEAD], "q": [{"a": [1, NEAR]}]}]}, NEAR],
        [{"v": [UNDEFINED, AHEAD], "w": [1, NEAR]}],
        1,
    ]
    near, ahead = split_ahead(changes, BOUND)
    assert near == [
        [{"t": [{"r": [{"a": [1, NEAR], "c": [3]}], "q": [{"a": [1, NEAR]}]}]}, NEAR],
        [{"w": [1, NEAR]}],
        1,
    ]
    assert ahead == [[{"t": [{"r": [{"b": [2, AHEAD]}]}]}], [{"v": [UNDEFINED, AHEAD]}], 1]


def held(stamp: str) -> Any:
    content = Content(ChangeLog(), {}, {})
    content.values["v"] = "kept"
    return held_later(content, [[{"t": [{"r": [{"c": [1, stamp]}]}]}], [{"v": [1, stamp]}], 1])


def test_what_is_held_is_stamped_a_little_later_and_marked() -> None:
    (tables, values, _) = held(AHEAD)
    (thing, later) = values[0]["v"]
    assert (thing, later[:11]) == ("kept", "OjEtLV----0")
    assert tables[0]["t"][0]["r"][0]["c"] == [UNDEFINED, later]
    assert is_marked([thing, later])
    assert not is_marked([thing, AHEAD])
    assert not is_marked([thing])


def test_the_next_time_carries_over() -> None:
    assert held("OjEtLVzzzzz7JQY8")[1][0]["v"][1][:11] == "OjEtLW-----"


def test_nothing_is_later_than_the_last_time() -> None:
    assert held("z" * 16) == [[{"t": [{"r": [{}]}]}], [{}], 1]
