"""What stamps a store's writes, without a store."""

from __future__ import annotations

import pytest

from durabase.mergeable._stamping import Stamping
from durabase.mergeable.stamps import Stamp
from durabase.testing import FakeClock


@pytest.fixture
def stamping() -> Stamping:
    stamping = Stamping("s1", FakeClock(1_700_000_000_000))
    stamping.pre_start()
    return stamping


def cell(stamping: Stamping, id_: str) -> Stamp:
    return stamping.stamps.tables.children["t"].children["r"].children[id_]


def test_each_change_has_its_own_time(stamping: Stamping) -> None:
    for thing in (1, 2):
        stamping.cell_changed("t", "r", "c", thing, False, False)
    stamping.value_changed("v", 3, False, False)
    stamps = cell(stamping, "c"), stamping.stamps.values.children["v"]
    assert [(stamp.thing, stamp.hlc) for stamp in stamps] == [
        (2, "NjEtLV----07JQY8"),
        (3, "NjEtLV----17JQY8"),
    ]


def test_defaults_have_none(stamping: Stamping) -> None:
    stamping.cell_changed("t", "r", "c", 1, False, True)
    stamping.defaulting = True
    stamping.cell_changed("t", "r", "d", 1, False, False)
    assert cell(stamping, "c").hlc == cell(stamping, "d").hlc == ""


def test_what_merged_changes_do_is_not_stamped(stamping: Stamping) -> None:
    stamping.listening = False
    stamping.cell_changed("t", "r", "c", 1, False, False)
    stamping.value_changed("v", 1, False, False)
    assert not stamping.stamps.tables.children
    stamping.cell_changed("t", "r", "d", 1, True, False)
    assert stamping.mutated
    assert cell(stamping, "d").hlc != ""


def test_rows_in_turn(stamping: Stamping) -> None:
    for row_id in ("r", "s", "r"):
        stamping.cell_changed("t", row_id, "c", row_id, False, False)
        stamping.cell_changed("t", row_id, "d", row_id, False, False)
    assert stamping.stamped() == ({"t": {"r": {"c": None, "d": None}, "s": {"c": None, "d": None}}}, {})


def test_the_end_of_a_transaction(stamping: Stamping) -> None:
    stamping.cell_changed("t", "r", "c", 1, False, False)
    stamping.post_finish(False)
    assert stamping.stamped() == ({}, {})
    before = stamping.settle().tables.hash
    stamping.pre_start()
    stamping.cell_changed("t", "r", "c", 2, False, False)
    stamping.settle()
    stamping.pre_finish(True)
    stamping.post_finish(True)
    assert stamping.settle().tables.hash == before
    assert cell(stamping, "c").thing == 1
