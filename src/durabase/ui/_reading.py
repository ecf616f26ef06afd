"""Hooks that read a store, and have their component drawn again when what they have read changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import reacton

from durabase.store import Store
from durabase.types import Id, Row, Table, Tables, Values
from durabase.ui._homes import at_home
from durabase.ui._provided import StoreOrId, use_store_or_store_by_id
from durabase.ui._screens import current_screen
from durabase.ui._views import View

__all__ = [
    "use_cell",
    "use_cell_ids",
    "use_cell_state",
    "use_has_cell",
    "use_has_row",
    "use_has_table",
    "use_has_table_cell",
    "use_has_tables",
    "use_has_value",
    "use_has_values",
    "use_row",
    "use_row_count",
    "use_row_ids",
    "use_row_state",
    "use_sorted_row_ids",
    "use_table",
    "use_table_cell_ids",
    "use_table_ids",
    "use_table_state",
    "use_tables",
    "use_tables_state",
    "use_value",
    "use_value_ids",
    "use_value_state",
    "use_values",
    "use_values_state",
]

Set = Callable[[Any], None]
Sorter = Callable[[Any, Any], float]
T = TypeVar("T")


def _use_view(
    store_or_id: StoreOrId,
    name: str,
    ids: tuple[Any, ...],
    absent: T,
    read: Callable[[Store], T] | None = None,
    **options: Any,
) -> T:
    """What ``store.get_NAME(*ids)`` gives, or ``read(store)``; ``absent`` if there is no store."""
    store = use_store_or_store_by_id(store_or_id)
    _, set_drawings = reacton.use_state(0)
    view = reacton.use_memo(
        lambda: _view(store, name, ids, read, options), [store, name, *ids, *options.values()]
    )

    def follow() -> Callable[[], None] | None:
        if view is None:
            return None
        view.open(screen, lambda: set_drawings(lambda drawings: drawings + 1))
        return view.close

    screen = current_screen()
    reacton.use_effect(follow, [view])
    return absent if view is None else view.snapshot


def _view(
    store: Store | None,
    name: str,
    ids: tuple[Any, ...],
    read: Callable[[Store], Any] | None,
    options: dict[str, Any],
) -> View | None:
    if store is None:
        return None
    if read is not None:
        return View(store, name, ids, lambda: read(store))
    getter = getattr(store, name if name.startswith("has_") else f"get_{name}")
    return View(store, name, ids, lambda: getter(*ids, **options), **options)


def _use_set(store_or_id: StoreOrId, name: str, *ids: Id) -> Set:
    """What sets a thing to what it is given."""
    store = use_store_or_store_by_id(store_or_id)

    def set_thing(thing: Any) -> None:
        if store is not None:
            at_home(store, lambda: getattr(store, f"set_{name}")(*ids, thing))

    set_memoized: Set = reacton.use_memo(lambda: set_thing, [store, name, *ids])
    return set_memoized


# Tables


def use_has_tables(store_or_id: StoreOrId = None) -> bool:
    """Whether there is any table."""
    return _use_view(store_or_id, "has_tables", (), False)


def use_tables(store_or_id: StoreOrId = None) -> Tables:
    """All tables."""
    return _use_view(store_or_id, "tables", (), {})


def use_tables_state(store_or_id: StoreOrId = None) -> tuple[Tables, Set]:
    """All tables, and what sets them."""
    return use_tables(store_or_id), _use_set(store_or_id, "tables")


def use_table_ids(store_or_id: StoreOrId = None) -> list[Id]:
    """The ids of all tables."""
    return _use_view(store_or_id, "table_ids", (), [])


def use_has_table(table_id: Id, store_or_id: StoreOrId = None) -> bool:
    """Whether a table exists."""
    return _use_view(store_or_id, "has_table", (table_id,), False)


def use_table(table_id: Id, store_or_id: StoreOrId = None) -> Table:
    """All rows of a table; empty if it does not exist."""
    return _use_view(store_or_id, "table", (table_id,), {})


def use_table_state(table_id: Id, store_or_id: StoreOrId = None) -> tuple[Table, Set]:
    """All rows of a table, and what sets them."""
    return use_table(table_id, store_or_id), _use_set(store_or_id, "table", table_id)


def use_table_cell_ids(table_id: Id, store_or_id: StoreOrId = None) -> list[Id]:
    """The ids of all cells that any row of a table has."""
    return _use_view(store_or_id, "table_cell_ids", (table_id,), [])


def use_has_table_cell(table_id: Id, cell_id: Id, store_or_id: StoreOrId = None) -> bool:
    """Whether any row of a table has a cell of this id."""
    return _use_view(store_or_id, "has_table_cell", (table_id, cell_id), False)


def use_row_count(table_id: Id, store_or_id: StoreOrId = None) -> int:
    """How many rows a table has."""
    return _use_view(store_or_id, "row_count", (table_id,), 0)


def use_row_ids(table_id: Id, store_or_id: StoreOrId = None) -> list[Id]:
    """The ids of all rows of a table."""
    return _use_view(store_or_id, "row_ids", (table_id,), [])


def use_sorted_row_ids(
    table_id: Id,
    cell_id: Id | None = None,
    descending: bool = False,
    offset: int = 0,
    limit: int | None = None,
    store_or_id: StoreOrId = None,
    *,
    sorter: Sorter | None = None,
) -> list[Id]:
    """A page of a table's row ids, sorted by a cell, or by themselves if ``cell_id`` is ``None``.

    A ``sorter``, as for ``Store.get_sorted_row_ids``, should be one function, not a new one in each drawing.
    """
    ids = (table_id, cell_id, descending, offset, limit)
    return _use_view(store_or_id, "sorted_row_ids", ids, [], sorter=sorter)


def use_has_row(table_id: Id, row_id: Id, store_or_id: StoreOrId = None) -> bool:
    """Whether a row exists."""
    return _use_view(store_or_id, "has_row", (table_id, row_id), False)


def use_row(table_id: Id, row_id: Id, store_or_id: StoreOrId = None) -> Row:
    """All cells of a row; empty if it does not exist."""
    return _use_view(store_or_id, "row", (table_id, row_id), {})


def use_row_state(table_id: Id, row_id: Id, store_or_id: StoreOrId = None) -> tuple[Row, Set]:
    """All cells of a row, and what sets them."""
    return use_row(table_id, row_id, store_or_id), _use_set(store_or_id, "row", table_id, row_id)


def use_cell_ids(table_id: Id, row_id: Id, store_or_id: StoreOrId = None) -> list[Id]:
    """The ids of all cells of a row."""
    return _use_view(store_or_id, "cell_ids", (table_id, row_id), [])


def use_has_cell(table_id: Id, row_id: Id, cell_id: Id, store_or_id: StoreOrId = None) -> bool:
    """Whether a cell exists."""
    return _use_view(store_or_id, "has_cell", (table_id, row_id, cell_id), False)


def use_cell(
    table_id: Id, row_id: Id, cell_id: Id, store_or_id: StoreOrId = None, *, default: Any = None
) -> Any:
    """A cell; ``default`` if it does not exist."""
    ids = (table_id, row_id, cell_id)
    return _use_view(store_or_id, "cell", ids, default, lambda store: store.get_cell(*ids, default))


def use_cell_state(
    table_id: Id, row_id: Id, cell_id: Id, store_or_id: StoreOrId = None, *, default: Any = None
) -> tuple[Any, Set]:
    """A cell, and what sets it."""
    cell = use_cell(table_id, row_id, cell_id, store_or_id, default=default)
    return cell, _use_set(store_or_id, "cell", table_id, row_id, cell_id)


# Values


def use_has_values(store_or_id: StoreOrId = None) -> bool:
    """Whether there is any value."""
    return _use_view(store_or_id, "has_values", (), False)


def use_values(store_or_id: StoreOrId = None) -> Values:
    """All values."""
    return _use_view(store_or_id, "values", (), {})


def use_values_state(store_or_id: StoreOrId = None) -> tuple[Values, Set]:
    """All values, and what sets them."""
    return use_values(store_or_id), _use_set(store_or_id, "values")


def use_value_ids(store_or_id: StoreOrId = None) -> list[Id]:
    """The ids of all values."""
    return _use_view(store_or_id, "value_ids", (), [])


def use_has_value(value_id: Id, store_or_id: StoreOrId = None) -> bool:
    """Whether a value exists."""
    return _use_view(store_or_id, "has_value", (value_id,), False)


def use_value(value_id: Id, store_or_id: StoreOrId = None, *, default: Any = None) -> Any:
    """A value; ``default`` if it does not exist."""
    return _use_view(
        store_or_id, "value", (value_id,), default, lambda store: store.get_value(value_id, default)
    )


def use_value_state(value_id: Id, store_or_id: StoreOrId = None, *, default: Any = None) -> tuple[Any, Set]:
    """A value, and what sets it."""
    return use_value(value_id, store_or_id, default=default), _use_set(store_or_id, "value", value_id)
