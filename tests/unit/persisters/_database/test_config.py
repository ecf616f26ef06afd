"""Configurations: their defaults, what they are about, and what tells them apart."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.persisters._database.config import (
    JsonMode,
    LoadTable,
    ManagedTable,
    SaveTable,
    TabularMode,
    mode_of,
)


def test_a_text_is_the_name_of_a_table_for_one_text() -> None:
    assert mode_of(None) == JsonMode() == mode_of("tinybase")
    assert mode_of("mine") == JsonMode(store_table_name="mine")
    for mode in (JsonMode("t", "i", "s", 2), TabularMode()):
        assert mode_of(mode) is mode


def test_one_text_is_about_one_table() -> None:
    assert JsonMode().managed_tables() == [ManagedTable("tinybase", "_id", "true")]
    assert JsonMode("t", "i").managed_tables() == [ManagedTable("t", "i")]
    assert JsonMode("t", "i", "s", 99).identity() == ["t", "i", "s"]


def test_names_stand_for_tables_with_defaults() -> None:
    mode = TabularMode({"db": "t"}, {"t": "db"})
    assert mode.loads() == {"db": LoadTable("t", "_id", "true")}
    assert mode.saves() == {"t": SaveTable("db", "_id", False, False, "true")}
    assert TabularMode().loads() == {}
    assert TabularMode().saves() == {}


def test_who_saves_without_a_condition_has_that_of_loading_the_same_table() -> None:
    mode = TabularMode(
        {"one": LoadTable("a", condition="x>1"), "two": LoadTable("b", condition="y>1")},
        {"a": "one", "b": SaveTable("two", condition="z>1"), "c": "three"},
    )
    conditions = {table_id: save.condition for table_id, save in mode.saves().items()}
    assert conditions == {"a": "x>1", "b": "z>1", "c": "true"}


def test_the_table_of_the_values_is_no_table() -> None:
    mode = TabularMode({"v": "a", "db": "t"}, {"a": "v", "t": "db"}, values_table_name="v")
    assert (list(mode.loads()), list(mode.saves())) == (["db"], ["t"])


def test_managed_tables_are_all_each_once_with_the_condition_of_loading() -> None:
    mode = TabularMode(
        {"one": LoadTable("a", "id", "x>1"), "two": "b"},
        {"a": SaveTable("one", "other", condition="z>1"), "c": SaveTable("three", "key", condition="z>1")},
    )
    assert mode.managed_tables() == [
        ManagedTable("tinybase_values", "_id"),
        ManagedTable("one", "id", "x>1"),
        ManagedTable("two", "_id"),
        ManagedTable("three", "key", "true"),
    ]


def test_layouts_are_told_apart_by_all_but_the_interval() -> None:
    load, save = LoadTable("a", "id", "x>1"), SaveTable("one", "id", True, False)
    mode = TabularMode({"one": load}, {"a": save}, ("v",), True, "values", 5)
    assert mode.identity() == [
        {"one": ["a", "id", "x>1"]},
        {"a": ["one", "id", True, False, "x>1"]},
        [["v"], True, "values"],
    ]
    assert TabularMode(auto_load_interval_seconds=9).identity() == TabularMode().identity()


@pytest.mark.parametrize(
    "other",
    [
        TabularMode({"db": "other"}),
        TabularMode({"db": "t"}, values_load=True),
        TabularMode({"db": "t"}, values_save=True),
        TabularMode({"db": "t"}, values_table_name="v"),
        TabularMode({"db": "t"}, {"t": "db"}),
    ],
)
def test_what_is_another_layout(other: Any) -> None:
    assert other.identity() != TabularMode({"db": "t"}).identity()
