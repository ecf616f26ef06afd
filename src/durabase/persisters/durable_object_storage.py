"""A mergeable store in the key-value storage of a Durable Object: one key for every stamp.

Keys and values are those of TinyBase 10.0.1, byte for byte, so that an object's data can move either way::

    t                          [0, hlc, hash]        all tables
    t"pets"                    [0, hlc, hash]        a table
    t"pets","fido"             [0, hlc, hash]        a row
    t"pets","fido","species"   [thing, hlc, hash]    a cell, UNDEFINED if it was deleted
    v                          [0, hlc, hash]        all values
    v"open"                    [thing, hlc, hash]    a value

A change writes the keys it touches and those above them; nothing is ever deleted. The storage is known
only through :class:`KeyValueStorage`. Where this does more than the original:

* Starting to save writes nothing if what was loaded is still all there is.
* A key of this form with a value that is no stamp is skipped and reported; the original fails the load.
* What the storage refuses, for its key or its value is too large, is left out and reported, and everything
  else is saved. The containers above it are then stored with the hash 0, which tells the next load to hash
  them anew from what is there; so an older copy in storage never passes for the newer thing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

from durabase._collector import CollectorPause
from durabase.errors import EntryTooLargeError, PersisterError
from durabase.persisters._access import StampIdsAccess, StoreAccess
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.persisters._stored_stamps import (
    StampPath,
    StampTree,
    path_key,
    path_of,
    stamp_entries,
    stored_entries,
)
from durabase.persisters.base import IgnoredErrorHandler, Persister, Persists
from durabase.types import UNDEFINED, Id

if TYPE_CHECKING:
    from durabase.mergeable import MergeableStore
    from durabase.mergeable._journal import CellIds
    from durabase.store import Store

__all__ = ["DurableObjectStoragePersister", "KeyValueStorage"]

_logger = logging.getLogger(__name__)

StampIds: TypeAlias = "tuple[CellIds, dict[Id, None]]"

_BATCH_KEYS: Final = 128
_MOST_DEFERRED: Final = 256
"""So many cells and values are written at once; that takes a millisecond at most."""
_SHOWN_LENGTH: Final = 100
"""How much of an id the log shows: it is a client's choice."""
_NO_KEYS: Final[frozenset[str]] = frozenset()


class KeyValueStorage(Protocol):
    """What this persister needs of a Durable Object's storage."""

    def list(self, *, prefix: str) -> Awaitable[Mapping[str, Any]]:
        """All entries of which the key begins with ``prefix``."""

    def put(self, entries: dict[str, Any]) -> Awaitable[None]:
        """Write entries, which has happened when the call returns: what was deferred is not awaited.

        Raises:
            EntryTooLargeError: an entry is over a limit; nothing of this call was written.
        """


