"""Trees of stamps: which stamp wins, and hashes that are settled when asked for."""

from __future__ import annotations

import pytest

from durabase.mergeable._journal import Journal
from durabase.mergeable.hashes import get_cell_hash, get_hash, get_row_hash, get_value_in_values_hash
from durabase.mergeable.stamps import UNSETTLED, BranchStamps, ContentStamps, Stamp, ThingStamps

EARLY, LATE = "NjEtLV-----7JQY8", "NjEtLV----07JQY8"


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.mark.parametrize(
    ("old", "new", "wins"),
    [
        (EARLY, LATE, True),
        (LATE, EARLY, False),
        (EARLY, EARLY, False),
        (EARLY, "", False),
        ("", EARLY, True),
        ("", "", True),
    ],
)
def test_which_stamp_wins(journal: Journal, old: str, new: str, wins: bool) -> None:
    things = ThingStamps()
    assert things.put("c", 1, old, journal)
    assert things.put("c", 2, new, journal) == wins
    stamp = things.children["c"]
    assert (stamp.thing, stamp.hlc) == ((2, new) if wins else (1, old))


def test_hashes_are_computed_when_asked_for(journal: Journal) -> None:
    row = ThingStamps()
    row.put("c", 1, EARLY, journal)
    assert row.children["c"].hash == UNSETTLED
    assert row.settled_hash() == UNSETTLED
    first = row.settle(journal)
    assert first == row.hash == row.settled_hash() == get_row_hash({"c": get_cell_hash(1, EARLY)})
    row.put("c", 2, LATE, journal)
    row.put("d", 3, "", journal)
    assert row.hash == first
    assert row.settle(journal) == get_row_hash({"c": get_cell_hash(2, LATE), "d": get_cell_hash(3, "")})


def test_filling_is_putting_where_nothing_is(journal: Journal) -> None:
    put, filled = ThingStamps(), ThingStamps()
    put.put("c", 1, EARLY, journal)
    put.put("d", 2, LATE, journal)
    journal.begin()
    filled.fill({"c": Stamp(1, EARLY), "d": Stamp(2, LATE)}, journal)
    assert filled.settle(journal) == put.settle(journal) != 0
    journal.undo()
    assert (filled.children, filled.settle(journal)) == ({}, 0)


def test_a_later_hlc_of_a_container_counts(journal: Journal) -> None:
    row = ThingStamps()
    row.raise_hlc(EARLY, journal)
    assert (row.hlc, row.hash) == (EARLY, get_hash(EARLY))
    row.raise_hlc(LATE, journal)
    row.raise_hlc(EARLY, journal)
    assert (row.hlc, row.hash) == (LATE, get_hash(LATE))


def mention(branch: BranchStamps[ThingStamps], id_: str, journal: Journal, hlc: str = "") -> None:
    row = branch.enter(id_, ThingStamps, journal)
    before = row.settled_hash()
    if hlc:
        row.put("c", 1, hlc, journal)
    branch.leave(id_, row, before, journal)


def test_an_empty_row_toggles_with_each_mention(journal: Journal) -> None:
    table: BranchStamps[ThingStamps] = BranchStamps()
    empty = get_value_in_values_hash("r", 0)
    seen = []
    for _ in range(4):
        mention(table, "r", journal)
        seen.append(table.settle(journal))
    assert seen == [empty, 0, empty, 0]
    for _ in range(3):
        mention(table, "r", journal)
    assert table.settle(journal) == empty
    mention(table, "r", journal, EARLY)
    row_hash = get_row_hash({"c": get_cell_hash(1, EARLY)})
    assert table.settle(journal) == empty ^ get_value_in_values_hash("r", row_hash)
    mention(table, "r", journal)
    assert table.pending is None


def test_the_contribution_of_what_is_empty_again_toggles_before_anything_is_settled(journal: Journal) -> None:
    tables: BranchStamps[BranchStamps[ThingStamps]] = BranchStamps()
    for _ in range(3):
        table = tables.enter("t", BranchStamps, journal)
        before = table.settled_hash()
        mention(table, "r", journal)
        tables.leave("t", table, before, journal)
    empty = get_value_in_values_hash("r", 0)
    assert tables.settle(journal) == get_value_in_values_hash("t", empty) ^ get_value_in_values_hash("t", 0)


def test_nothing_is_noted_in_what_is_new(journal: Journal) -> None:
    table: BranchStamps[ThingStamps] = BranchStamps()
    assert table.settled_hash() == 0
    mention(table, "r", journal, EARLY)
    mention(table, "s", journal, EARLY)
    assert table.settled_hash() == UNSETTLED
    assert table.pending is None
    assert table.children["r"].pending is None
    table.settle(journal)
    mention(table, "s", journal, LATE)
    assert list(table.pending or ()) == ["s"]


def test_content_is_settled_as_a_whole(journal: Journal) -> None:
    content = ContentStamps()
    assert content.settle(journal) == (0, 0)
    content.values.put("v", 1, EARLY, journal)
    assert content.settle(journal) == (0, get_row_hash({"v": get_cell_hash(1, EARLY)}))
