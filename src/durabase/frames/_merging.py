"""Rows of a frame into a table: checked before anything is written, and written where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from durabase.errors import ContentError
from durabase.store import Store
from durabase.store._cells import EncodedOrUndefined, encode, same_thing
from durabase.types import UNDEFINED, Id

__all__ = ["ids_from", "merge_columns"]

_Rows = dict[Id, dict[Id, Any]]


def ids_from(labels: Iterable[Any], what: str) -> list[Id]:
    """Ids from the labels of a frame: text, and whole numbers as text.

    Raises:
        ContentError: a label is something else, or there twice.
    """
    ids: dict[Id, None] = {}
    for label in labels:
        is_id = isinstance(label, str) or (hasattr(label, "__index__") and not isinstance(label, bool))
        if not is_id:
            raise ContentError(f"{what} must be text or whole numbers, not {label!r:.100}")
        label_id = label if isinstance(label, str) else str(label.__index__())
        if label_id in ids:
            raise ContentError(f"{what} must be different, but {label_id!r:.100} is there twice")
        ids[label_id] = None
    return list(ids)


def merge_columns(
    store: Store,
    table_id: Id,
    row_ids: Sequence[Id],
    columns: Mapping[Id, Sequence[Any]],
    *,
    partial: bool,
    nulls: bool,
) -> None:
    """Have the rows of a table hold what is in columns, in one transaction that writes what differs.

    Args:
        columns: for each cell id as many things as there are rows; ``UNDEFINED`` for missing ones.
        partial: leave rows and cells alone that are not in the columns, instead of deleting them.
        nulls: write null for what is missing, instead of nothing.

    Raises:
        ContentError: something can't be kept in a cell. Nothing is written then.
    """
    rows = _checked_rows(row_ids, columns)
    with store.transaction():
        if not partial:
            for row_id in store.get_row_ids(table_id):
                if row_id not in rows:
                    store.del_row(table_id, row_id)
        for row_id, cells in rows.items():
            _merge_row(store, table_id, row_id, cells, partial=partial, nulls=nulls)


def _checked_rows(row_ids: Sequence[Id], columns: Mapping[Id, Sequence[Any]]) -> _Rows:
    rows: _Rows = {row_id: {} for row_id in row_ids}
    for cell_id, things in columns.items():
        for row_id, thing in zip(row_ids, things, strict=True):
            if thing is not UNDEFINED and encode(thing, False) is UNDEFINED:
                raise ContentError(
                    f"row {row_id!r}, column {cell_id!r}: {thing!r:.100} ({type(thing).__name__}) "
                    "can't be kept in a cell: make text, numbers, booleans, lists or dicts of it"
                )
            rows[row_id][cell_id] = thing
    return rows


def _merge_row(
    store: Store, table_id: Id, row_id: Id, cells: dict[Id, Any], *, partial: bool, nulls: bool
) -> None:
    present = store.get_row(table_id, row_id)
    missing = _when_missing(nulls)
    wanted = {cell_id: missing(thing, present.get(cell_id, UNDEFINED)) for cell_id, thing in cells.items()}
    changed = {
        cell_id: thing
        for cell_id, thing in wanted.items()
        if thing is not UNDEFINED and not _is_same(thing, present.get(cell_id, UNDEFINED))
    }
    if changed:
        store.set_partial_row(table_id, row_id, changed)
    for cell_id in _surplus(present, wanted, partial):
        store.del_cell(table_id, row_id, cell_id)


def _when_missing(nulls: bool) -> Callable[[Any, Any], Any]:
    """What is written for a thing of a frame, given what is there: a null is as good as missing."""

    def wanted(thing: Any, present: Any) -> Any:
        if thing is not UNDEFINED:
            return thing
        return None if nulls or present is None else UNDEFINED

    return wanted


def _surplus(present: Mapping[Id, Any], wanted: Mapping[Id, Any], partial: bool) -> Iterator[Id]:
    for cell_id in present:
        if (cell_id in wanted or not partial) and wanted.get(cell_id, UNDEFINED) is UNDEFINED:
            yield cell_id


def _is_same(one: Any, other: Any) -> bool:
    encoded: EncodedOrUndefined = encode(one, False)
    return same_thing(encoded, encode(other, False))
