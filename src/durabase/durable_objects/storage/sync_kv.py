"""``ctx.storage.kv``: the same keys and values as the storage's own methods, without awaiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from durabase._names import js_names
from durabase.durable_objects.storage.entries import EntryRules, decoded_entry, encoded_entry
from durabase.durable_objects.storage.keys import key_bytes, key_range, key_text, merged_options
from durabase.durable_objects.storage.sql import SqlStep
from durabase.durable_objects.storage.store import ObjectStore
from durabase.errors import StorageError
from durabase.types import UNDEFINED

__all__ = ["SyncKv", "SyncKvIterator"]


@js_names
class SyncKv:
    """Keys and values of one object.

    Args:
        store: where they are.
        check_alive: raises when the life is over.
        rules: what the class allows of keys and values.
    """

    def __init__(
        self,
        store: ObjectStore,
        check_alive: Callable[[], None],
        rules: EntryRules,
    ) -> None:
        self._store = store
        self._check_alive = check_alive
        self._rules = rules
        self._listing: SyncKvIterator | None = None

    def get(self, key: str) -> Any:
        """The value of ``key``, ``None`` if there is none."""
        self._check_alive()
        data = self._store.get(key_bytes(key))
        value = None if data is None else decoded_entry(data, self._rules)
        return None if value is UNDEFINED else value

    def put(self, key: str, value: Any = UNDEFINED) -> None:
        """Set ``key``; ``UNDEFINED`` is a value here.

        Raises:
            TypeError: the value is of no kind that can be stored, with the path of the item.
            ValueTooLargeError: it is over the limit.
        """
        self._check_alive()
        data, encoded = encoded_entry(key, value, self._rules)
        self._store.write({data: encoded}, True)

    def delete(self, key: str) -> bool:
        """Delete ``key``; whether it was there."""
        self._check_alive()
        data = key_bytes(key)
        if self._store.get(data) is None:
            return False
        self._store.write({data: None}, True)
        return True

    def list(self, options: Mapping[str, Any] | None = None, **more: Any) -> SyncKvIterator:
        """An iterator over ``[key, value]``; options as of the storage's ``list``. The one before ends."""
        self._check_alive()
        pairs = self._store.list(key_range(merged_options(options, more)))
        if self._listing is not None:
            self._listing.invalidate()
        self._listing = SyncKvIterator(iter(pairs), self._rules)
        return self._listing


@js_names
class SyncKvIterator:
    """Keys and values of one ``kv.list()``."""

    def __init__(self, pairs: Iterator[tuple[bytes, bytes]], rules: EntryRules) -> None:
        self._pairs = pairs
        self._rules = rules
        self._is_valid = True

    def invalidate(self) -> None:
        """Another listing was begun."""
        self._is_valid = False

    def next(self) -> SqlStep:
        """The next pair, or that there is none."""
        pair = next(self, None)
        return SqlStep(True) if pair is None else SqlStep(False, pair)

    def to_array(self) -> list[list[Any]]:
        """All pairs that are left."""
        return list(self)

    def __iter__(self) -> Iterator[list[Any]]:
        return self

    def __next__(self) -> list[Any]:
        if not self._is_valid:
            raise StorageError(
                "kv.list() iterator was invalidated because a new call to kv.list() was started. "
                "Only one kv.list() iterator can exist at a time."
            )
        key, data = next(self._pairs)
        return [key_text(key), decoded_entry(data, self._rules)]
