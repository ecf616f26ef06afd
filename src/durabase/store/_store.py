"""The store: tables of rows of cells, and values, that can be listened to.

A façade: each method is one thought and leaves the work to ``_reader``, ``_listening``, ``_edits``
and ``_transaction``. Behaviour is TinyBase 10.0.1's in every detail that can be observed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from durabase.store._changes import ChangeLog
from durabase.store._content import Content
from durabase.store._edits import Edits, parsed_or_undefined
from durabase.store._hooks import StoreHooks
from durabase.store._kinds import StoreListeners
from durabase.store._listening import Listenable
from durabase.store._notify import Notifier
from durabase.store._reader import as_id
from durabase.store._schema import TablesSchema, ValuesSchema
from durabase.store._setting import SCALARS, CellSetter
from durabase.store._transaction import DoRollback, Transaction
from durabase.types import UNDEFINED, Changes, Id, Row, Table, Tables, Values
from durabase.types import Content as ContentOfStore

__all__ = ["Store", "TransactionScope"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class TransactionScope:
    """One use of ``Store.transaction``; made there."""

    __slots__ = ("_begun", "_do_rollback", "_store", "_transaction")

    def __init__(self, store: Store, transaction: Transaction, do_rollback: DoRollback | None) -> None:
        self._store = store
        self._transaction = transaction
        self._do_rollback = do_rollback
        self._begun = False

    def __enter__(self) -> Store:
        self._begun = self._transaction.begin()
        return self._store

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._begun:
            return
        if exc is None:
            self._transaction.finish(self._do_rollback)
        else:
            self._transaction.abort(exc)


class Store(CellSetter, Listenable):
    """A reactive store.

    Setters and deleters return the store, so that calls can be chained. They never raise for bad
    data: bad parts are left out and reported to InvalidCell and InvalidValue listeners. Each runs
    in a transaction of its own unless one is open. In listeners that only look they do nothing.
    Ids that are no strings become strings as in JavaScript.

    >>> store = Store()
    >>> store.set_cell("pets", "fido", "species", "dog").get_tables()
    {'pets': {'fido': {'species': 'dog'}}}
    """

    def __init__(self, hooks: StoreHooks | None = None) -> None:
        log = ChangeLog()
        log.hooks = hooks
        tables_schema = TablesSchema()
        values_schema = ValuesSchema()
        content = Content(log, tables_schema.cell_defaults, values_schema.value_defaults)
        super().__init__(content, tables_schema, values_schema)
        self._log = log
        self._edits = Edits(content, tables_schema, values_schema, log)
        self._listeners = StoreListeners(self, self)
        notifier = Notifier(self._listeners, content, log)
        self._transaction = Transaction(content, self._edits, log, self._listeners, notifier)

    def is_mergeable(self) -> bool:
        """Whether this is a MergeableStore."""
        return False

    # -- for a store built upon this one

    @property
    def _hooks(self) -> StoreHooks | None:
        """Whom each raw change is told."""
        return self._log.hooks

    @_hooks.setter
    def _hooks(self, hooks: StoreHooks | None) -> None:
        self._log.hooks = hooks

    @property
    def _public(self) -> Store:
        """The store that listeners get."""
        public: Store = self._listeners.subject  # type: ignore[assignment]
        return public

    @_public.setter
    def _public(self, public: Store) -> None:
        self._listeners.subject = public

    # -- setting content

    def set_content(self, content: ContentOfStore | Callable[[], ContentOfStore]) -> Self:
        """Replace everything by ``[tables, values]``, or what a function returns; no-op if it is no list."""
        return self._do(self._set_content, content)

    def set_tables(self, tables: Tables) -> Self:
        """Replace all tables by the valid part of these; no-op if nothing of them is valid."""
        return self._do(self._edits.set_tables, tables)

    def set_table(self, table_id: Id, table: Table) -> Self:
        """Replace all rows of a table."""
        return self._do(self._edits.set_table, as_id(table_id), table)

    def set_row(self, table_id: Id, row_id: Id, row: Row) -> Self:
        """Replace all cells of a row."""
        return self._do(self._edits.set_row, as_id(table_id), as_id(row_id), row)

    def add_row(self, table_id: Id, row: Row, reuse_row_ids: bool = True) -> Id | None:
        """Add a row; its new id, which may be that of a deleted row, or None if the row is invalid."""
        if not self._transaction.begin():
            return None
        return self._finished(self._edits.add_row, as_id(table_id), row, reuse_row_ids)

    def set_partial_row(self, table_id: Id, row_id: Id, partial_row: Row) -> Self:
        """Set some cells of a row and leave the others."""
        return self._do(self._edits.set_partial_row, as_id(table_id), as_id(row_id), partial_row)

    def set_values(self, values: Values) -> Self:
        """Replace all values by the valid part of these; no-op if nothing of them is valid."""
        return self._do(self._edits.set_values, values)

    def set_partial_values(self, partial_values: Values) -> Self:
        """Set some values and leave the others."""
        return self._do(self._edits.set_partial_values, partial_values)

    def set_value(self, value_id: Id, value: Any) -> Self:
        """Set a value, or what a function makes of the present one, which is UNDEFINED if absent."""
        return self._do(self._set_value, as_id(value_id), value)

    def apply_changes(self, changes: Changes) -> Self:
        """Apply what ``get_transaction_changes`` gives; UNDEFINED deletes.

        Raises:
            ContentError: they do not have the shape of changes. Nothing is applied then.
        """
        return self._do(self._edits.apply_changes, changes)

    def set_tables_json(self, tables_json: str) -> Self:
        """Replace all tables by those of JSON text, ``{}`` deletes all; other text is ignored.

        What listeners raise meanwhile does not pass on, as in the original: it is logged.
        """
        return self._do_encoded_quietly(self._edits.set_or_delete_tables, parsed_or_undefined(tables_json))

    def set_values_json(self, values_json: str) -> Self:
        """Replace all values by those of JSON text, ``{}`` deletes all; other text is ignored.

        What listeners raise meanwhile does not pass on, as in the original: it is logged.
        """
        return self._do_encoded_quietly(self._edits.set_or_delete_values, parsed_or_undefined(values_json))

    def set_json(self, tables_and_values_json: str) -> Self:
        """Replace everything by JSON text of ``[tables, values]``, or the tables by text of tables."""
        return self._do(self._edits.set_parsed_json, parsed_or_undefined(tables_and_values_json))

    # -- setting schemas

    def set_tables_schema(self, tables_schema: Mapping[Id, Mapping[Id, Mapping[str, Any]]]) -> Self:
        """Set what cells may be, and set all tables anew under it; no-op if nothing of it is valid."""
        return self._do(self._edits.set_tables_schema, tables_schema)

    def set_values_schema(self, values_schema: Mapping[Id, Mapping[str, Any]]) -> Self:
        """Set what values may be, and set all values anew under it; no-op if nothing of it is valid."""
        return self._do(self._edits.set_values_schema, values_schema)

    def set_schema(
        self,
        tables_schema: Mapping[Id, Mapping[Id, Mapping[str, Any]]],
        values_schema: Mapping[Id, Mapping[str, Any]] | None = None,
    ) -> Self:
        """Set both schemas."""
        return self._do(self._set_schema, tables_schema, values_schema)

    # -- deleting

    def del_tables(self) -> Self:
        """Delete all tables."""
        return self._do(self._edits.delete_tables)

    def del_table(self, table_id: Id) -> Self:
        """Delete a table."""
        return self._do(self._edits.delete_table, as_id(table_id))

    def del_row(self, table_id: Id, row_id: Id) -> Self:
        """Delete a row; its id may be used again by ``add_row``."""
        return self._do(self._edits.delete_row, as_id(table_id), as_id(row_id))

    def del_cell(self, table_id: Id, row_id: Id, cell_id: Id, *, force_del: bool = False) -> Self:
        """Delete a cell. One with a default gets that instead, or with ``force_del`` takes its row along."""
        return self._do(self._edits.delete_cell, as_id(table_id), as_id(row_id), as_id(cell_id), force_del)

    def del_values(self) -> Self:
        """Delete all values; those with a default get it."""
        return self._do(self._edits.delete_values)

    def del_value(self, value_id: Id) -> Self:
        """Delete a value; one with a default gets it."""
        return self._do(self._edits.delete_value, as_id(value_id))

    def del_tables_schema(self) -> Self:
        """Allow all cells; the tables stay."""
        return self._do(self._edits.delete_tables_schema)

    def del_values_schema(self) -> Self:
        """Allow all values; the values stay."""
        return self._do(self._edits.delete_values_schema)

    def del_schema(self) -> Self:
        """Allow everything; content stays."""
        return self._do(self._edits.delete_schemas)

    # -- transactions

    def transaction(self, do_rollback: DoRollback | None = None) -> TransactionScope:
        """A context in which all writes are one transaction; listeners are called when the outermost ends.

        An exception that leaves it undoes everything since the outermost start and passes on. In
        the final phase of a transaction the body runs but its writes do nothing.

        Args:
            do_rollback: Called with the store at the end; everything is undone if it returns something true.
                Only that of the outermost transaction counts.

        >>> store = Store()
        >>> with store.transaction():
        ...     _ = store.set_value("open", True).set_value("price", 5)
        """
        return TransactionScope(self._public, self._transaction, do_rollback)

    def start_transaction(self) -> Self:
        """Begin a transaction; the caller must call ``finish_transaction`` as often as this."""
        self._transaction.begin()
        return self

    def finish_transaction(self, do_rollback: DoRollback | None = None) -> Self:
        """Finish the transaction that was started last; no-op if there is none."""
        self._transaction.finish(do_rollback)
        return self

    def get_transaction_changes(self) -> Changes:
        """The net changes ``[tables, values, 1]`` of the running transaction; empty outside of one."""
        return self._log.changes(False)

    def get_transaction_log(self) -> list[Any]:
        """All that is known of the running transaction, things in the encoded form.

        ``[cells_touched, values_touched, changed_cells, invalid_cells, changed_values, invalid_values,
        changed_table_ids, changed_row_ids, changed_cell_ids, changed_value_ids]``.
        """
        return self._log.log()

    # -- for persisters and synchronizers

    def _get_encoded_transaction_changes(self) -> Changes:
        """Like ``get_transaction_changes``, in the encoded form."""
        return self._log.changes(True)

    def _set_encoded_content(self, content: ContentOfStore) -> Self:
        """Like ``set_content``; objects and arrays may be encoded."""
        return self._do_encoded(self._set_content, content)

    def _apply_encoded_changes(self, changes: Changes) -> Self:
        """Like ``apply_changes``; objects and arrays may be encoded."""
        return self._do_encoded(self._edits.apply_changes, changes)

    # -- helpers

    def _do(self, edit: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> Self:
        """An edit in a transaction; nothing in the final phase."""
        if self._transaction.begin():
            self._finished(edit, *args, **kwargs)
        return self

    def _do_encoded(self, edit: Callable[[Any], object], argument: Any) -> Self:
        """An edit in a transaction whose argument may hold objects and arrays in the encoded form."""
        before = self._edits.accept_encoded(True)
        try:
            if self._transaction.begin():
                self._finished(edit, argument)
        finally:
            self._edits.accept_encoded(before)
        return self

    def _do_encoded_quietly(self, edit: Callable[[Any], object], parsed: Any) -> Self:
        if parsed is not UNDEFINED:
            try:
                self._do_encoded(edit, parsed)
            except Exception:
                import logging  # here, for it is hardly ever needed

                logging.getLogger(__name__).warning("a listener failed while JSON was set", exc_info=True)
        return self

    def _finished(self, edit: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """An edit in the transaction that was just begun, and its end."""
        try:
            result = edit(*args, **kwargs)
        except BaseException as error:
            self._transaction.abort(error)
            raise
        self._transaction.finish()
        return result

    def _set_content(self, content: ContentOfStore | Callable[[], ContentOfStore]) -> None:
        self._edits.set_content(content() if callable(content) else content)

    def _map_cell(self, table_id: Id, row_id: Id, cell_id: Id, cell: Callable[[Any], Any]) -> None:
        self._do(self._set_mapped, table_id, row_id, cell_id, cell)

    def _set_mapped(self, table_id: Id, row_id: Id, cell_id: Id, cell: Callable[[Any], Any]) -> None:
        present = self.get_cell(table_id, row_id, cell_id, UNDEFINED)
        self._edits.set_cell(table_id, row_id, cell_id, cell(present))

    def _set_value(self, value_id: Id, value: Any) -> None:
        if type(value) not in SCALARS and callable(value):
            value = value(self.get_value(value_id, UNDEFINED))
        self._edits.set_value(value_id, value)

    def _set_schema(self, tables_schema: object, values_schema: object) -> None:
        self._edits.set_tables_schema(tables_schema)
        self._edits.set_values_schema(values_schema)
