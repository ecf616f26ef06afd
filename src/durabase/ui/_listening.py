"""Hooks that add listeners to a store, as long as their component is there.

Listeners get what those of the store's ``add_…_listener`` get, on the thread that the store belongs to.
A listener is the one of the drawing in which ``listener_deps`` last changed, as for all such hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import reacton

from durabase.types import Id, IdOrNone
from durabase.ui._homes import at_home
from durabase.ui._provided import StoreOrId, use_store_or_store_by_id

__all__ = [
    "use_cell_ids_listener",
    "use_cell_listener",
    "use_did_finish_transaction_listener",
    "use_has_cell_listener",
    "use_has_row_listener",
    "use_has_table_cell_listener",
    "use_has_table_listener",
    "use_has_tables_listener",
    "use_has_value_listener",
    "use_has_values_listener",
    "use_row_count_listener",
    "use_row_ids_listener",
    "use_row_listener",
    "use_sorted_row_ids_listener",
    "use_start_transaction_listener",
    "use_table_cell_ids_listener",
    "use_table_ids_listener",
    "use_table_listener",
    "use_tables_listener",
    "use_value_ids_listener",
    "use_value_listener",
    "use_values_listener",
    "use_will_finish_transaction_listener",
]

Listener: TypeAlias = Callable[..., object]
Deps: TypeAlias = Sequence[Any]


def _use_listener(
    name: str,
    ids: tuple[Any, ...],
    listener: Listener,
    listener_deps: Deps,
    store_or_id: StoreOrId,
    **options: bool,
) -> None:
    store = use_store_or_store_by_id(store_or_id)

    def listen() -> Callable[[], None] | None:
        if store is None:
            return None
        add = getattr(store, f"add_{name}_listener")
        listener_id = at_home(store, lambda: add(*ids, listener, **options))

        def leave() -> None:
            at_home(store, lambda: store.del_listener(listener_id))

        return leave

    reacton.use_effect(listen, [store, *ids, *options.values(), *listener_deps])


def use_has_tables_listener(
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes in whether there is any table."""
    _use_listener("has_tables", (), listener, listener_deps, store_or_id, mutator=mutator)


def use_tables_listener(
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of anything in the tables."""
    _use_listener("tables", (), listener, listener_deps, store_or_id, mutator=mutator)


def use_table_ids_listener(
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of the ids of the tables."""
    _use_listener("table_ids", (), listener, listener_deps, store_or_id, mutator=mutator)


def use_has_table_listener(
    table_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes in whether a table exists; ``None``: any."""
    _use_listener("has_table", (table_id,), listener, listener_deps, store_or_id, mutator=mutator)


def use_table_listener(
    table_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of anything in a table; ``None``: any."""
    _use_listener("table", (table_id,), listener, listener_deps, store_or_id, mutator=mutator)


def use_table_cell_ids_listener(
    table_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of the ids of the cells that a table's rows have; ``None``: any."""
    _use_listener("table_cell_ids", (table_id,), listener, listener_deps, store_or_id, mutator=mutator)


def use_has_table_cell_listener(
    table_id: IdOrNone,
    cell_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes in whether a table has a cell of this id; ``None``: any."""
    _use_listener(
        "has_table_cell", (table_id, cell_id), listener, listener_deps, store_or_id, mutator=mutator
    )


def use_row_count_listener(
    table_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of how many rows a table has; ``None``: any."""
    _use_listener("row_count", (table_id,), listener, listener_deps, store_or_id, mutator=mutator)


def use_row_ids_listener(
    table_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of the ids of a table's rows; ``None``: any."""
    _use_listener("row_ids", (table_id,), listener, listener_deps, store_or_id, mutator=mutator)


def use_sorted_row_ids_listener(
    table_id: Id,
    cell_id: Id | None,
    descending: bool,
    offset: int,
    limit: int | None,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called when a page of a table's sorted row ids has changed."""
    ids = (table_id, cell_id, descending, offset, limit)
    _use_listener("sorted_row_ids", ids, listener, listener_deps, store_or_id, mutator=mutator)


def use_has_row_listener(
    table_id: IdOrNone,
    row_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes in whether a row exists; ``None``: any."""
    _use_listener("has_row", (table_id, row_id), listener, listener_deps, store_or_id, mutator=mutator)


def use_row_listener(
    table_id: IdOrNone,
    row_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of anything in a row; ``None``: any."""
    _use_listener("row", (table_id, row_id), listener, listener_deps, store_or_id, mutator=mutator)


def use_cell_ids_listener(
    table_id: IdOrNone,
    row_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of the ids of a row's cells; ``None``: any."""
    _use_listener("cell_ids", (table_id, row_id), listener, listener_deps, store_or_id, mutator=mutator)


def use_has_cell_listener(
    table_id: IdOrNone,
    row_id: IdOrNone,
    cell_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes in whether a cell exists; ``None``: any."""
    _use_listener(
        "has_cell", (table_id, row_id, cell_id), listener, listener_deps, store_or_id, mutator=mutator
    )


def use_cell_listener(
    table_id: IdOrNone,
    row_id: IdOrNone,
    cell_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of a cell; ``None``: any."""
    _use_listener("cell", (table_id, row_id, cell_id), listener, listener_deps, store_or_id, mutator=mutator)


def use_has_values_listener(
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes in whether there is any value."""
    _use_listener("has_values", (), listener, listener_deps, store_or_id, mutator=mutator)


def use_values_listener(
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of any value."""
    _use_listener("values", (), listener, listener_deps, store_or_id, mutator=mutator)


def use_value_ids_listener(
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of the ids of the values."""
    _use_listener("value_ids", (), listener, listener_deps, store_or_id, mutator=mutator)


def use_has_value_listener(
    value_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes in whether a value exists; ``None``: any."""
    _use_listener("has_value", (value_id,), listener, listener_deps, store_or_id, mutator=mutator)


def use_value_listener(
    value_id: IdOrNone,
    listener: Listener,
    listener_deps: Deps = (),
    mutator: bool = False,
    store_or_id: StoreOrId = None,
) -> None:
    """Have a listener called on changes of a value; ``None``: any."""
    _use_listener("value", (value_id,), listener, listener_deps, store_or_id, mutator=mutator)


def use_start_transaction_listener(
    listener: Listener, listener_deps: Deps = (), store_or_id: StoreOrId = None
) -> None:
    """Have a listener called when a transaction has started."""
    _use_listener("start_transaction", (), listener, listener_deps, store_or_id)


def use_will_finish_transaction_listener(
    listener: Listener, listener_deps: Deps = (), store_or_id: StoreOrId = None
) -> None:
    """Have a listener called when a transaction is about to finish."""
    _use_listener("will_finish_transaction", (), listener, listener_deps, store_or_id)


def use_did_finish_transaction_listener(
    listener: Listener, listener_deps: Deps = (), store_or_id: StoreOrId = None
) -> None:
    """Have a listener called when a transaction has finished."""
    _use_listener("did_finish_transaction", (), listener, listener_deps, store_or_id)
