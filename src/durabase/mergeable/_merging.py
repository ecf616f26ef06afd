"""Merging into a store: a transaction in which stamps are merged, and then what they bring is applied.

Raw changes are not stamped meanwhile, for they have their stamps. It is given changes that may be merged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from durabase._collector import CollectorPause
from durabase.mergeable._restamping import restamp, restamp_all
from durabase.mergeable._stamping import Stamping
from durabase.store._content import Content
from durabase.store._edits import Edits
from durabase.store._kinds import StoreListeners
from durabase.store._transaction import Transaction
from durabase.types import Changes, MergeableChanges, MergeableContent

__all__ = ["Judge", "Merging"]

Judge: TypeAlias = Callable[[Changes], Changes]
"""Given what would be applied, what may be: a part of it."""


class Merging:
    """The ways in which stamped things come into a store. In the final phase nothing happens.

    ``encoded``: objects and arrays may be in the encoded form.
    """

    __slots__ = ("_content", "_edits", "_listeners", "_stamping", "_transaction")

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

    def merge(self, changes: MergeableChanges, encoded: bool) -> None:
        """Merge changes, or content."""
        self._run(lambda: self._apply(self._stamping.merge(changes), encoded))

    def merge_judged(self, changes: MergeableChanges, judge: Judge) -> None:
        """Merge encoded changes and apply what ``judge`` leaves of them; the rest gets newer stamps."""
        self._run(lambda: self._take_judged(changes, judge))

    def replace(self, content: MergeableContent, encoded: bool) -> None:
        """Take content, hashes and all, in place of what there is."""
        self._run(lambda: self._replace(content, encoded))

    def restamp(self) -> None:
        """Give newer stamps to what the store holds otherwise than they say."""
        self._run(lambda: restamp_all(self._stamping, self._content))

    def _run(self, take: Callable[[], None]) -> None:
        stamping, transaction = self._stamping, self._transaction
        was_listening, stamping.listening = stamping.listening, False
        try:
            if transaction.begin():
                try:
                    with CollectorPause():
                        take()
                except BaseException as error:
                    transaction.abort(error)
                    raise
                transaction.finish()
        finally:
            stamping.listening = was_listening

    def _replace(self, content: MergeableContent, encoded: bool) -> None:
        self._edits.delete_tables()
        self._edits.delete_values()
        self._apply(self._stamping.replace(content), encoded)

    def _take_judged(self, changes: MergeableChanges, judge: Judge) -> None:
        proposed = self._stamping.merge(changes)
        self._apply(judge(proposed), True)
        restamp(self._stamping, self._content, proposed)

    def _apply(self, changes: Changes, encoded: bool) -> None:
        edits = self._edits
        was_encoded = edits.accept_encoded(True) if encoded else None
        try:
            if self._is_unobserved() and edits.can_fill():
                edits.fill(changes)
            else:
                edits.apply_merged(changes)
        finally:
            if was_encoded is not None:
                edits.accept_encoded(was_encoded)

    def _is_unobserved(self) -> bool:
        """Whether nobody can see how the running transaction comes about, but only what comes of it."""
        return self._transaction.depth == 1 and not self._listeners.count
