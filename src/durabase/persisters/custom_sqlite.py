"""A store in a SQLite database that is reached through any driver, given as functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from durabase.clock import TimerClock
from durabase.persisters._database.commands import Execute
from durabase.persisters._database.config import Mode
from durabase.persisters._database.dialect import SQLITE
from durabase.persisters._database.modes import layout_of
from durabase.persisters._database.persister import DatabaseOptions, mode_for
from durabase.persisters._database.polling import AddTableListener, DelTableListener, PollingPersister

if TYPE_CHECKING:
    from durabase.store import Store

__all__ = ["CustomSqlitePersister"]


class CustomSqlitePersister(PollingPersister):
    """Keeps a store in a SQLite database known through functions of yours, each plain or asynchronous.

    Args:
        store: what is persisted; in tabular mode it must be a plain store.
        config: :class:`JsonMode`, :class:`TabularMode`, or a table name for the former, the default for None.
        execute_command: ``execute_command(sql, params)`` runs a statement, with ``?`` for each of ``params``,
            which may be ``None``, and returns the rows of the result as mappings from column name to value.
            ``BEGIN``, ``END`` and ``ROLLBACK`` are run like this, too, so all must run in one connection.
        add_change_listener: where the driver tells of changes, is given ``listener(table_name)`` to call when
            a table changes, and returns a handle. Without it the database is asked at an interval only.
        del_change_listener: is given that handle when following ends.
        on_sql_command: is called with each statement before it is run.
        on_ignored_error: is called with each error that is not raised.
        destroy: is called last when the persister is destroyed.
        persists: the kinds of store to take.
        clock: wakes the persister, while it loads automatically, to look for changes.
        queue: to be shared by all persisters of one connection, unless ``execute_command`` is plain.

    Raises:
        StoreTypeError: ``store`` is not of a kind to take, or is mergeable and the mode tabular.
    """

    def __init__(
        self,
        store: Store,
        config: Mode | str | None,
        execute_command: Execute,
        add_change_listener: AddTableListener | None = None,
        del_change_listener: DelTableListener | None = None,
        *,
        clock: TimerClock | None = None,
        **options: Unpack[DatabaseOptions],
    ) -> None:
        mode = mode_for(store, config)
        super().__init__(
            store,
            execute_command,
            lambda execute: layout_of(mode, execute, SQLITE),
            auto_load_interval=mode.auto_load_interval_seconds,
            managed_tables=frozenset(table.name for table in mode.managed_tables()),
            add_change_listener=add_change_listener,
            del_change_listener=del_change_listener,
            clock=clock,
            **options,
        )
