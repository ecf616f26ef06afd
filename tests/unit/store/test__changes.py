from __future__ import annotations

from typing import Any

from durabase.store._changes import ChangeLog, IdChange, note_id
from durabase.store._hooks import StoreHooks
from durabase.types import UNDEFINED


class Hooks(StoreHooks):
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def cell_changed(self, *args: Any) -> None:
        self.calls.append(args)

    def value_changed(self, *args: Any) -> None:
        self.calls.append(args)


def test_old_is_that_before_the_first_change_and_new_that_of_the_last() -> None:
    log = ChangeLog()
    log.cell_changed("t", "r", "c", 1, 2)
    log.cell_changed("t", "r", "c", 2, 3)
    log.value_changed("v", "x", "y")
    log.value_changed("v", "y", UNDEFINED)
    assert log.cells == {"t": {"r": {"c": (1, 3)}}}
    assert log.values == {"v": ("x", UNDEFINED)}
    assert log.changes(False) == [{"t": {"r": {"c": 3}}}, {"v": UNDEFINED}, 1]


def test_what_is_as_before_is_in_neither_changes_nor_log_but_touched() -> None:
    log = ChangeLog()
    log.cell_changed("t", "r", "c", 1, 2)
    log.cell_changed("t", "r", "c", 2, 1.0)
    log.value_changed("v", None, 2)
    log.value_changed("v", 2, None)
    assert log.changes(True) == [{}, {}, 1]
    assert log.log() == [True, True, {}, {}, {}, {}, {}, {}, {}, {}]


def test_what_was_set_back_was_touched_until_that_is_forgotten() -> None:
    log = ChangeLog()
    log.cell_changed("t", "r", "c", 1, 2)
    log.value_changed("v", 1, 2)
    log.forget_cells()
    log.cell_changed("t", "r", "d", 1, 2)
    assert log.cells == {"t": {"r": {"d": (1, 2)}}}
    assert log.touched_cells() == {"t": {"r": {"c": None, "d": None}}}
    assert log.touched_values == {"v": None}
    log.forget_touched()
    log.cell_changed("t", "r", "d", 2, 3)
    assert log.cells == {"t": {"r": {"d": (1, 3)}}}
    assert (log.touched_cells(), log.touched_values) == ({"t": {"r": {"d": None}}}, {})
    log.clear()
    assert (log.cells, log.touched_cells()) == ({}, {})


def test_coming_and_going_cancel_out() -> None:
    log = ChangeLog()
    log.table_noted("t", IdChange.ADDED)
    log.table_noted("t", IdChange.REMOVED)
    log.row_noted("t", "r", IdChange.REMOVED)
    log.row_noted("t", "s", IdChange.ADDED)
    note_id(log.cell_ids_of("t", "s"), "c", IdChange.ADDED)
    log.table_cell_noted("t", "c", IdChange.ADDED)
    log.value_noted("v", IdChange.ADDED)
    assert log.table_ids == {}
    assert log.row_counts == {"t": 0}
    assert log.log()[6:] == [{}, {"t": {"r": -1, "s": 1}}, {"t": {"s": {"c": 1}}}, {"v": 1}]
    assert log.table_cell_ids == {"t": {"c": 1}}


def test_removed_tables_and_rows_are_undefined_as_a_whole() -> None:
    log = ChangeLog()
    log.cell_changed("t", "r", "c", 1, UNDEFINED)
    log.table_noted("t", IdChange.REMOVED)
    log.cell_changed("u", "r", "c", 1, UNDEFINED)
    log.row_noted("u", "r", IdChange.REMOVED)
    log.cell_changed("u", "s", "c", 1, UNDEFINED)
    assert log.changes(False) == [{"t": UNDEFINED, "u": {"r": UNDEFINED, "s": {"c": UNDEFINED}}}, {}, 1]


def test_changes_are_decoded_unless_they_are_wanted_encoded() -> None:
    log = ChangeLog()
    log.cell_changed("t", "r", "c", UNDEFINED, "\ufffd[1]")
    log.value_changed("v", UNDEFINED, "\ufffd{}")
    assert log.changes(False) == [{"t": {"r": {"c": [1]}}}, {"v": {}}, 1]
    assert log.changes(True) == [{"t": {"r": {"c": "\ufffd[1]"}}}, {"v": "\ufffd{}"}, 1]


def test_invalid_things_are_kept_in_order_and_unknown_ids_are_named_undefined() -> None:
    log = ChangeLog()
    log.cell_invalid("t", "r", "c", float)
    log.cell_invalid("t", "r", "c", {})
    log.cell_invalid("t")
    log.cell_invalid()
    log.value_invalid("v", "\ufffc")
    log.value_invalid()
    told = log.log()
    assert told[3] == {
        "t": {"r": {"c": [float, {}]}, "undefined": {"undefined": [UNDEFINED]}},
        "undefined": {"undefined": {"undefined": [UNDEFINED]}},
    }
    assert told[5] == {"v": ["\ufffc"], "undefined": [UNDEFINED]}


def test_hooks_get_every_raw_change_and_whether_a_default_fills_a_gap() -> None:
    log, hooks = ChangeLog(), Hooks()
    log.hooks = hooks
    log.defaulted_cells.update({("t", "r", "c"), ("t", "r", "d")})
    log.defaulted_values.update(("v", "w"))
    log.cell_changed("t", "r", "c", UNDEFINED, 1)
    log.cell_changed("t", "r", "c", 1, 2)
    log.cell_changed("t", "r", "d", 1, 2)
    log.mutating = True
    log.value_changed("v", UNDEFINED, 1)
    log.value_changed("w", 1, 2)
    assert hooks.calls == [
        ("t", "r", "c", 1, False, True),
        ("t", "r", "c", 2, False, False),
        ("t", "r", "d", 2, False, False),
        ("v", 1, True, True),
        ("w", 2, True, False),
    ]
    assert not log.defaulted_cells
    assert not log.defaulted_values


def test_clearing_forgets_all_but_what_was_handed_out() -> None:
    log = ChangeLog()
    log.cell_changed("t", "r", "c", 1, 2)
    log.value_changed("v", 1, 2)
    for note in (log.table_noted, log.value_noted):
        note("t", IdChange.ADDED)
    log.row_noted("t", "r", IdChange.ADDED)
    note_id(log.cell_ids_of("t", "r"), "c", IdChange.ADDED)
    log.cell_invalid()
    log.value_invalid()
    log.defaulted_cells.add(("t", "r", "x"))
    log.defaulted_values.add("x")
    ids, invalid = log.table_ids, log.invalid_cells
    log.clear()
    assert log.log() == ChangeLog().log()
    assert not log.defaulted_cells
    assert not log.defaulted_values
    assert not log.row_counts
    assert ids == {"t": 1}
    assert invalid


def test_ids_without_cells_are_cleared_too() -> None:
    log = ChangeLog()
    log.row_noted("t", "r", IdChange.ADDED)
    log.clear()
    assert log.row_ids == {}
