"""Merging changes into stamps; most is tested with the recordings and by laws."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.mergeable._journal import Journal
from durabase.mergeable._merge import Plain, content_from, merge_changes
from durabase.mergeable.stamps import ContentStamps
from durabase.types import UNDEFINED

EARLY, LATE = "NjEtLV-----7JQY8", "NjEtLV----07JQY8"


def merged(content: ContentStamps, changes: list[Any], journal: Journal) -> tuple[list[Any], str]:
    plain = Plain()
    latest = merge_changes(content, changes, journal, plain)
    return plain.changes(), latest


@pytest.fixture
def journal() -> Journal:
    return Journal()


def test_only_what_is_accepted_is_to_be_applied(journal: Journal) -> None:
    content = ContentStamps()
    first = [[{"t": [{"r": [{"b": [1, LATE], "1": [2]}]}]}], [{"v": [UNDEFINED, EARLY]}], 1]
    plain, latest = merged(content, first, journal)
    assert plain == [{"t": {"r": {"1": 2, "b": 1}}}, {"v": UNDEFINED}, 1]
    assert list(plain[0]["t"]["r"]) == ["1", "b"]
    assert latest == LATE
    second = [[{"t": [{"r": [{"b": [0, EARLY], "1": [3]}], "s": [{}]}]}], [{"v": [1, EARLY]}], 1]
    plain, latest = merged(content, second, journal)
    assert plain == [{"t": {"r": {"1": 3}}}, {}, 1]
    assert latest == ""


@pytest.mark.parametrize("level", range(4))
def test_the_latest_hlc_may_be_that_of_a_container(journal: Journal, level: int) -> None:
    hlcs = [LATE if number == level else EARLY for number in range(4)]
    changes = [[{"t": [{"r": [{}, hlcs[0]]}, hlcs[1]]}, hlcs[2]], [{}, hlcs[3]], 1]
    assert merged(ContentStamps(), changes, journal)[1] == LATE


def test_whole_content_has_its_own_hashes() -> None:
    given: list[Any] = [
        [{"t": [{"r": [{"c": [1, LATE, -1]}, "", 2.9]}, EARLY, 3]}, "", 2**32 + 4],
        [{}, "", 5],
    ]
    content, plain, latest = content_from(given)
    assert plain == [{"t": {"r": {"c": 1}}}, {}, 1]
    assert latest == LATE
    table = content.tables.children["t"]
    row = table.children["r"]
    assert (content.tables.hash, table.hash, row.hash, content.values.hash) == (4, 3, 2, 5)
    stamp = row.children["c"]
    assert (stamp.thing, stamp.hlc, stamp.hash) == (1, LATE, 2**32 - 1)
    assert table.hlc == EARLY


def test_things_are_kept_as_doubles_and_copies(journal: Journal) -> None:
    content, given = ContentStamps(), {"a": [1.0]}
    merged(content, [[{}], [{"big": [2**53 + 1, EARLY], "o": [given, EARLY], "t": [True]}], 1], journal)
    given["a"].append(2)
    kept = {id_: stamp.thing for id_, stamp in content.values.children.items()}
    assert kept["big"] == 2**53
    assert type(kept["big"]) is float
    assert kept["o"] == {"a": [1]}
    assert kept["t"] is True