class DurableObjectStoragePersister(Persister):
    """Keeps a mergeable store in the storage of its object.

    Saving is part of the object's turn: nothing that is sent after a change leaves before it is safe. If the
    storage can *defer*, as ``ctx.storage`` can, what changes many times is written once, before the turn is
    committed or when somebody reads the storage; else within the call or the transaction that changes it.
    The storage reports no changes of its own.

    Args:
        store: a mergeable store.
        storage: the storage, usually ``ctx.storage`` of the object.
        prefix: begins every key, so that other keys may live beside them.
        on_ignored_error: is called with each error that is not raised; see :class:`Persister`. It also gets a
            :class:`EntryTooLargeError` for each thing that was left out; it stays in the store and in sync.

    Raises:
        StoreTypeError: ``store`` is not mergeable.
    """

    _saves_only_changes = True

    def __init__(
        self,
        store: MergeableStore,
        storage: KeyValueStorage,
        prefix: str = "",
        *,
        on_ignored_error: IgnoredErrorHandler | None = None,
    ) -> None:
        super().__init__(store, persists=Persists.MERGEABLE_STORE_ONLY, on_ignored_error=on_ignored_error)
        self._mergeable_store = store
        self._storage = storage
        self._defer: Callable[..., object] | None = getattr(storage, "defer", None)
        self._deferred: StampIds | None = None
        self._deferred_count = 0
        self._is_plain = type(self).set_persisted is DurableObjectStoragePersister.set_persisted
        self._prefix = prefix
        self._loaded_hashes: list[int] | None = None
        self._left_out: dict[str, list[str]] = {}
        self._incomplete_keys = _NO_KEYS

    def get_storage(self) -> KeyValueStorage:
        """The storage."""
        return self._storage

    def get_persisted(self) -> Completion[Any]:
        """List the entries and put the tree together; ``UNDEFINED`` if there are no cells and no values."""
        return start_steps(self._list_steps())

    def set_persisted(
        self, get_content: Callable[[], list[Any]], changes: list[Any] | None = None
    ) -> Completion[None] | None:
        """Put the stamps with the ids in ``changes``, or everything unless that is known to be there."""
        loaded_hashes, self._loaded_hashes = self._loaded_hashes, None
        if changes is not None:
            return self._put_stamps(changes[0], changes[1])
        self._deferred = None
        if (
            loaded_hashes is not None
            and loaded_hashes == self._mergeable_store.get_mergeable_content_hashes()
        ):
            return None
        return start_steps(self._put_steps(stored_entries(get_content(), self._prefix)))

    def _make_access(self, store: Store, persists: Persists) -> StoreAccess:
        super()._make_access(store, persists)
        return StampIdsAccess(cast("MergeableStore", store))

    # Loading

    def _list_steps(self) -> Steps[Any]:
        entries: Any = yield self._storage.list(prefix=self._prefix)
        tree = StampTree()
        with CollectorPause():
            tree.read(entries, self._prefix, self._report_value)
            content = tree.content()
        self._loaded_hashes = [content[0][2], content[1][2]] if tree.is_complete() else None
        return content if content[0][0] or content[1][0] else UNDEFINED

    def _report_value(self, key: str, value: Any) -> None:
        self._report(
            PersisterError(f"key {key!r} does not hold a stamp [thing, hlc, hash] but {value!r:.60}")
        )

    # Saving

    def _put_stamps(self, cells: CellIds, values: dict[Id, None]) -> Completion[None] | None:
        if self._defer is None:
            return start_steps(self._put_steps(self._entries_of(cells, values)))
        self._deferred = cells, values
        self._deferred_count = 0  # of those that are added
        self._defer(self._put_deferred)
        return None

    def _adds_to_save(self, changes: list[Any]) -> bool:
        deferred = self._deferred
        if deferred is not None:
            self._deferred_count += _add_ids(deferred, changes[0], changes[1])
            if self._deferred_count >= _MOST_DEFERRED:
                self._put_much()
            return True
        if self._defer is None or not (self._is_plain and self._auto_save.can_save_at_once()):
            return False
        self._begin_deferred_save(changes)
        return True

    def _put_much(self) -> None:
        self._deferred_count = 0
        if self._defer is None:
            return
        try:
            self._defer(self._put_deferred, at_once=True)
        except Exception as error:
            self._note_failure(error)

    def _begin_deferred_save(self, changes: list[Any]) -> None:
        """What the steps of a save come to, where nothing has to wait for anything."""
        self._saves += 1
        try:
            self.set_persisted(self._access.get_content, changes)
        except Exception as error:
            self._note_failure(error)

    def _put_deferred(self) -> None:
        deferred, self._deferred = self._deferred, None
        if deferred is None:
            return
        try:
            self._put_at_once(self._entries_of(*deferred))
        except Exception as error:
            self._note_failure(error)

    def _put_at_once(self, entries: dict[str, Any]) -> None:
        if not self._left_out and len(entries) <= _BATCH_KEYS:
            try:
                self._storage.put(entries)  # what it gives need not be awaited, for it has happened
            except EntryTooLargeError:
                pass  # the steps leave it out
            else:
                return
        start_steps(self._guarded_put_steps(entries))

    def _guarded_put_steps(self, entries: dict[str, Any]) -> Steps[None]:
        try:
            yield from self._put_steps(entries)
        except Exception as error:
            self._note_failure(error)

    def _note_failure(self, error: Exception) -> None:
        self._auto_save.note_unsaved_edits()
        self._report(error)

    def _entries_of(self, cells: CellIds, values: dict[Id, None]) -> dict[str, Any]:
        return stamp_entries(self._mergeable_store._settled_stamps(), cells, values, self._prefix)

    def _put_steps(self, entries: dict[str, Any]) -> Steps[None]:
        if self._left_out:
            self._retry(entries)
        refused: list[EntryTooLargeError] = []
        for batch in _batches(entries):
            try:
                yield self._storage.put(batch)
            except EntryTooLargeError as error:
                refused += yield from self._put_without_steps(error, batch)
        if refused:
            self._leave_out(refused)
            marked = self._incomplete_keys - self._left_out.keys()
            above = {key: _unhashed(entry) for key, entry in entries.items() if key in marked}
            for batch in _batches(above):
                yield self._storage.put(batch)

    def _put_without_steps(
        self, error: EntryTooLargeError, batch: dict[str, Any]
    ) -> Steps[list[EntryTooLargeError]]:
        """Put a batch without the entry that was refused, nor any other that is."""
        refused: list[EntryTooLargeError] = []
        while True:
            if error.key not in batch:
                raise error
            refused.append(error)
            batch = {key: value for key, value in batch.items() if key != error.key}
            try:
                if batch:
                    yield self._storage.put(batch)
            except EntryTooLargeError as another:
                error = another
            else:
                return refused

    # What is too large

    def _retry(self, entries: dict[str, Any]) -> None:
        """Count what these entries hold anew as stored, and mark the containers above the rest."""
        for key in self._left_out.keys() & entries.keys():
            del self._left_out[key]
        self._note_incomplete_keys()
        for key in self._incomplete_keys & entries.keys():
            entries[key] = _unhashed(entries[key])

    def _leave_out(self, refused: list[EntryTooLargeError]) -> None:
        for error in refused:
            path = cast("StampPath", path_of(error.key[len(self._prefix) :]))
            self._left_out[error.key] = [self._key(path[:length]) for length in range(1, len(path))]
            _logger.warning(
                "%s is too large to be stored (%d bytes, at most %d); it stays in memory and in sync only",
                _describe(path),
                error.size,
                error.limit,
            )
            if self._ignored_errors.handler is not None:
                self._report(error)
        self._note_incomplete_keys()

    def _note_incomplete_keys(self) -> None:
        keys = (key for above in self._left_out.values() for key in above)
        self._incomplete_keys = frozenset(keys) or _NO_KEYS

    def _key(self, path: StampPath) -> str:
        return self._prefix + path_key(path)


