"""Which keys a range has."""

from __future__ import annotations

from durabase.durable_objects.storage.store import KeyRange


def test_a_range_has_its_start_and_not_its_end() -> None:
    keys = KeyRange(b"b", b"d")
    assert [key for key in (b"a", b"b", b"c", b"cz", b"d", b"e") if key in keys] == [b"b", b"c", b"cz"]
    assert b"a" not in KeyRange(b"a\0")
    assert b"\xf4" in KeyRange()
    assert b"b" not in KeyRange(b"d", b"b")
