"""Random ids."""

from __future__ import annotations

from durabase._codec import (
    ALPHABET,
    id_from_bytes,
    unique_id,
)


def test_unique_ids() -> None:
    assert len(unique_id()) == 16
    assert len(unique_id(5)) == 5
    assert set(unique_id(2000)) == set(ALPHABET)
    assert unique_id() != unique_id()
    assert id_from_bytes(bytes([0, 63, 64, 255])) == "-z-z"
    assert sorted(ALPHABET) == list(ALPHABET)
