"""What has become of changes that somebody judges, and who has to be told of it."""

from __future__ import annotations

from typing import final

from durabase.mergeable import MergeableStore
from durabase.mergeable._pieces import add_changes, count_of_things
from durabase.sync_server.authority import has_things, nothing, unlike
from durabase.synchronizers.protocol.relay import EVERYBODY
from durabase.synchronizers.protocol.session import Merge, MergeSource, Session
from durabase.types import MergeableChanges

__all__ = ["Outcomes"]


@final
class Outcomes:
    """The stamps that transactions have set and that nobody has been told of yet."""

    __slots__ = ("_changes", "_session", "_store")

    def __init__(self, store: MergeableStore, session: Session) -> None:
        self._store = store
        self._session = session
        self._changes = nothing()

    def note(self) -> None:
        """Add what the running transaction has set, also stamps of corrections and mutators."""
        outcome = self._store._get_encoded_transaction_stamp_changes(with_hashes=False)
        if has_things(self._changes):
            add_changes(self._changes, outcome)
        else:
            self._changes = outcome

    def tell(self, changes: MergeableChanges, merge: Merge, only_theirs: MergeableChanges) -> bool:
        """Tell what has become of changes. Of what was pulled others are told later: is there any?"""
        peer = merge.peer or EVERYBODY
        if has_things(only_theirs):
            self._session.send_diff(peer, only_theirs)
        outcome = self._take()
        if merge.source is not MergeSource.DIFF:
            return has_things(outcome)
        if has_things(outcome):
            self._store._had_mutated()  # what mutators have written is in the outcome
            self._session.broadcast_diff(outcome, but_not_to=peer)
            corrections = unlike(outcome, changes)
            if has_things(corrections):
                self._session.send_diff(peer, corrections)
        return False

    def tell_everybody(self) -> int:
        """Tell all; how many cells and values that are."""
        outcome = self._take()
        if has_things(outcome):
            self._store._had_mutated()  # it is told here
            self._session.broadcast_diff(outcome)
        return count_of_things(outcome)

    def _take(self) -> MergeableChanges:
        outcome, self._changes = self._changes, nothing()
        return outcome
