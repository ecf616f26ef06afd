"""A store in a SQLite database: as one text, or as tables of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from durabase.clock import TimerClock
from durabase.persisters._database.config import JsonMode, LoadTable, SaveTable, TabularMode
from durabase.persisters._database.persister import SqlCommandCallback
from durabase.persisters.base import IgnoredErrorHandler
from durabase.persisters.custom_sqlite import CustomSqlitePersister

if TYPE_CHECKING:
    import sqlite3

    from durabase.store import Store

__all__ = ["JsonMode", "LoadTable", "SaveTable", "SqlitePersister", "TabularMode"]

Database: TypeAlias = "str | os.PathLike[str] | sqlite3.Connection"


class SqlitePersister(CustomSqlitePersister):
    """Keeps a store in a SQLite database.

    Reading and writing happen within the calls that cause them, each in a transaction of its own.

    Args:
        store: what is persisted; in tabular mode it must be a plain store.
        database: a path, which is opened here and closed when the persister is destroyed, or a connection of
            yours, which stays open. A connection must not be in a transaction when the persister acts.
        config: :class:`JsonMode`, :class:`TabularMode`, or a table name for the former, which is the default.
        on_sql_command: is called with each statement before it is run.
        on_ignored_error: is called with each error that is not raised.
        clock: wakes the persister, while it loads automatically, to look for changes.

    Raises:
        StoreTypeError: the mode is tabular and the store is mergeable.
        sqlite3.Error: the database can't be opened.
    """

    def __init__(
        self,
        store: Store,
        database: Database,
        config: JsonMode | TabularMode | str | None = None,
        *,
        on_sql_command: SqlCommandCallback | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        super().__init__(
            store,
            config,
            self._run,
            on_sql_command=on_sql_command,
            on_ignored_error=on_ignored_error,
            clock=clock,
        )
        self._is_own_connection = isinstance(database, (str, os.PathLike))
        self._connection = _open(database) if isinstance(database, (str, os.PathLike)) else database

    def get_db(self) -> sqlite3.Connection:
        """The connection."""
        return self._connection

    def _run(self, sql: str, params: Sequence[Any] | None) -> list[dict[str, Any]]:
        cursor = self._connection.execute(sql, params or ())
        try:
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor]
        finally:
            cursor.close()

    def _release(self) -> None:
        if self._is_own_connection:
            self._connection.close()


def _open(path: str | os.PathLike[str]) -> sqlite3.Connection:
    import sqlite3  # here, so that importing the persisters stays quick

    return sqlite3.connect(path, isolation_level=None)
