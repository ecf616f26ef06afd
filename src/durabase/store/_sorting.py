"""The order in which JavaScript's ``<`` puts sort keys.

Strings compare by UTF-16 code units; everything else as numbers, where a missing key and ``None``
count as 0, ``NaN`` is less than nothing and an object or array is turned into a string first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any, Final, TypeAlias

from durabase._codec import js_string
from durabase.types import UNDEFINED, Id

__all__ = ["Sorter", "default_sorter", "sorted_row_ids"]

Sorter: TypeAlias = Callable[[Any, Any], float]
"""Negative if the first sort key comes before the second one."""

_WHITE: Final = "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_WHITE_SPACE: Final = _WHITE + "\u2028\u2029\u202f\u205f\u3000\ufeff"
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_RADIX: Final = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")


def default_sorter(sort_key1: Any, sort_key2: Any) -> int:
    """-1 if the first sort key is less than the second, else 1 (also when they are equal)."""
    one, other = _primitive(sort_key1), _primitive(sort_key2)
    if isinstance(one, str) and isinstance(other, str):
        return -1 if _utf16(one) < _utf16(other) else 1
    return -1 if _number(one) < _number(other) else 1


def sorted_row_ids(
    keys: Sequence[Any], row_ids: Sequence[Id], descending: bool, sorter: Sorter | None
) -> list[Id]:
    """Row ids in the order of their keys; equal keys keep the order of their rows, descending reverses it."""
    comparable = _comparable(keys) if sorter is None else None
    if comparable is not None:
        order = sorted(range(len(row_ids)), key=comparable.__getitem__)
        return [row_ids[index] for index in (reversed(order) if descending else order)]
    compare = sorter or default_sorter
    sign = -1 if descending else 1

    def compare_rows(one: int, other: int) -> int:
        return -1 if compare(keys[one], keys[other]) * sign < 0 else 1

    return [row_ids[index] for index in sorted(range(len(row_ids)), key=cmp_to_key(compare_rows))]


def _comparable(keys: Sequence[Any]) -> Sequence[Any] | None:
    """Keys that Python compares as the default sorter compares these, if they are all of one kind."""
    kinds = set(map(type, keys))
    if kinds == {str}:
        return keys if all(map(str.isascii, keys)) else [_utf16(key) for key in keys]
    return [_number(key) for key in keys] if kinds <= _NUMERIC else None


def _utf16(text: str) -> bytes:
    """Bytes that compare as the UTF-16 code units of a text."""
    return text.encode("utf-16-be", "surrogatepass")


def _primitive(key: Any) -> Any:
    return js_string(key) if isinstance(key, dict | list | tuple) else key


def _number(key: Any) -> float:
    if key is None or key is UNDEFINED:
        return 0.0
    if isinstance(key, str):
        return _number_of_text(key.strip(_WHITE_SPACE))
    return float(key)


def _number_of_text(text: str) -> float:
    if not text:
        return 0.0
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _RADIX.fullmatch(text):
        return float(int(text, 0))
    return {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}.get(text, math.nan)


_NUMERIC: Final = frozenset((int, float, bool, type(None), type(UNDEFINED)))
