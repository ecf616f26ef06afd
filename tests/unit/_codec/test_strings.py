"""Strings as JavaScript has them."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import Any

import pytest

from durabase._codec import (
    js_string,
    json_text,
    string_text,
    utf8,
    utf8_length,
)
from durabase.types import UNDEFINED


class Word(StrEnum):
    ONE = "one"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"\\/', '"\\"\\\\/"'),
        ("\b\t\n\f\r\x00\x1f", '"\\b\\t\\n\\f\\r\\u0000\\u001f"'),
        ("\x7f\u2028\ufeff\ufffe😀", '"\x7f\u2028\ufeff\ufffe😀"'),
        ("a\ud800b\udfff", '"a\\ud800b\\udfff"'),
        ("\ud83d\ude00", '"😀"'),
        ("\ude00\ud83d", '"\\ude00\\ud83d"'),
    ],
)
def test_string_text(text: str, expected: str) -> None:
    assert string_text(text) == expected
    assert json_text(text) == expected


def test_utf8_replaces_lone_surrogates_only() -> None:
    assert utf8("Zoë") == "Zoë".encode()
    assert utf8("\ud800") == utf8("\ufffd") == b"\xef\xbf\xbd"
    assert utf8("x\ud83d\ude00\udc00") == "x😀\ufffd".encode()
    assert [utf8_length(text) for text in ("", "abc", "ë", "😀", "\udc00")] == [0, 3, 2, 4, 3]


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        ("x", "x"),
        (Word.ONE, "one"),
        (1, "1"),
        (1.0, "1"),
        (1e21, "1e+21"),
        (math.nan, "NaN"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (UNDEFINED, "undefined"),
        ([], ""),
        ([1, None, UNDEFINED, [2, 3]], "1,,,2,3"),
        ({"a": 1}, "[object Object]"),
        (b"x", "b'x'"),
    ],
)
def test_js_string(thing: Any, text: str) -> None:
    assert js_string(thing) == text
    assert type(js_string(thing)) is str


def test_stdlib_agrees_on_ordinary_strings() -> None:
    for text in ("", "plain", "Zoë", '\\"\n'):
        assert string_text(text) == json.dumps(text, ensure_ascii=False)
