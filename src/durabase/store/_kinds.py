"""The kinds of listeners that a store has, and how many there are of each.

Outside of a transaction a listener can be called directly; then it is told what is known: the
present state for the ``has_…`` kinds, the present thing as new and old for cells and values, and
``UNDEFINED`` for all else.
"""

from __future__ import annotations

from typing import Final

from durabase._listeners import Listener, Listeners, ListenerTree, undefined_arguments
from durabase.store._changes import ChangeLog
from durabase.store._content import Content
from durabase.store._reader import Reader
from durabase.store._schema import TablesSchema, ValuesSchema
from durabase.types import UNDEFINED

__all__ = ["KindTrees", "StoreListeners"]


class KindTrees:
    """One tree for each kind of which there are mutators and others.

    The flags say whether a whole group of kinds needs a look: ``tabular`` = ids of tables, rows or
    cells, or ``details`` = cells, rows, table, tables; ``values_any`` = all kinds about values
    but the invalid ones.
    """

    def __init__(self, reader: Reader) -> None:
        table = (reader.get_table_ids,)
        row = (reader.get_table_ids, reader.get_row_ids)
        cell = (reader.get_table_ids, reader.get_row_ids, reader.get_cell_ids)
        value = (reader.get_value_ids,)
        one = undefined_arguments(1)
        self.has_tables = ListenerTree(0, (), lambda: (reader.has_tables(),))
        self.tables = ListenerTree(0, (), one)
        self.table_ids = ListenerTree(0, (), one)
        self.has_table = ListenerTree(1, table, lambda t: (reader.has_table(t),))
        self.table = ListenerTree(1, table, one)
        self.table_cell_ids = ListenerTree(1, table, one)
        self.has_table_cell = ListenerTree(
            2, (*table, reader.get_table_cell_ids), lambda t, c: (reader.has_table_cell(t, c),)
        )
        self.row_count = ListenerTree(1, table, one)
        self.row_ids = ListenerTree(1, table, one)
        self.sorted_row_ids = ListenerTree(2, table)
        self.has_row = ListenerTree(2, row, lambda t, r: (reader.has_row(t, r),))
        self.row = ListenerTree(2, row, one)
        self.cell_ids = ListenerTree(2, row, one)
        self.has_cell = ListenerTree(3, cell, lambda t, r, c: (reader.has_cell(t, r, c),))
        self.cell = ListenerTree(
            3, cell, lambda t, r, c: (reader.get_cell(t, r, c, UNDEFINED),) * 2 + (UNDEFINED,)
        )
        self.invalid_cell = ListenerTree(3, (), one)
        self.has_values = ListenerTree(0, (), lambda: (reader.has_values(),))
        self.values = ListenerTree(0, (), one)
        self.value_ids = ListenerTree(0, (), one)
        self.has_value = ListenerTree(1, value, lambda v: (reader.has_value(v),))
        self.value = ListenerTree(1, value, lambda v: (reader.get_value(v, UNDEFINED),) * 2 + (UNDEFINED,))
        self.invalid_value = ListenerTree(1, (), one)
        self.recount()

    def recount(self) -> None:
        """Set the flags anew."""
        self.ids = any(
            tree.count
            for tree in (
                self.table_ids,
                self.has_table,
                self.table_cell_ids,
                self.has_table_cell,
                self.row_count,
                self.row_ids,
                self.sorted_row_ids,
                self.has_row,
                self.cell_ids,
                self.has_cell,
            )
        )
        self.details = any(tree.count for tree in (self.tables, self.table, self.row, self.cell))
        self.tabular = self.ids or self.details or self.has_tables.count > 0
        self.values_any = any(
            tree.count for tree in (self.has_values, self.values, self.value_ids, self.has_value, self.value)
        )


_KIND_NAMES = (
    *("has_tables", "tables", "table_ids", "has_table", "table", "table_cell_ids", "has_table_cell"),
    *("row_count", "row_ids", "sorted_row_ids", "has_row", "row", "cell_ids", "has_cell", "cell"),
    *("invalid_cell", "has_values", "values", "value_ids", "has_value", "value", "invalid_value"),
)


_NOBODY: Final = KindTrees(Reader(Content(ChangeLog(), {}, {}), TablesSchema(), ValuesSchema()))
"""The trees of all stores that have no such listeners: 44 trees would be a third of a small store."""


class StoreListeners(Listeners):
    """All listeners of a store."""

    __slots__ = ("_reader", "did_finish", "mutators", "others", "start", "will_finish")

    def __init__(self, subject: object, reader: Reader) -> None:
        super().__init__(subject)
        self._reader = reader
        self.mutators = self.others = _NOBODY
        self.start = ListenerTree()
        self.will_finish = ListenerTree()
        self.did_finish = ListenerTree()

    def of(self, mutator: bool) -> KindTrees:
        """The trees of mutators, or of the others, to add some."""
        if mutator:
            if self.mutators is _NOBODY:
                self.mutators = KindTrees(self._reader)
            return self.mutators
        if self.others is _NOBODY:
            self.others = KindTrees(self._reader)
        return self.others

    def add(self, tree: ListenerTree, path: tuple[object, ...], listener: Listener) -> str:
        listener_id = super().add(tree, path, listener)
        self._recount()
        return listener_id

    def remove(self, listener_id: str) -> bool:
        removed = super().remove(listener_id)
        self._recount()
        return removed

    def _recount(self) -> None:
        self.mutators.recount()
        self.others.recount()

    def stats(self) -> dict[str, int]:
        """How many listeners there are of each kind; for sorted row ids, of how many tables and cells."""
        counts = {name: self._count(name) for name in _KIND_NAMES}
        counts["transaction"] = self.start.count + self.will_finish.count + self.did_finish.count
        return counts

    def _count(self, name: str) -> int:
        trees: tuple[ListenerTree, ...] = (getattr(self.mutators, name), getattr(self.others, name))
        if name == "sorted_row_ids":
            return sum(tree.path_count() for tree in trees)
        return sum(tree.count for tree in trees)
