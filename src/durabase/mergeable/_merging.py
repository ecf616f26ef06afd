"""Merging into a store: a transaction in which stamps are merged, and then what they bring is applied.

Raw changes are not stamped meanwhile, for they have their stamps. It is given changes that may be merged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from durabase._collector import CollectorPause
from durabase.mergeable._merge import Outcome, Plain
from durabase.mergeable._restamping import restamp, restamp_all
from durabase.mergeable._stamping import Stamping
from durabase.mergeable._validate import StampedCell
from durabase.store._content import Content
from durabase.store._edits import Edits
from durabase.store._kinds import StoreListeners
from durabase.store._transaction import Transaction
from durabase.types import Changes, Id, MergeableChanges, MergeableContent

__all__ = ["Judge", "Merging"]

_FEW_ROWS: Final = 16

# What may be given.
_CELL: Final = 0
_CHANGES: Final = 1
_CONTENT: Final = 2
_NOTHING: Final = 3

Judge: TypeAlias = Callable[[Changes], Changes]
"""Given what would be applied, what may be: a part of it."""


class Merging:
    """The ways in which stamped things come into a store. In the final phase nothing happens.

    ``encoded``: objects and arrays may be in the encoded form.
    """

    __slots__ = ("_applying", "_content", "_edits", "_listeners", "_stamping", "_transaction")

    def __init__(
        self,
        stamping: Stamping,
        transaction: Transaction,
        content: Content,
        edits: Edits,
        listeners: StoreListeners,
    ) -> None:
        self._stamping = stamping
        self._transaction = transaction
        self._content = content
        self._edits = edits
        self._listeners = listeners
        self._applying = _Applying(edits)

    def merge_valid(self, changes: Any, encoded: bool) -> None:
        """Merge changes, or content, from outside; nothing happens if they may not be merged."""
        cell: Any = self._stamping.only_cell(changes)  # Any: compiled, a tuple's type would have it copied
        if cell is not None:
            self._run(_CELL, cell, False, None)
        elif self._stamping.accepts(changes, False, encoded):
            self.merge(changes, encoded)

    def merge(self, changes: MergeableChanges, encoded: bool) -> None:
        """Merge changes, or content."""
        self._run(_CHANGES, changes, encoded, None)

    def merge_together(self, several: list[Any]) -> bool:
        """Merge encoded changes from outside in one transaction; whether it could begin.

        What ``Stamping.only_cell`` found to be a cell may be given as such.
        """
        transaction = self._transaction
        if not transaction.begin():
            return False
        try:
            if transaction.is_mutating():
                for one in several:
                    self._merge_valid_one(one)
            else:
                self._merge_valid_ones(several)
        except BaseException as error:
            transaction.abort(error)
            raise
        transaction.finish()
        return True

    def _merge_valid_one(self, one: Any) -> None:
        if type(one) is tuple:
            self._run(_CELL, one, False, None)
        else:
            self.merge_valid(one, True)

    def _merge_valid_ones(self, several: list[Any]) -> None:
        """The same for each, but that what they have in common is done once."""
        stamping, edits = self._stamping, self._edits
        was_listening, stamping.listening = stamping.listening, False
        was_encoded = edits.accept_encoded(True)
        try:
            with CollectorPause():
                stamping.upper_bound()  # the time at which all are merged
                for one in several:
                    if type(one) is tuple:
                        self._merge_cell(one)
                    elif stamping.accepts(one, False, True):
                        stamping.merge(one, self._applying)
        finally:
            edits.accept_encoded(was_encoded)
            stamping.listening = was_listening

    def merge_judged(self, changes: MergeableChanges, judge: Judge) -> None:
        """Merge encoded changes and apply what ``judge`` leaves of them; the rest gets newer stamps."""
        self._run(_CHANGES, changes, True, judge)

    def replace(self, content: MergeableContent, encoded: bool) -> None:
        """Take content, hashes and all, in place of what there is."""
        self._run(_CONTENT, content, encoded, None)

    def restamp(self) -> None:
        """Give newer stamps to what the store holds otherwise than they say."""
        self._run(_NOTHING, None, False, None)

    def _run(self, kind: int, given: Any, encoded: bool, judge: Judge | None) -> None:
        stamping, transaction = self._stamping, self._transaction
        was_listening, stamping.listening = stamping.listening, False
        try:
            if transaction.begin():
                try:
                    if kind == _CELL:
                        self._merge_cell(given)
                    elif kind == _CHANGES and _is_small(given):
                        self._take(kind, given, encoded, judge)
                    else:
                        with CollectorPause():
                            self._take(kind, given, encoded, judge)
                except BaseException as error:
                    transaction.abort(error)
                    raise
                transaction.finish()
        finally:
            stamping.listening = was_listening

    def _merge_cell(self, cell: StampedCell) -> None:
        """The same as ``_take`` for changes of just this cell."""
        table_id, row_id, cell_id, thing, hlc = cell
        if self._stamping.merge_cell(table_id, row_id, cell_id, thing, hlc):
            self._edits.set_cell(table_id, row_id, cell_id, thing)

    def _take(self, kind: int, changes: Any, encoded: bool, judge: Judge | None) -> None:
        if kind == _NOTHING:
            restamp_all(self._stamping, self._content)
        elif kind == _CONTENT:
            self._edits.delete_tables()
            self._edits.delete_values()
            self._apply(self._stamping.replace(changes), encoded)
        elif judge is not None or self._can_fill() or self._transaction.is_mutating():
            plain = Plain()
            self._stamping.merge(changes, plain)
            proposed = plain.changes()
            if judge is None:
                self._apply(proposed, encoded)
            else:
                self._apply(judge(proposed), encoded)
                restamp(self._stamping, self._content, proposed)
        else:
            self._merge_and_apply(changes, encoded)

    def _merge_and_apply(self, changes: MergeableChanges, encoded: bool) -> None:
        """Row by row; the same as one after the other, for what is applied is not stamped."""
        was_encoded = self._edits.accept_encoded(True) if encoded else None
        try:
            self._stamping.merge(changes, self._applying)
        finally:
            if was_encoded is not None:
                self._edits.accept_encoded(was_encoded)

    def _apply(self, changes: Changes, encoded: bool) -> None:
        edits = self._edits
        was_encoded = edits.accept_encoded(True) if encoded else None
        try:
            if self._can_fill():
                edits.fill(changes)
            else:
                for table_id, rows in changes[0].items():
                    for row_id, cells in rows.items():
                        edits.apply_row(table_id, row_id, cells)
                edits.apply_values(changes[1])
        finally:
            if was_encoded is not None:
                edits.accept_encoded(was_encoded)

    def _can_fill(self) -> bool:
        """Whether content can be filled at once: nobody can see how it comes about, only what comes of it."""
        return (
            not self._content.tables
            and self._transaction.depth == 1
            and not self._listeners.count
            and self._edits.can_fill()
        )


def _is_small(changes: MergeableChanges) -> bool:
    """Whether so little is merged that the collector hardly ever runs meanwhile."""
    rows = 0
    tables: dict[Any, Any] = changes[0][0]
    for table in tables.values():
        rows += len(table[0])
    return rows <= _FEW_ROWS


class _Applying(Outcome):
    """Applies merged changes as they come."""

    __slots__ = ("_edits",)

    def __init__(self, edits: Edits) -> None:
        self._edits = edits

    def row(self, table_id: Id, row_id: Id, cells: dict[Id, Any]) -> None:
        self._edits.apply_row(table_id, row_id, cells)

    def values(self, values: dict[Id, Any]) -> None:
        self._edits.apply_values(values)
