"""SQLite databases as persisters know them, and steps that are run at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from durabase.persisters._steps import Steps, start_steps


class Database:
    """A database in memory. ``ran`` are the statements that were run, of which those fail that begin so."""

    def __init__(self, script: str = "") -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.executescript(script)
        self.connection.row_factory = _as_dict
        self.ran: list[str] = []
        self.broken: str | None = None

    def execute(self, sql: str, params: Sequence[Any] | None) -> list[dict[str, Any]]:
        self.ran.append(sql)
        if self.broken is not None and sql.startswith(self.broken):
            raise OSError("broken")
        return self.connection.execute(sql, params or ()).fetchall()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.connection.execute(sql)]

    def columns(self, table: str) -> list[str]:
        return [
            row["name"] for row in self.connection.execute("SELECT name FROM pragma_table_info(?)", [table])
        ]


def _as_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def done(steps: Steps[Any]) -> Any:
    """What steps give that do not wait."""
    return start_steps(steps).result()
