"""The order in which JavaScript lists the members of an object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from durabase._codec.strings import js_string

__all__ = ["is_array_index", "is_in_order", "ordered_items"]

_MAX_ARRAY_INDEX: Final = 4294967294


def is_array_index(key: str) -> bool:
    """Whether JavaScript lists an object's key ``key`` first: the decimal text of 0 to 4294967294."""
    if not (key.isdigit() and key.isascii()) or len(key) > 10:
        return False
    return key == "0" or (key[0] != "0" and int(key) <= _MAX_ARRAY_INDEX)


def ordered_items(mapping: Mapping[Any, Any]) -> Iterable[tuple[str, Any]]:
    """The members of a dict as JavaScript lists an object's: array indexes ascending, then the others.

    Keys that are no strings become strings.
    """
    if len(mapping) < 2:
        for key in mapping:
            if type(key) is not str:
                return [(js_string(key), mapping[key])]
        return mapping.items()
    try:
        if min(mapping) >= ":":  # no key starts with a digit: the quickest way to see it
            return mapping.items()
    except TypeError:
        mapping = {js_string(key): value for key, value in mapping.items()}
    indexes = [key for key in mapping if is_array_index(key)]
    if not indexes:
        return mapping.items()
    indexes.sort(key=int)
    others = [item for item in mapping.items() if not is_array_index(item[0])]
    return [(key, mapping[key]) for key in indexes] + others


def is_in_order(mapping: Mapping[str, Any]) -> bool:
    """Whether a dict with string keys has its members in JavaScript's order already."""
    return all(mine == theirs for mine, (theirs, _) in zip(mapping, ordered_items(mapping), strict=True))
