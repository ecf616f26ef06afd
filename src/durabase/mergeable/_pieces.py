"""Many changes as several of fewer cells, which merged one after the other come to the same, and back.

It does not know stores.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from durabase._codec import ordered_items
from durabase.types import Id, MergeableChanges

__all__ = ["add_changes", "add_tables", "count_of_things", "has_more_things", "pieces_of"]

_AnyStamp: TypeAlias = list[Any]


def count_of_things(changes: MergeableChanges) -> int:
    """How many cells and values there are."""
    rows = [row for table in changes[0][0].values() for row in table[0].values()]
    return len(changes[1][0]) + sum(len(row[0]) for row in rows)


def has_more_things(changes: MergeableChanges, count: int) -> bool:
    """Whether there are more cells and values than ``count``; it counts no further."""
    things = len(changes[1][0])
    for table in changes[0][0].values():
        for row in table[0].values():
            things += len(row[0])
            if things > count:
                return True
    return things > count


def pieces_of(
    changes: MergeableChanges, count: int, *, whole_rows: bool = False
) -> Iterator[MergeableChanges]:
    """The same changes, ``count`` cells or values at a time, in their order.

    Args:
        changes: of the right shape: every stamp a list of a thing and perhaps an HLC and a hash. If there are
            rows or tables without cells, of which it matters how often they are mentioned, it is one piece.
        count: at least 1.
        whole_rows: whether no row is cut, however many cells it has.
    """
    tables, values = changes[0], changes[1]
    if not _can_be_cut(tables):
        yield changes
        return
    piece: dict[Id, _AnyStamp] = {}
    room = count
    for table_id, table in ordered_items(tables[0]):
        for row_id, row in ordered_items(table[0]):
            for cells in [row] if whole_rows else _cut(row, count, room):
                rows = piece.setdefault(table_id, [{}, *table[1:]])
                rows[0][row_id] = cells
                room -= len(cells[0])
                if room <= 0:
                    yield [[piece, *tables[1:]], [{}], 1]
                    piece, room = {}, count
    yield [[piece, *tables[1:]], [{}], 1]
    for some in _cut(values, count, count):
        yield [[{}], some, 1]


def _can_be_cut(tables: _AnyStamp) -> bool:
    return all(table[0] and all(row[0] for row in table[0].values()) for table in tables[0].values())


def _cut(stamp: _AnyStamp, count: int, first: int) -> Iterator[_AnyStamp]:
    """A row's, or the values', stamp in parts of ``count`` things; the first part has ``first`` at most."""
    things = stamp[0]
    if len(things) <= first:
        yield stamp
        return
    items = list(ordered_items(things))
    start, end = 0, first
    while start < len(items):
        yield [dict(items[start:end]), *stamp[1:]]
        start, end = end, end + count


def add_changes(changes: MergeableChanges, added: MergeableChanges) -> None:
    """Add changes to others: their things replace those there, the later HLC of a container stays."""
    add_tables(changes[0], added[0])
    changes[1][0].update(added[1][0])
    _take_later_hlc(changes[1], added[1])


def add_tables(stamp: _AnyStamp, added: _AnyStamp) -> None:
    """Add a tables stamp to another: its things replace those there, the later HLC of a container stays."""
    for table_id, added_table in added[0].items():
        table = stamp[0].setdefault(table_id, [{}])
        for row_id, added_row in added_table[0].items():
            row = table[0].setdefault(row_id, [{}])
            row[0].update(added_row[0])
            _take_later_hlc(row, added_row)
        _take_later_hlc(table, added_table)
    _take_later_hlc(stamp, added)


def _take_later_hlc(stamp: _AnyStamp, added: _AnyStamp) -> None:
    if len(added) > 1 and added[1] > (stamp[1] if len(stamp) > 1 else ""):
        stamp[1:] = [added[1]]
