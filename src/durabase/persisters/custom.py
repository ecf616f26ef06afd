"""A persister for any place, given as functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from durabase.persisters.base import IgnoredErrorHandler, Persister, PersisterListener, Persists

if TYPE_CHECKING:
    from durabase.store import Store

__all__ = ["CustomPersister"]


class CustomPersister(Persister):
    """Keeps a store in a place that is known through functions of yours, each plain or asynchronous.

    Args:
        store: what is persisted.
        get_persisted: returns what is there, encoded content or changes; ``UNDEFINED`` if nothing is.
        set_persisted: ``set_persisted(get_content, changes)`` writes ``changes``, or what
            ``get_content()`` returns where ``changes`` is ``None``; it may always write everything.
        add_persister_listener: is given ``listener(content=None, changes=None)`` to call when the place
            changes, and returns a handle.
        del_persister_listener: is given that handle when following ends.
        on_ignored_error: is called with each error that is not raised.
        persists: the kinds of store to take, and so the kind of content to handle.

    Raises:
        StoreTypeError: ``store`` is not of such a kind.
    """

    def __init__(
        self,
        store: Store,
        get_persisted: Callable[[], object],
        set_persisted: Callable[[Callable[[], list[Any]], list[Any] | None], object],
        add_persister_listener: Callable[[PersisterListener], object] | None = None,
        del_persister_listener: Callable[[Any], object] | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        *,
        persists: Persists = Persists.STORE_ONLY,
    ) -> None:
        super().__init__(store, persists=persists, on_ignored_error=on_ignored_error)
        self._get_persisted = get_persisted
        self._set_persisted = set_persisted
        self._add_persister_listener = add_persister_listener
        self._del_persister_listener = del_persister_listener

    def get_persisted(self) -> object:
        return self._get_persisted()

    def set_persisted(self, get_content: Callable[[], list[Any]], changes: list[Any] | None = None) -> object:
        return self._set_persisted(get_content, changes)

    def add_persister_listener(self, listener: PersisterListener) -> object:
        if self._add_persister_listener is None:
            return super().add_persister_listener(listener)
        return self._add_persister_listener(listener)

    def del_persister_listener(self, handle: Any) -> object:
        if self._del_persister_listener is None:
            return super().del_persister_listener(handle)
        return self._del_persister_listener(handle)
