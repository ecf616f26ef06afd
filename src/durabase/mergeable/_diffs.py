"""Given another store's hashes, what differs: the questions that synchronizers put to each other.

First the hashes of the whole content; if they differ those of tables, then of the rows of differing
tables, then of the cells of differing rows; and those of the values. At each level what the other does
not have at all is sent whole. Things are in encoded form. All stamps have to be settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from durabase._codec import ordered_items
from durabase.mergeable.hashes import Hash
from durabase.mergeable.hlc import Hlc
from durabase.mergeable.stamps import ContentStamps, TablesStamps, TableStamps, ThingStamps
from durabase.types import UNDEFINED, Id

__all__ = [
    "cell_diff",
    "cell_hashes",
    "hash_at",
    "row_diff",
    "row_hashes",
    "table_diff",
    "table_hashes",
    "value_diff",
    "value_hashes",
]

StampOut: TypeAlias = list[Any]
"""``[thing]`` or ``[thing, hlc]``, as it goes out."""
TheirHash: TypeAlias = int | float
"""As peers write it: ``1.0`` is 1."""
TableHashes: TypeAlias = Mapping[Id, TheirHash]
RowHashes: TypeAlias = Mapping[Id, Mapping[Id, TheirHash]]
CellHashes: TypeAlias = Mapping[Id, Mapping[Id, Mapping[Id, TheirHash]]]


def hash_at(node: TablesStamps | ThingStamps, ids: Iterable[Id]) -> Hash:
    """The hash of what ids lead to from the tables or values; 0 if nothing is there."""
    found: Any = node
    for id_ in ids:
        found = found.children.get(id_)
        if found is None:
            return 0
    hash_: Hash = found.hash
    return hash_


def table_hashes(stamps: ContentStamps) -> dict[Id, Hash]:
    """The hash of each table."""
    return {table_id: table.hash for table_id, table in stamps.tables.children.items()}


def table_diff(stamps: ContentStamps, theirs: TableHashes) -> tuple[StampOut, dict[Id, Hash]]:
    """The tables they lack, and our hashes of those that differ."""
    lacking: dict[Id, StampOut] = {}
    differing: dict[Id, Hash] = {}
    for table_id, table in stamps.tables.children.items():
        if table_id not in theirs:
            lacking[table_id] = _whole_table(table)
        elif table.hash != theirs[table_id]:
            differing[table_id] = table.hash
    return _stamp(lacking, stamps.tables.hlc), differing


def row_hashes(stamps: ContentStamps, theirs: TableHashes) -> dict[Id, dict[Id, Hash]]:
    """The hashes of the rows of those tables whose hash differs from theirs."""
    found: dict[Id, dict[Id, Hash]] = {}
    for table_id, their_hash in ordered_items(theirs):
        table = stamps.tables.children.get(table_id)
        if table is not None and table.hash != their_hash and table.children:
            found[table_id] = {row_id: row.hash for row_id, row in table.children.items()}
    return found


def row_diff(stamps: ContentStamps, theirs: RowHashes) -> tuple[StampOut, dict[Id, dict[Id, Hash]]]:
    """The rows they lack in the tables they name, and our hashes of those that differ."""
    lacking: dict[Id, StampOut] = {}
    differing: dict[Id, dict[Id, Hash]] = {}
    for table_id, their_rows in ordered_items(theirs):
        table = stamps.tables.children.get(table_id)
        if table is None:
            continue
        rows = {id_: _whole_things(row) for id_, row in table.children.items() if id_ not in their_rows}
        if rows:
            lacking[table_id] = [rows]
        hashes = {
            id_: row.hash for id_, row in table.children.items() if row.hash != their_rows.get(id_, row.hash)
        }
        if hashes:
            differing[table_id] = hashes
    return _stamp(lacking, stamps.tables.hlc), differing


def cell_hashes(stamps: ContentStamps, theirs: RowHashes) -> dict[Id, dict[Id, dict[Id, Hash]]]:
    """The hashes of the cells of those rows whose hash differs from theirs."""
    found: dict[Id, dict[Id, dict[Id, Hash]]] = {}
    for table_id, their_rows in ordered_items(theirs):
        table = stamps.tables.children.get(table_id)
        if table is None:
            continue
        for row_id, their_hash in ordered_items(their_rows):
            row = table.children.get(row_id)
            if row is not None and row.hash != their_hash and row.children:
                found.setdefault(table_id, {})[row_id] = _hashes(row)
    return found


def cell_diff(stamps: ContentStamps, theirs: CellHashes) -> StampOut:
    """The cells, of the rows they name, that differ or that they lack."""
    found: dict[Id, StampOut] = {}
    for table_id, their_rows in ordered_items(theirs):
        table = stamps.tables.children.get(table_id)
        rows = {} if table is None else _differing_rows(table, their_rows)
        if table is not None and rows:
            found[table_id] = _stamp(rows, table.hlc)
    return _stamp(found, stamps.tables.hlc)


def _differing_rows(table: TableStamps, theirs: RowHashes) -> dict[Id, StampOut]:
    found: dict[Id, StampOut] = {}
    for row_id, their_cells in ordered_items(theirs):
        row = table.children.get(row_id)
        if row is not None:
            cells = {id_: [thing, hlc] for id_, thing, hlc in _differing(row, their_cells)}
            if cells:
                found[row_id] = _stamp(cells, row.hlc)
    return found


def value_hashes(stamps: ContentStamps) -> dict[Id, Hash]:
    """The hash of each value."""
    return _hashes(stamps.values)


def value_diff(stamps: ContentStamps, theirs: Mapping[Id, TheirHash]) -> StampOut:
    """The values that differ or that they lack."""
    found = {id_: _stamp(thing, hlc) for id_, thing, hlc in _differing(stamps.values, theirs)}
    return _stamp(found, stamps.values.hlc)


def _hashes(things: ThingStamps) -> dict[Id, Hash]:
    return {id_: stamp.hash for id_, stamp in things.children.items()}


def _differing(things: ThingStamps, theirs: Mapping[Id, TheirHash]) -> list[tuple[Id, Any, Hlc]]:
    return [
        (id_, stamp.thing, stamp.hlc)
        for id_, stamp in things.children.items()
        if stamp.hash != theirs.get(id_, UNDEFINED)
    ]


def _whole_table(table: TableStamps) -> StampOut:
    return _stamp({row_id: _whole_things(row) for row_id, row in table.children.items()}, table.hlc)


def _whole_things(things: ThingStamps) -> StampOut:
    members = {id_: _stamp(stamp.thing, stamp.hlc) for id_, stamp in things.children.items()}
    return [members, things.hlc] if things.hlc else [members]


def _stamp(thing: Any, hlc: Hlc) -> StampOut:
    return [thing, hlc] if hlc else [thing]
