"""Who has an object in use: stubs, for as long as they are there.

References to them are weak. A ``WeakSet`` would do, were it not a kilobyte for each object that anybody
has ever called; this is nothing while nobody is there.
"""

from __future__ import annotations

from weakref import ref

from durabase.durable_objects.routing import Holder

__all__ = ["Holders"]


class Holders:
    """Those who hold one life of an object."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[ref[Holder]] | None = None

    def add(self, holder: Holder) -> None:
        """``holder`` has the object in use, for as long as it says so."""
        if self._known is None:
            self._known = set()
        self._known.add(ref(holder, self._gone))

    def are_using(self) -> bool:
        """Whether any of them is still using it."""
        holders = [known() for known in tuple(self._known or ())]
        return any(holder._rpc_in_use() for holder in holders if holder is not None)

    def clear(self) -> None:
        """The life is over."""
        self._known = None

    def _gone(self, known: ref[Holder]) -> None:
        if self._known is not None:
            self._known.discard(known)
            if not self._known:
                self._known = None
