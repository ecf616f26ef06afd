"""What a transaction has done to the stamps, so that it can be undone, or saved.

Entries are plain tuples, for there is one for each thing that is stamped: first what kind it is, then
what the handlers of that kind take. They are undone in reverse order, hence each needs to know only
what it found. Hashes that are settled outside of a transaction are never unsettled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from durabase.mergeable.stamps import BranchStamps, ContentStamps, Stamp, StampNode, ThingStamps
from durabase.types import Id

__all__ = ["CellIds", "Journal"]

CellIds: TypeAlias = dict[Id, dict[Id, dict[Id, None]]]
"""Ids of cells by table and row, in order; a row or table may be empty."""

_PUT: Final = 0
_ENTER: Final = 1
_LEAVE: Final = 2
_HLC: Final = 3
_SETTLING: Final = 4

_Entry: TypeAlias = tuple[Any, ...]


class Journal:
    """The journal of a store's running transaction, if there is one."""

    __slots__ = ("_entries", "_recording")

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._recording = False

    def begin(self) -> None:
        """A transaction starts."""
        self._recording = True

    def end(self) -> None:
        """A transaction ends: forget it."""
        self._recording = False
        self._entries.clear()

    def put(self, things: ThingStamps, id_: Id, old: Stamp | None, fresh: bool) -> None:
        """A thing gets a stamp in place of ``old``. ``fresh``: it was not pending before."""
        self._entries.append((_PUT, things, id_, old, fresh))

    def enter(self, branch: BranchStamps[Any], id_: Id, created: bool) -> None:
        """A child is mentioned in changes, and made if ``created``."""
        self._entries.append((_ENTER, branch, id_, created))

    def leave(self, branch: BranchStamps[Any], id_: Id, fresh: bool) -> None:
        """A child becomes pending (``fresh``), or its contribution to the branch's hash toggles."""
        self._entries.append((_LEAVE, branch, id_, fresh, branch.hash))

    def raise_hlc(self, node: StampNode) -> None:
        """The HLC of a container, and so its hash, is going to change."""
        self._entries.append((_HLC, node, node.hlc, node.hash, node.pending))

    def settle(self, node: StampNode) -> None:
        """The hash of a node is going to be settled."""
        if self._recording:
            self._entries.append((_SETTLING, node, node.hlc, node.hash, node.pending))

    def undo(self) -> None:
        """Bring everything back to where it was at the beginning."""
        while self._entries:
            entry = self._entries.pop()
            _UNDO[entry[0]](*entry[1:])

    def stamped(self, content: ContentStamps) -> tuple[CellIds, dict[Id, None]]:
        """The ids of the cells and of the values that got stamps in this transaction, in order.

        With the cells are rows and tables whose own HLC, or contribution to the hash above, has changed.
        """
        found = _Stamped(content)
        for entry in self._entries:
            kind = entry[0]
            if kind == _PUT:
                found.put(entry[1], entry[2])
            elif kind == _ENTER:
                found.enter(entry[1], entry[2])
            elif kind == _LEAVE:
                found.leave(entry[1])
            elif kind == _HLC:
                found.raise_hlc(entry[1])
        return found.cells, found.values


class _Stamped:
    """Collects ids from a journal's entries: those between entering and leaving a row belong to it."""

    __slots__ = ("_content", "_row_id", "_table_id", "cells", "values")

    def __init__(self, content: ContentStamps) -> None:
        self._content = content
        self._table_id = self._row_id = ""
        self.cells: CellIds = {}
        self.values: dict[Id, None] = {}

    def put(self, things: ThingStamps, id_: Id) -> None:
        ids = self.values if things is self._content.values else self._row()
        ids[id_] = None

    def enter(self, branch: StampNode, id_: Id) -> None:
        if branch is self._content.tables:
            self._table_id = id_
        else:
            self._row_id = id_

    def leave(self, branch: StampNode) -> None:
        self._note(branch is self._content.tables)

    def raise_hlc(self, node: StampNode) -> None:
        if node is not self._content.tables and node is not self._content.values:
            self._note(isinstance(node, BranchStamps))

    def _note(self, is_table: bool) -> None:
        if is_table:
            self.cells.setdefault(self._table_id, {})
        else:
            self._row()

    def _row(self) -> dict[Id, None]:
        return self.cells.setdefault(self._table_id, {}).setdefault(self._row_id, {})


def _undo_put(things: ThingStamps, id_: Id, old: Stamp | None, fresh: bool) -> None:
    if old is None:
        del things.children[id_]
    else:
        things.children[id_] = old
    _undo_pending(things, id_, fresh)


def _undo_enter(branch: BranchStamps[Any], id_: Id, created: bool) -> None:
    if created:
        del branch.children[id_]


def _undo_leave(branch: BranchStamps[Any], id_: Id, fresh: bool, hash_: int) -> None:
    branch.hash = hash_
    _undo_pending(branch, id_, fresh)


def _undo_state(node: StampNode, hlc: str, hash_: int, pending: dict[Id, int] | None) -> None:
    node.hlc = hlc
    node.hash = hash_
    node.pending = pending


def _undo_pending(node: StampNode, id_: Id, fresh: bool) -> None:
    if fresh and node.pending is not None:
        del node.pending[id_]


_UNDO: Final[dict[int, Callable[..., None]]] = {
    _PUT: _undo_put,
    _ENTER: _undo_enter,
    _LEAVE: _undo_leave,
    _HLC: _undo_state,
    _SETTLING: _undo_state,
}
