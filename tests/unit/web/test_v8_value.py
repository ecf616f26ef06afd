"""Values that workerd itself has written (``wrangler_state/made_by.js``), and some that nobody has."""

from __future__ import annotations

import math
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durabase.types import UNDEFINED
from durabase.web.structured_clone import decode_value, encode_value
from durabase.web.v8_value import read_v8

pytestmark = [pytest.mark.feature("S-SX-3")]

STATE = Path(__file__).parents[1] / "operations" / "wrangler_state" / "v3" / "do"
LOBBY = STATE / "shop-Box" / "22638c07422785152547db663272961e7fd6e6eab4b21920a893bba1ebadf404.sqlite"

EXPECTED: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "int": 42,
    "neg": -7,
    "big31": 2**31,
    "max53": 2**53 - 1,
    "min53": 1 - 2**53,
    "half": 0.5,
    "e300": 1e300,
    "inf": math.inf,
    "ninf": -math.inf,
    "bigint": 12345678901234567890,
    "bigneg": -(2**200),
    "bigzero": 0,
    "empty": "",
    "ascii": "text",
    "latin": "café",
    "wide": "€😀",
    "lone": "a\ud800b",
    "nul": "a\0b",
    "long": "x" * 1000,
    "longwide": "€" * 1001,
    "date": datetime(2023, 11, 14, 22, 13, 20, 123000),
    "badDate": None,
    "oldDate": datetime(1922, 6, 20, 21, 20),
    "regexp": "/a+b/gi",
    "map": {"k": 1, 2: {"x": None}},
    "set": {1, "a", None},
    "buffer": b"\1\2\3",
    "u8": b"\0\xff\7",
    "u8c": b"\1\2",
    "i8": [-1, 1],
    "u16": [1, 65535],
    "i16": [-2, 2],
    "u32": [1, 2**32 - 1],
    "i32": [-5, 5],
    "f32": [1.5, -2],
    "f64": [1e300, -0.25],
    "b64": [-1, 5],
    "bu64": [2**64 - 1],
    "view": b"\x08\x07",
    "slice": b"\x08\x07",
    "sharedBuffer": [b"\1\2\3\4", [513, 1027], b"\1\2\3\4"],
    "boxedTrue": True,
    "boxedFalse": False,
    "boxedNumber": 5.5,
    "boxedString": "boxed",
    "boxedBigint": 7,
    "object": {"a": 1, "b c": [1, {"d": None}], "5": "five", "€": "euro"},
    "emptyObject": {},
    "array": [1, "two", [3.5]],
    "emptyArray": [],
    "undefinedInside": [UNDEFINED, "hlc", 5],
    "undefinedMember": {"a": UNDEFINED},
    "sparse": [1, UNDEFINED, 3, UNDEFINED, UNDEFINED],
    "withProps": [1, 2],
    "shared": {"one": [1], "two": [1]},
    "nested": {"map": {"date": datetime(1970, 1, 1)}, "list": [{b"\1"}]},
    "deepObjectList": [{"i": number} for number in range(300)],
    "kvUndefined": UNDEFINED,
    "€ key\0nul 😀": 1,
}
ERRORS = {
    "error": Exception("plain"),
    "typeError": TypeError("typed"),
    "rangeError": ValueError("ranged"),
    "caused": Exception("outer"),
    "namedError": Exception("m"),
    "noMessage": Exception(""),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    copy = shutil.copy(LOBBY, tmp_path_factory.mktemp("state"))
    with closing(sqlite3.connect(copy)) as connection:
        rows = connection.execute("SELECT CAST(key AS BLOB), value FROM _cf_KV").fetchall()
    return {key.decode(): value for key, value in rows}


def test_everything_that_workerd_stores(stored: dict[str, bytes]) -> None:
    assert stored.keys() == {*EXPECTED, *ERRORS, "nan", "nzero", "cycle"}
    for key, expected in EXPECTED.items():
        found = read_v8(stored[key])
        assert found == expected, key
        assert type(found) is type(expected), key
    assert [type(item) for item in read_v8(stored["f32"])] == [float, int]


def test_numbers_that_are_special(stored: dict[str, bytes]) -> None:
    assert math.isnan(read_v8(stored["nan"]))
    assert math.copysign(1, read_v8(stored["nzero"])) == -1


def test_errors(stored: dict[str, bytes]) -> None:
    for key, expected in ERRORS.items():
        assert repr(read_v8(stored[key])) == repr(expected)
    assert repr(read_v8(stored["caused"]).__cause__) == "SyntaxError('inner')"


def test_references(stored: dict[str, bytes]) -> None:
    cycle = read_v8(stored["cycle"])
    assert cycle["self"] is cycle
    shared = read_v8(stored["shared"])
    assert shared["one"] is shared["two"]


def test_all_of_it_can_be_stored_here(stored: dict[str, bytes]) -> None:
    for key, data in stored.items():
        if key in EXPECTED:
            assert decode_value(encode_value(read_v8(data))) == EXPECTED[key]


def test_what_is_cut_off_is_refused(stored: dict[str, bytes]) -> None:
    for key, data in stored.items():
        for end in range(min(len(data), 300)):
            if data[end : end + 1] == b"V":
                continue  # a buffer without its view is a value, too
            with pytest.raises(ValueError):
                read_v8(data[:end])
        with pytest.raises(ValueError, match="there is more after the value"):
            read_v8(data + b"0" if key != "buffer" else data + b"00")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "cut off"),
        (b"{}", "no value of V8's"),
        (b"\xff\x09_", "version 9"),
        (b"\xff\x10_", "version 16"),
        (b"\xff\x0f\\\x01", "only its program knows"),
        (b"\xff\x0f^\x00", "cut off, or damaged"),
        (b"\xff\x0fa\xff\xff\xff\xff\x0f@\x00\x00", "holes"),
        (b"\xff\x0frq.", "unknown part"),
        (b"\xff\x0f" + b"A\x01" * 5000, "cut off, or damaged"),
    ],
)
def test_what_is_no_value(data: bytes, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        read_v8(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xff\x0f;o{\x00I\x02:\x02", [[{}, 1]]),
        (b"\xff\x0f'o{\x00,\x01", [{}]),
        (b"\xff\x0fA\x02-I\x02$\x00\x02", [UNDEFINED, 1]),
        (b"\xff\x0f~\x02\x08ab", b"ab"),
        (b"\xff\x0f\0\0c\x02a\0", "a"),
        (b"\xff\x0fS\x02\xc3\xa9", "é"),
        (b"\xff\x0f?\x00I\x02", 1),
        (b"\xff\x0dB\x02abVB\x00\x02", b"ab"),
        (b"\xff\x0fU\xff\xff\xff\xff\x0f", 2**32 - 1),
    ],
)
def test_what_is_rare(data: bytes, value: Any) -> None:
    assert read_v8(data) == value


@given(st.binary(max_size=60))
def test_anything_else_is_read_or_refused(data: bytes) -> None:
    try:
        read_v8(b"\xff\x0f" + data)
    except ValueError:
        pass
