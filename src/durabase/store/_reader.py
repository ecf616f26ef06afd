"""The reading half of a store: getters, checks, iteration, JSON.

Results are fresh and in the decoded form; JSON text is in the encoded form, as the original has it.
An id that is no string is turned into one as JavaScript does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, overload

from durabase._codec import js_string, json_text, json_text_with_undefined
from durabase.store._cells import decode
from durabase.store._content import Content, EncodedRow, EncodedTable
from durabase.store._schema import TablesSchema, ValuesSchema
from durabase.store._sorting import Sorter, sorted_row_ids
from durabase.types import UNDEFINED, Id, IdOrNone, Row, Table, Tables, Thing, Values
from durabase.types import Content as ContentOfStore

__all__ = ["Reader"]

_Default = TypeVar("_Default")
_NO_TABLE: EncodedTable = {}
_NO_ROW: EncodedRow = {}


class Reader:
    """Everything that can be asked of content and schemas."""

    def __init__(self, content: Content, tables_schema: TablesSchema, values_schema: ValuesSchema) -> None:
        self._content = content
        self._tables_schema = tables_schema
        self._values_schema = values_schema

    # -- tables

    def get_content(self) -> ContentOfStore:
        """``[tables, values]``."""
        return [self.get_tables(), self.get_values()]

    def get_tables(self) -> Tables:
        """All tables; empty if there are none."""
        return {table_id: _decoded_table(table) for table_id, table in self._content.tables.items()}

    def get_table_ids(self) -> list[Id]:
        """The ids of all tables, in order of creation."""
        return list(self._content.tables)

    def get_table(self, table_id: Id) -> Table:
        """All rows of a table; empty if it does not exist."""
        return _decoded_table(self._table(table_id))

    def get_table_cell_ids(self, table_id: Id) -> list[Id]:
        """The ids of all cells that any row of a table has, in order of first use."""
        return list(self._content.cell_counts.get(as_id(table_id), ()))

    def get_row_count(self, table_id: Id) -> int:
        """How many rows a table has."""
        return len(self._table(table_id))

    def get_row_ids(self, table_id: Id) -> list[Id]:
        """The ids of all rows of a table, in order of creation."""
        return list(self._table(table_id))

    def get_sorted_row_ids(
        self,
        table_id: Id,
        cell_id: IdOrNone = None,
        descending: bool = False,
        offset: int = 0,
        limit: int | None = None,
        sorter: Sorter | None = None,
    ) -> list[Id]:
        """A page of a table's row ids, sorted by a cell, or by themselves if ``cell_id`` is None.

        Args:
            descending: The exact reverse, rows with equal cells included.
            offset: How many to skip; a negative number counts from the end.
            limit: How many at most.
            sorter: Compares two sort keys, absent ones being UNDEFINED; by default as JavaScript's ``<``.
        """
        table = self._table(table_id)
        keys: list[Any] = list(table)
        if cell_id is not None:
            key_id = as_id(cell_id)
            keys = [decode(row.get(key_id, UNDEFINED)) for row in table.values()]
        row_ids = sorted_row_ids(keys, list(table), descending, sorter)
        return row_ids[offset : None if limit is None else offset + limit]

    def get_row(self, table_id: Id, row_id: Id) -> Row:
        """All cells of a row; empty if it does not exist."""
        return {cell_id: decode(cell) for cell_id, cell in self._row(table_id, row_id).items()}

    def get_cell_ids(self, table_id: Id, row_id: Id) -> list[Id]:
        """The ids of all cells of a row, in order of creation."""
        return list(self._row(table_id, row_id))

    @overload
    def get_cell(self, table_id: Id, row_id: Id, cell_id: Id) -> Thing: ...
    @overload
    def get_cell(self, table_id: Id, row_id: Id, cell_id: Id, default: _Default) -> Thing | _Default: ...
    def get_cell(self, table_id: Id, row_id: Id, cell_id: Id, default: Any = None) -> Any:
        """A cell; ``default`` if it does not exist. None is a thing too: UNDEFINED tells them apart."""
        return decode(self._row(table_id, row_id).get(as_id(cell_id), default))

    def has_tables(self) -> bool:
        """Whether there is any table."""
        return bool(self._content.tables)

    def has_table(self, table_id: Id) -> bool:
        """Whether a table exists."""
        return as_id(table_id) in self._content.tables

    def has_table_cell(self, table_id: Id, cell_id: Id) -> bool:
        """Whether any row of a table has a cell of this id."""
        return as_id(cell_id) in self._content.cell_counts.get(as_id(table_id), ())

    def has_row(self, table_id: Id, row_id: Id) -> bool:
        """Whether a row exists."""
        return as_id(row_id) in self._table(table_id)

    def has_cell(self, table_id: Id, row_id: Id, cell_id: Id) -> bool:
        """Whether a cell exists."""
        return as_id(cell_id) in self._row(table_id, row_id)

    # -- values

    def get_values(self) -> Values:
        """All values; empty if there are none."""
        return {value_id: decode(value) for value_id, value in self._content.values.items()}

    def get_value_ids(self) -> list[Id]:
        """The ids of all values, in order of creation."""
        return list(self._content.values)

    @overload
    def get_value(self, value_id: Id) -> Thing: ...
    @overload
    def get_value(self, value_id: Id, default: _Default) -> Thing | _Default: ...
    def get_value(self, value_id: Id, default: Any = None) -> Any:
        """A value; ``default`` if it does not exist."""
        return decode(self._content.values.get(as_id(value_id), default))

    def has_values(self) -> bool:
        """Whether there is any value."""
        return bool(self._content.values)

    def has_value(self, value_id: Id) -> bool:
        """Whether a value exists."""
        return as_id(value_id) in self._content.values

    # -- JSON

    def get_tables_json(self) -> str:
        """The tables as JSON text, in the encoded form."""
        return _text(self._content.tables)

    def get_values_json(self) -> str:
        """The values as JSON text, in the encoded form."""
        return _text(self._content.values)

    def get_json(self) -> str:
        """``[tables, values]`` as JSON text, in the encoded form."""
        return _text([self._content.tables, self._content.values])

    # -- schemas

    def get_tables_schema_json(self) -> str:
        """The tables schema as JSON text; ``{}`` if there is none."""
        return json_text(self._tables_schema.members())

    def get_values_schema_json(self) -> str:
        """The values schema as JSON text; ``{}`` if there is none."""
        return json_text(self._values_schema.members())

    def get_schema_json(self) -> str:
        """Both schemas as JSON text ``[tables_schema, values_schema]``."""
        return json_text([self._tables_schema.members(), self._values_schema.members()])

    def has_tables_schema(self) -> bool:
        """Whether a tables schema is set."""
        return self._tables_schema.active

    def has_values_schema(self) -> bool:
        """Whether a values schema is set."""
        return self._values_schema.active

    # -- iteration, over what there is when it begins

    def iter_tables(self) -> Iterator[Id]:
        """The ids of all tables."""
        return iter(self.get_table_ids())

    def iter_table_cells(self, table_id: Id) -> Iterator[tuple[Id, int]]:
        """The ids of all cells used in a table, each with how many rows have it."""
        counts: Mapping[Id, int] = self._content.cell_counts.get(as_id(table_id), {})
        return iter(list(counts.items()))

    def iter_rows(self, table_id: Id) -> Iterator[tuple[Id, Row]]:
        """All rows of a table with their ids."""
        return iter(list(self.get_table(table_id).items()))

    def iter_cells(self, table_id: Id, row_id: Id) -> Iterator[tuple[Id, Thing]]:
        """All cells of a row with their ids."""
        return iter(list(self.get_row(table_id, row_id).items()))

    def iter_values(self) -> Iterator[tuple[Id, Thing]]:
        """All values with their ids."""
        return iter(list(self.get_values().items()))

    # -- for persisters and synchronizers

    def _get_encoded_content(self) -> ContentOfStore:
        """``[tables, values]`` in the encoded form."""
        return [self._content.encoded_tables(), dict(self._content.values)]

    # -- helpers

    def _table(self, table_id: Id) -> EncodedTable:
        return self._content.tables.get(as_id(table_id), _NO_TABLE)

    def _row(self, table_id: Id, row_id: Id) -> EncodedRow:
        return self._table(table_id).get(as_id(row_id), _NO_ROW)


def as_id(given: IdOrNone) -> Id:
    """An id as a string, as JavaScript makes one of it, whatever it is."""
    return given if type(given) is str else js_string(given)


def _decoded_table(table: EncodedTable) -> Table:
    return {row_id: {cell_id: decode(cell) for cell_id, cell in row.items()} for row_id, row in table.items()}


def _text(content: object) -> str:
    """Its JSON. There is no UNDEFINED in content, so the quicker way of writing gives the same."""
    return json_text_with_undefined(content)
