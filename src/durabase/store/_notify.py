"""Telling listeners what a transaction has changed, in the order of TinyBase 10.0.1.

Invalid cells; then ids of tables, cells and rows; then cells, each row after its cells, each table
after its rows, all tables; the same for values. What was touched but is as before is silent.
Mutators work on a copy of the changes as they were when their group began, for they may write.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple, TypeVar

from durabase._listeners import ListenerTree, Path
from durabase.store._cells import decode, same_thing
from durabase.store._changes import ChangeLog, IdChange, IdChanges, Pair
from durabase.store._content import Content
from durabase.store._kinds import KindTrees, StoreListeners
from durabase.types import UNDEFINED, Id

__all__ = ["CellChange", "Notifier", "ValueChange"]

_V = TypeVar("_V")

CellChange = tuple[bool, Any, Any]
"""Whether it was touched, old and new; UNDEFINED for absent."""
ValueChange = CellChange


class _TabularChanges(NamedTuple):
    table_ids: IdChanges
    table_cell_ids: dict[Id, IdChanges]
    row_counts: dict[Id, int]
    row_ids: dict[Id, IdChanges]
    cell_ids: dict[Id, dict[Id, IdChanges]]
    cells: dict[Id, dict[Id, dict[Id, Pair]]]


class Notifier:
    """Calls the listeners of a store.

    ``had_tables`` and ``had_values`` are what there was before the transaction.
    """

    __slots__ = ("_content", "_listeners", "_log", "had_tables", "had_values")

    def __init__(self, listeners: StoreListeners, content: Content, log: ChangeLog) -> None:
        self._listeners = listeners
        self._content = content
        self._log = log
        self.had_tables = False
        self.had_values = False

    def call_mutators(self) -> None:
        """Call mutators; what they write is noted in the log and does not reach others of their group."""
        self._call(self._listeners.mutators, True)

    def call_others(self) -> None:
        """Call those that only look."""
        self._call(self._listeners.others, False)

    def _call(self, trees: KindTrees, mutating: bool) -> None:
        log = self._log
        if log.invalid_cells and trees.invalid_cell.count:
            self._call_invalid_cells(trees)
        if trees.tabular and log.cells:  # which are made when they are asked for
            self._call_tabular(trees, self._tabular_changes(mutating))
        if log.invalid_values and trees.invalid_value.count:
            for value_id, things in list(log.invalid_values.items()):
                self._listeners.call(trees.invalid_value, (value_id,), list(things))
        if log.values and trees.values_any:
            self._call_values(trees, mutating)

    def cell_change(self, table_id: Id, row_id: Id, cell_id: Id) -> CellChange:
        """``(touched, old, new)`` of a cell; of one that was not touched, its present state twice."""
        pair = self._log.cells.get(table_id, {}).get(row_id, {}).get(cell_id)
        if pair is not None:
            return True, decode(pair[0]), decode(pair[1])
        row = self._content.tables.get(table_id, {}).get(row_id, {})
        now = row.get(cell_id, UNDEFINED)
        return False, decode(now), decode(now)

    def value_change(self, value_id: Id) -> ValueChange:
        """``(touched, old, new)`` of a value; of one that was not touched, its present state twice."""
        pair = self._log.values.get(value_id)
        if pair is not None:
            return True, decode(pair[0]), decode(pair[1])
        now = self._content.values.get(value_id, UNDEFINED)
        return False, decode(now), decode(now)

    # -- tables

    def _tabular_changes(self, copied: bool) -> _TabularChanges:
        log = self._log
        if not copied:
            return _TabularChanges(
                log.table_ids, log.table_cell_ids, log.row_counts, log.row_ids, log.cell_ids, log.cells
            )
        return _TabularChanges(
            dict(log.table_ids),
            _copied(log.table_cell_ids),
            dict(log.row_counts),
            _copied(log.row_ids),
            {table_id: _copied(rows) for table_id, rows in log.cell_ids.items()},
            {table_id: _copied(rows) for table_id, rows in log.cells.items()},
        )

    def _call_invalid_cells(self, trees: KindTrees) -> None:
        invalid = [
            ((table_id, row_id, cell_id), things)
            for table_id, rows in self._log.invalid_cells.items()
            for row_id, cells in rows.items()
            for cell_id, things in cells.items()
        ]
        for ids, things in invalid:
            self._listeners.call(trees.invalid_cell, ids, list(things))

    def _call_tabular(self, trees: KindTrees, changes: _TabularChanges) -> None:
        """Kinds that nobody listens to at the begin are left out, whoever is added meanwhile."""
        has_ids, has_details, has_sorted = trees.ids, trees.details, trees.sorted_row_ids.count > 0
        has_tables = bool(self._content.tables)
        if has_tables != self.had_tables:
            self._listeners.call(trees.has_tables, (), has_tables)
        if has_ids:
            self._call_tabular_ids(trees, changes, has_sorted)
        if has_details:
            self._call_tabular_details(trees, changes)

    def _call_tabular_ids(self, trees: KindTrees, changes: _TabularChanges, has_sorted: bool) -> None:
        call_ids = self._call_ids
        call_ids(changes.table_ids, trees.table_ids, trees.has_table, ())
        for table_id, cell_ids in changes.table_cell_ids.items():
            call_ids(cell_ids, trees.table_cell_ids, trees.has_table_cell, (table_id,))
        self._call_row_counts(trees, changes)
        sorted_row_ids = trees.sorted_row_ids
        called = set()
        for table_id, row_ids in changes.row_ids.items():
            call_ids(row_ids, trees.row_ids, trees.has_row, (table_id,))
            if row_ids and has_sorted:
                self._listeners.call(sorted_row_ids, (table_id, None))
                called.add(table_id)
        if has_sorted:
            self._call_sorted_row_ids(sorted_row_ids, changes, called)
        for table_id, rows in changes.cell_ids.items():
            for row_id, cell_ids in rows.items():
                call_ids(cell_ids, trees.cell_ids, trees.has_cell, (table_id, row_id))

    def _call_row_counts(self, trees: KindTrees, changes: _TabularChanges) -> None:
        for table_id, difference in changes.row_counts.items():
            if difference:
                row_count = len(self._content.tables.get(table_id, ()))
                self._listeners.call(trees.row_count, (table_id,), row_count)

    def _call_sorted_row_ids(self, tree: ListenerTree, changes: _TabularChanges, called: set[Id]) -> None:
        """For tables whose row ids are the same: those that sort by a cell that has changed somewhere.

        Like the original this forgets that cells were touched which are as before.
        """
        for table_id, rows in changes.cells.items():
            if table_id in called:
                continue
            changed: dict[Id, bool] = {}
            for cells in rows.values():
                for cell_id, (old, new) in list(cells.items()):
                    if same_thing(old, new):
                        del cells[cell_id]
                    else:
                        changed[cell_id] = True
            for cell_id in changed:
                self._listeners.call(tree, (table_id, cell_id))

    def _call_ids(self, ids: IdChanges, id_tree: ListenerTree, has_tree: ListenerTree, path: Path) -> None:
        if not ids:
            return
        if id_tree.count:
            self._listeners.call(id_tree, path, partial(dict, ids))
        if has_tree.count:
            for changed_id, change in ids.items():
                self._listeners.call(has_tree, (*path, changed_id), change is IdChange.ADDED)

    def _call_tabular_details(self, trees: KindTrees, changes: _TabularChanges) -> None:
        listeners = self._listeners
        tables_changed = False
        for table_id, rows in changes.cells.items():
            table_changed = False
            for row_id, cells in rows.items():
                if self._call_cells(trees.cell, table_id, row_id, cells):
                    table_changed = True
                    listeners.call(trees.row, (table_id, row_id), self.cell_change)
            if table_changed:
                tables_changed = True
                listeners.call(trees.table, (table_id,), self.cell_change)
        if tables_changed:
            listeners.call(trees.tables, (), self.cell_change)

    def _call_cells(self, tree: ListenerTree, table_id: Id, row_id: Id, cells: dict[Id, Pair]) -> bool:
        """Whether any of these cells has changed."""
        changed = False
        for cell_id, (old, new) in cells.items():
            if not same_thing(old, new):
                changed = True
                if tree.count:
                    path = (table_id, row_id, cell_id)
                    self._listeners.call(tree, path, decode(new), decode(old), self.cell_change)
        return changed

    # -- values

    def _call_values(self, trees: KindTrees, copied: bool) -> None:
        listeners = self._listeners
        log = self._log
        ids = dict(log.value_ids) if copied else log.value_ids
        pairs = dict(log.values) if copied else log.values
        has_ids = trees.value_ids.count > 0 or trees.has_value.count > 0
        has_details = trees.value.count > 0 or trees.values.count > 0
        has_values = bool(self._content.values)
        if has_values != self.had_values:
            listeners.call(trees.has_values, (), has_values)
        if has_ids:
            self._call_ids(ids, trees.value_ids, trees.has_value, ())
        if has_details:
            self._call_value_details(trees, pairs)

    def _call_value_details(self, trees: KindTrees, pairs: dict[Id, Pair]) -> None:
        listeners = self._listeners
        changed = False
        for value_id, (old, new) in pairs.items():
            if not same_thing(old, new):
                changed = True
                listeners.call(trees.value, (value_id,), decode(new), decode(old), self.value_change)
        if changed:
            listeners.call(trees.values, (), self.value_change)


def _copied(members: dict[Id, dict[Id, _V]]) -> dict[Id, dict[Id, _V]]:
    return {key: dict(inner) for key, inner in members.items()}
