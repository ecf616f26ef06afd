"""Whether mergeable changes, or mergeable content, that came from outside may be merged.

All or nothing: the answer is given before anything is touched. It takes what TinyBase 10.0.1 takes,
and nothing else, whatever Python would let pass: True is no number, NaN no hash, no later than five
minutes ahead is no time. Whether things suit the store's schemas is not asked here.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

from durabase._codec import json_text
from durabase.mergeable.hlc import is_hlc, matches_hlc
from durabase.types import JSON_PREFIX, UNDEFINED, UNDEFINED_MARK

__all__ = ["is_mergeable"]

_MAX_HASH: Final = 0xFFFFFFFF


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
        """Whether this is a stamp of tables."""
        if not (self._head(stamp) and isinstance(stamp[0], dict)):
            return False
        for table_stamp in stamp[0].values():  # noqa: SIM110 - all() takes twice as long
            if not self._table(table_stamp):
                return False
        return True

    def _table(self, stamp: Any) -> bool:
        if not (self._head(stamp) and isinstance(stamp[0], dict)):
            return False
        for row_stamp in stamp[0].values():  # noqa: SIM110 - all() takes twice as long
            if not self.things(row_stamp):
                return False
        return True

    def things(self, stamp: Any) -> bool:
        """Whether this is a stamp of a row, or of values."""
        if not (self._head(stamp) and isinstance(stamp[0], dict)):
            return False
        bound = self._upper_bound
        size = 3 if self._needs_hashes else 2
        for thing_stamp in stamp[0].values():
            if _is_plain(thing_stamp, bound, size):
                continue
            if not (self._head(thing_stamp) and self._thing(thing_stamp[0])):
                return False
        return True

    def _thing(self, thing: Any) -> bool:
        """Whether this is a thing that may be stamped; an encoded one is not looked into."""
        if isinstance(thing, str):
            return thing != UNDEFINED_MARK and (self._encoded or not thing.startswith(JSON_PREFIX))
        if thing is None or thing is UNDEFINED or isinstance(thing, bool):
            return True
        return _is_json(thing) if isinstance(thing, (dict, list, tuple)) else _is_finite(thing)

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


def _is_plain(stamp: Any, upper_bound: str, least: int) -> bool:
    """Whether this is a good stamp of at least so many parts at first sight, as nearly all are."""
    if type(stamp) is not list:
        return False
    parts: list[Any] = stamp
    size = len(parts)
    if size == 3:
        hash_ = parts[2]
        if type(hash_) is not int or not 0 <= hash_ <= _MAX_HASH:
            return False
    elif size != 2 or least == 3:
        return False
    hlc, thing = parts[1], parts[0]
    return (
        type(hlc) is str
        and hlc < upper_bound
        and matches_hlc(hlc) is not None
        and (
            (type(thing) is int and -_MAX_HASH <= thing <= _MAX_HASH)
            or (type(thing) is str and thing.isascii())
        )
    )


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
