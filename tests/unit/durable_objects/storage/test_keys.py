"""Keys as bytes, and the ranges of them that options mean."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.durable_objects.storage.keys import key_bytes, key_range, key_text, merged_options
from durabase.durable_objects.storage.store import KeyRange


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("", b""),
        ("key", b"key"),
        ("é", b"\xc3\xa9"),
        ("\U0001f600", b"\xf0\x9f\x98\x80"),
        ("\ud800", b"\xed\xa0\x80"),
        ("a\0", b"a\0"),
    ],
)
def test_a_key_is_its_utf_8_and_back_lone_surrogates_too(key: str, data: bytes) -> None:
    assert key_bytes(key) == data
    assert key_text(data) == key


@pytest.mark.parametrize(("key", "data"), [(1, b"1"), (None, b"None"), (1.5, b"1.5")])
def test_what_is_no_text_becomes_one(key: object, data: bytes) -> None:
    assert key_bytes(key) == data


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({}, KeyRange(b"", None, False, None)),
        ({"start": "b"}, KeyRange(b"b")),
        ({"start_after": "b"}, KeyRange(b"b\0")),
        ({"end": "d"}, KeyRange(end=b"d")),
        ({"start": "b", "end": "d", "reverse": True, "limit": 2}, KeyRange(b"b", b"d", True, 2)),
        ({"limit": 2.9, "reverse": 0}, KeyRange(limit=2)),
        ({"limit": 1}, KeyRange(limit=1)),
        ({"prefix": ""}, KeyRange()),
        ({"prefix": "ab"}, KeyRange(b"ab", b"ac")),
        ({"prefix": "\x7f"}, KeyRange(b"\x7f", b"\x80")),
        ({"prefix": "é"}, KeyRange(b"\xc3\xa9", b"\xc3\xaa")),
        ({"prefix": "b", "start": "a", "end": "z"}, KeyRange(b"b", b"c")),
        ({"prefix": "b", "start": "bx", "end": "bz"}, KeyRange(b"bx", b"bz")),
        ({"prefix": "b", "start_after": "bx"}, KeyRange(b"bx\0", b"c")),
        ({"start": None, "start_after": None, "end": None, "limit": None, "prefix": None}, KeyRange()),
    ],
)
def test_ranges(options: dict[str, Any], keys: KeyRange) -> None:
    assert key_range(options) == keys


def test_start_and_start_after_contradict_each_other() -> None:
    with pytest.raises(
        TypeError, match=r"^list\(\) cannot be called with both start and startAfter values\.$"
    ):
        key_range({"start": "a", "start_after": "a"})


@pytest.mark.parametrize("limit", [0, 0.5, -1, float("nan"), float("inf"), "2"])
def test_a_limit_is_a_positive_number(limit: object) -> None:
    with pytest.raises(TypeError, match=r"^List limit must be positive\.$"):
        key_range({"limit": limit})


def test_the_largest_limit() -> None:
    assert key_range({"limit": 2**31 - 1}) == KeyRange(limit=2**31 - 1)
    with pytest.raises(TypeError, match=r"^Value out of range\. Must be between -2147483648 and 2147483647 "):
        key_range({"limit": 2**31})


def test_options_may_be_a_dict_and_keywords_of_which_the_latter_count() -> None:
    assert merged_options(None, {}) == {}
    given = {"startAfter": "a", "limit": 1}
    assert merged_options(given, {"limit": 2, "reverse": True}) == {
        "start_after": "a",
        "limit": 2,
        "reverse": True,
    }
    assert given == {"startAfter": "a", "limit": 1}
