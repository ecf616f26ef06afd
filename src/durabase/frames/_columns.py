"""Tables as columns: what each row has in a column, and which kind of things a column holds."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from durabase.store import Store
from durabase.types import Cell, Id, Table

__all__ = ["Kind", "columns_of", "kind_of"]


class Kind(Enum):
    """What all things in a column are; missing ones do not count."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    """Whole numbers and others."""
    TEXT = "text"
    ANYTHING = "anything"
    """Objects, arrays, or things of several kinds; or nothing at all."""


_KINDS: dict[frozenset[type], Kind] = {
    frozenset({bool}): Kind.BOOLEAN,
    frozenset({int}): Kind.INTEGER,
    frozenset({float}): Kind.NUMBER,
    frozenset({int, float}): Kind.NUMBER,
    frozenset({str}): Kind.TEXT,
}


def kind_of(things: Iterable[Cell]) -> Kind:
    """The kind of a column with these things; ``None`` is missing."""
    return _KINDS.get(frozenset({type(thing) for thing in things} - {type(None)}), Kind.ANYTHING)


def columns_of(store: Store, table_id: Id) -> tuple[list[Id], dict[Id, list[Any]]]:
    """The ids of a table's rows, and for each cell id what the rows have; ``None`` if nothing or null."""
    table: Table = store.get_table(table_id)
    cell_ids = store.get_table_cell_ids(table_id)
    return list(table), {cell_id: [row.get(cell_id) for row in table.values()] for cell_id in cell_ids}
