"""The tree of tables and values: set, delete, match, export.

Everything here is in the encoded form, already valid and with its ids as strings; each change is
noted in the :class:`ChangeLog`. There are no empty rows and no empty tables. Dicts keep TinyBase's
map order; what was given is set in the order in which it comes, then what was not given is deleted.
It knows schemas only as the defaults that deleted cells and values fall back to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import chain
from typing import Final

from durabase._codec import shared_id
from durabase._listeners import IdPool
from durabase.store._cells import Encoded, EncodedOrUndefined
from durabase.store._changes import ChangeLog, IdChange, IdChanges, note_id
from durabase.types import UNDEFINED, Id

__all__ = ["Content", "EncodedRow", "EncodedTable", "EncodedTables", "EncodedValues"]

EncodedRow = dict[Id, Encoded]
EncodedTable = dict[Id, EncodedRow]
EncodedTables = dict[Id, EncodedTable]
EncodedValues = dict[Id, Encoded]

_ADDED: Final = IdChange.ADDED
_REMOVED: Final = IdChange.REMOVED
_NO_DEFAULTS: Final[Mapping[Id, Encoded]] = {}


class Content:
    """All tables and values of a store.

    Args:
        log: Where changes are noted.
        cell_defaults: For each table of the schema, the cells that have a default. Read, never changed.
        value_defaults: The values that have a default. Read, never changed.

    ``cell_counts`` says for each table how many rows use each cell id.
    """

    __slots__ = (
        "_cell_defaults",
        "_log",
        "_row_id_pools",
        "_value_defaults",
        "cell_counts",
        "tables",
        "values",
    )

    def __init__(
        self,
        log: ChangeLog,
        cell_defaults: Mapping[Id, Mapping[Id, Encoded]],
        value_defaults: Mapping[Id, Encoded],
    ) -> None:
        self._log = log
        self._cell_defaults = cell_defaults
        self._value_defaults = value_defaults
        self.tables: EncodedTables = {}
        self.values: EncodedValues = {}
        self.cell_counts: dict[Id, dict[Id, int]] = {}
        self._row_id_pools: dict[Id, IdPool] = {}

    # -- setting tables

    def set_tables(self, tables: EncodedTables) -> None:
        """Make these all the tables there are."""
        for table_id, table in tables.items():
            self.set_table(table_id, table)
        for table_id in list(self.tables):
            if table_id not in tables:
                self.delete_table(table_id)

    def set_table(self, table_id: Id, table: EncodedTable) -> None:
        """Make these all the rows of a table."""
        rows = self.ensure_table(table_id)
        for row_id, row in table.items():
            self.set_row(table_id, rows, row_id, row)
        for row_id in list(rows):
            if row_id not in table:
                self.delete_row(table_id, rows, row_id)

    def set_row(self, table_id: Id, table: EncodedTable, row_id: Id, cells: EncodedRow) -> None:
        """Make these all the cells of a row."""
        row = table.get(row_id)
        if row is None:
            self.fill_row(table_id, table, row_id, cells)
            return
        for cell_id, cell in cells.items():
            self.set_cell(table_id, row_id, row, cell_id, cell)
        if len(row) > len(cells):
            for cell_id in list(row):
                if cell_id not in cells:
                    self.delete_cell(table_id, table, row_id, row, cell_id, False)

    def set_cell(self, table_id: Id, row_id: Id, row: EncodedRow, cell_id: Id, cell: Encoded) -> None:
        """Set one cell of an existing row; nothing happens if it is equal already."""
        old: EncodedOrUndefined = row.get(cell_id, UNDEFINED)
        if old is UNDEFINED:
            cell_id = shared_id(cell_id)
            self._log.cell_changed(table_id, row_id, cell_id, old, cell)
            changed_ids = self._log.cell_ids_of(table_id, row_id)
            self._note_cell_added(table_id, cell_id, self.cell_counts[table_id], changed_ids)
        elif old == cell and (type(old) is bool) == (type(cell) is bool):
            return
        else:
            self._log.cell_changed(table_id, row_id, cell_id, old, cell)
        row[cell_id] = cell

    def ensure_table(self, table_id: Id) -> EncodedTable:
        """The rows of a table, which is created if need be; the caller adds a row."""
        table = self.tables.get(table_id)
        if table is None:
            self._log.table_noted(table_id, _ADDED)
            self._row_id_pools[table_id] = IdPool()
            self.cell_counts[table_id] = {}
            table = self.tables[table_id] = {}
        return table

    def put_table(self, table_id: Id, table: EncodedTable) -> None:
        """Add a table with rows that have cells, without a trace in the log."""
        self._row_id_pools[table_id] = IdPool()
        self.cell_counts[table_id] = dict(Counter(chain.from_iterable(table.values())))
        self.tables[table_id] = table

    def add_row(self, table_id: Id, table: EncodedTable, row_id: Id) -> EncodedRow:
        """A new row; the caller adds a cell."""
        self._log.row_noted(table_id, row_id, _ADDED)
        row = table[row_id] = {}
        return row

    def fill_row(self, table_id: Id, table: EncodedTable, row_id: Id, cells: EncodedRow) -> None:
        """A new row with some cells, which are set one after the other."""
        log = self._log
        row = self.add_row(table_id, table, row_id)
        counts = self.cell_counts[table_id]
        changed_ids = log.cell_ids_of(table_id, row_id)
        for given_id, cell in cells.items():
            cell_id = shared_id(given_id)
            log.cell_changed(table_id, row_id, cell_id, UNDEFINED, cell)
            self._note_cell_added(table_id, cell_id, counts, changed_ids)
            row[cell_id] = cell

    def new_row_id(self, table_id: Id, reuse: bool) -> Id:
        """An id that no row of this existing table has; a freed one if ``reuse``."""
        pool = self._row_id_pools[table_id]
        table = self.tables[table_id]
        row_id = pool.take(reuse)
        while row_id in table:
            row_id = pool.take(reuse)
        return row_id

    # -- deleting tables

    def delete_tables(self) -> None:
        """Delete everything tabular."""
        for table_id in list(self.tables):
            self.delete_table(table_id)

    def delete_table(self, table_id: Id) -> None:
        """Delete all rows of an existing table, and so the table."""
        table = self.tables[table_id]
        for row_id in list(table):
            self.delete_row(table_id, table, row_id)

    def delete_row(self, table_id: Id, table: EncodedTable, row_id: Id) -> None:
        """Delete all cells of an existing row, and so the row. Its id may be used again."""
        self._row_id_pools[table_id].release(row_id)
        row = table[row_id]
        for cell_id in list(row):
            if cell_id in row:
                self.delete_cell(table_id, table, row_id, row, cell_id, True)

    def delete_cell(
        self, table_id: Id, table: EncodedTable, row_id: Id, row: EncodedRow, cell_id: Id, force: bool
    ) -> None:
        """Delete an existing cell. One with a default gets it instead; with ``force`` its whole row goes."""
        defaults = self._cell_defaults.get(table_id, _NO_DEFAULTS)
        if cell_id not in defaults:
            self._remove_cell(table_id, row_id, row, cell_id)
        elif force:
            for other_id in list(row):
                self._remove_cell(table_id, row_id, row, other_id)
        else:
            self.set_cell(table_id, row_id, row, cell_id, defaults[cell_id])
        if not row:
            self.remove_row(table_id, table, row_id)

    def _remove_cell(self, table_id: Id, row_id: Id, row: EncodedRow, cell_id: Id) -> None:
        self._log.cell_changed(table_id, row_id, cell_id, row[cell_id], UNDEFINED)
        self._note_cell_removed(table_id, row_id, cell_id)
        del row[cell_id]

    def remove_row(self, table_id: Id, table: EncodedTable, row_id: Id) -> None:
        """Take away an existing row that has become empty, and the table if that was its last."""
        self._log.row_noted(table_id, row_id, _REMOVED)
        del table[row_id]
        if not table:
            self._log.table_noted(table_id, _REMOVED)
            del self.tables[table_id]
            del self._row_id_pools[table_id]
            del self.cell_counts[table_id]

    def _note_cell_added(
        self, table_id: Id, cell_id: Id, counts: dict[Id, int], changed_ids: IdChanges
    ) -> None:
        count = counts.get(cell_id, 0)
        if count == 0:
            self._log.table_cell_noted(table_id, cell_id, _ADDED)
        counts[cell_id] = count + 1
        note_id(changed_ids, cell_id, _ADDED)

    def _note_cell_removed(self, table_id: Id, row_id: Id, cell_id: Id) -> None:
        counts = self.cell_counts[table_id]
        count = counts[cell_id]
        if count == 1:
            self._log.table_cell_noted(table_id, cell_id, _REMOVED)
            del counts[cell_id]
        else:
            counts[cell_id] = count - 1
        note_id(self._log.cell_ids_of(table_id, row_id), cell_id, _REMOVED)

    # -- values

    def set_values(self, values: EncodedValues) -> None:
        """Make these all the values there are."""
        for value_id, value in values.items():
            self.set_value(value_id, value)
        for value_id in list(self.values):
            if value_id not in values:
                self.delete_value(value_id)

    def set_value(self, value_id: Id, value: Encoded) -> None:
        """Set one value; nothing happens if it is equal already."""
        old: EncodedOrUndefined = self.values.get(value_id, UNDEFINED)
        if old == value and (type(old) is bool) == (type(value) is bool):
            return
        self._log.value_changed(value_id, old, value)
        if old is UNDEFINED:
            self._log.value_noted(value_id, _ADDED)
        self.values[value_id] = value

    def delete_values(self) -> None:
        """Delete all values; those that have a default get it."""
        for value_id in list(self.values):
            self.delete_value(value_id)

    def delete_value(self, value_id: Id) -> None:
        """Delete an existing value; one that has a default gets it instead."""
        if value_id in self._value_defaults:
            self.set_value(value_id, self._value_defaults[value_id])
            return
        self._log.value_changed(value_id, self.values[value_id], UNDEFINED)
        self._log.value_noted(value_id, _REMOVED)
        del self.values[value_id]

    # -- exporting

    def encoded_tables(self) -> EncodedTables:
        """A copy of all tables in the encoded form."""
        return {
            table_id: {row_id: dict(row) for row_id, row in table.items()}
            for table_id, table in self.tables.items()
        }
