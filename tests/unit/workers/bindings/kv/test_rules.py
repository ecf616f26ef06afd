"""What Workers KV takes, and its words for what it does not."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from durabase.workers.bindings.kv.rules import (
    LIST_LIMIT,
    MAX_VALUE_BYTES,
    checked_key,
    checked_keys,
    checked_limit,
    checked_type,
    checked_value,
    cursor_text,
    expiration_of,
    metadata_text,
    parse_cursor,
)

NOW = 1_700_000_000


@pytest.mark.parametrize("key", ["a", "...", "ä" * 256, "x" * 512, "\ud800"])
def test_keys(key: str) -> None:
    assert checked_key("GET", key).decode() == key.replace("\ud800", "\ufffd")


@pytest.mark.parametrize(
    ("key", "error", "complaint"),
    [
        (b"a", TypeError, "KV GET: a key is a string, not bytes"),
        ("", TypeError, "Key name cannot be empty."),
        (".", TypeError, '"." is not allowed as a key name.'),
        ("..", TypeError, '".." is not allowed as a key name.'),
        (
            *("x" * 513, ValueError),
            "KV GET failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512.",
        ),
    ],
)
def test_what_is_no_key(key: Any, error: type[Exception], complaint: str) -> None:
    for check in (lambda: checked_key("GET", key), lambda: checked_keys("GET", ["a", key])):
        with pytest.raises(error) as caught:
            check()
        assert str(caught.value) == complaint


def test_one_to_a_hundred_keys() -> None:
    assert checked_keys("GET", ["b", "a"]) == [b"b", b"a"]
    assert len(checked_keys("GET", ["a"] * 100)) == 100
    for count in (0, 101):
        with pytest.raises(ValueError, match=f"400 You can request from 1 to 100 keys, not {count}"):
            checked_keys("GET", ["a"] * count)


def test_types() -> None:
    assert checked_type(None, bulk=True) == checked_type("text", bulk=False) == "text"
    for name in ("arrayBuffer", "stream"):
        assert checked_type(name, bulk=False) == name
        with pytest.raises(ValueError, match=f'^KV GET_BULK failed: 400 "{name}" is not a valid type'):
            checked_type(name, bulk=True)
    assert checked_type("json", bulk=True) == "json"
    for wrong in ("blob", 5):
        with pytest.raises(TypeError, match=r"^Unknown response type\. Possible types are "):
            checked_type(wrong, bulk=False)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ("ä\ud800", b"\xc3\xa4\xef\xbf\xbd"),
        (bytearray(b"a"), b"a"),
        (memoryview(b"a"), b"a"),
        (2.0, b"2"),
        (-1, b"-1"),
        (False, b"false"),
    ],
)
def test_values(value: Any, data: bytes) -> None:
    checked = checked_value(value)
    assert (checked, type(checked)) == (data, bytes)


def test_what_is_no_value() -> None:
    assert len(checked_value(bytes(MAX_VALUE_BYTES))) == 25 * 1024 * 1024
    with pytest.raises(ValueError, match=r"^KV PUT failed: 413 Value length of 26214401 exceeds limit of"):
        checked_value(bytes(MAX_VALUE_BYTES + 1))
    for value in (None, {}, [1]):
        with pytest.raises(TypeError, match=f"as values, not {type(value).__name__}"):
            checked_value(value)


def test_metadata() -> None:
    assert metadata_text(None) is None
    assert metadata_text({"a": [1.0, "ä"]}) == '{"a":[1,"ä"]}'
    assert metadata_text("x" * 1022) == '"' + "x" * 1022 + '"'
    with pytest.raises(
        ValueError, match=r"^KV PUT failed: 413 Metadata length of 1025 exceeds limit of 1024"
    ):
        metadata_text("ä" * 511 + "x")
    with pytest.raises(TypeError):
        metadata_text(object())


@pytest.mark.parametrize(
    ("options", "second"),
    [
        ({}, None),
        ({"expirationTtl": None, "expiration": None}, None),
        ({"expirationTtl": 60}, NOW + 60),
        ({"expirationTtl": 60.9}, NOW + 60),
        ({"expiration": NOW + 60}, NOW + 60),
        ({"expirationTtl": 100, "expiration": NOW + 60}, NOW + 100),
    ],
)
def test_expirations(options: dict[str, Any], second: int | None) -> None:
    assert expiration_of(options, NOW) == second


@pytest.mark.parametrize("wrong", [0, -1, 0.5, "60", True, nan, inf])
def test_what_is_no_time_to_live(wrong: Any) -> None:
    with pytest.raises(ValueError, match="Please specify integer greater than 0") as caught:
        expiration_of({"expirationTtl": wrong}, NOW)
    assert str(caught.value).startswith(f"KV PUT failed: 400 Invalid expiration_ttl of {wrong}. ")


@pytest.mark.parametrize("wrong", [NOW, 0, "later", inf])
def test_what_is_no_second_to_come(wrong: Any) -> None:
    with pytest.raises(ValueError, match="greater than the current number of seconds") as caught:
        expiration_of({"expiration": wrong}, NOW)
    assert str(caught.value).startswith(f"KV PUT failed: 400 Invalid expiration of {wrong}. ")


def test_what_is_too_soon() -> None:
    with pytest.raises(ValueError, match=r"of 59. Expiration TTL must be at least 60."):
        expiration_of({"expirationTtl": 59}, NOW)
    with pytest.raises(ValueError, match=r"Expiration times must be at least 60 seconds in the future."):
        expiration_of({"expiration": NOW + 59}, NOW)


def test_limits() -> None:
    assert [checked_limit(limit) for limit in (None, 1, 2.9, 1000)] == [LIST_LIMIT, 1, 2, 1000]
    for limit, wanted in ((0, "greater than 0"), ("5", "greater than 0"), (1001, "less than 1000")):
        with pytest.raises(ValueError, match=f"Invalid key_count_limit of {limit}. .* {wanted}"):
            checked_limit(limit)


def test_cursors() -> None:
    for key in (b"a", b"\xff\0"):
        assert parse_cursor(cursor_text(key)) == key
    assert parse_cursor(None) is parse_cursor("") is None


@pytest.mark.parametrize("cursor", ["%", "abc", "YQ==YQ==!", "ä", 5, ["a"]])
def test_what_is_no_cursor(cursor: Any) -> None:
    with pytest.raises(ValueError, match=r"^KV GET failed: 400 Invalid cursor "):
        parse_cursor(cursor)
