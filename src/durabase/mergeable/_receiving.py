"""Merging what another store has sent: compiled, below stores, which are not."""

from __future__ import annotations

from typing import Any, Self

from durabase._compiling import mypyc_attr
from durabase.mergeable._merging import Merging
from durabase.store._setting import CellSetter

__all__ = ["ChangesReceiver"]


@mypyc_attr(allow_interpreted_subclasses=True)
class ChangesReceiver(CellSetter):
    """What merges changes, and sets cells."""

    _merging: Merging

    # Any: compiled, what is no list would be refused by a TypeError.
    def apply_mergeable_changes(self, mergeable_changes: Any) -> Self:
        """Merge changes, or content, of another store; no-op if any of it is malformed or too far ahead."""
        self._merging.merge_valid(mergeable_changes, False)
        return self
