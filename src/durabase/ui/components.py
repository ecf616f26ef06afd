"""Tables of a store as HTML tables: components for Solara, as TinyBase's ``ui-react-dom`` has them.

Every cell is a component of its own, so that a change of one draws that one anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import reacton
from reacton import ipyvuetify as v
from reacton.ipyvue import use_event

from durabase._codec import json_text
from durabase.types import UNDEFINED, Id
from durabase.ui._provided import StoreOrId
from durabase.ui._reading import (
    use_cell,
    use_row_count,
    use_row_ids,
    use_sorted_row_ids,
    use_table_cell_ids,
    use_value,
    use_value_ids,
)

__all__ = ["ExtraRowCell", "SortedTableInHtmlTable", "TableInHtmlTable", "ValuesInHtmlTable"]

CustomCells: TypeAlias = Sequence[Id] | Mapping[Id, str] | None
"""The cells that are shown, in this order; a mapping also says what stands at their heads."""


@dataclass(frozen=True)
class ExtraRowCell:
    """A column that is no cell.

    Args:
        label: what stands at its head.
        component: a component that is called as ``component(table_id, row_id)``.
    """

    label: str
    component: Callable[[Id, Id], Any]


@reacton.component
def TableInHtmlTable(  # noqa: N802 (components are written like classes)
    table_id: Id,
    store: StoreOrId = None,
    custom_cells: CustomCells = None,
    extra_cells_after: Sequence[ExtraRowCell] = (),
    id_column: bool = True,
) -> Any:
    """A table, its rows in the table's order.

    Args:
        table_id: which it is.
        store: where it is; unset, in the default store of the provider.
        custom_cells: which cells are shown; unset, all that the table has.
        extra_cells_after: more columns, such as buttons.
        id_column: whether there is a column of row ids.
    """
    row_ids = use_row_ids(table_id, store)
    columns = _columns(custom_cells, use_table_cell_ids(table_id, store))
    labels = [
        *(["Id"] if id_column else []),
        *columns.values(),
        *(extra.label for extra in extra_cells_after),
    ]
    rows = [
        _Row(table_id, row_id, store, list(columns), extra_cells_after, id_column).key(f"row {row_id}")
        for row_id in row_ids
    ]
    return _table([_Head(label) for label in labels], rows)


@reacton.component
def SortedTableInHtmlTable(  # noqa: N802
    table_id: Id,
    cell_id: Id | None = None,
    descending: bool = False,
    offset: int = 0,
    limit: int | None = None,
    store: StoreOrId = None,
    custom_cells: CustomCells = None,
    extra_cells_after: Sequence[ExtraRowCell] = (),
    id_column: bool = True,
    sort_on_click: bool = False,
    paginator: bool = False,
) -> Any:
    """A table sorted by a cell, a page of it.

    Args:
        table_id: which it is.
        cell_id: what it is sorted by at first; unset, by row ids.
        descending: the other way round.
        offset: how many rows are skipped at first. limit: how many a page has; unset, all.
        store: where it is; unset, in the default store of the provider.
        custom_cells: which cells are shown; unset, all that the table has.
        extra_cells_after: more columns, such as buttons.
        id_column: whether there is a column of row ids.
        sort_on_click: whether a click on a head sorts by that column.
        paginator: whether there are buttons that turn the pages.
    """
    (by, is_descending), set_sorting = reacton.use_state((cell_id, descending))
    start, set_start = reacton.use_state(offset)
    total = use_row_count(table_id, store)
    start = max(0, min(start, total - 1))
    row_ids = use_sorted_row_ids(table_id, by, is_descending, start, limit, store)
    columns = _columns(custom_cells, use_table_cell_ids(table_id, store))

    def sort(column: Id | None) -> None:
        set_sorting((column, column == by and not is_descending))

    def head(column: Id | None, label: str) -> Any:
        mark = "" if column != by else ("↓ " if is_descending else "↑ ")
        return _Head(mark + label, (lambda: sort(column)) if sort_on_click else None)

    heads = [head(None, "Id")] if id_column else []
    heads += [head(column, label) for column, label in columns.items()]
    heads += [_Head(extra.label) for extra in extra_cells_after]
    rows = [
        _Row(table_id, row_id, store, list(columns), extra_cells_after, id_column).key(f"row {row_id}")
        for row_id in row_ids
    ]
    pages = _Paginator(start, len(row_ids), total, limit or max(total, 1), set_start)
    return _table(heads, rows, [pages] if paginator else [])


@reacton.component
def ValuesInHtmlTable(store: StoreOrId = None) -> Any:  # noqa: N802
    """The values, each with its id.

    Args:
        store: where they are; unset, in the default store of the provider.
    """
    rows = [_ValueRow(value_id, store).key(f"value {value_id}") for value_id in use_value_ids(store)]
    return _table([_Head("Id"), _Head("Value")], rows)


@reacton.component
def _Row(  # noqa: N802
    table_id: Id,
    row_id: Id,
    store: StoreOrId,
    cell_ids: list[Id],
    extra_cells: Sequence[ExtraRowCell],
    id_column: bool,
) -> Any:
    cells = [_html("th", [row_id])] if id_column else []
    cells += [_Cell(table_id, row_id, cell_id, store).key(f"cell {cell_id}") for cell_id in cell_ids]
    cells += [_html("td", [extra.component(table_id, row_id)]) for extra in extra_cells]
    return _html("tr", cells)


@reacton.component
def _Cell(table_id: Id, row_id: Id, cell_id: Id, store: StoreOrId) -> Any:  # noqa: N802
    return _html("td", [_text(use_cell(table_id, row_id, cell_id, store, default=UNDEFINED))])


@reacton.component
def _ValueRow(value_id: Id, store: StoreOrId) -> Any:  # noqa: N802
    value = use_value(value_id, store, default=UNDEFINED)
    return _html("tr", [_html("th", [value_id]), _html("td", [_text(value)])])


@reacton.component
def _Paginator(  # noqa: N802
    start: int, count: int, total: int, limit: int, set_start: Callable[[int], None]
) -> Any:
    rows = "1 row" if total == 1 else f"{total} rows"
    shown = rows if count == total else f"{start + 1} to {start + count} of {rows}"
    if count == total:
        return _html("caption", [shown])
    previous = _Button("←", lambda: set_start(max(0, start - limit)), start == 0)
    following = _Button("→", lambda: set_start(start + limit), start + count >= total)
    return _html("caption", [previous, following, f" {shown}"])


def _columns(custom_cells: CustomCells, cell_ids: list[Id]) -> dict[Id, str]:
    """The ids of the cells that are shown, each with what stands at its head."""
    if isinstance(custom_cells, Mapping):
        return dict(custom_cells)
    return {cell_id: cell_id for cell_id in (cell_ids if custom_cells is None else custom_cells)}


def _text(thing: Any) -> str:
    """A thing as the original's components show it."""
    if thing is UNDEFINED:
        return ""
    return thing if isinstance(thing, str) else json_text(thing)


def _html(tag: str, children: list[Any], **attributes: Any) -> Any:
    return v.Html(tag=tag, children=children, attributes=attributes)


def _table(heads: list[Any], rows: list[Any], captions: Sequence[Any] = ()) -> Any:
    parts = [_html("thead", [_html("tr", heads)]), _html("tbody", rows)]
    return _html("table", [*captions, *parts])


@reacton.component
def _Head(label: str, on_click: Callable[[], None] | None = None) -> Any:  # noqa: N802
    head = _html("th", [label], scope="col")
    use_event(head, "click", lambda *_: None if on_click is None else on_click())
    return head


@reacton.component
def _Button(label: str, on_click: Callable[[], None], is_disabled: bool) -> Any:  # noqa: N802
    button = _html("button", [label], disabled=is_disabled)
    use_event(button, "click", lambda *_: on_click())
    return button
