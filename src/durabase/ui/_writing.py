"""Hooks that give callbacks: functions that write to a store when something is clicked or typed.

What a callback is called with, such as the text that was typed, is handed to the functions that say what
to write, together with the store. Those run where the store may be touched; ``then`` runs on the thread of
the caller, after that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import reacton

from durabase.store import Store
from durabase.types import UNDEFINED, Id
from durabase.ui._homes import at_home
from durabase.ui._provided import StoreOrId, use_store_or_store_by_id

__all__ = [
    "use_add_row_callback",
    "use_del_cell_callback",
    "use_del_row_callback",
    "use_del_table_callback",
    "use_del_tables_callback",
    "use_del_value_callback",
    "use_del_values_callback",
    "use_set_cell_callback",
    "use_set_partial_row_callback",
    "use_set_partial_values_callback",
    "use_set_row_callback",
    "use_set_table_callback",
    "use_set_tables_callback",
    "use_set_value_callback",
    "use_set_values_callback",
]

Get: TypeAlias = Callable[[Any, Store], Any]
"""``get(parameter, store)``: what to write; ``UNDEFINED`` for nothing."""
IdOrGet: TypeAlias = Id | Callable[[Any, Store], Id | None]
"""An id, or ``get(parameter, store)`` for it; ``None`` writes nothing."""
Then: TypeAlias = Callable[..., object] | None
Deps: TypeAlias = Sequence[Any]
Callback: TypeAlias = Callable[..., None]
"""``callback(parameter=None)``."""


def _use_callback(
    store_or_id: StoreOrId,
    edit: Callable[[Store, Any], tuple[Any, ...] | None],
    then: Then,
    deps: Sequence[Any],
) -> Callback:
    """A callback that edits, then calls ``then`` with what the edit gave, unless that is ``None``."""
    store = use_store_or_store_by_id(store_or_id)

    def callback(parameter: Any = None) -> None:
        if store is None:
            return
        done = at_home(store, lambda: edit(store, parameter))
        if done is not None and then is not None:
            then(*done)

    memoized: Callback = reacton.use_memo(lambda: callback, [store, *deps])
    return memoized


def _use_set(
    name: str,
    ids: tuple[IdOrGet, ...],
    get: Get,
    get_deps: Deps,
    store_or_id: StoreOrId,
    then: Then,
    then_deps: Deps,
) -> Callback:
    def edit(store: Store, parameter: Any) -> tuple[Any, ...] | None:
        found = _ids(ids, parameter, store)
        thing = UNDEFINED if found is None else get(parameter, store)
        if found is None or thing is UNDEFINED:
            return None
        getattr(store, name)(*found, thing)
        return store, thing

    return _use_callback(store_or_id, edit, then, [name, *_deps(ids), *get_deps, *then_deps])


def _use_del(
    name: str, ids: tuple[IdOrGet, ...], store_or_id: StoreOrId, then: Then, then_deps: Deps, **options: bool
) -> Callback:
    def edit(store: Store, parameter: Any) -> tuple[Any, ...] | None:
        found = _ids(ids, parameter, store)
        if found is None:
            return None
        getattr(store, name)(*found, **options)
        return (store,)

    return _use_callback(store_or_id, edit, then, [name, *_deps(ids), *options.values(), *then_deps])


def _ids(ids: tuple[IdOrGet, ...], parameter: Any, store: Store) -> list[Id] | None:
    found = [each(parameter, store) if callable(each) else each for each in ids]
    return None if None in found else found  # type: ignore[return-value]


def _deps(ids: tuple[IdOrGet, ...]) -> list[Id | None]:
    return [None if callable(each) else each for each in ids]


# Setting


def use_set_tables_callback(
    get_tables: Get,
    get_tables_deps: Deps = (),
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
) -> Callback:
    """A callback that sets all tables; ``then(store, tables)``."""
    return _use_set("set_tables", (), get_tables, get_tables_deps, store_or_id, then, then_deps)


def use_set_table_callback(
    table_id: IdOrGet,
    get_table: Get,
    get_table_deps: Deps = (),
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
) -> Callback:
    """A callback that sets a table; ``then(store, table)``."""
    return _use_set("set_table", (table_id,), get_table, get_table_deps, store_or_id, then, then_deps)


def use_set_row_callback(
    table_id: IdOrGet,
    row_id: IdOrGet,
    get_row: Get,
    get_row_deps: Deps = (),
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
) -> Callback:
    """A callback that sets a row; ``then(store, row)``."""
    return _use_set("set_row", (table_id, row_id), get_row, get_row_deps, store_or_id, then, then_deps)


def use_add_row_callback(
    table_id: IdOrGet,
    get_row: Get,
    get_row_deps: Deps = (),
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
    reuse_row_ids: bool = True,
) -> Callback:
    """A callback that adds a row; ``then(row_id, store, row)``, the id being ``None`` for a bad row."""

    def edit(store: Store, parameter: Any) -> tuple[Any, ...] | None:
        ids = _ids((table_id,), parameter, store)
        row: Any = UNDEFINED if ids is None else get_row(parameter, store)
        if ids is None or row is UNDEFINED:
            return None
        return store.add_row(ids[0], row, reuse_row_ids), store, row

    deps = [*_deps((table_id,)), reuse_row_ids, *get_row_deps, *then_deps]
    return _use_callback(store_or_id, edit, then, deps)


def use_set_partial_row_callback(
    table_id: IdOrGet,
    row_id: IdOrGet,
    get_partial_row: Get,
    get_partial_row_deps: Deps = (),
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
) -> Callback:
    """A callback that sets some cells of a row; ``then(store, partial_row)``."""
    ids = (table_id, row_id)
    return _use_set(
        "set_partial_row", ids, get_partial_row, get_partial_row_deps, store_or_id, then, then_deps
    )


def use_set_cell_callback(
    table_id: IdOrGet,
    row_id: IdOrGet,
    cell_id: IdOrGet,
    get_cell: Get,
    get_cell_deps: Deps = (),
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
) -> Callback:
    """A callback that sets a cell, or maps it if it gets a function; ``then(store, cell)``."""
    ids = (table_id, row_id, cell_id)
    return _use_set("set_cell", ids, get_cell, get_cell_deps, store_or_id, then, then_deps)


def use_set_values_callback(
    get_values: Get,
    get_values_deps: Deps = (),
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
) -> Callback:
    """A callback that sets all values; ``then(store, values)``."""
    return _use_set("set_values", (), get_values, get_values_deps, store_or_id, then, then_deps)


def use_set_partial_values_callback(
    get_partial_values: Get,
    get_partial_values_deps: Deps = (),
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
) -> Callback:
    """A callback that sets some values; ``then(store, partial_values)``."""
    return _use_set(
        "set_partial_values", (), get_partial_values, get_partial_values_deps, store_or_id, then, then_deps
    )


def use_set_value_callback(
    value_id: IdOrGet,
    get_value: Get,
    get_value_deps: Deps = (),
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
) -> Callback:
    """A callback that sets a value, or maps it if it gets a function; ``then(store, value)``."""
    return _use_set("set_value", (value_id,), get_value, get_value_deps, store_or_id, then, then_deps)


# Deleting


def use_del_tables_callback(
    store_or_id: StoreOrId = None, then: Then = None, then_deps: Deps = ()
) -> Callback:
    """A callback that deletes all tables; ``then(store)``."""
    return _use_del("del_tables", (), store_or_id, then, then_deps)


def use_del_table_callback(
    table_id: IdOrGet, store_or_id: StoreOrId = None, then: Then = None, then_deps: Deps = ()
) -> Callback:
    """A callback that deletes a table; ``then(store)``."""
    return _use_del("del_table", (table_id,), store_or_id, then, then_deps)


def use_del_row_callback(
    table_id: IdOrGet,
    row_id: IdOrGet,
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
) -> Callback:
    """A callback that deletes a row; ``then(store)``."""
    return _use_del("del_row", (table_id, row_id), store_or_id, then, then_deps)


def use_del_cell_callback(
    table_id: IdOrGet,
    row_id: IdOrGet,
    cell_id: IdOrGet,
    force_del: bool = False,
    store_or_id: StoreOrId = None,
    then: Then = None,
    then_deps: Deps = (),
) -> Callback:
    """A callback that deletes a cell, as ``Store.del_cell`` does; ``then(store)``."""
    ids = (table_id, row_id, cell_id)
    return _use_del("del_cell", ids, store_or_id, then, then_deps, force_del=force_del)


def use_del_values_callback(
    store_or_id: StoreOrId = None, then: Then = None, then_deps: Deps = ()
) -> Callback:
    """A callback that deletes all values; ``then(store)``."""
    return _use_del("del_values", (), store_or_id, then, then_deps)


def use_del_value_callback(
    value_id: IdOrGet, store_or_id: StoreOrId = None, then: Then = None, then_deps: Deps = ()
) -> Callback:
    """A callback that deletes a value; ``then(store)``."""
    return _use_del("del_value", (value_id,), store_or_id, then, then_deps)
