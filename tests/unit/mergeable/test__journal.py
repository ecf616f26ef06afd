"""The journal: undoing, and what got stamps."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.mergeable._journal import Journal
from durabase.mergeable._merge import Outcome, merge_changes
from durabase.mergeable._shapes import as_encoded, content_shape
from durabase.mergeable.stamps import ContentStamps

EARLY, LATE = "NjEtLV-----7JQY8", "NjEtLV----07JQY8"
CHANGES: list[Any] = [
    [{"t": [{"r": [{"c": [1, EARLY]}], "empty": [{}]}, EARLY], "u": [{}]}, LATE],
    [{"v": [1, EARLY]}],
    1,
]
MORE: list[Any] = [[{"t": [{"r": [{"c": [2, LATE], "d": [3, EARLY]}, LATE]}]}], [{"v": [0, ""]}, EARLY], 1]


@pytest.fixture
def journal() -> Journal:
    return Journal()


def shape(content: ContentStamps, journal: Journal) -> list[Any]:
    return content_shape(content, journal, as_encoded)


def test_undoing_restores_everything(journal: Journal) -> None:
    content = ContentStamps()
    journal.begin()
    merge_changes(content, CHANGES, journal, Outcome())
    journal.undo()
    assert shape(content, journal) == [[{}, "", 0], [{}, "", 0]]
    merge_changes(content, CHANGES, journal, Outcome())
    journal.end()
    before = shape(content, journal)
    journal.begin()
    merge_changes(content, MORE, journal, Outcome())
    assert shape(content, journal) != before
    merge_changes(content, MORE, journal, Outcome())
    journal.undo()
    assert shape(content, journal) == before


def test_settling_outside_of_a_transaction_is_not_undone(journal: Journal) -> None:
    content = ContentStamps()
    journal.begin()
    merge_changes(content, CHANGES, journal, Outcome())
    journal.end()
    before = shape(content, journal)
    journal.undo()
    assert shape(content, journal) == before


def test_what_got_stamps(journal: Journal) -> None:
    content = ContentStamps()
    journal.begin()
    merge_changes(content, CHANGES, journal, Outcome())
    assert journal.stamped(content) == ({"t": {"r": {"c": None}, "empty": {}}, "u": {}}, {"v": None})
    journal.end()
    journal.begin()
    merge_changes(content, [[{"t": [{"r": [{"c": [1, EARLY]}]}]}], [{}], 1], journal, Outcome())
    assert journal.stamped(content) == ({}, {})
    merge_changes(content, MORE, journal, Outcome())
    assert journal.stamped(content) == ({"t": {"r": {"c": None, "d": None}}}, {})
    journal.end()
    journal.begin()
    merge_changes(content, [[{"t": [{"r": [{}, LATE + "x"]}, LATE]}], [{}], 1], journal, Outcome())
    assert journal.stamped(content) == ({"t": {"r": {}}}, {})
