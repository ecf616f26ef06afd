from __future__ import annotations

from typing import Any

import pytest

from durabase.store._changes import ChangeLog
from durabase.store._content import Content
from durabase.types import UNDEFINED


def _content(cell_defaults: Any = None, value_defaults: Any = None) -> tuple[Content, ChangeLog]:
    log = ChangeLog()
    return Content(log, cell_defaults or {}, value_defaults or {}), log


def test_setting_tables_replaces_all_and_keeps_places() -> None:
    content, _ = _content()
    content.set_tables({"t": {"r": {"a": 1, "b": 2}, "s": {"a": 1}}, "u": {"r": {"a": 1}}})
    content.set_tables({"w": {"r": {"a": 1}}, "t": {"q": {"a": 1}, "r": {"c": 3, "b": 4}}})
    assert content.encoded_tables() == {"t": {"r": {"b": 4, "c": 3}, "q": {"a": 1}}, "w": {"r": {"a": 1}}}
    assert list(content.tables) == ["t", "w"]
    assert list(content.tables["t"]) == ["r", "q"]
    assert list(content.tables["t"]["r"]) == ["b", "c"]


@pytest.mark.parametrize(("old", "new"), [(1, 1.0), (0.0, -0.0), ("x", "x"), (None, None), (True, True)])
def test_setting_an_equal_thing_changes_nothing(old: Any, new: Any) -> None:
    content, log = _content()
    content.set_tables({"t": {"r": {"c": old}}})
    content.set_values({"v": old})
    log.clear()
    content.set_tables({"t": {"r": {"c": new}}})
    content.set_values({"v": new})
    assert log.log() == ChangeLog().log()


@pytest.mark.parametrize(("old", "new"), [(1, True), (False, 0), (None, 0), ("1", 1)])
def test_things_of_other_types_are_other_things(old: Any, new: Any) -> None:
    content, log = _content()
    content.set_tables({"t": {"r": {"c": old}}})
    content.set_values({"v": old})
    log.clear()
    content.set_tables({"t": {"r": {"c": new}}})
    content.set_values({"v": new})
    assert log.cells == {"t": {"r": {"c": (old, new)}}}
    assert log.values == {"v": (old, new)}


def test_a_first_minus_zero_stays_minus_zero() -> None:
    content, _ = _content()
    content.set_values({"v": -0.0})
    content.set_values({"v": 0.0})
    assert str(content.values["v"]) == "-0.0"


def test_the_last_cell_takes_its_row_and_table_along() -> None:
    content, log = _content()
    content.set_tables({"t": {"r": {"a": 1, "b": 2}, "s": {"a": 1}}})
    assert content.cell_counts == {"t": {"a": 2, "b": 1}}
    table = content.tables["t"]
    content.delete_cell("t", table, "s", table["s"], "a", False)
    assert content.cell_counts == {"t": {"a": 1, "b": 1}}
    content.delete_cell("t", table, "r", table["r"], "b", False)
    assert table == {"r": {"a": 1}}
    content.delete_cell("t", table, "r", table["r"], "a", False)
    assert content.tables == content.cell_counts == {}
    assert log.table_ids == {}


def test_deleting_a_row_frees_its_id_and_losing_its_cells_does_not() -> None:
    content, _ = _content()
    content.set_tables({"t": {str(number): {"a": 1} for number in range(4)} | {"x": {"a": 1}}})
    table = content.tables["t"]
    content.delete_row("t", table, "2")
    content.delete_row("t", table, "1")
    content.delete_row("t", table, "x")
    content.delete_cell("t", table, "3", table["3"], "a", False)
    assert content.new_row_id("t", True) == "2"
    assert content.new_row_id("t", True) == "1"
    assert content.new_row_id("t", True) == "1"  # the counter comes to it again, for nobody has taken it
    assert content.new_row_id("t", False) == "2"


def test_row_ids_in_use_are_skipped() -> None:
    content, _ = _content()
    content.set_tables({"t": {"0": {"a": 1}, "1": {"a": 1}, "3": {"a": 1}}})
    assert [content.new_row_id("t", True) for _ in range(2)] == ["2", "4"]


def test_an_emptied_table_starts_to_count_anew() -> None:
    content, _ = _content()
    content.set_tables({"t": {"7": {"a": 1}}})
    content.delete_tables()
    content.set_tables({"t": {"x": {"a": 1}}})
    assert content.new_row_id("t", True) == "0"


def test_a_deleted_cell_with_a_default_gets_it_or_takes_its_row_along() -> None:
    content, _ = _content({"t": {"a": 1}})
    content.set_tables({"t": {"r": {"b": 2, "a": 5, "c": 3}}})
    table = content.tables["t"]
    content.delete_cell("t", table, "r", table["r"], "a", False)
    assert table == {"r": {"b": 2, "a": 1, "c": 3}}
    content.delete_cell("t", table, "r", table["r"], "c", True)
    assert table == {"r": {"b": 2, "a": 1}}
    content.delete_cell("t", table, "r", table["r"], "a", True)
    assert content.tables == {}


def test_deleted_rows_go_whatever_the_defaults() -> None:
    content, log = _content({"t": {"b": 1}})
    content.set_tables({"t": {"r": {"a": 1, "b": 2, "c": 3}}})
    log.clear()
    content.delete_tables()
    assert content.tables == {}
    assert list(log.cells["t"]["r"].items()) == [
        ("a", (1, UNDEFINED)),
        ("b", (2, UNDEFINED)),
        ("c", (3, UNDEFINED)),
    ]


def test_deleted_values_get_their_default() -> None:
    content, log = _content(value_defaults={"v": 1})
    content.set_values({"v": 5, "w": 2})
    content.set_values({"x": 3})
    assert content.values == {"v": 1, "x": 3}
    content.delete_values()
    assert content.values == {"v": 1}
    assert log.value_ids == {"v": 1}


def test_exports_are_copies() -> None:
    content, _ = _content()
    content.set_tables({"t": {"r": {"a": 1}}})
    content.encoded_tables()["t"]["r"]["a"] = 2
    assert content.tables == {"t": {"r": {"a": 1}}}
