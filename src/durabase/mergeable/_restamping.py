"""Newer stamps for what a store holds otherwise than its stamps say.

That is so where changes were merged but not applied, for they were refused, or have had other effects than
they say: a schema's default in place of a deletion, or a row that went with one of its cells. And where a
store was loaded whose schema is stricter than it was when the content was written.
"""

from __future__ import annotations

from typing import Any

from durabase.mergeable._stamping import Stamping
from durabase.store._cells import encode, same_thing
from durabase.store._content import Content
from durabase.types import UNDEFINED, Changes, Id

__all__ = ["restamp", "restamp_all"]


def restamp(stamping: Stamping, content: Content, changes: Changes) -> None:
    """Make the stamps say what the content is, in the rows and values that ``changes`` mention."""
    for table_id, rows in changes[0].items():
        table = content.tables.get(table_id, {})
        for row_id in rows:
            _restamp_row(stamping, table_id, row_id, table.get(row_id, {}))
    stamps = stamping.stamps.values.children
    for value_id in changes[1]:
        held = content.values.get(value_id, UNDEFINED)
        if not _says(stamps[value_id].thing, held):
            stamping.restamp_value(value_id, held)


def restamp_all(stamping: Stamping, content: Content) -> None:
    """The same for all rows and values that have stamps."""
    stamps = stamping.stamps
    rows = {table_id: dict.fromkeys(table.children) for table_id, table in stamps.tables.children.items()}
    restamp(stamping, content, [rows, dict.fromkeys(stamps.values.children), 1])


def _restamp_row(stamping: Stamping, table_id: Id, row_id: Id, row: dict[Id, Any]) -> None:
    stamps = stamping.stamps.tables.children[table_id].children[row_id].children
    for cell_id, stamp in list(stamps.items()):
        held = row.get(cell_id, UNDEFINED)
        if not _says(stamp.thing, held):
            stamping.restamp_cell(table_id, row_id, cell_id, held, False)
    for cell_id in [cell_id for cell_id in row if cell_id not in stamps]:
        stamping.restamp_cell(table_id, row_id, cell_id, row[cell_id], True)


def _says(thing: Any, held: Any) -> bool:
    """Whether a stamp of ``thing`` says that ``held`` is there."""
    if thing is UNDEFINED or held is UNDEFINED:
        return thing is held
    encoded = encode(thing, True)
    return encoded is not UNDEFINED and same_thing(encoded, held)
