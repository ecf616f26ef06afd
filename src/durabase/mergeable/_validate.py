"""Whether mergeable changes, or mergeable content, that came from outside may be merged.

All or nothing: the answer is given before anything is touched. It takes what TinyBase 10.0.1 takes,
and nothing else, whatever Python would let pass: True is no number, NaN no hash, no later than five
minutes ahead is no time. Whether things suit the store's schemas is not asked here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, TypeAlias

from durabase._codec import json_text
from durabase.mergeable.hlc import is_hlc
from durabase.types import JSON_PREFIX, UNDEFINED, UNDEFINED_MARK

__all__ = ["is_mergeable"]

_Check: TypeAlias = Callable[[Any], bool]


def is_mergeable(changes: Any, upper_bound: str, *, is_content: bool, encoded: bool) -> bool:
    """Whether ``changes`` are mergeable changes or content.

    Args:
        changes: anything.
        upper_bound: what all HLCs have to be below.
        is_content: only whole content is accepted, which has hashes everywhere.
        encoded: things are encoded; else strings that look so are refused.
    """
    check = _Validation(upper_bound, is_content, encoded)
    return (
        isinstance(changes, (list, tuple))
        and (len(changes) == 2 or (len(changes) == 3 and not is_content and _is_one(changes[2])))
        and check.tables(changes[0])
        and check.things(changes[1])
    )


def _is_one(thing: Any) -> bool:
    return not isinstance(thing, bool) and isinstance(thing, (int, float)) and thing == 1


class _Validation:
    """The checks of each level of the tree."""

    __slots__ = ("_encoded", "_needs_hashes", "_upper_bound")

    def __init__(self, upper_bound: str, needs_hashes: bool, encoded: bool) -> None:
        self._upper_bound = upper_bound
        self._needs_hashes = needs_hashes
        self._encoded = encoded

    def tables(self, stamp: Any) -> bool:
        return self._container(stamp, self._table)

    def _table(self, stamp: Any) -> bool:
        return self._container(stamp, self.things)

    def things(self, stamp: Any) -> bool:
        return self._container(stamp, self._thing)

    def _container(self, stamp: Any, check: _Check) -> bool:
        return self._head(stamp) and isinstance(stamp[0], dict) and all(map(check, stamp[0].values()))

    def _thing(self, stamp: Any) -> bool:
        return self._head(stamp) and _is_thing(stamp[0], self._encoded)

    def _head(self, stamp: Any) -> bool:
        """Whether this is a stamp, apart from its thing."""
        if not isinstance(stamp, (list, tuple)):
            return False
        size = len(stamp)
        if size == 3:
            return is_hlc(stamp[1], self._upper_bound) and _is_finite(stamp[2])
        if self._needs_hashes:
            return False
        return size == 1 or (size == 2 and is_hlc(stamp[1], self._upper_bound))


def _is_thing(thing: Any, encoded: bool) -> bool:
    """Whether this is a thing that may be stamped; an encoded one is not looked into."""
    if isinstance(thing, str):
        return thing != UNDEFINED_MARK and (encoded or not thing.startswith(JSON_PREFIX))
    if thing is None or thing is UNDEFINED or isinstance(thing, bool):
        return True
    if isinstance(thing, (dict, list, tuple)):
        return _is_json(thing)
    return _is_finite(thing)


def _is_json(thing: Any) -> bool:
    try:
        json_text(thing)
    except (TypeError, ValueError):
        return False
    return True


def _is_finite(thing: Any) -> bool:
    if isinstance(thing, bool) or not isinstance(thing, (int, float)):
        return False
    try:
        return isfinite(thing)
    except OverflowError:  # an integer that no double holds
        return False
