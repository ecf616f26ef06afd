"""Reading JSON."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durabase._codec import (
    MAX_NESTING,
    json_text,
    parse_json,
    parse_json_with_undefined,
    reading,
)
from durabase.types import UNDEFINED

quick = settings(max_examples=80, derandomize=True, deadline=None, database=None)


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
    assert repr(reading._decode(text)) == repr(parse_json(text))
    assert json_text(parse_json(text)) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 1 ", 1),
        ("1.0", 1.0),
        ("-0", -0.0),
        ("-0.0", -0.0),
        ("[1,-0]", [1, -0.0]),
        ('{"a":-0,"b":\n-0}', {"a": -0.0, "b": -0.0}),
        ("[\t-0 , -1, -0.5]", [-0.0, -1, -0.5]),
        ('["a,-0","x-0",[-0]]', ["a,-0", "x-0", [-0.0]]),
        ('["0000000000000000",12345678901234567890]', ["0" * 16, 12345678901234567168.0]),
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
    for parse in (parse_json, reading._decode):
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
    for parse in (parse_json, reading._decode, parse_json_with_undefined):
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


@quick
@given(st.text(st.sampled_from('[]{}",:\\/bu0123456789abcdef+-.eE \n\ufffc')))
def test_any_text_parses_or_is_refused(text: str) -> None:
    results = []
    for parse in (parse_json, reading._decode):
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
