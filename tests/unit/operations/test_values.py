"""Stored values as JSON has them, or as Python prints them."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.operations.values import has_json_form, plain

DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize("value", [None, 1, "ä", {"a": [1, None, {"b": True}]}, [], 1.5])
def test_what_json_can_have_stays(value: Any) -> None:
    assert has_json_form(value)
    assert plain(value) is value


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (b"x", "b'x'"),
        ({1, 2}, "{1, 2}"),
        (float("nan"), "nan"),
        ([1, float("inf")], "[1, inf]"),
        ({"a": b""}, "{'a': b''}"),
        ({(1, 2): 3}, "{(1, 2): 3}"),
    ],
)
def test_the_rest_is_printed(value: Any, printed: str) -> None:
    assert not has_json_form(value)
    assert plain(value) == printed


def test_what_is_too_deep_for_json_or_holds_itself() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert not has_json_form(circle)
    assert plain(circle) == "[[...]]"
    assert not has_json_form(DEEP)
