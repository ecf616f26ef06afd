"""Whether mergeable changes, or mergeable content, that came from outside may be merged.

All or nothing: the answer is given before anything is touched. It takes what TinyBase 10.0.1 takes,
and nothing else, whatever Python would let pass: True is no number, NaN no hash, no later than five
minutes ahead is no time. Whether things suit the store's schemas is not asked here.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, Final, TypeAlias

from durabase._codec import json_text
from durabase.mergeable.hlc import Hlc, is_hlc, is_hlc_text
from durabase.types import JSON_PREFIX, UNDEFINED, UNDEFINED_MARK, Id, MergeableChanges

__all__ = ["StampedCell", "changes_of", "is_mergeable", "only_cell"]

StampedCell: TypeAlias = tuple[Id, Id, Id, Any, Hlc]
"""The ids of a table, a row and a cell, then the thing and its HLC."""

_MAX_HASH: Final = 0xFFFFFFFF


def is_mergeable(changes: Any, upper_bound: str, *, is_content: bool, encoded: bool) -> bool:
    """Whether ``changes`` are mergeable changes or content.

    Args:
        changes: anything.
        upper_bound: what all HLCs have to be below.
        is_content: only whole content is accepted, which has hashes everywhere.
        encoded: things are encoded; else strings that look so are refused.
    """
    return (
        isinstance(changes, (list, tuple))
        and (len(changes) == 2 or (len(changes) == 3 and not is_content and _is_one(changes[2])))
        and _are_tables(changes[0], upper_bound, is_content, encoded)
        and _are_things(changes[1], upper_bound, is_content, encoded)
    )


def only_cell(changes: Any, upper_bound: str) -> StampedCell | None:
    """The cell, if these are valid mergeable changes of one cell in their usual form.

    That is the change that there is most of, and this the quick way to take it: ``None`` says nothing.
    """
    if type(changes) is not list or len(changes) != 3 or type(changes[2]) is not int or changes[2] != 1:
        return None
    parts: list[Any] = changes
    table_id, table_stamp = _only_member(parts[0])
    row_id, row_stamp = _only_member(table_stamp)
    cell_id, stamp = _only_member(row_stamp)
    if stamp is None or not _is_empty(parts[1]):
        return None
    if not _is_plain(stamp, upper_bound, False):
        return None
    stamp_parts: list[Any] = stamp
    return table_id, row_id, cell_id, stamp_parts[0], stamp_parts[1]


def changes_of(cell: StampedCell) -> MergeableChanges:
    """The changes from which ``only_cell`` had this cell."""
    table_id, row_id, cell_id, thing, hlc = cell
    return [[{table_id: [{row_id: [{cell_id: [thing, hlc]}]}]}], [{}], 1]


def _only_member(stamp: Any) -> tuple[Id, Any]:
    """The id and the stamp of the only member of a container without an HLC; ``None`` if it is no such."""
    if type(stamp) is list and len(stamp) == 1 and type(stamp[0]) is dict:
        members: dict[Any, Any] = stamp[0]
        if len(members) == 1:
            for id_, member in members.items():
                if type(id_) is str:
                    return id_, member
    return "", None


def _is_empty(stamp: Any) -> bool:
    """Whether this is the stamp of a container that contains nothing, without an HLC."""
    return type(stamp) is list and len(stamp) == 1 and type(stamp[0]) is dict and not stamp[0]


def _is_one(thing: Any) -> bool:
    return not isinstance(thing, bool) and isinstance(thing, (int, float)) and thing == 1


def _are_tables(stamp: Any, bound: str, hashed: bool, encoded: bool) -> bool:
    """Whether this is a stamp of tables."""
    tables = _members(stamp, bound, hashed)
    if tables is None:
        return False
    for table_stamp in tables.values():
        rows = _members(table_stamp, bound, hashed)
        if rows is None:
            return False
        for row_stamp in rows.values():
            if not _are_things(row_stamp, bound, hashed, encoded):
                return False
    return True


def _are_things(stamp: Any, bound: str, hashed: bool, encoded: bool) -> bool:
    """Whether this is a stamp of a row, or of values."""
    things = _members(stamp, bound, hashed)
    if things is None:
        return False
    if _are_plain(things, bound, hashed):
        return True
    for thing_stamp in things.values():
        if not (_has_head(thing_stamp, bound, hashed) and _is_thing(thing_stamp[0], encoded)):
            return False
    return True


def _members(stamp: Any, bound: str, hashed: bool) -> dict[Any, Any] | None:
    """What a container's stamp contains; None if it is no such stamp."""
    if type(stamp) is list and not hashed:
        parts: list[Any] = stamp
        if len(parts) != 1 and not _has_head(parts, bound, False):
            return None
        members = parts[0]
    elif _has_head(stamp, bound, hashed):
        members = stamp[0]
    else:
        return None
    return members if isinstance(members, dict) else None


def _has_head(stamp: Any, bound: str, hashed: bool) -> bool:
    """Whether this is a stamp, apart from its thing; ``hashed``: it must have a hash."""
    if not isinstance(stamp, (list, tuple)):
        return False
    size = len(stamp)
    if size == 3:
        return is_hlc(stamp[1], bound) and _is_finite(stamp[2])
    if hashed:
        return False
    return size == 1 or (size == 2 and is_hlc(stamp[1], bound))


def _are_plain(things: dict[Any, Any], bound: str, hashed: bool) -> bool:
    """Whether these are good stamps at first sight, as nearly all are, of things kept as they are."""
    return all(_is_plain(stamp, bound, hashed) for stamp in things.values())


def _is_plain(stamp: Any, bound: str, hashed: bool) -> bool:
    if type(stamp) is not list:
        return False
    parts: list[Any] = stamp
    size = len(parts)
    if size == 3:
        hash_ = parts[2]
        if type(hash_) is not int or not 0 <= hash_ <= _MAX_HASH:
            return False
    elif size != 2 or hashed:
        return False
    thing, hlc = parts[0], parts[1]
    kind = type(thing)
    return (
        type(hlc) is str
        and hlc < bound
        and is_hlc_text(hlc)
        and (
            (kind is int and -_MAX_HASH <= thing <= _MAX_HASH)
            or (kind is str and thing < UNDEFINED_MARK)
            or (kind is float and isfinite(thing))
            or kind is bool
            or thing is None
        )
    )


def _is_thing(thing: Any, encoded: bool) -> bool:
    """Whether this is a thing that may be stamped; an encoded one is not looked into."""
    if isinstance(thing, str):
        return thing != UNDEFINED_MARK and (encoded or not thing.startswith(JSON_PREFIX))
    if thing is None or thing is UNDEFINED or isinstance(thing, bool):
        return True
    return _is_json(thing) if isinstance(thing, (dict, list, tuple)) else _is_finite(thing)


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
