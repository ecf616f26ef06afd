"""The changes of a transaction as plain JSON, for those who know nothing of TinyBase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durabase.types import UNDEFINED, Changes

__all__ = ["told_changes"]


def told_changes(changes: Changes) -> dict[str, Any]:
    """The changes of a transaction as JSON can say them: what was set, and the paths of what was deleted."""
    deleted: list[list[str]] = []
    tables: dict[str, Any] = {}
    for table_id, table in changes[0].items():
        at = ["tables", table_id]
        if table is UNDEFINED:
            deleted.append(at)
        elif rows := _set_rows(table, [*at, "rows"], deleted):
            tables[table_id] = rows
    return {"tables": tables, "values": _set_things(changes[1], ["values"], deleted), "deleted": deleted}


def _set_rows(table: Mapping[str, Any], at: list[str], deleted: list[list[str]]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for row_id, row in table.items():
        if row is UNDEFINED:
            deleted.append([*at, row_id])
        elif cells := _set_things(row, [*at, row_id, "cells"], deleted):
            rows[row_id] = cells
    return rows


def _set_things(things: Mapping[str, Any], at: list[str], deleted: list[list[str]]) -> dict[str, Any]:
    deleted.extend([*at, id_] for id_, thing in things.items() if thing is UNDEFINED)
    return {id_: thing for id_, thing in things.items() if thing is not UNDEFINED}
