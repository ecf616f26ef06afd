"""From what a caller gives to what content takes: checked, completed, encoded, in object order.

Nothing is raised for bad data: bad parts are left out and reported to the log. What was given is
never changed and not kept. The rules are TinyBase 10.0.1's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durabase._codec import ordered_items
from durabase.store._cells import EncodedOrUndefined, encode
from durabase.store._changes import ChangeLog
from durabase.store._content import EncodedRow, EncodedTable, EncodedTables, EncodedValues
from durabase.store._schema import TablesSchema, ValuesSchema
from durabase.types import UNDEFINED, Id

__all__ = ["Validator"]


class Validator:
    """Checks input against the schemas that are set.

    While ``accept_encoded`` is True objects and arrays may also come in the encoded form.
    """

    __slots__ = ("_log", "_tables_schema", "_values_schema", "accept_encoded")

    def __init__(self, tables_schema: TablesSchema, values_schema: ValuesSchema, log: ChangeLog) -> None:
        self._tables_schema = tables_schema
        self._values_schema = values_schema
        self._log = log
        self.accept_encoded = False

    def tables(self, given: object) -> EncodedTables | None:
        """Valid tables; None if nothing is left."""
        members = _members(given)
        if not members:
            self._log.cell_invalid()
            return None
        tables: EncodedTables = {}
        for table_id, rows in members.items():
            table = self.table(table_id, rows)
            if table is not None:
                tables[table_id] = table
        return tables or None

    def table(self, table_id: Id, given: object) -> EncodedTable | None:
        """A valid table; None if nothing is left."""
        members = _members(given) if self._tables_schema.has_table(table_id) else None
        if not members:
            self._log.cell_invalid(table_id)
            return None
        table: EncodedTable = {}
        for row_id, cells in members.items():
            row = self.row(table_id, row_id, cells)
            if row is not None:
                table[row_id] = row
        return table or None

    def row(self, table_id: Id, row_id: object, given: object) -> EncodedRow | None:
        """A valid and complete row; None if nothing is left or a required cell is missing.

        ``row_id`` is UNDEFINED if it is not known yet.
        """
        cells = _members(given)
        if cells is not None:
            self._tables_schema.complete_row(table_id, row_id, cells, self._log)
        row = self._cells(table_id, row_id, cells)
        return row if row and self._tables_schema.has_required(table_id, row) else None

    def partial_row(self, table_id: Id, row_id: Id, given: object) -> EncodedRow | None:
        """Valid cells of a row; None if there are none."""
        return self._cells(table_id, row_id, _members(given)) or None

    def _cells(self, table_id: Id, row_id: object, cells: dict[Id, Any] | None) -> EncodedRow:
        if not cells:
            self._log.cell_invalid(table_id, row_id)
            return {}
        row: EncodedRow = {}
        for cell_id, thing in ordered_items(cells):
            cell = self.cell(table_id, row_id, cell_id, thing)
            if cell is not UNDEFINED:
                row[cell_id] = cell  # type: ignore[assignment]
        return row

    def cell(self, table_id: Id, row_id: object, cell_id: Id, thing: object) -> EncodedOrUndefined:
        """An encoded cell: the given one, or the default if that is invalid, or UNDEFINED."""
        default: EncodedOrUndefined = UNDEFINED
        if not self._tables_schema.active:
            cell = encode(thing, self.accept_encoded)
        else:
            schema = self._tables_schema.entry(table_id, cell_id)
            if schema is None:
                cell = UNDEFINED
            else:
                cell = schema.encode(thing, self.accept_encoded)
                default = schema.default
        if cell is UNDEFINED:
            self._log.cell_invalid(table_id, row_id, cell_id, thing)
            return default
        return cell

    def values(self, given: object) -> EncodedValues | None:
        """Valid and complete values; None if nothing is left or a required one is missing."""
        members = _members(given)
        if members is not None and self._values_schema.active:
            self._values_schema.complete_values(members, self._log)
        values = self._values(members)
        return values if values and self._values_schema.has_required(values) else None

    def partial_values(self, given: object) -> EncodedValues | None:
        """Valid values; None if there are none."""
        return self._values(_members(given)) or None

    def _values(self, members: dict[Id, Any] | None) -> EncodedValues:
        if not members:
            self._log.value_invalid()
            return {}
        values: EncodedValues = {}
        for value_id, thing in ordered_items(members):
            value = self.value(value_id, thing)
            if value is not UNDEFINED:
                values[value_id] = value  # type: ignore[assignment]
        return values

    def value(self, value_id: Id, thing: object) -> EncodedOrUndefined:
        """An encoded value: the given one, or the default if that is invalid, or UNDEFINED."""
        default: EncodedOrUndefined = UNDEFINED
        if not self._values_schema.active:
            value = encode(thing, self.accept_encoded)
        else:
            schema = self._values_schema.entry(value_id)
            if schema is None:
                value = UNDEFINED
            else:
                value = schema.encode(thing, self.accept_encoded)
                default = schema.default
        if value is UNDEFINED:
            self._log.value_invalid(value_id, thing)
            return default
        return value


def _members(given: object) -> dict[Id, Any] | None:
    """A shallow copy in object order with string keys; None if it is no object."""
    return dict(ordered_items(given)) if isinstance(given, Mapping) else None
