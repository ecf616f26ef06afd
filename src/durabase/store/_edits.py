"""Every way to write to a store, within a transaction that somebody else has begun.

Input is checked by the validator and then set in the content; ids are strings already. The rules
are TinyBase 10.0.1's. It does not know transactions nor listeners.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durabase._codec import ordered, parse_json
from durabase._collector import CollectorPause
from durabase.errors import ContentError
from durabase.store._cells import Encoded, EncodedOrUndefined, decode, encode_all, encode_rows
from durabase.store._changes import ChangeLog
from durabase.store._content import Content
from durabase.store._schema import TablesSchema, ThingSchema, ValuesSchema
from durabase.store._validation import Validator
from durabase.types import UNDEFINED, Changes, Id

__all__ = ["Edits", "parsed_or_undefined"]


class Edits:
    """The writing half of a store."""

    __slots__ = (
        "_content",
        "_log",
        "_old_tables_schema",
        "_old_values_schema",
        "_tables_schema",
        "_validator",
        "_values_schema",
    )

    def __init__(
        self, content: Content, tables_schema: TablesSchema, values_schema: ValuesSchema, log: ChangeLog
    ) -> None:
        self._content = content
        self._tables_schema = tables_schema
        self._values_schema = values_schema
        self._log = log
        self._validator = Validator(tables_schema, values_schema, log)
        self._old_tables_schema: tuple[bool, dict[Id, dict[Id, ThingSchema]]] | None = None
        self._old_values_schema: tuple[bool, dict[Id, ThingSchema]] | None = None

    def accept_encoded(self, accept: bool) -> bool:
        """Whether objects and arrays may also come in the encoded form from now on; what was so before."""
        before = self._validator.accept_encoded
        self._validator.accept_encoded = accept
        return before

    # -- content as a whole

    def set_content(self, content: object) -> None:
        """Replace everything; nothing happens unless it is a list."""
        if isinstance(content, list | tuple):
            tables, values = (*content, UNDEFINED, UNDEFINED)[:2]
            self.set_or_delete_tables(tables)
            self.set_or_delete_values(values)

    def set_parsed_json(self, parsed: object) -> None:
        """Replace everything by ``[tables, values]`` from JSON, or the tables if it is no array.

        UNDEFINED, for text that was no JSON, changes nothing.
        """
        before = self.accept_encoded(True)
        try:
            if isinstance(parsed, list | str):  # the original takes a string apart like an array
                self.set_content(list(parsed))
            elif parsed is not UNDEFINED:
                self.set_or_delete_tables(parsed)
        finally:
            self.accept_encoded(before)

    def set_or_delete_tables(self, tables: object) -> None:
        """Set the tables, or delete all if an empty object is given."""
        if isinstance(tables, Mapping) and not tables:
            self.delete_tables()
        else:
            self.set_tables(tables)

    def set_or_delete_values(self, values: object) -> None:
        """Set the values, or delete all if an empty object is given."""
        if isinstance(values, Mapping) and not values:
            self.delete_values()
        else:
            self.set_values(values)

    def apply_changes(self, changes: object) -> None:
        """Apply ``[tables, values, 1]`` in object order; UNDEFINED deletes, cells with force.

        Raises:
            ContentError: the changes are no such list, or a table or row in them is neither a dict
                nor UNDEFINED.
        """
        if not isinstance(changes, list | tuple) or len(changes) < 2:
            raise ContentError(f"changes must be a list [tables, values, 1], not {changes!r:.100}")
        for table_id, table in _ordered("tables", changes[0]).items():
            if table is UNDEFINED:
                self.delete_table(table_id)
                continue
            for row_id, row in _ordered("a table", table).items():
                if row is UNDEFINED:
                    self.delete_row(table_id, row_id)
                    continue
                self.apply_row(table_id, row_id, _ordered("a row", row))
        self.apply_values(_ordered("values", changes[1]))

    def apply_values(self, values: dict[Id, Any]) -> None:
        """Set some values; UNDEFINED deletes."""
        for value_id, value in values.items():
            if value is UNDEFINED:
                self.delete_value(value_id)
            else:
                self.set_value(value_id, value)

    def apply_row(self, table_id: Id, row_id: Id, cells: dict[Id, Any]) -> None:
        """Set some cells of a row; UNDEFINED deletes, with force."""
        if self._fills_row(table_id, row_id, cells):
            return
        for cell_id, cell in cells.items():
            if cell is UNDEFINED:
                self.delete_cell(table_id, row_id, cell_id, True)
                continue
            valid = self._validator.cell(table_id, row_id, cell_id, cell)
            if valid is not UNDEFINED:
                self._put_cell(table_id, row_id, cell_id, valid)  # type: ignore[arg-type]

    def _fills_row(self, table_id: Id, row_id: Id, cells: dict[Id, Any]) -> bool:
        """Whether it could be done in one go: the row is new, and all its cells are to be set as they are."""
        content = self._content
        table = content.tables.get(table_id)
        if not cells or self._tables_schema.active or (table is not None and row_id in table):
            return False
        valid = encode_all(cells, self._validator.accept_encoded)
        if len(valid) < len(cells):
            return False
        content.fill_row(table_id, content.ensure_table(table_id), row_id, valid)
        return True

    def can_fill(self) -> bool:
        """Whether there is nothing yet: no content, no schemas, no changes in this transaction."""
        return not (
            self._content.tables
            or self._content.values
            or self._tables_schema.active
            or self._values_schema.active
            or self._log.cells
            or self._log.values
        )

    def fill(self, changes: Changes) -> None:
        """``apply_changes`` where ``can_fill``, without a trace in the log: the quick way to load much.

        Only for changes in object order, in which UNDEFINED stands for nothing but cells and values, and in
        a transaction that nobody observes. Their tables and rows become the content's.
        """
        accept = self._validator.accept_encoded
        for rows in changes[0].values():
            encode_rows(rows, accept)
        values = encode_all(changes[1], accept)
        for table_id, rows in changes[0].items():
            if rows:
                self._content.put_table(table_id, rows)
        self._content.values.update(values)

    # -- tables

    def set_tables(self, tables: object) -> None:
        """Replace all tables."""
        with CollectorPause():
            valid = self._validator.tables(tables)
            if valid is not None:
                self._content.set_tables(valid)

    def set_table(self, table_id: Id, table: object) -> None:
        """Replace a table."""
        valid = self._validator.table(table_id, table)
        if valid is not None:
            self._content.set_table(table_id, valid)

    def set_row(self, table_id: Id, row_id: Id, row: object) -> None:
        """Replace a row."""
        valid = self._validator.row(table_id, row_id, row)
        if valid is not None:
            content = self._content
            content.set_row(table_id, content.ensure_table(table_id), row_id, valid)

    def add_row(self, table_id: Id, row: object, reuse_row_ids: bool) -> Id | None:
        """Add a row under a new id; that id, or None if the row is invalid."""
        valid = self._validator.row(table_id, UNDEFINED, row)
        if valid is None:
            return None
        content = self._content
        table = content.ensure_table(table_id)
        row_id = content.new_row_id(table_id, reuse_row_ids)
        content.set_row(table_id, table, row_id, valid)
        return row_id

    def set_partial_row(self, table_id: Id, row_id: Id, partial_row: object) -> None:
        """Set some cells of a row."""
        valid = self._validator.partial_row(table_id, row_id, partial_row)
        if valid is not None:
            for cell_id, cell in valid.items():
                self._put_cell(table_id, row_id, cell_id, cell)

    def set_cell(self, table_id: Id, row_id: Id, cell_id: Id, cell: object) -> None:
        """Set a cell."""
        valid = self._validator.cell(table_id, row_id, cell_id, cell)
        if valid is not UNDEFINED:
            self._put_cell(table_id, row_id, cell_id, valid)  # type: ignore[arg-type]

    def _put_cell(self, table_id: Id, row_id: Id, cell_id: Id, cell: Encoded) -> None:
        """Set a valid cell, in a new row together with the defaults."""
        content = self._content
        table = content.tables.get(table_id)
        if table is None:
            table = content.ensure_table(table_id)
        row = table.get(row_id)
        if row is not None:
            content.set_cell(table_id, row_id, row, cell_id, cell)
            return
        row = content.add_row(table_id, table, row_id)
        cells: dict[Id, Any] = {cell_id: cell}
        if self._tables_schema.active:
            self._tables_schema.complete_row(table_id, row_id, cells, self._log)
        for other_id, other in ordered(cells).items():
            content.set_cell(table_id, row_id, row, other_id, other)

    def delete_tables(self) -> None:
        """Delete all tables."""
        self._content.delete_tables()

    def delete_table(self, table_id: Id) -> None:
        """Delete a table if it exists."""
        if table_id in self._content.tables:
            self._content.delete_table(table_id)

    def delete_row(self, table_id: Id, row_id: Id) -> None:
        """Delete a row if it exists."""
        table = self._content.tables.get(table_id)
        if table is not None and row_id in table:
            self._content.delete_row(table_id, table, row_id)

    def delete_cell(self, table_id: Id, row_id: Id, cell_id: Id, force: bool) -> None:
        """Delete a cell if it exists; with ``force`` one that has a default takes its row along."""
        table = self._content.tables.get(table_id)
        row = None if table is None else table.get(row_id)
        if table is not None and row is not None and cell_id in row:
            self._content.delete_cell(table_id, table, row_id, row, cell_id, force)

    # -- values

    def set_values(self, values: object) -> None:
        """Replace all values."""
        valid = self._validator.values(values)
        if valid is not None:
            self._content.set_values(valid)

    def set_partial_values(self, partial_values: object) -> None:
        """Set some values."""
        valid = self._validator.partial_values(partial_values)
        if valid is not None:
            for value_id, value in valid.items():
                self._content.set_value(value_id, value)

    def set_value(self, value_id: Id, value: object) -> None:
        """Set a value."""
        valid = self._validator.value(value_id, value)
        if valid is not UNDEFINED:
            self._content.set_value(value_id, valid)  # type: ignore[arg-type]

    def delete_values(self) -> None:
        """Delete all values; those with a default get it."""
        self._content.delete_values()

    def delete_value(self, value_id: Id) -> None:
        """Delete a value if it exists; one with a default gets it."""
        if value_id in self._content.values:
            self._content.delete_value(value_id)

    # -- schemas

    def set_tables_schema(self, schema: object) -> None:
        """Set the tables schema and the present tables anew under it."""
        valid = TablesSchema.valid(schema)
        if valid is None:
            return
        self._keep_tables_schema()
        self._tables_schema.set(valid)
        if self._content.tables:
            tables = {
                table_id: {
                    row_id: {cell_id: decode(cell) for cell_id, cell in row.items()}
                    for row_id, row in table.items()
                }
                for table_id, table in self._content.tables.items()
            }
            self.delete_tables()
            self.set_tables(tables)

    def set_values_schema(self, schema: object) -> None:
        """Set the values schema and the present values anew under it."""
        valid = ValuesSchema.valid(schema)
        if valid is None:
            return
        values = {value_id: decode(value) for value_id, value in self._content.values.items()}
        self.delete_values_schema()
        self.delete_values()
        self._values_schema.set(valid)
        self.set_values(values)

    def delete_tables_schema(self) -> None:
        """Allow all cells again."""
        self._keep_tables_schema()
        self._tables_schema.set({}, False)

    def delete_values_schema(self) -> None:
        """Allow all values again."""
        self._keep_values_schema()
        self._values_schema.set({}, False)

    def delete_schemas(self) -> None:
        """Allow everything again."""
        self.delete_tables_schema()
        self.delete_values_schema()

    def _keep_tables_schema(self) -> None:
        if self._old_tables_schema is None:
            self._old_tables_schema = self._tables_schema.snapshot()

    def _keep_values_schema(self) -> None:
        if self._old_values_schema is None:
            self._old_values_schema = self._values_schema.snapshot()

    # -- the end of a transaction

    def forget_schemas(self) -> None:
        """What the schemas are now is what the next transaction starts from."""
        self._old_tables_schema = None
        self._old_values_schema = None

    def undo(self) -> None:
        """Restore the schemas, then set every changed cell and value back; the log of them is empty after.

        As in the original the old things pass the validator in their encoded form: unless encoded things
        are being accepted, objects and arrays are refused, reported as invalid, and not set back.
        """
        if self._old_tables_schema is not None:
            active, tables = self._old_tables_schema
            self._tables_schema.set(tables, active)
        if self._old_values_schema is not None:
            active, values = self._old_values_schema
            self._values_schema.set(values, active)
        log = self._log
        changed_cells = log.cells
        log.forget_cells()
        for table_id, rows in changed_cells.items():
            for row_id, cells in rows.items():
                for cell_id, (old, _) in cells.items():
                    self._restore_cell(table_id, row_id, cell_id, old)
        log.forget_cells()
        changed_values, log.values = log.values, {}
        for value_id, (old, _) in changed_values.items():
            self._restore_value(value_id, old)
        log.values = {}

    def _restore_cell(self, table_id: Id, row_id: Id, cell_id: Id, old: EncodedOrUndefined) -> None:
        if old is not UNDEFINED:
            self.set_cell(table_id, row_id, cell_id, old)
            return
        self.delete_cell(table_id, row_id, cell_id, True)
        table = self._content.tables.get(table_id)
        if table is not None and table.get(row_id) == {}:  # a hook's exception had stopped its first cell
            self._content.remove_row(table_id, table, row_id)

    def _restore_value(self, value_id: Id, old: EncodedOrUndefined) -> None:
        if old is not UNDEFINED:
            self.set_value(value_id, old)
        else:
            self.delete_value(value_id)


def parsed_or_undefined(text: str) -> Any:
    """What JSON text holds; UNDEFINED if it is none."""
    try:
        return parse_json(text)
    except ValueError:
        return UNDEFINED


def _ordered(what: str, members: object) -> dict[Id, Any]:
    if not isinstance(members, (dict, Mapping)):  # a dict is seen at once
        raise ContentError(f"{what} in changes must be a dict, not {members!r:.100}")
    return ordered(members if isinstance(members, dict) else dict(members))