def _add_ids(ids: StampIds, cells: CellIds, values: dict[Id, None]) -> int:
    """Add the ids to those that are there; how many are new."""
    before = len(ids[1])
    ids[1].update(values)
    count = len(ids[1]) - before
    for table_id, rows in cells.items():
        table = ids[0].setdefault(table_id, {})
        for row_id, cell_ids in rows.items():
            row = table.setdefault(row_id, {})
            before = len(row)
            row.update(cell_ids)
            count += len(row) - before
    return count


def _batches(entries: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if len(entries) <= _BATCH_KEYS:
        return iter((entries,))
    items = iter(entries.items())
    return iter(lambda: dict(islice(items, _BATCH_KEYS)), {})


def _unhashed(entry: list[Any]) -> list[Any]:
    return [entry[0], entry[1], 0]


_LEVELS: Final = {
    ("t", 1): "the tables' stamp",
    ("t", 2): "table {0}",
    ("t", 3): "row {1} of table {0}",
    ("t", 4): "cell {2} of row {1} in table {0}",
    ("v", 1): "the values' stamp",
    ("v", 2): "value {0}",
}


def _describe(path: StampPath) -> str:
    return _LEVELS[path[0], len(path)].format(*(_shortened(repr(id_)) for id_ in path[1:]))


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"
