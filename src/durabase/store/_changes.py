"""What has changed since a transaction began.

:class:`ChangeLog` keeps, in order of first touch, old and new of every cell and value that was set,
the ids that came or went (coming and going cancel out), and what was refused as invalid. It also
passes each raw change on to the store's hooks. It does not know content, schemas or listeners.
The shapes of changes and log follow TinyBase 10.0.1.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeAlias, TypeVar

from durabase.store._cells import EncodedOrUndefined, decode, same_thing
from durabase.store._hooks import StoreHooks
from durabase.types import UNDEFINED, Changes, Id

__all__ = ["ChangeLog", "IdChange", "IdChanges", "note_id"]


class IdChange(IntEnum):
    """What happened to an id."""

    ADDED = 1
    REMOVED = -1


IdChanges: TypeAlias = dict[Id, IdChange]
Pair: TypeAlias = tuple[Any, Any]
"""Old and new in the encoded form."""
_RawCell: TypeAlias = tuple[Id, Id, Id, Any, Any, None]
"""Its ids, old and new. One element more gives it a size that nothing has which is kept: else it would leave
gaps between HLCs, and all that goes through a large store would be slower by a fifth."""

_ADDED = IdChange.ADDED
_REMOVED = IdChange.REMOVED
_K = TypeVar("_K")
_V = TypeVar("_V")
_W = TypeVar("_W")


def note_id(ids: IdChanges, changed: Id, change: IdChange) -> None:
    """Note that an id came or went; the opposite of what was noted before cancels out."""
    if ids.get(changed, change) is change:
        ids[changed] = change
    else:
        del ids[changed]


class ChangeLog:
    """The changes of the running transaction.

    ``mutating`` is whether mutator listeners are being called. ``touched_values`` are the ids of all
    values that were set, also of those that were set back. Ids of invalid things may be
    UNDEFINED: not known, or a whole level was wrong.
    """

    __slots__ = (
        "_cells",
        "_counted",
        "_raw_cells",
        "cell_ids",
        "defaulted_cells",
        "defaulted_values",
        "hooks",
        "invalid_cells",
        "invalid_values",
        "mutating",
        "row_counts",
        "row_ids",
        "table_cell_ids",
        "table_ids",
        "touched_values",
        "value_ids",
        "values",
    )

    def __init__(self) -> None:
        self.hooks: StoreHooks | None = None
        self.mutating = False
        self.table_ids: IdChanges = {}
        self.table_cell_ids: dict[Id, IdChanges] = {}
        self.row_counts: dict[Id, int] = {}
        self.row_ids: dict[Id, IdChanges] = {}
        self.cell_ids: dict[Id, dict[Id, IdChanges]] = {}
        self._raw_cells: list[_RawCell] = []
        self._counted = 0
        self._cells: dict[Id, dict[Id, dict[Id, Pair]]] = {}
        self.defaulted_cells: set[tuple[Id, Id, Id]] = set()
        self.invalid_cells: dict[Any, dict[Any, dict[Any, list[Any]]]] = {}
        self.value_ids: IdChanges = {}
        self.values: dict[Id, Pair] = {}
        self.touched_values: dict[Id, None] = {}
        self.defaulted_values: set[Id] = set()
        self.invalid_values: dict[Any, list[Any]] = {}

    def clear(self) -> None:
        """Forget all. What was handed out before stays as it is."""
        if self._raw_cells or self._cells:
            self._raw_cells.clear()
            self.forget_cells()
        if self.cell_ids or self.row_ids:
            self._clear_cell_ids()
        if self.values:
            self.values = {}
        if self.touched_values:
            self.touched_values = {}
        if self.value_ids:
            self.value_ids = {}
        if self.invalid_cells:
            self.invalid_cells = {}
        if self.invalid_values:
            self.invalid_values = {}
        if self.defaulted_cells:
            self.defaulted_cells.clear()
        if self.defaulted_values:
            self.defaulted_values.clear()

    # -- noting

    def cell_changed(
        self, table_id: Id, row_id: Id, cell_id: Id, old: EncodedOrUndefined, new: EncodedOrUndefined
    ) -> None:
        """A cell is about to change."""
        self._raw_cells.append((table_id, row_id, cell_id, old, new, None))
        defaulted = False
        if self.defaulted_cells:
            path = (table_id, row_id, cell_id)
            defaulted = old is UNDEFINED and path in self.defaulted_cells
            self.defaulted_cells.discard(path)
        if self.hooks is not None:
            self.hooks.cell_changed(table_id, row_id, cell_id, new, self.mutating, defaulted)

    def value_changed(self, value_id: Id, old: EncodedOrUndefined, new: EncodedOrUndefined) -> None:
        """A value is about to change."""
        pair = self.values.get(value_id)
        self.values[value_id] = (old if pair is None else pair[0], new)
        self.touched_values[value_id] = None
        defaulted = False
        if self.defaulted_values:
            defaulted = old is UNDEFINED and value_id in self.defaulted_values
            self.defaulted_values.discard(value_id)
        if self.hooks is not None:
            self.hooks.value_changed(value_id, new, self.mutating, defaulted)

    def table_noted(self, table_id: Id, change: IdChange) -> None:
        """A table came or went."""
        note_id(self.table_ids, table_id, change)

    def value_noted(self, value_id: Id, change: IdChange) -> None:
        """A value came or went."""
        note_id(self.value_ids, value_id, change)

    def row_noted(self, table_id: Id, row_id: Id, change: IdChange) -> None:
        """A row came or went."""
        note_id(self.row_ids.setdefault(table_id, {}), row_id, change)
        self.row_counts[table_id] = self.row_counts.get(table_id, 0) + change

    def table_cell_noted(self, table_id: Id, cell_id: Id, change: IdChange) -> None:
        """A cell id is now used in a table, or no longer."""
        note_id(self.table_cell_ids.setdefault(table_id, {}), cell_id, change)

    def cell_ids_of(self, table_id: Id, row_id: Id) -> IdChanges:
        """Which cells of a row came or went: to be noted there."""
        rows = self.cell_ids.get(table_id)
        if rows is None:
            rows = self.cell_ids[table_id] = {}
        ids = rows.get(row_id)
        if ids is None:
            ids = rows[row_id] = {}
        return ids

    def cell_invalid(
        self,
        table_id: object = UNDEFINED,
        row_id: object = UNDEFINED,
        cell_id: object = UNDEFINED,
        thing: object = UNDEFINED,
    ) -> None:
        """Something was no cell, row, table or tables; the lowest level that was reached is named."""
        rows = self.invalid_cells.setdefault(table_id, {})
        rows.setdefault(row_id, {}).setdefault(cell_id, []).append(thing)

    def value_invalid(self, value_id: object = UNDEFINED, thing: object = UNDEFINED) -> None:
        """Something was no value, or all of the values were wrong."""
        self.invalid_values.setdefault(value_id, []).append(thing)

    # -- telling

    @property
    def cells(self) -> dict[Id, dict[Id, dict[Id, Pair]]]:
        """Old and new of every cell that was set, in order of first touch.

        Made only when it is asked for, since after most writes nobody asks.
        """
        raw = self._raw_cells
        if self._counted < len(raw):
            for table_id, row_id, cell_id, old, new, _ in raw[self._counted :]:
                cells = _cells_of(self._cells, table_id, row_id)
                pair = cells.get(cell_id)
                cells[cell_id] = (old if pair is None else pair[0], new)
            self._counted = len(raw)
        return self._cells

    def touched_cells(self) -> dict[Id, dict[Id, dict[Id, None]]]:
        """The ids of all cells that were set, by table and row, also of those that were set back."""
        touched: dict[Id, dict[Id, dict[Id, None]]] = {}
        for table_id, row_id, cell_id, _, _, _ in self._raw_cells:
            touched.setdefault(table_id, {}).setdefault(row_id, {})[cell_id] = None
        return touched

    def forget_touched(self) -> None:
        """Nothing was touched so far."""
        self._cells = self.cells
        self._counted = 0
        self._raw_cells.clear()
        self.touched_values.clear()

    def forget_cells(self) -> None:
        """Start anew with what happens to cells."""
        if self._cells:
            self._cells = {}
        self._counted = len(self._raw_cells)

    def changes(self, encoded: bool) -> Changes:
        """The net differences: equal old and new are left out, what was removed as a whole is UNDEFINED."""
        told = _as_it_is if encoded else decode
        tables: dict[Id, Any] = {}
        for table_id, rows in self.cells.items():
            if self.table_ids.get(table_id) is _REMOVED:
                tables[table_id] = UNDEFINED
            elif table := self._table_changes(table_id, rows, told):
                tables[table_id] = table
        values = {
            value_id: told(new) for value_id, (old, new) in self.values.items() if not same_thing(old, new)
        }
        return [tables, values, 1]

    def log(self) -> list[Any]:
        """All that is known, in the ten elements of the original, things in the encoded form."""
        return [
            bool(self.cells),
            bool(self.values),
            _net_pairs_3(self.cells),
            _named(self.invalid_cells, lambda rows: _named(rows, lambda cells: _named(cells, list))),
            _net_pairs(self.values),
            _named(self.invalid_values, list),
            dict(self.table_ids),
            _pruned(self.row_ids, dict),
            _pruned(self.cell_ids, lambda rows: _pruned(rows, dict)),
            dict(self.value_ids),
        ]

    def _table_changes(
        self, table_id: Id, rows: dict[Id, dict[Id, Pair]], told: Callable[[Any], Any]
    ) -> dict[Id, Any]:
        row_ids = self.row_ids.get(table_id, {})
        table: dict[Id, Any] = {}
        for row_id, cells in rows.items():
            if row_ids.get(row_id) is _REMOVED:
                table[row_id] = UNDEFINED
                continue
            row = {cell_id: told(new) for cell_id, (old, new) in cells.items() if not same_thing(old, new)}
            if row:
                table[row_id] = row
        return table

    def _clear_cell_ids(self) -> None:
        self.table_ids = {}
        self.table_cell_ids = {}
        self.row_counts = {}
        self.row_ids = {}
        self.cell_ids = {}


def _cells_of(tables: dict[Id, dict[Id, dict[Id, Pair]]], table_id: Id, row_id: Id) -> dict[Id, Pair]:
    rows = tables.get(table_id)
    if rows is None:
        rows = tables[table_id] = {}
    cells = rows.get(row_id)
    if cells is None:
        cells = rows[row_id] = {}
    return cells


def _as_it_is(thing: Any) -> Any:
    return thing


def _named(members: dict[Any, _V], convert: Callable[[_V], _W]) -> dict[str, _W]:
    """Members converted, the id UNDEFINED under the name that JavaScript gives it."""
    return {"undefined" if key is UNDEFINED else key: convert(member) for key, member in members.items()}


def _pruned(members: dict[_K, _V], convert: Callable[[_V], dict[Any, _W]]) -> dict[_K, dict[Any, _W]]:
    """Members converted, without those that are empty then."""
    converted = {key: convert(member) for key, member in members.items()}
    return {key: member for key, member in converted.items() if member}


def _net_pairs(things: dict[Id, Pair]) -> dict[Id, list[Any]]:
    return {key: list(pair) for key, pair in things.items() if not same_thing(pair[0], pair[1])}


def _net_pairs_3(cells: dict[Id, dict[Id, dict[Id, Pair]]]) -> dict[Id, dict[Id, dict[Id, list[Any]]]]:
    return _pruned(cells, lambda rows: _pruned(rows, _net_pairs))
