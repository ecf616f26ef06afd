from __future__ import annotations

import math
import sys
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durabase.types import UNDEFINED
from durabase.web import AttributeDict, ByteString, structured_clone
from durabase.web.structured_clone import decode_value, decode_values, encode_value


def back(value: Any) -> Any:
    return decode_value(encode_value(value))


KEPT = [
    None,
    UNDEFINED,
    True,
    False,
    0,
    -1,
    2**53,
    -(2**63),
    2**63 - 1,
    2**64,
    -(2**200),
    1.0,
    1e300,
    5e-324,
    math.inf,
    -math.inf,
    "",
    "text",
    "\0 ü 😀",
    "lone \ud800 surrogate",
    b"",
    b"\0\xff",
    [],
    [1, [2, [UNDEFINED, None]]],
    {},
    {"a": {"b": [1.5]}, "ü": None},
    {1: "int key", None: 2, 2.5: 3, b"k": 4},
    {1, "a", None},
    datetime(2026, 1, 2, 3, 4, 5, 678901),
    datetime(2026, 1, 2, tzinfo=UTC),
    datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
]


@pytest.mark.feature("M-SA-4")
@pytest.mark.parametrize("value", KEPT, ids=ascii)
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_is_kept(value: Any, wrapped: bool) -> None:
    value = [value, UNDEFINED] if wrapped else value
    assert back(value) == value
    assert type(back(value)) in (type(value), AttributeDict, ByteString)


@pytest.mark.feature("M-SA-4")
def test_numbers_keep_their_kind_and_sign() -> None:
    assert [type(number) for number in back([1, 1.0, True])] == [int, float, bool]
    assert math.copysign(1, back(-0.0)) == -1
    assert math.copysign(1, back([-0.0])[0]) == -1
    assert math.isnan(back(math.nan))
    assert math.isnan(back({"a": [math.nan]})["a"][0])


def test_what_becomes_something_else() -> None:
    class Kind(IntEnum):
        ONE = 1

    assert back((1, (2,))) == [1, [2]]
    assert back([bytearray(b"a"), memoryview(b"b")]) == [b"a", b"b"]
    assert back(frozenset({1})) == {1}
    assert type(back(Kind.ONE)) is int
    assert back({"a": 1}).a == 1
    assert back([{"a": {"b": 1}}])[0].a.b == 1
    assert back({1: {"b": 1}})[1].b == 1
    with pytest.raises(AttributeError, match="no 'missing'"):
        _ = back({}).missing


def test_errors() -> None:
    class OwnError(KeyError): ...

    assert repr(back(ValueError("bad"))) == "ValueError('bad')"
    assert repr(back(KeyError("k"))) == "KeyError('k')"
    assert repr(back(OwnError("k"))) == "Exception('k')"
    assert repr(back(OSError(2, "missing"))) == "FileNotFoundError('[Errno 2] missing')"
    assert type(back(UnicodeDecodeError("utf-8", b"", 0, 1, "x"))) is Exception


@pytest.mark.feature("M-SA-4")
def test_shared_and_circular_references() -> None:
    circle: list[Any] = [1]
    circle.append({"again": circle})
    copy = back(circle)
    assert copy[1]["again"] is copy
    shared = {1: 2}
    one, other = back([shared, shared, UNDEFINED])[:2]
    assert one is other
    assert back([(), (), UNDEFINED])[0] is not back([(), (), UNDEFINED])[1]


@pytest.mark.feature("M-SA-5")
def test_each_reading_gives_a_fresh_copy() -> None:
    data = encode_value({"a": [1]})
    decode_value(data)["a"].append(2)
    assert decode_value(data) == {"a": [1]}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (object(), "value: an object of type object"),
        ({"a": [1, 1j]}, r"value\['a'\]\[1\]: an object of type complex"),
        ([len], r"value\[0\]: an object of type builtin_function_or_method"),
        ({(1, 2): 3}, "value: a key of type tuple"),
        ({(1, 2)}, "value: an item of type tuple"),
    ],
)
def test_what_can_not_be_encoded(value: Any, path: str) -> None:
    with pytest.raises(TypeError, match=path):
        encode_value(value)


def test_too_deep_is_refused_and_deep_is_not() -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    assert back(deep) == deep
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    with pytest.raises(TypeError, match="nested too deeply"):
        encode_value(deep)


def test_passing_by_reference() -> None:
    class Thing: ...

    thing = Thing()
    passed: list[Any] = []
    data = encode_value([1, thing], passed, lambda item: isinstance(item, Thing))
    assert decode_value(data, passed)[1] is thing
    with pytest.raises(TypeError, match="type object"):
        encode_value([object()], [], lambda item: isinstance(item, Thing))


@pytest.mark.feature("M-SC-2")
@pytest.mark.parametrize("data", [b"", b"\x02N", b"\x01Z", b"\x01S\x05ab"])
def test_what_is_no_encoding(data: bytes) -> None:
    with pytest.raises(ValueError, match="encoded value"):
        decode_value(data)


def test_plain_data_is_json_with_and_without_the_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"a": [1, 2.5, "ü", None, True, {"b": -0.0}]}
    data = encode_value(value)
    assert data[:1] == b"J"
    monkeypatch.setattr(structured_clone, "orjson", None)
    assert encode_value(value) == data
    assert decode_value(data) == value
    assert back(["lone \ud800"]) == ["lone \ud800"]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.just(UNDEFINED),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_any_value_comes_back(value: Any) -> None:
    assert back(value) == value


def test_many_are_read_as_one_by_one() -> None:
    values = [*KEPT, *range(1200), 0, "0", "{", ["{", 1], [{"a": [1]}], [1.5, None], "é", -0.0, [[]]]
    encoded = [encode_value(value) for value in values]
    assert repr(decode_values(encoded)) == repr([decode_value(data) for data in encoded])
    assert decode_values([encode_value({"a": 1})])[0].a == 1
    assert decode_values([]) == []


@pytest.mark.parametrize("broken", [b"", b"J", b"J1,2", b"J[", b"Z1", b"J1]"])
def test_one_of_many_that_is_broken_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError):
        decode_values([encode_value([1]), broken, encode_value("x")])
