"""Hash functions; most are tested with the recordings."""

from __future__ import annotations

import pytest

from durabase.mergeable import hashes
from durabase.types import UNDEFINED


@pytest.mark.parametrize(
    ("text", "hash_"),
    [
        ("", 2166136261),
        ("a", 3826002220),
        ("abc", 440920331),
        ("Zoë", 3265445340),
        ("😀", 866293256),
        ("\ud800", 55024714),
    ],
)
def test_get_hash(text: str, hash_: int) -> None:
    assert hashes.get_hash(text) == hash_


def test_the_worked_example() -> None:
    cell = hashes.get_cell_hash("dog", "NjEtLV-----7JQY8")
    assert cell == 2379180034
    assert hashes.get_cell_in_row_hash("species", cell) == 785976632
    row = hashes.get_row_hash({"species": cell})
    assert row == 2752849363
    table = hashes.get_table_hash({"fido": row})
    assert table == 3312541386
    assert hashes.get_tables_hash({"pets": table}) == 66248681


def test_null_and_deleted_hash_alike() -> None:
    assert hashes.get_value_hash(None, "x") == hashes.get_value_hash(UNDEFINED, "x") == 1598250086


def test_adding_and_removing_cancel_out() -> None:
    assert hashes.add_or_remove_hash(hashes.add_or_remove_hash(5, 2**32 - 1), 2**32 - 1) == 5


def test_a_change_is_what_adding_and_removing_come_to() -> None:
    before, now = (hashes.get_value_in_values_hash("a", hash_) for hash_ in (0, 2**32 - 1))
    assert hashes.get_hash_change("a", 0, 2**32 - 1) == before ^ now
    assert hashes.get_hash_change("a", 7, 7) == 0


def test_ids_are_hashed_alike_however_many_there_are() -> None:
    ids = [f"id {number}" for number in range(5000)]
    first = [hashes.get_value_in_values_hash(id_, 1) for id_ in ids]
    assert first == [hashes.get_hash(f"{id_}:1") for id_ in ids]
    assert first == [hashes.get_value_in_values_hash(id_, 1) for id_ in ids]


def test_long_ids_are_not_kept() -> None:
    longest, longer = "x" * 64, "x" * 65
    for id_ in (longest, longer):
        assert hashes.get_value_in_values_hash(id_, 1) == hashes.get_hash(f"{id_}:1")
    assert longest in hashes._id_states
    assert longer not in hashes._id_states


def test_each_level_has_its_name() -> None:
    assert hashes.get_row_in_table_hash is hashes.get_table_in_tables_hash is hashes.get_value_in_values_hash
    assert hashes.get_values_hash({"a": 1, "10": 2}) == hashes.get_row_hash({"10": 2, "a": 1}) == 50339801
