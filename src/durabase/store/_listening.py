"""Adding, calling and removing the listeners of a store: 25 kinds.

``None`` as an id is the wildcard. A listener is called with the store, the ids of the event, and
what its kind tells. Mutator listeners may write; the others are called when nothing can be written
any more. Each method returns the id of the listener.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Self

from durabase._listeners import Listener
from durabase.store._kinds import StoreListeners
from durabase.store._reader import Reader, as_id
from durabase.store._sorting import Sorter
from durabase.types import UNDEFINED, Id, IdOrNone

__all__ = ["Listenable"]


class Listenable(Reader):
    """What can be listened to."""

    _listeners: StoreListeners

    # -- tables

    def add_has_tables_listener(self, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, has_tables)`` when the first table comes or the last goes."""
        return self._listeners.add(self._listeners.of(mutator).has_tables, (), listener)

    def add_tables_listener(self, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, get_cell_change)`` when any cell changes."""
        return self._listeners.add(self._listeners.of(mutator).tables, (), listener)

    def add_table_ids_listener(self, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, get_id_changes)`` when tables come or go."""
        return self._listeners.add(self._listeners.of(mutator).table_ids, (), listener)

    def add_has_table_listener(self, table_id: IdOrNone, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, table_id, has_table)`` when a table comes or goes."""
        return self._listeners.add(self._listeners.of(mutator).has_table, _path(table_id), listener)

    def add_table_listener(self, table_id: IdOrNone, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, table_id, get_cell_change)`` when a cell of a table changes."""
        return self._listeners.add(self._listeners.of(mutator).table, _path(table_id), listener)

    def add_table_cell_ids_listener(
        self, table_id: IdOrNone, listener: Listener, *, mutator: bool = False
    ) -> Id:
        """``(store, table_id, get_id_changes)`` when a table begins or ceases to use a cell id."""
        return self._listeners.add(self._listeners.of(mutator).table_cell_ids, _path(table_id), listener)

    def add_has_table_cell_listener(
        self, table_id: IdOrNone, cell_id: IdOrNone, listener: Listener, *, mutator: bool = False
    ) -> Id:
        """``(store, table_id, cell_id, has_table_cell)`` when a table begins or ceases to use a cell id."""
        path = _path(table_id, cell_id)
        return self._listeners.add(self._listeners.of(mutator).has_table_cell, path, listener)

    def add_row_count_listener(self, table_id: IdOrNone, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, table_id, count)`` when the number of rows of a table changes."""
        return self._listeners.add(self._listeners.of(mutator).row_count, _path(table_id), listener)

    def add_row_ids_listener(self, table_id: IdOrNone, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, table_id, get_id_changes)`` when rows of a table come or go."""
        return self._listeners.add(self._listeners.of(mutator).row_ids, _path(table_id), listener)

    def add_sorted_row_ids_listener(
        self,
        table_id: IdOrNone,
        cell_id: Id | None,
        descending: bool,
        offset: int,
        limit: int | None,
        listener: Listener,
        *,
        mutator: bool = False,
        sorter: Sorter | None = None,
    ) -> Id:
        """``(store, table_id, cell_id, descending, offset, limit, sorted_row_ids)`` when the last changes.

        The arguments are those of ``get_sorted_row_ids``; ``cell_id`` None sorts by row id.
        """
        arguments = (table_id, cell_id, descending, offset, limit)
        get = partial(self.get_sorted_row_ids, as_id(table_id), cell_id, descending, offset, limit, sorter)
        follower = _SortedRowIds(get, arguments, listener)
        path = (*_path(table_id), UNDEFINED if cell_id is None else as_id(cell_id))
        return self._listeners.add(self._listeners.of(mutator).sorted_row_ids, path, follower)

    def add_has_row_listener(
        self, table_id: IdOrNone, row_id: IdOrNone, listener: Listener, *, mutator: bool = False
    ) -> Id:
        """``(store, table_id, row_id, has_row)`` when a row comes or goes."""
        return self._listeners.add(self._listeners.of(mutator).has_row, _path(table_id, row_id), listener)

    def add_row_listener(
        self, table_id: IdOrNone, row_id: IdOrNone, listener: Listener, *, mutator: bool = False
    ) -> Id:
        """``(store, table_id, row_id, get_cell_change)`` when a cell of a row changes."""
        return self._listeners.add(self._listeners.of(mutator).row, _path(table_id, row_id), listener)

    def add_cell_ids_listener(
        self, table_id: IdOrNone, row_id: IdOrNone, listener: Listener, *, mutator: bool = False
    ) -> Id:
        """``(store, table_id, row_id, get_id_changes)`` when cells of a row come or go."""
        return self._listeners.add(self._listeners.of(mutator).cell_ids, _path(table_id, row_id), listener)

    def add_has_cell_listener(
        self,
        table_id: IdOrNone,
        row_id: IdOrNone,
        cell_id: IdOrNone,
        listener: Listener,
        *,
        mutator: bool = False,
    ) -> Id:
        """``(store, table_id, row_id, cell_id, has_cell)`` when a cell comes or goes."""
        path = _path(table_id, row_id, cell_id)
        return self._listeners.add(self._listeners.of(mutator).has_cell, path, listener)

    def add_cell_listener(
        self,
        table_id: IdOrNone,
        row_id: IdOrNone,
        cell_id: IdOrNone,
        listener: Listener,
        *,
        mutator: bool = False,
    ) -> Id:
        """``(store, table_id, row_id, cell_id, new_cell, old_cell, get_cell_change)`` when a cell changes."""
        path = _path(table_id, row_id, cell_id)
        return self._listeners.add(self._listeners.of(mutator).cell, path, listener)

    def add_invalid_cell_listener(
        self,
        table_id: IdOrNone,
        row_id: IdOrNone,
        cell_id: IdOrNone,
        listener: Listener,
        *,
        mutator: bool = False,
    ) -> Id:
        """``(store, table_id, row_id, cell_id, invalid_cells)`` when something was no cell.

        Ids are UNDEFINED where a row, a table or the tables as a whole were wrong.
        """
        path = _path(table_id, row_id, cell_id)
        return self._listeners.add(self._listeners.of(mutator).invalid_cell, path, listener)

    # -- values

    def add_has_values_listener(self, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, has_values)`` when the first value comes or the last goes."""
        return self._listeners.add(self._listeners.of(mutator).has_values, (), listener)

    def add_values_listener(self, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, get_value_change)`` when any value changes."""
        return self._listeners.add(self._listeners.of(mutator).values, (), listener)

    def add_value_ids_listener(self, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, get_id_changes)`` when values come or go."""
        return self._listeners.add(self._listeners.of(mutator).value_ids, (), listener)

    def add_has_value_listener(self, value_id: IdOrNone, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, value_id, has_value)`` when a value comes or goes."""
        return self._listeners.add(self._listeners.of(mutator).has_value, _path(value_id), listener)

    def add_value_listener(self, value_id: IdOrNone, listener: Listener, *, mutator: bool = False) -> Id:
        """``(store, value_id, new_value, old_value, get_value_change)`` when a value changes."""
        return self._listeners.add(self._listeners.of(mutator).value, _path(value_id), listener)

    def add_invalid_value_listener(
        self, value_id: IdOrNone, listener: Listener, *, mutator: bool = False
    ) -> Id:
        """``(store, value_id, invalid_values)`` when something was no value; id UNDEFINED if all of them."""
        return self._listeners.add(self._listeners.of(mutator).invalid_value, _path(value_id), listener)

    # -- transactions

    def add_start_transaction_listener(self, listener: Listener) -> Id:
        """``(store)`` when an outermost transaction has started; it may write."""
        return self._listeners.add(self._listeners.start, (), listener)

    def add_will_finish_transaction_listener(self, listener: Listener) -> Id:
        """``(store)`` when a transaction is about to finish; the last that may write."""
        return self._listeners.add(self._listeners.will_finish, (), listener)

    def add_did_finish_transaction_listener(self, listener: Listener) -> Id:
        """``(store)`` when a transaction has finished; its changes can still be asked for."""
        return self._listeners.add(self._listeners.did_finish, (), listener)

    # -- all kinds

    def call_listener(self, listener_id: Id) -> Self:
        """Call a listener now, once for each existing path that it listens to.

        What is only known when something changes is UNDEFINED then.
        """
        self._listeners.call_directly(as_id(listener_id))
        return self

    def del_listener(self, listener_id: Id) -> Self:
        """Remove a listener; nothing happens if there is none of this id."""
        self._listeners.remove(as_id(listener_id))
        return self

    def get_listener_stats(self) -> dict[str, int]:
        """How many listeners there are of each kind."""
        return self._listeners.stats()


_AS_THEY_ARE: Final[tuple[object, ...]] = (None, UNDEFINED)


class _SortedRowIds:
    """Calls a listener when the row ids that it follows are others than the last time."""

    __slots__ = ("_arguments", "_get", "_last", "_listener")

    def __init__(self, get: Callable[[], list[Id]], arguments: tuple[Any, ...], listener: Listener) -> None:
        self._get = get
        self._arguments = arguments
        self._listener = listener
        self._last = get()

    def __call__(self, store: object, *_ids: object) -> None:
        now = self._get()
        if now != self._last:
            self._last = now
            self._listener(store, *self._arguments, now)


def _path(*ids: IdOrNone) -> tuple[Any, ...]:
    return tuple([each if each in _AS_THEY_ARE else as_id(each) for each in ids])
