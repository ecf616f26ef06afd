"""What the store did not take of a transaction: it is no cell or value, or the schema says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from durabase.mergeable import MergeableStore
from durabase.store._schema import ThingSchema
from durabase.sync_server.rest.problems import ProblemError
from durabase.types import UNDEFINED

__all__ = ["refusals"]

_MAX_TOLD: Final = 20
"""So many invalid things are named."""


def refusals(store: MergeableStore) -> list[ProblemError]:
    """The problem with the running transaction, 422, if any of it was not taken."""
    found = list(islice(_invalid_things(store), _MAX_TOLD))
    if not found:
        return []
    first = found[0]
    detail = f"{first['detail']} at {first['path']}; nothing was changed"
    return [ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, invalid=found)]


def _invalid_things(store: MergeableStore) -> Iterator[dict[str, Any]]:
    log, schema = store._log, store._tables_schema
    for table_id, rows in log.invalid_cells.items():
        for row_id, cells in rows.items():
            for cell_id, things in cells.items():
                entry = None if cell_id is UNDEFINED else schema.entry(table_id, cell_id)
                path = _cell_path(table_id, row_id, cell_id)
                yield from _told(path, things, entry, schema.active)
    values_schema = store._values_schema
    for value_id, things in log.invalid_values.items():
        known = value_id is not UNDEFINED
        entry = values_schema.entry(value_id) if known else None
        yield from _told(["values", value_id] if known else ["values"], things, entry, values_schema.active)


def _cell_path(table_id: Any, row_id: Any, cell_id: Any) -> list[Any]:
    """The path of a cell, or of what it would be in, if that was wrong. A row may have no id yet: null."""
    if cell_id is not UNDEFINED:
        return ["tables", table_id, "rows", None if row_id is UNDEFINED else row_id, "cells", cell_id]
    if row_id is not UNDEFINED:
        return ["tables", table_id, "rows", row_id]
    return ["tables"] if table_id is UNDEFINED else ["tables", table_id]


def _told(
    path: list[Any], things: list[Any], entry: ThingSchema | None, has_schema: bool
) -> Iterator[dict[str, Any]]:
    """What is wrong with what was tried at a path. The store also reports what lacks though it may."""
    for thing in things:
        if entry is None:
            told = {"path": path, "detail": _unknown(has_schema)}
            yield told if thing is UNDEFINED else {**told, "found": thing}
        elif thing is not UNDEFINED:
            expected = entry.members()
            yield {"path": path, "detail": "not what the schema allows", "found": thing, "expected": expected}
        elif entry.required:
            yield {"path": path, "detail": "it is required", "expected": entry.members()}


def _unknown(has_schema: bool) -> str:
    return "the schema has no such place" if has_schema else "this can't be kept"
