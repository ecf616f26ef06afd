"""Keys and values as bytes: limits, strict classes, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from durabase.durable_objects.storage.entries import (
    ENVELOPE_BYTES,
    decoded_entries,
    decoded_entry,
    encoded_entries,
    encoded_entry,
)
from durabase.errors import KeyTooLargeError, ValueTooLargeError
from durabase.types import UNDEFINED
from durabase.web.structured_clone import decode_value, encode_value


@dataclass
class Rules:
    max_key_bytes: int | None = 4
    max_value_bytes: int = 100
    is_strict: bool = False


def test_an_entry_is_the_key_s_utf_8_and_the_value_as_a_structured_clone() -> None:
    key, data = encoded_entry("é", {"a": [1, b"x"]}, Rules())
    assert key == b"\xc3\xa9"
    assert decode_value(data) == {"a": [1, b"x"]}
    assert decoded_entry(data, Rules()) == {"a": [1, b"x"]}


def test_a_key_may_have_as_many_bytes_as_the_limit_says() -> None:
    assert encoded_entry("éé", 1, Rules())[0] == b"\xc3\xa9\xc3\xa9"
    with pytest.raises(KeyTooLargeError) as caught:
        encoded_entry("ééa", 1, Rules())
    assert (caught.value.key, caught.value.size, caught.value.limit) == ("ééa", 5, 4)
    assert str(caught.value) == "Keys cannot be larger than 4 bytes. A key of size 5 was provided."
    assert encoded_entry("x" * 9999, 1, Rules(max_key_bytes=None))[0] == b"x" * 9999


def test_a_value_may_have_its_envelope_beyond_the_limit() -> None:
    data = encode_value("x" * 120)
    limit = len(data) - ENVELOPE_BYTES
    assert encoded_entry("k", "x" * 120, Rules(max_value_bytes=limit))[1] == data
    with pytest.raises(ValueTooLargeError, match=f"than {limit - 1} bytes.* for the key 'k'") as caught:
        encoded_entry("k", "x" * 120, Rules(max_value_bytes=limit - 1))
    assert (caught.value.size, caught.value.limit) == (len(data), limit - 1)


def test_entries_without_a_value_are_left_out_and_the_order_stays() -> None:
    encoded = encoded_entries({"b": 1, "gone": UNDEFINED, "a": None, 3: "x"}, Rules())
    assert list(encoded) == [b"b", b"a", b"3"]
    assert [decode_value(data or b"") for data in encoded.values()] == [1, None, "x"]


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ({"a": 1, "large": 1}, KeyTooLargeError),
        ({"a": 1, "b": "x" * 999}, ValueTooLargeError),
        ({"a": 1, "b": object()}, TypeError),
    ],
)
def test_one_wrong_entry_is_an_error_of_all(entries: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        encoded_entries(entries, Rules())


def test_many_entries_are_read_as_each_is() -> None:
    values = {"a": 1, "é": [True, None], "b": {"x": b"y"}}
    for rules in (Rules(), Rules(is_strict=True)):
        pairs = [(key, data) for key, data in encoded_entries(values, rules).items() if data is not None]
        read = decoded_entries(pairs, rules)
        assert list(read) == ["a", "é", "b"]
        assert read == {key.decode(): decoded_entry(data, rules) for key, data in pairs}
    assert decoded_entries([], Rules()) == {}


def test_in_strict_classes_values_become_what_they_become_on_cloudflare() -> None:
    strict = Rules(is_strict=True)
    _, data = encoded_entry("k", {1: 2.0}, strict)
    assert decode_value(data) == {"1": 2}
    assert isinstance(decoded_entry(encode_value(b"x"), strict), memoryview)
    assert isinstance(decoded_entry(encode_value(b"x"), Rules()), bytes)
    assert isinstance(decoded_entries([(b"k", encode_value(b"x"))], strict)["k"], memoryview)
    with pytest.raises(TypeError, match="a tuple can't be stored on Cloudflare"):
        encoded_entry("k", (1,), strict)
