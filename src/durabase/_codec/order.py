"""The order in which JavaScript lists the members of an object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from durabase._codec.strings import js_string

__all__ = ["is_array_index", "is_in_order", "ordered", "ordered_items"]

_MAX_ARRAY_INDEX: Final = 4294967294


def is_array_index(key: str) -> bool:
    """Whether JavaScript lists an object's key ``key`` first: the decimal text of 0 to 4294967294."""
    if not (key.isdigit() and key.isascii()) or len(key) > 10:
        return False
    return key == "0" or (key[0] != "0" and int(key) <= _MAX_ARRAY_INDEX)


def ordered(members: dict[Any, Any]) -> dict[str, Any]:
    """A dict as JavaScript lists an object's members: array indexes ascending, then the others.

    Keys that are no strings become strings. If all is so already it is the dict itself.
    """
    if len(members) < 2:
        for key in members:
            if type(key) is not str:
                return {js_string(key): members[key]}
        return members
    try:
        if min(members) >= ":":  # no key starts with a digit: the quickest way to see it
            return members
    except TypeError:
        members = {js_string(key): value for key, value in members.items()}
    indexes = [key for key in members if is_array_index(key)]
    if not indexes:
        return members
    indexes.sort(key=int)
    in_order = {key: members[key] for key in indexes}
    in_order.update(members)
    return in_order


def ordered_items(mapping: Mapping[Any, Any]) -> Iterable[tuple[str, Any]]:
    """The members of any mapping as ``ordered`` has those of a dict."""
    return ordered(mapping if isinstance(mapping, dict) else dict(mapping)).items()


def is_in_order(mapping: Mapping[str, Any]) -> bool:
    """Whether a dict with string keys has its members in JavaScript's order already."""
    return all(mine == theirs for mine, (theirs, _) in zip(mapping, ordered_items(mapping), strict=True))
