"""Small changes that clients have made, until they are merged, all together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from durabase.clock import TimerClock
from durabase.mergeable import MergeableStore
from durabase.mergeable._pieces import has_more_things
from durabase.mergeable._validate import changes_of
from durabase.types import MergeableChanges

__all__ = ["SMALL", "Gathering"]

SMALL: Final = 16
"""Changes of so many cells and values at most are gathered."""
MOST: Final = 128
"""So many changes are merged at once; that takes a millisecond at most."""


@final
class Gathering:
    """Changes that have come and are not in the store yet.

    Args:
        store: where they belong.
        defer: calls a function before what the turn wrote is committed, and before anything of it is read.
        clock: for another try.
        when_due: sees to it that :meth:`merge` is called.
    """

    __slots__ = ("_changes", "_clock", "_defer", "_stamping", "_store", "_when_due")

    def __init__(
        self,
        store: MergeableStore,
        defer: Callable[[Callable[[], object]], object],
        clock: TimerClock,
        when_due: Callable[[], object],
    ) -> None:
        self._store = store
        self._stamping = store._stamping
        self._defer = defer
        self._clock = clock
        self._when_due = when_due
        self._changes: list[Any] = []

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be merged."""
        return not self._changes

    def take(self, changes: MergeableChanges) -> bool:
        """Keep changes until they are merged, when they are committed at the latest; not if they are many.

        Of one cell no more than that is kept: lists and dicts that stay would have the collector run.
        """
        cell = self._stamping.only_cell(changes)
        if cell is None and has_more_things(changes, SMALL):
            return False
        self._changes.append(changes if cell is None else cell)
        count = len(self._changes)
        if count == 1:
            self._defer(self._when_due)
        elif count == MOST:
            self._when_due()
        return True

    def merge(self) -> list[MergeableChanges]:
        """Merge all; gives what has to be merged one by one, as together that has failed."""
        gathered, self._changes = self._changes, []
        try:
            if not self._store._apply_encoded_mergeable_changes_together(gathered):
                self._changes = gathered  # a transaction is just ending
                self._clock.call_later(0, self._when_due)
        except Exception:  # none of them was merged; who merges them one by one tells what is wrong
            return [changes_of(one) if type(one) is tuple else one for one in gathered]
        return []
