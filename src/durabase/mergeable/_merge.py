"""Stamps + incoming changes → new stamps + the plain changes for the store.

A later HLC wins; an equal one does not. An HLC of ``""`` gives way to everything, even to another
``""``. Changes that pass ``_validate`` merge without errors. Order follows JavaScript's of an
object's members. It does not know stores.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from durabase._codec import json_text, ordered, parse_json, shared_id
from durabase.mergeable._journal import Journal
from durabase.mergeable.hashes import Hash
from durabase.mergeable.hlc import Hlc
from durabase.mergeable.stamps import UNSETTLED, BranchStamps, ContentStamps, Stamp, TableStamps, ThingStamps
from durabase.types import Changes, Id, MergeableChanges, MergeableContent

__all__ = ["Outcome", "Plain", "content_from", "merge_changes", "newer_things"]

_AnyStamp: TypeAlias = list[Any]
"""As it comes in: ``[thing]``, ``[thing, hlc]`` or ``[thing, hlc, hash]``; also as a tuple."""

_MAX_SAFE: Final = 2**53
_MAX_HASH: Final = 0xFFFFFFFF


class Outcome:
    """Takes what merged changes bring: things whose stamps were accepted, UNDEFINED for deletions."""

    def row(self, table_id: Id, row_id: Id, cells: dict[Id, Any]) -> None:
        """Some cells of a row, in object order."""

    def values(self, values: dict[Id, Any]) -> None:
        """Some values, in object order."""


class Plain(Outcome):
    """Collects it as changes of a store."""

    def __init__(self) -> None:
        self._tables: dict[Id, dict[Id, dict[Id, Any]]] = {}
        self._values: dict[Id, Any] = {}

    def row(self, table_id: Id, row_id: Id, cells: dict[Id, Any]) -> None:
        rows = self._tables.get(table_id)
        if rows is None:
            rows = self._tables[table_id] = {}
        rows[row_id] = cells

    def values(self, values: dict[Id, Any]) -> None:
        self._values = values

    def changes(self) -> Changes:
        """All of it."""
        return [self._tables, self._values, 1]


def merge_changes(
    stamps: ContentStamps, changes: MergeableChanges, journal: Journal, outcome: Outcome
) -> Hlc:
    """Merge valid mergeable changes (or content); the latest HLC that was accepted.

    What the store has to apply is told to ``outcome`` row by row, the values at the end.
    """
    tables_stamp: _AnyStamp = changes[0] if type(changes[0]) is list else list(changes[0])
    latest = tables_hlc = _hlc_of(tables_stamp)
    members: dict[Id, Any] = tables_stamp[0]
    for table_id, table_stamp in ordered(members).items():
        journal.table_id = table_id
        table = stamps.tables.enter(table_id, BranchStamps, journal)
        before = table.settled_hash()
        table_latest = _merge_table(table, table_id, table_stamp, journal, outcome)
        stamps.tables.leave(table_id, table, before, journal)
        if table_latest > latest:
            latest = table_latest
    if tables_hlc:
        stamps.tables.raise_hlc(tables_hlc, journal)
    values, values_latest = _merge_things(stamps.values, changes[1], journal)
    if values is not None:
        outcome.values(values)
    return values_latest if values_latest > latest else latest


def _merge_table(table: TableStamps, table_id: Id, stamp: Any, journal: Journal, outcome: Outcome) -> Hlc:
    parts: _AnyStamp = stamp if type(stamp) is list else list(stamp)
    latest = table_hlc = _hlc_of(parts)
    members: dict[Id, Any] = parts[0]
    for row_id, row_stamp in ordered(members).items():
        journal.row_id = row_id
        row = table.enter(row_id, ThingStamps, journal)
        before = row.settled_hash()
        cells, row_latest = _merge_things(row, row_stamp, journal)
        table.leave(row_id, row, before, journal)
        if row_latest > latest:
            latest = row_latest
        if cells is not None:
            outcome.row(table_id, row_id, cells)
    if table_hlc:
        table.raise_hlc(table_hlc, journal)
    return latest


def _merge_things(things: ThingStamps, stamp: Any, journal: Journal) -> tuple[dict[Id, Any] | None, Hlc]:
    parts: _AnyStamp = stamp if type(stamp) is list else list(stamp)
    latest = container_hlc = _hlc_of(parts)
    accepted: dict[Id, Any] | None = None
    members: dict[Id, Any] = ordered(parts[0])
    if members and not things.children:
        fresh, accepted, latest = _fresh_things(members, latest, False)
        things.fill(fresh, journal)
    else:
        for id_, thing_stamp in members.items():
            parts = thing_stamp if type(thing_stamp) is list else list(thing_stamp)
            hlc: Hlc = parts[1] if len(parts) > 1 else ""
            thing = _own(parts[0])
            if things.put(id_, thing, hlc, journal):
                if accepted is None:
                    accepted = {}
                accepted[id_] = thing
                if hlc > latest:
                    latest = hlc
    if container_hlc:
        things.raise_hlc(container_hlc, journal)
    return accepted, latest


def _fresh_things(
    members: dict[Id, Any], latest: Hlc, hashed: bool
) -> tuple[dict[Id, Stamp], dict[Id, Any], Hlc]:
    """New stamps of things that have none, ``hashed`` as given or not at all; the things; the latest HLC."""
    stamps: dict[Id, Stamp] = {}
    things: dict[Id, Any] = {}
    hash_: Any = UNSETTLED
    for given_id, stamp in members.items():
        id_ = shared_id(given_id)
        parts: _AnyStamp = stamp if type(stamp) is list else list(stamp)
        thing = parts[0]
        kind = type(thing)
        if not (kind is str or (kind is int and -_MAX_SAFE <= thing <= _MAX_SAFE)):
            thing = _own(thing)
        hlc: Hlc = parts[1] if len(parts) > 1 else ""
        if hashed:
            given = parts[2]
            hash_ = given if type(given) is int and 0 <= given <= _MAX_HASH else _unsigned(given)
        things[id_] = thing
        stamps[id_] = Stamp(thing, hlc, hash_)
        if hlc > latest:
            latest = hlc
    return stamps, things, latest


def newer_things(stamps: ContentStamps, changes: MergeableChanges) -> Changes:
    """What a store would have to apply if these valid changes were merged. They are not."""
    tables: dict[Id, dict[Id, dict[Id, Any]]] = {}
    for table_id, table_stamp in ordered(changes[0][0]).items():
        table = stamps.tables.children.get(table_id)
        rows: dict[Id, dict[Id, Any]] = {}
        for row_id, row_stamp in ordered(table_stamp[0]).items():
            cells = _newer(None if table is None else table.children.get(row_id), row_stamp)
            if cells:
                rows[row_id] = cells
        if rows:
            tables[table_id] = rows
    return [tables, _newer(stamps.values, changes[1]), 1]


def _newer(things: ThingStamps | None, stamp: _AnyStamp) -> dict[Id, Any]:
    children = {} if things is None else things.children
    newer: dict[Id, Any] = {}
    for id_, thing_stamp in ordered(stamp[0]).items():
        old = children.get(id_)
        hlc = thing_stamp[1] if len(thing_stamp) > 1 else ""
        if old is None or not old.hlc or hlc > old.hlc:
            newer[id_] = _own(thing_stamp[0])
    return newer


def content_from(content: MergeableContent) -> tuple[ContentStamps, Changes, Hlc]:
    """New stamps from valid mergeable content, whose hashes are trusted.

    Returns:
        The stamps, what the store has to apply, and the latest HLC.
    """
    stamps = ContentStamps()
    tables_stamp, values_stamp = content
    _take_head(stamps.tables, tables_stamp)
    latest = stamps.tables.hlc
    tables: dict[Id, dict[Id, dict[Id, Any]]] = {}
    for table_id, table_stamp in ordered(tables_stamp[0]).items():
        table = stamps.tables.children[table_id] = BranchStamps()
        _take_head(table, table_stamp)
        rows = tables[table_id] = {}
        latest = max(latest, table.hlc)
        for row_id, row_stamp in ordered(table_stamp[0]).items():
            row = table.children[row_id] = ThingStamps()
            rows[row_id], row_latest = _take_things(row, row_stamp)
            latest = max(latest, row_latest)
    values, values_latest = _take_things(stamps.values, values_stamp)
    return stamps, [tables, values, 1], max(latest, values_latest)


def _take_head(node: BranchStamps[Any] | ThingStamps, stamp: _AnyStamp) -> None:
    node.hlc = stamp[1]
    node.hash = _unsigned(stamp[2])


def _take_things(things: ThingStamps, stamp: _AnyStamp) -> tuple[dict[Id, Any], Hlc]:
    _take_head(things, stamp)
    things.children, taken, latest = _fresh_things(ordered(stamp[0]), things.hlc, True)
    return taken, latest


def _hlc_of(stamp: _AnyStamp) -> Hlc:
    return stamp[1] if len(stamp) > 1 else ""


def _unsigned(hash_: int | float) -> Hash:
    """A finite number as JavaScript's ``>>> 0``."""
    return int(hash_) & _MAX_HASH


def _own(thing: Any) -> Any:
    """A thing as the stamps keep it: doubles, and copies of objects (which come only from outside)."""
    kind = type(thing)
    if kind is str or (kind is int and -_MAX_SAFE <= thing <= _MAX_SAFE):
        return thing
    if isinstance(thing, int) and not isinstance(thing, bool):
        return float(thing)
    return parse_json(json_text(thing)) if isinstance(thing, (dict, list, tuple)) else thing
