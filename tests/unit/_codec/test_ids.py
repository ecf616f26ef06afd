"""Random ids, and one object for ids that come again and again."""

from __future__ import annotations

from durabase._codec import (
    ALPHABET,
    id_from_bytes,
    ids,
    shared_id,
    unique_id,
)


def test_unique_ids() -> None:
    assert len(unique_id()) == 16
    assert len(unique_id(5)) == 5
    assert set(unique_id(2000)) == set(ALPHABET)
    assert unique_id() != unique_id()
    assert id_from_bytes(bytes([0, 63, 64, 255])) == "-z-z"
    assert sorted(ALPHABET) == list(ALPHABET)


def test_equal_ids_become_one_object() -> None:
    first, second = "".join(["ce", "ll"]), "".join(["ce", "ll"])
    assert first is not second
    assert shared_id(first) is first
    assert shared_id(second) is first
    assert shared_id("") == ""


def test_long_ids_and_derived_ones_are_not_kept() -> None:
    class Name(str):
        __slots__ = ()

    longer = "x" * 65
    for id_ in (longer, Name("derived")):
        shared_id(id_)
        assert id_ not in ids._shared


def test_no_more_than_some_thousands_are_kept() -> None:
    for number in range(5_000):
        assert shared_id(f"many-{number}") == f"many-{number}"
    assert len(ids._shared) <= 4_096
