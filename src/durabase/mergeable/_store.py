"""A Store whose writes are stamped, so that it can be merged with others of its kind.

A façade over ``_stamping`` and ``Store``: whatever way it is written to, each cell and value gets a
stamp; changes of others are merged by their stamps. Two stores that have seen the same changes, in
any order and however often, have equal content and equal hashes. Behaviour is TinyBase 10.0.1's, but
that hashes are computed when they are asked for, and that a thing that cannot be decoded raises a
``ContentError``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Self

from durabase._collector import CollectorPause
from durabase.clock import Clock
from durabase.mergeable import _diffs
from durabase.mergeable._ahead import held_later, split_ahead
from durabase.mergeable._journal import CellIds
from durabase.mergeable._merge import newer_things
from durabase.mergeable._merging import Judge, Merging
from durabase.mergeable._pieces import pieces_of
from durabase.mergeable._receiving import ChangesReceiver
from durabase.mergeable._shapes import as_encoded, as_public, changes_shape
from durabase.mergeable._stamping import Stamping
from durabase.mergeable.hashes import Hash
from durabase.mergeable.stamps import ContentStamps
from durabase.store._store import Store
from durabase.types import Changes, Content, Id, MergeableChanges, MergeableContent

__all__ = ["MergeableStore"]

_CHECKS_A_MERGE: Final = 16
"""So many times quicker it is to check a cell than to merge it, and save it."""


class MergeableStore(ChangesReceiver, Store):
    """A store that can be merged with others.

    Args:
        unique_id: distinguishes this store from all it is ever merged with; random if left out.
        clock: what tells the time; the system's if left out.

    >>> ours, theirs = MergeableStore("ours"), MergeableStore("theirs")
    >>> _ = ours.set_cell("pets", "fido", "species", "dog")
    >>> _ = theirs.set_cell("pets", "fido", "age", 5)
    >>> ours.merge(theirs).get_tables() == theirs.get_tables()
    True
    """

    def __init__(self, unique_id: Id | None = None, *, clock: Clock | None = None) -> None:
        self._stamping = Stamping(unique_id, clock)
        super().__init__(self._stamping)
        self._merging = Merging(
            self._stamping, self._transaction, self._content, self._edits, self._listeners
        )

    def is_mergeable(self) -> bool:
        """Whether this is a MergeableStore."""
        return True

    # -- stamped content

    def get_mergeable_content(self) -> MergeableContent:
        """Everything with HLCs and hashes, deleted things included.

        Raises:
            ContentError: a merged thing says that it is encoded JSON but is not.
        """
        with CollectorPause():
            return self._stamping.content(as_public)

    def set_mergeable_content(self, mergeable_content: MergeableContent) -> Self:
        """Replace everything, trusting the hashes given; no-op if any of it is malformed."""
        return self._replace(mergeable_content, encoded=False)

    def set_default_content(self, content: Content | Callable[[], Content]) -> Self:
        """Set content that gives way to whatever is merged or written later: it is stamped ``""``."""
        return self._do(self._set_default_now, content)

    def get_transaction_mergeable_changes(self, with_hashes: bool = False) -> MergeableChanges:
        """The present stamps of the cells and values that the running transaction has touched."""
        return self._touched(with_hashes, as_public)

    def merge(self, mergeable_store: MergeableStore) -> Self:
        """Merge with another store, both ways.

        Objects and arrays merge with equal content but, as in the original, other hashes than they
        have through a synchronizer.
        """
        ours = self.get_mergeable_content()
        theirs = mergeable_store.get_mergeable_content()
        mergeable_store.apply_mergeable_changes(ours)
        return self.apply_mergeable_changes(theirs)

    # -- hashes, and differences from another store's

    def get_mergeable_content_hashes(self) -> list[Hash]:
        """The hashes of the tables and of the values: equal in two stores with equal content."""
        stamps = self._stamping.settle()
        return [stamps.tables.hash, stamps.values.hash]

    def get_mergeable_table_hashes(self) -> dict[Id, Hash]:
        """The hash of each table."""
        return _diffs.table_hashes(self._stamping.settle())

    def get_mergeable_table_diff(self, other_table_hashes: Mapping[Id, Hash]) -> list[Any]:
        """``[tables stamp of the tables they lack, our hashes of those that differ]``."""
        with CollectorPause():
            return [*_diffs.table_diff(self._stamping.settle(), other_table_hashes)]

    def get_mergeable_row_hashes(
        self, other_differing_table_hashes: Mapping[Id, Hash]
    ) -> dict[Id, dict[Id, Hash]]:
        """The hash of each row of those tables whose hash differs from the one given."""
        return _diffs.row_hashes(self._stamping.settle(), other_differing_table_hashes)

    def get_mergeable_row_diff(self, other_table_row_hashes: Mapping[Id, Mapping[Id, Hash]]) -> list[Any]:
        """``[tables stamp of the rows they lack, our hashes of those that differ]``."""
        with CollectorPause():
            return [*_diffs.row_diff(self._stamping.settle(), other_table_row_hashes)]

    def get_mergeable_cell_hashes(
        self, other_differing_row_hashes: Mapping[Id, Mapping[Id, Hash]]
    ) -> dict[Id, dict[Id, dict[Id, Hash]]]:
        """The hash of each cell of those rows whose hash differs from the one given."""
        return _diffs.cell_hashes(self._stamping.settle(), other_differing_row_hashes)

    def get_mergeable_cell_diff(
        self, other_table_row_cell_hashes: Mapping[Id, Mapping[Id, Mapping[Id, Hash]]]
    ) -> list[Any]:
        """The tables stamp of the cells, of the rows named, that differ or that they lack."""
        with CollectorPause():
            return _diffs.cell_diff(self._stamping.settle(), other_table_row_cell_hashes)

    def get_mergeable_value_hashes(self) -> dict[Id, Hash]:
        """The hash of each value."""
        return _diffs.value_hashes(self._stamping.settle())

    def get_mergeable_value_diff(self, other_value_hashes: Mapping[Id, Hash]) -> list[Any]:
        """The values stamp of the values that differ or that they lack."""
        return _diffs.value_diff(self._stamping.settle(), other_value_hashes)

    # -- for persisters and synchronizers

    def _had_mutated(self) -> bool:
        """Whether a mutator listener has written since this was last asked."""
        mutated, self._stamping.mutated = self._stamping.mutated, False
        return mutated

    def _get_encoded_mergeable_content(self) -> MergeableContent:
        """Like ``get_mergeable_content``, things in encoded form."""
        with CollectorPause():
            return self._stamping.content(as_encoded)

    def _get_encoded_transaction_mergeable_changes(self, with_hashes: bool) -> MergeableChanges:
        """Like ``get_transaction_mergeable_changes``, things in encoded form."""
        return self._touched(with_hashes, as_encoded)

    def _get_encoded_transaction_stamp_changes(self, with_hashes: bool = True) -> MergeableChanges:
        """All stamps that the running transaction has set: what to save of it, or to tell of it.

        More than what was touched: also later stamps of equal things, and deletions of what never was
        there, without which the hashes could not be had again. If all content was replaced it is all.
        """
        return self._get_encoded_stamps(*self._get_transaction_stamp_ids(), with_hashes)

    def _get_transaction_stamp_ids(self) -> tuple[CellIds, dict[Id, None]]:
        """The ids of the cells and values that ``_get_encoded_transaction_stamp_changes`` would give."""
        return self._stamping.stamped()

    def _get_encoded_stamps(
        self, cells: CellIds, values: Iterable[Id], with_hashes: bool = True
    ) -> MergeableChanges:
        """The present stamps of some cells and values."""
        stamps = self._stamping.settle() if with_hashes else self._stamping.stamps
        return changes_shape(stamps, cells, values, with_hashes=with_hashes, decode=as_encoded)

    def _settled_stamps(self) -> ContentStamps:
        """All stamps, with their hashes; to be looked at only."""
        return self._stamping.settle()

    def _set_encoded_mergeable_content(self, mergeable_content: MergeableContent) -> Self:
        """Like ``set_mergeable_content``, things in encoded form."""
        return self._replace(mergeable_content, encoded=True)

    def _apply_encoded_mergeable_changes(self, changes: MergeableChanges | MergeableContent) -> Self:
        """Like ``apply_mergeable_changes``, things in encoded form."""
        self._merging.merge_valid(changes, True)
        return self

    def _apply_encoded_mergeable_changes_together(self, several: list[Any]) -> bool:
        """Like ``_apply_encoded_mergeable_changes`` for each of several, as one transaction.

        Changes of one cell may be given as what ``Stamping.only_cell`` has made of them.
        Returns whether it was done: it can't be in the final phase of another transaction.
        """
        return self._merging.merge_together(several)

    def _encoded_mergeable_changes_in_slices(self, changes: MergeableChanges, things: int) -> Iterator[None]:
        """Like ``_apply_encoded_mergeable_changes``, slice by slice, so many cells and values in each.

        Each is a transaction of its own, so whoever listens sees them come one by one. Nothing is merged
        before all have been checked. The caller may do other things between them.
        """
        for piece in pieces_of(changes, things * _CHECKS_A_MERGE):
            if not self._stamping.accepts(piece, False, True):
                return
            yield
        for piece in pieces_of(changes, things):
            self._merging.merge(piece, True)
            yield

    def _get_hash(self, ids: Sequence[Id], *, is_value: bool) -> Hash:
        """The hash of all tables or values, or of the table, row, cell or value of these ids; 0 if absent."""
        stamps = self._stamping.settle()
        return _diffs.hash_at(stamps.values if is_value else stamps.tables, ids)

    def _judgeable(self, changes: MergeableChanges) -> tuple[MergeableChanges | None, MergeableChanges]:
        """What of encoded changes may be merged, ``None`` if it is malformed, and what is too far ahead."""
        ahead: MergeableChanges = [[{}], [{}], 1]
        if not self._stamping.accepts(changes, False, True):
            changes, ahead = split_ahead(changes, self._stamping.upper_bound())
            if not self._stamping.accepts(changes, False, True):
                return None, ahead
        return changes, ahead

    def _newer_in(self, changes: MergeableChanges) -> Changes:
        """What of changes that may be merged is newer than what there is."""
        return newer_things(self._stamping.stamps, changes)

    def _merge_judged(self, changes: MergeableChanges, judge: Judge) -> None:
        """Merge changes that may be, but apply of what is newer only that which ``judge`` leaves.

        What then is held otherwise than the changes say gets newer stamps, and holds everywhere.
        """
        self._merging.merge_judged(changes, judge)

    def _restamp(self) -> None:
        """Have hold everywhere what this store holds: give newer stamps to what they say otherwise."""
        self._merging.restamp()

    def _held_in_place_of(self, ahead: MergeableChanges) -> MergeableChanges:
        """What the sender of things that are too far ahead has to be told: what holds in their place."""
        return held_later(self._content, ahead)

    def _allows_cell(self, table_id: Id, cell_id: Id, cell: object) -> bool:
        """Whether a cell, perhaps encoded, is one and suits the schema."""
        return self._tables_schema.allows(table_id, cell_id, cell)

    def _allows_value(self, value_id: Id, value: object) -> bool:
        """Whether a value, perhaps encoded, is one and suits the schema."""
        return self._values_schema.allows(value_id, value)

    # -- helpers

    def _touched(self, with_hashes: bool, decode: Callable[[Any], Any]) -> MergeableChanges:
        stamping = self._stamping
        stamps = stamping.settle() if with_hashes else stamping.stamps
        cells, values = self._log.touched_cells(), self._log.touched_values
        return changes_shape(stamps, cells, values, with_hashes=with_hashes, decode=decode)

    def _replace(self, content: Any, *, encoded: bool) -> Self:
        if self._stamping.accepts(content, True, encoded):
            self._merging.replace(content, encoded)
        return self

    def _set_default_now(self, content: Content | Callable[[], Content]) -> None:
        self._stamping.defaulting = True
        try:
            self.set_content(content)
        finally:
            self._stamping.defaulting = False
