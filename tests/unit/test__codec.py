"""Text as JavaScript writes and reads it. The expected texts were made by Node 20."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import OrderedDict
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durabase import _codec
from durabase._codec import (
    ALPHABET,
    MAX_NESTING,
    id_from_bytes,
    is_array_index,
    js_string,
    json_text,
    json_text_with_undefined,
    number_text,
    ordered_items,
    parse_json,
    parse_json_with_undefined,
    string_text,
    unique_id,
    utf8,
    utf8_length,
)
from durabase.types import UNDEFINED

quick = settings(max_examples=80, derandomize=True, deadline=None, database=None)


class Number(IntEnum):
    FIVE = 5


class Word(StrEnum):
    ONE = "one"


# -- numbers


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-17, "-17"),
        (123.45, "123.45"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (1e-7, "1e-7"),
        (-1e-7, "-1e-7"),
        (0.0001, "0.0001"),
        (1e16, "10000000000000000"),
        (1.2345e16, "12345000000000000"),
        (1e20, "100000000000000000000"),
        (123456789012345678901, "123456789012345680000"),
        (-123456789012345678901, "-123456789012345680000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (2**53, "9007199254740992"),
        (2**53 + 1, "9007199254740992"),
        (2**64, "18446744073709552000"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
        (Number.FIVE, "5"),
    ],
)
def test_number_text(number: float, text: str) -> None:
    assert number_text(number) == text


@quick
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_text_reads_back(number: float) -> None:
    assert float(number_text(number)) == number
    assert parse_json(number_text(number)) == number


# -- strings and bytes


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


# -- object order


@pytest.mark.parametrize("key", ["0", "7", "10", "4294967294"])
def test_array_indexes(key: str) -> None:
    assert is_array_index(key)


@pytest.mark.parametrize(
    "key", ["", "01", "-1", "1.5", "4294967295", "99999999999", "a", "1a", "²", "٣", "+1", " 1"]
)
def test_other_keys(key: str) -> None:
    assert not is_array_index(key)


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ([], []),
        (["b", "a"], ["b", "a"]),
        (["b", "1", "a"], ["1", "b", "a"]),
        (
            ["10", "9", "01", "", "4294967295", "4294967294", "-1"],
            ["9", "10", "4294967294", "01", "", "4294967295", "-1"],
        ),
        (["٣", "2"], ["2", "٣"]),
        (["~", "!"], ["~", "!"]),
    ],
)
def test_object_order(keys: list[str], order: list[str]) -> None:
    items = list(ordered_items({key: f"of {key}" for key in keys}))
    assert items == [(key, f"of {key}") for key in order]


def test_keys_become_strings() -> None:
    assert list(ordered_items({"b": 1, 2: 2, None: 3, True: 4})) == [
        ("2", 2),
        ("b", 1),
        ("null", 3),
        ("true", 4),
    ]
    assert list(ordered_items({3: 1})) == [("3", 1)]


# -- writing JSON


@pytest.mark.parametrize(
    ("value", "text", "with_undefined"),
    [
        (UNDEFINED, "null", '"\ufffc"'),
        ([UNDEFINED, None], "[null,null]", '["\ufffc",null]'),
        ({"a": UNDEFINED, "b": 1}, '{"b":1}', '{"a":"\ufffc","b":1}'),
        ({"b": [True, False], "1": {}}, '{"1":{},"b":[true,false]}', '{"1":{},"b":[true,false]}'),
        ([math.nan, math.inf, -math.inf, -0.0], "[null,null,null,0]", "[null,null,null,0]"),
        ((1, OrderedDict(a=2.0)), '[1,{"a":2}]', '[1,{"a":2}]'),
        ([Number.FIVE, Word.ONE, 2**60], '[5,"one",1152921504606847000]', '[5,"one",1152921504606847000]'),
    ],
)
def test_json_text(value: Any, text: str, with_undefined: str) -> None:
    assert json_text(value) == text
    assert json_text_with_undefined(value) == with_undefined


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_writing_is_refused_when_nested_too_deeply() -> None:
    assert json_text(nested(MAX_NESTING)) == "[" * MAX_NESTING + "]" * MAX_NESTING
    for depth in (MAX_NESTING + 1, 100_000):
        with pytest.raises(ValueError, match="256 deep"):
            json_text(nested(depth))
    itself: dict[str, Any] = {}
    itself["me"] = itself
    with pytest.raises(ValueError, match="containing itself"):
        json_text(itself)


def test_writing_is_refused_for_what_is_no_json() -> None:
    with pytest.raises(TypeError, match="set is no JSON"):
        json_text({"a": [{1, 2}]})
    with pytest.raises(TypeError, match="bytes"):
        json_text_with_undefined(b"x")


# -- reading JSON


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 1 ", 1),
        ("1.0", 1.0),
        ("-0", -0.0),
        ("-0.0", -0.0),
        ("[1,-0]", [1, -0.0]),
        ("1e999", math.inf),
        ("-1e999", -math.inf),
        ("1" + "0" * 5000, math.inf),
        ("-1" + "0" * 5000, -math.inf),
        ("9007199254740993", 9007199254740992),
        ("-9007199254740993", -9007199254740992),
        ("18446744073709551616", 2.0**64),
        ("123456789012345678", 123456789012345680.0),
        ('"\\ud800"', "\ud800"),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\x7f\u2028"', "\x7f\u2028"),
        ('{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
        ('{"__proto__":1}', {"__proto__": 1}),
        ('\t\n\r {"":[ ]}', {"": []}),
    ],
)
def test_parse(text: str, value: Any) -> None:
    for parse in (parse_json, _codec._decode):
        assert repr(parse(text)) == repr(value)
    if "\\ud800" not in text:
        assert repr(parse_json(text.encode())) == repr(value)


def test_integers_are_int_and_beyond_2_53_double() -> None:
    assert type(parse_json("9007199254740993")) is int
    assert type(parse_json("18446744073709551615")) is float
    assert type(parse_json("1.0")) is float


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "NaN", "Infinity", "-Infinity", "[NaN]", "01", "1.", ".5", "+1", "-", "1e", "0x1", "1_0",
        "١", "[1,]", '{"a":1,}', "{a:1}", "'a'", '"\n"', '"\\x41"', '"\\u12"', '"\\u+123"', "tru", "True",
        "None", "\ufeff1", "1 2", "[", '"', "\xa01", "\x0c1", "// c\n1", "undefined", '{"a"}', "[1 2]",
    ],
)  # fmt: skip
def test_parse_refuses(text: str) -> None:
    for parse in (parse_json, _codec._decode, parse_json_with_undefined):
        with pytest.raises(ValueError):
            parse(text)


def test_parse_refuses_bad_utf8() -> None:
    with pytest.raises(ValueError):
        parse_json(b'"\xff"')
    with pytest.raises(ValueError):
        parse_json('"x"'.encode("utf-16"))


def test_parse_refuses_deep_nesting_whatever_is_in_strings() -> None:
    deepest = "[" * MAX_NESTING + "]" * MAX_NESTING
    assert json_text(parse_json(deepest)) == deepest
    for depth in (MAX_NESTING + 1, 2000, 200_000):
        for one, other in (("[", "]"), ('{"a":', "}")):
            with pytest.raises(ValueError, match="256 deep"):
                parse_json(one * depth + "1" + other * depth)
        with pytest.raises(ValueError):
            parse_json("[" * depth)
    brackets = "[{" * 500
    assert parse_json(json_text([brackets, '\\"' + brackets])) == [brackets, '\\"' + brackets]
    with pytest.raises(ValueError, match="256 deep"):
        parse_json('["]]]]",' * (MAX_NESTING + 1) + "1" + "]" * (MAX_NESTING + 1))
    flat = "[" + ",".join(["[{}]"] * 1000) + "]"
    assert len(parse_json(flat)) == 1000


def test_undefined_in_text() -> None:
    text = '{"a":"\ufffc","\ufffc":["\ufffc","x\ufffc"],"b":"\\uFFFC"}'
    expected = {"a": UNDEFINED, "\ufffc": [UNDEFINED, "x\ufffc"], "b": UNDEFINED}
    assert parse_json_with_undefined(text) == expected
    assert parse_json_with_undefined(text.encode()) == expected
    assert parse_json_with_undefined('"\\ufffc"') is UNDEFINED
    assert parse_json(text)["a"] == "\ufffc"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3) | st.just("1"), inner, max_size=4)
    ),
    max_leaves=12,
)


@quick
@given(json_values)
def test_what_is_written_reads_back(value: Any) -> None:
    text = json_text(value)
    assert repr(_codec._decode(text)) == repr(parse_json(text))
    assert json_text(parse_json(text)) == text


@quick
@given(st.text(st.sampled_from('[]{}",:\\/bu0123456789abcdef+-.eE \n\ufffc')))
def test_any_text_parses_or_is_refused(text: str) -> None:
    results = []
    for parse in (parse_json, _codec._decode):
        try:
            results.append(repr(parse(text)))
        except ValueError:
            results.append("refused")
    assert results[0] == results[1]


def test_orjson_is_not_needed() -> None:
    program = (
        "import sys; sys.modules['orjson'] = None\n"
        "from durabase._codec import parse_json\n"
        "assert parse_json('[1,2.5,-0]') == [1, 2.5, 0]"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


# -- ids


def test_unique_ids() -> None:
    assert len(unique_id()) == 16
    assert len(unique_id(5)) == 5
    assert set(unique_id(2000)) == set(ALPHABET)
    assert unique_id() != unique_id()
    assert id_from_bytes(bytes([0, 63, 64, 255])) == "-z-z"
    assert sorted(ALPHABET) == list(ALPHABET)


def test_stdlib_agrees_on_ordinary_strings() -> None:
    for text in ("", "plain", "Zoë", '\\"\n'):
        assert string_text(text) == json.dumps(text, ensure_ascii=False)
