"""Stamps as plain lists and dicts, in the original's shapes of mergeable content and changes.

With hashes every stamp is ``[thing, hlc, hash]``, without it is ``[thing, hlc]``, or ``[thing]`` if the HLC
is ``""``. Whole content is settled as it is gone through, for then it is in the processor's cache; where
changes are asked for with hashes, all stamps have to be settled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from durabase._codec import json_text, parse_json
from durabase.errors import ContentError
from durabase.mergeable._journal import CellIds, Journal
from durabase.mergeable.hashes import Hash
from durabase.mergeable.hlc import Hlc
from durabase.mergeable.stamps import ContentStamps, StampNode, TableStamps, ThingStamps
from durabase.types import JSON_PREFIX, Id, MergeableChanges, MergeableContent

__all__ = ["Decode", "as_encoded", "as_public", "changes_shape", "content_shape"]

Decode: TypeAlias = Callable[[Any], Any]
_MakeStamp: TypeAlias = Callable[[Any, Hlc, Hash], list[Any]]


def as_encoded(thing: Any) -> Any:
    """The thing as it is kept."""
    return thing


def as_public(thing: Any) -> Any:
    """The thing as the outside sees it: objects and arrays decoded, fresh each time.

    Raises:
        ContentError: it came from outside and what it holds is no JSON.
    """
    if isinstance(thing, str) and thing.startswith(JSON_PREFIX):
        try:
            return parse_json(thing[1:])
        except ValueError as error:
            raise ContentError(f"a stamp holds {thing[1:60]!r}, which is no JSON") from error
    return parse_json(json_text(thing)) if isinstance(thing, (dict, list)) else thing


def content_shape(stamps: ContentStamps, journal: Journal, decode: Decode) -> MergeableContent:
    """Everything, with hashes, which are settled."""
    tables = {
        table_id: _table_shape(table, journal, decode) for table_id, table in stamps.tables.children.items()
    }
    hash_ = stamps.tables.settle(journal)
    return [[tables, stamps.tables.hlc, hash_], _things_shape(stamps.values, journal, decode)]


def _table_shape(table: TableStamps, journal: Journal, decode: Decode) -> list[Any]:
    rows = {row_id: _things_shape(row, journal, decode) for row_id, row in table.children.items()}
    return [rows, table.hlc, table.settle(journal)]


def _things_shape(things: ThingStamps, journal: Journal, decode: Decode) -> list[Any]:
    hash_ = things.settle(journal)
    members: dict[Id, list[Any]] = {}
    for id_, stamp in things.children.items():
        thing = stamp.thing
        if type(thing) is not int:
            thing = decode(thing)
        members[id_] = [thing, stamp.hlc, stamp.hash]
    return [members, things.hlc, hash_]


def changes_shape(
    stamps: ContentStamps, cells: CellIds, values: Iterable[Id], *, with_hashes: bool, decode: Decode
) -> MergeableChanges:
    """The present stamps of some cells and values; those that have none are left out."""
    make = _with_hash if with_hashes else _without_hash
    tables: dict[Id, Any] = {}
    for table_id, row_ids in cells.items():
        table = stamps.tables.children.get(table_id)
        if table is not None:
            tables[table_id] = _node_shape(_some_rows(table, row_ids, make, decode), table, make)
    some_values = _some_things(stamps.values, values, make, decode)
    return [_node_shape(tables, stamps.tables, make), some_values, 1]


def _some_rows(
    table: TableStamps, row_ids: Mapping[Id, Iterable[Id]], make: _MakeStamp, decode: Decode
) -> dict[Id, Any]:
    found: dict[Id, Any] = {}
    for row_id, cell_ids in row_ids.items():
        row = table.children.get(row_id)
        if row is not None:
            found[row_id] = _some_things(row, cell_ids, make, decode)
    return found


def _some_things(things: ThingStamps, ids: Iterable[Id], make: _MakeStamp, decode: Decode) -> list[Any]:
    found: dict[Id, list[Any]] = {}
    for id_ in ids:
        stamp = things.children.get(id_)
        if stamp is not None:
            found[id_] = make(decode(stamp.thing), stamp.hlc, stamp.hash)
    return _node_shape(found, things, make)


def _node_shape(children: dict[Id, Any], node: StampNode, make: _MakeStamp) -> list[Any]:
    return make(children, node.hlc, node.hash)


def _with_hash(thing: Any, hlc: Hlc, hash_: Hash) -> list[Any]:
    return [thing, hlc, hash_]


def _without_hash(thing: Any, hlc: Hlc, _hash: Hash) -> list[Any]:
    return [thing, hlc] if hlc else [thing]
