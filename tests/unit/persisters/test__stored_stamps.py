"""Entries of a key-value storage as a tree: the quick ways give what the slow one gives."""

from __future__ import annotations

import random
from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.persisters._stored_stamps import (
    StampTree,
    is_stored_stamp,
    path_of,
    stamp_entries,
    stored_entries,
)
from durabase.testing import FakeClock

HLC = "NjEtLV-----07JQY8"[:16]
IDS = ["a", "b", "a b", 'a","b', "a,b", 'q"', "\\", "\x01", "é", "", "0", "t"]


def content() -> list[Any]:
    def row(number: int) -> list[Any]:
        return [{id_: [f"{id_}{number}", HLC, number + 1] for id_ in IDS}, HLC, 10 + number]

    tables = {id_: [{row_id: row(n) for n, row_id in enumerate(IDS)}, "", 7] for id_ in IDS[:6]}
    return [[tables, HLC, 3], [{id_: [1.5, HLC, 9] for id_ in IDS}, HLC, 4]]


def slowly(entries: dict[str, Any], prefix: str) -> StampTree:
    tree = StampTree()
    for key, value in entries.items():
        path = path_of(key[len(prefix) :])
        if path is not None and is_stored_stamp(value):
            tree.add(path, value)
    return tree


def orders(entries: dict[str, Any]) -> list[dict[str, Any]]:
    keys = sorted(entries)
    shuffled = random.Random(1).sample(keys, len(keys))
    return [{key: entries[key] for key in some} for some in (keys, keys[::-1], shuffled)]


@pytest.mark.parametrize("prefix", ["", "p", 't"a",'])
@pytest.mark.parametrize("order", range(3))
def test_the_order_of_entries_does_not_matter(prefix: str, order: int) -> None:
    entries = orders(stored_entries(content(), prefix))[order]
    tree = StampTree()
    tree.read(entries, prefix, pytest.fail)
    assert tree.content() == content()
    assert tree.is_complete()


@pytest.mark.parametrize("order", range(3))
def test_odd_entries_are_read_as_they_are_one_by_one(order: int) -> None:
    odd = {
        't"a"  ,  "b"': [0, HLC, 5],
        't"a" , "c" , "d"': [1, HLC, 5],
        't"a","\\u0062","a"': [2, HLC, 6],
        't"b","b"': [0, HLC, 0],
        't"b","a b"': [0, HLC, 5.0],
        't"b","a"': (0, HLC, 5),
        't"a","x","y"': [1, HLC, 1],
        't"a","b","c","d"': [1, HLC, 1],
        't"a","b",1': [1, HLC, 1],
        "u": [0, HLC, 1],
        "": [0, HLC, 1],
        't"a b","b","a"': (1, HLC, 1.0),
    }
    entries = orders(stored_entries(content(), "") | odd)[order]
    tree, slow = StampTree(), slowly(entries, "")
    tree.read(entries, "", pytest.fail)
    assert tree.is_complete() == slow.is_complete()
    assert tree.content() == slow.content()


def test_what_is_no_stamp_is_told_and_left_out() -> None:
    entries = stored_entries(content(), "")
    broken = {'t"a","b"': 1, 't"a","a","a"': [1, HLC], 't"b"': None, 'v"a"': [1, 2, 3], "t": [0, HLC, True]}
    told: dict[str, Any] = {}
    tree = StampTree()
    tree.read(dict(sorted((entries | broken).items())), "", told.__setitem__)
    assert told == broken
    assert not tree.is_complete()
    assert tree.content()[0][0]["a"][0]["b"][1:] == ["", 0]


@pytest.mark.parametrize("prefix", ["", "p"])
def test_stamps_of_some_ids_are_stored_as_changes_of_them_are(prefix: str) -> None:
    store = MergeableStore("s1", clock=FakeClock(1_700_000_000_000))
    store._set_encoded_mergeable_content(content())
    store.set_row("t", "r", {"10": 1, "9": "x", "b": True, "a": None, "f": 1.5, "o": {"p": [1]}})
    store.del_cell("t", "r", "b").set_row("t", "2", {"c": 1}).set_row("t", "10", {"c": 2})
    store.set_values({"w": 1, "5": 2, "4": "é\ud800"}).del_value("w")
    row = dict.fromkeys(("b", "10", "nowhere", "9", "a", "f", "o"))
    cells: Any = {
        "t": {"r": row, "10": {"c": None}, "2": {"c": None}, "nowhere": {"c": None}, "q": {}},
        "a": {id_: dict.fromkeys(IDS) for id_ in IDS},
        "nowhere": {"r": {"c": None}},
        'a","b': {},
    }
    values = dict.fromkeys(("w", "5", "nowhere", "4"))
    expected = stored_entries(store._get_encoded_stamps(cells, values), prefix)
    found = stamp_entries(store._settled_stamps(), cells, values, prefix)
    assert list(found.items()) == list(expected.items())
    assert set(map(type, found.values())) == {list}
