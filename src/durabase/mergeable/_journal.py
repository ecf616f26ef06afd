"""What a transaction has done to the stamps, so that it can be undone, or saved.

Entries are plain tuples, for there is one for each thing that is stamped. They are undone in reverse
order, hence each needs to know only what it found. Hashes that are settled outside of a transaction are
never unsettled.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from durabase.mergeable.stamps import BranchStamps, ContentStamps, Stamp, StampNode, ThingStamps
from durabase.types import Id

__all__ = ["CellIds", "Journal"]

CellIds: TypeAlias = dict[Id, dict[Id, dict[Id, None]]]
"""Ids of cells by table and row, in order; a row or table may be empty."""

_PUT: Final = 0
_PUT_FRESH: Final = 1
_CREATE: Final = 2
_TOGGLE: Final = 3
_LEAVE_FRESH: Final = 4
_HLC: Final = 5
_SETTLING: Final = 6
_FILL: Final = 7

_State: TypeAlias = tuple[str, int, dict[Id, int] | None, bool]
"""HLC, hash, what is pending and whether nothing is folded in."""
_Entry: TypeAlias = tuple[int, Id, Id, Any, Id, Any]
"""What was done, in which table and row, to which node and which of its children, and what was found."""


class Journal:
    """The journal of a store's running transaction, if there is one.

    ``table_id`` and ``row_id`` are where things of tables are being stamped: to be set before.
    """

    __slots__ = ("_entries", "_recording", "row_id", "table_id")

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._recording = False
        self.table_id: Id = ""
        self.row_id: Id = ""

    def begin(self) -> None:
        """A transaction starts."""
        self._recording = True

    def end(self) -> None:
        """A transaction ends: forget it."""
        self._recording = False
        self._entries.clear()

    def put(self, things: ThingStamps, id_: Id, old: Stamp | None, fresh: bool) -> None:
        """A thing gets a stamp in place of ``old``. ``fresh``: it was not pending before."""
        kind = _PUT_FRESH if fresh else _PUT
        self._entries.append((kind, self.table_id, self.row_id, things, id_, old))

    def fill(self, things: ThingStamps) -> None:
        """Things get stamps where there were none."""
        self._entries.append((_FILL, self.table_id, self.row_id, things, "", None))

    def create(self, branch: BranchStamps[Any], id_: Id) -> None:
        """A child is going to be made."""
        self._entries.append((_CREATE, self.table_id, self.row_id, branch, id_, None))

    def leave(self, branch: BranchStamps[Any], id_: Id, fresh: bool) -> None:
        """A child becomes pending (``fresh``), or its contribution to the branch's hash toggles."""
        kind = _LEAVE_FRESH if fresh else _TOGGLE
        self._entries.append((kind, self.table_id, self.row_id, branch, id_, branch.hash))

    def raise_hlc(self, node: StampNode) -> None:
        """The HLC of a container, and so its hash, is going to change."""
        self._entries.append((_HLC, self.table_id, self.row_id, node, "", _state_of(node)))

    def settle(self, node: StampNode) -> None:
        """The hash of a node, or how it is noted what it does not contain, is going to be settled."""
        if self._recording:
            self._entries.append((_SETTLING, "", "", node, "", _state_of(node)))

    def undo(self) -> None:
        """Bring everything back to where it was at the beginning."""
        while self._entries:
            kind, _, _, node, id_, found = self._entries.pop()
            if kind in (_HLC, _SETTLING):
                node.hlc, node.hash, node.pending, node.unfolded = found
                continue
            if kind == _FILL:
                node.children, node.unfolded = {}, False
                continue
            if kind in (_TOGGLE, _LEAVE_FRESH):
                node.hash = found
            elif found is None:
                del node.children[id_]
                if not node.children:
                    node.unfolded = False
            else:
                node.children[id_] = found
            if kind in (_PUT_FRESH, _LEAVE_FRESH) and node.pending is not None:
                del node.pending[id_]

    def stamped(self, content: ContentStamps) -> tuple[CellIds, dict[Id, None]]:
        """The ids of the cells and of the values that got stamps in this transaction, in order.

        With the cells are rows and tables whose own HLC, or contribution to the hash above, has changed.
        """
        cells: CellIds = {}
        values: dict[Id, None] = {}
        for kind, table_id, row_id, node, id_, _ in self._entries:
            if kind in (_CREATE, _SETTLING):
                continue
            if node is content.values:
                _note_things(values, kind, node, id_)
            elif node is content.tables:
                if kind != _HLC:
                    cells.setdefault(table_id, {})
            elif kind == _HLC and isinstance(node, BranchStamps):
                cells.setdefault(table_id, {})
            else:
                row = cells.setdefault(table_id, {}).setdefault(row_id, {})
                _note_things(row, kind, node, id_)
        return cells, values


def _note_things(ids: dict[Id, None], kind: int, node: Any, id_: Id) -> None:
    if kind == _FILL:
        ids.update(dict.fromkeys(node.children))
    elif kind in (_PUT, _PUT_FRESH):
        ids[id_] = None


def _state_of(node: StampNode) -> _State:
    return node.hlc, node.hash, node.pending, node.unfolded
