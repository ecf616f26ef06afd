"""A table of a store as a widget for notebooks: live, sortable, editable, a page at a time.

It runs wherever anywidget does: Jupyter, VS Code, Colab, marimo, Solara. The page that is shown goes to
the browser as JSON text, so that all types of cells arrive as they are; edits come back as messages, and
are checked here, for a browser is not to be trusted more than any other client.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

from durabase._codec import unique_id
from durabase.store import Store
from durabase.types import UNDEFINED, Id, Row
from durabase.ui._homes import StoreOrHome, at_home, store_of
from durabase.ui._screens import RenderScreen
from durabase.ui._views import View, is_same

__all__ = ["LiveTable"]

_FRONT: Final = Path(__file__).with_name("live_table.js")
_STYLE: Final = Path(__file__).with_name("live_table.css")


class LiveTable(anywidget.AnyWidget):
    """Shows a table, follows it, and lets it be edited.

    Args:
        store: the store, or what it is reached through.
        table_id: the table; it need not exist yet.
        cell_ids: the columns; unset, all that there are.
        sort_by: the column to sort by; unset, rows stand in the order of the table.
        descending: the other way round.
        limit: how many rows a page has.
        editable: whether cells can be changed and rows deleted.
        new_row: what a new row has; with it there is a button to add one.
    """

    _esm = _FRONT.read_text("utf-8")
    _css = _STYLE.read_text("utf-8")

    page = traitlets.Unicode().tag(sync=True)
    """What is shown: JSON text of ``{"columns": […], "rows": [[id, {cell_id: cell}], …], "total": …}``."""
    sort_by = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    descending = traitlets.Bool(False).tag(sync=True)
    offset = traitlets.Int(0, min=0).tag(sync=True)
    limit = traitlets.Int(20, min=1, max=1000).tag(sync=True)
    editable = traitlets.Bool(True).tag(sync=True)
    can_add = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        store: StoreOrHome,
        table_id: Id,
        *,
        cell_ids: list[Id] | None = None,
        sort_by: Id | None = None,
        descending: bool = False,
        limit: int = 20,
        editable: bool = True,
        new_row: Row | None = None,
    ) -> None:
        super().__init__(
            sort_by=sort_by,
            descending=descending,
            limit=limit,
            editable=editable,
            can_add=editable and new_row is not None,
        )
        self._reached_through = store  # which nobody else may hold
        self._store: Store = store_of(store)
        self._table_id = table_id
        self._cell_ids = cell_ids
        self._new_row = new_row
        self._may_edit = editable
        self._lock = threading.RLock()
        self._view = View(self._store, "table", (table_id,), self._read)
        self._view.open(RenderScreen(nullcontext()), self._show)
        self._show()
        self.observe(self._turn_page, ["sort_by", "descending", "offset", "limit"])
        self.on_msg(self._take_message)

    def close(self) -> None:
        """Stop following the store, and be gone."""
        if hasattr(self, "_view"):
            self._view.close()
        super().close()

    # From the store to the browser

    def _read(self) -> str:
        store, table_id = self._store, self._table_id
        total = store.get_row_count(table_id)
        columns = store.get_table_cell_ids(table_id) if self._cell_ids is None else self._cell_ids
        rows = [[row_id, _part(store.get_row(table_id, row_id), columns)] for row_id in self._row_ids()]
        return json.dumps({"columns": columns, "rows": rows, "total": total})

    def _row_ids(self) -> list[Id]:
        start, end = self.offset, self.offset + self.limit
        if self.sort_by is not None:
            return self._store.get_sorted_row_ids(
                self._table_id, self.sort_by, self.descending, start, self.limit
            )
        row_ids = self._store.get_row_ids(self._table_id)
        return (row_ids[::-1] if self.descending else row_ids)[start:end]

    def _show(self) -> None:
        with self._lock:
            self.page = self._view.snapshot

    def _turn_page(self, _change: object) -> None:
        at_home(self._store, self._view.refresh)
        self._show()

    # From the browser to the store

    def _take_message(self, _widget: object, message: Any, _buffers: object) -> None:
        refusal = self._refusal_of(message)
        if refusal is None and not at_home(self._store, lambda: self._edit(message)):
            refusal = "the store does not take this"
        if refusal is not None:
            self.send({"kind": "refused", "why": refusal, "edit": message})

    def _refusal_of(self, message: Any) -> str | None:
        if not self._may_edit:
            return "this table can't be edited"
        kind = message.get("kind") if isinstance(message, Mapping) else None
        needed = _NEEDED.get(kind) if isinstance(kind, str) else None
        if needed is None or not all(isinstance(message.get(name), str) for name in needed):
            return "this is no edit"
        if kind == "add" and self._new_row is None:
            return "rows can't be added"
        if kind == "set" and self._cell_ids is not None and message["cell"] not in self._cell_ids:
            return "this column is not shown"
        return None

    def _edit(self, message: Mapping[str, Any]) -> bool:
        """Do what a valid message asks for; whether the store has taken it."""
        store, table_id = self._store, self._table_id
        if message["kind"] == "add":
            row_id = unique_id()
            return store.set_row(table_id, row_id, self._new_row or {}).has_row(table_id, row_id)
        row_id = message["row"]
        if message["kind"] == "delete":
            return not store.del_row(table_id, row_id).has_row(table_id, row_id)
        if not store.has_row(table_id, row_id):
            return False  # somebody has deleted it meanwhile
        cell_id, cell = message["cell"], message.get("value", UNDEFINED)
        if cell is UNDEFINED:
            return not store.del_cell(table_id, row_id, cell_id).has_cell(table_id, row_id, cell_id)
        store.set_cell(table_id, row_id, cell_id, cell)
        return is_same(store.get_cell(table_id, row_id, cell_id, UNDEFINED), cell)


_NEEDED: Final = {"set": ("row", "cell"), "delete": ("row",), "add": ()}


def _part(row: Row, columns: list[Id]) -> Row:
    return {cell_id: row[cell_id] for cell_id in columns if cell_id in row}
