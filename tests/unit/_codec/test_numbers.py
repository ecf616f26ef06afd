"""Numbers as text. The expected texts were made by Node 20."""

from __future__ import annotations

import math
from enum import IntEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durabase._codec import (
    number_text,
    parse_json,
)

quick = settings(max_examples=80, derandomize=True, deadline=None, database=None)


class Number(IntEnum):
    FIVE = 5


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
