"""Something that a store knows, kept at hand: read once, and again whenever it has changed.

Views are read and refreshed on the store's thread only, and after whole transactions. Whoever shows them
is told then, once for all that the transaction has changed. Knows no toolkit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from durabase.store import Store
from durabase.types import Id
from durabase.ui._homes import at_home, has_home

__all__ = ["Screen", "Show", "View", "is_same"]


Show: TypeAlias = Callable[[], object]
"""Has something drawn again."""


class Screen(Protocol):
    """Where views are shown."""

    def redraw(self, shows: Sequence[Show], *, at_once: bool) -> None:
        """Have all this shown: before this returns, or soon, without keeping this thread waiting."""


class View:
    """One thing of a store, such as a row or the ids of a table's rows.

    Args:
        store: the store.
        name: what it is, as in the names of the store's ``get_…`` and ``add_…_listener``.
        ids: the arguments of both.
        read: reads it, on the store's thread.
        options: more arguments of the listener.
    """

    __slots__ = ("_ids", "_listener_id", "_name", "_options", "_read", "_store", "screen", "show", "snapshot")

    def __init__(
        self, store: Store, name: str, ids: tuple[Any, ...], read: Callable[[], Any], **options: Any
    ) -> None:
        self._store = store
        self._name = name
        self._ids = ids
        self._read = read
        self._options = options
        self._listener_id: Id | None = None
        self.screen: Screen | None = None
        self.show: Show | None = None
        self.snapshot: Any = at_home(store, read)

    def open(self, screen: Screen, show: Show) -> None:
        """From now on have it shown again on ``screen``, by ``show``, when it has changed."""
        self.screen, self.show = screen, show
        if at_home(self._store, self._follow):
            screen.redraw([show], at_once=True)

    def close(self) -> None:
        """Stop following."""
        at_home(self._store, self._leave)

    def refresh(self) -> None:
        """Read it anew."""
        self.snapshot = self._read()

    def _follow(self) -> bool:
        changes = _changes_of(self._store)
        add = getattr(self._store, f"add_{self._name}_listener")
        self._listener_id = add(*self._ids, lambda *_: changes.add(self), **self._options)
        changes.enter(self._store)
        before = self.snapshot
        self.refresh()
        return not is_same(before, self.snapshot)

    def _leave(self) -> None:
        if self._listener_id is not None:
            self._store.del_listener(self._listener_id)
            self._listener_id = None
            _changes_of(self._store).leave(self._store, self)


class _Changes:
    """The views of one store that the running transaction has changed."""

    def __init__(self) -> None:
        self._views: dict[View, None] = {}
        self._followers = 0
        self._listener_id: Id | None = None

    def enter(self, store: Store) -> None:
        """One more view follows."""
        self._followers += 1
        if self._listener_id is None:
            self._listener_id = store.add_did_finish_transaction_listener(self._tell)

    def leave(self, store: Store, view: View) -> None:
        """A view follows no more."""
        self._views.pop(view, None)
        self._followers -= 1
        if not self._followers and self._listener_id is not None:
            store.del_listener(self._listener_id)
            self._listener_id = None

    def add(self, view: View) -> None:
        """A view has changed."""
        self._views[view] = None

    def _tell(self, store: Store) -> None:
        views, self._views = self._views, {}
        by_screen: defaultdict[Screen, list[Show]] = defaultdict(list)
        for view in views:
            view.refresh()
            if view.screen is not None and view.show is not None:
                by_screen[view.screen].append(view.show)
        for screen, shows in by_screen.items():
            screen.redraw(shows, at_once=not has_home(store))


_all_changes: WeakKeyDictionary[Store, _Changes] = WeakKeyDictionary()


def _changes_of(store: Store) -> _Changes:
    return _all_changes.setdefault(store, _Changes())


def is_same(one: Any, other: Any) -> bool:
    """Whether two snapshots are equal for JavaScript, too: 1 and True are not, nor are other orders."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
