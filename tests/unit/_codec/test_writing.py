"""Writing JSON. The expected texts were made by Node 20."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import OrderedDict
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durabase._codec import (
    MAX_NESTING,
    json_text,
    json_text_with_undefined,
    writing,
)
from durabase.types import UNDEFINED

quick = settings(max_examples=80, derandomize=True, deadline=None, database=None)


class Number(IntEnum):
    FIVE = 5


class Word(StrEnum):
    ONE = "one"


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


plain_things = st.one_of(
    st.just(UNDEFINED),
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(0, 2**32),
    st.floats(),
    st.sampled_from([1.0, 0.5, -0.0, 1e16, 1e-7, 1.5e300, 2**53, 2**53 + 1]),
    st.text(max_size=5),
    st.sampled_from(["NjE5e7-----7JQY8", ".0,", "0e5]", "1234567890123456", '"1":', "\ud800"]),
)
keys = st.one_of(st.text(max_size=3), st.sampled_from(["1", "2", "10", "c1", "4294967295", "4294967294"]))
structures = st.recursive(
    plain_things,
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(quick, max_examples=300)
@given(structures)
def test_the_quick_writer_writes_what_the_exact_one_does(value: Any) -> None:
    assert json_text_with_undefined(value) == writing._guarded_text(value, '"\ufffc"')


@pytest.mark.parametrize(
    "value",
    [
        [["x", "NjE5e7-----7JQY8", 4294967295], 1.25, {"t": {"r": UNDEFINED}}],
        {"1": {"2": 0, "10": 0, "b": 0, "a": 0}},
    ],
)
def test_plain_values_are_written_by_the_quick_writer(value: Any) -> None:
    assert writing._quick_text(value) == writing._guarded_text(value, '"\ufffc"')


def test_orjson_is_not_needed() -> None:
    program = (
        "import sys; sys.modules['orjson'] = None\n"
        "from durabase._codec import json_text_with_undefined\n"
        "assert json_text_with_undefined([1, {'b': 2.0, '1': 3}]) == '[1,{\"1\":3,\"b\":2}]'"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
