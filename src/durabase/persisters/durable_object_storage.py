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
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

from durabase._codec import ordered_items, parse_json, string_text
from durabase.errors import EntryTooLargeError, PersisterError
from durabase.mergeable.hashes import get_hash, get_row_hash, get_table_hash
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.persisters.base import IgnoredErrorHandler, Persister, Persists
from durabase.types import UNDEFINED, MergeableContent

if TYPE_CHECKING:
    from durabase.mergeable import MergeableStore

__all__ = ["DurableObjectStoragePersister", "KeyValueStorage"]

_logger = logging.getLogger(__name__)

_BATCH_KEYS: Final = 128
_MAX_IDS: Final = {"t": 3, "v": 1}
_SHOWN_LENGTH: Final = 100
"""How much of an id the log shows: it is a client's choice."""
_Path: TypeAlias = tuple[str, ...]
"""The type ``t`` or ``v``, then the ids."""


class KeyValueStorage(Protocol):
    """What this persister needs of a Durable Object's storage."""

    def list(self, *, prefix: str) -> Awaitable[Mapping[str, Any]]:
        """All entries of which the key begins with ``prefix``."""

    def put(self, entries: dict[str, Any]) -> Awaitable[None]:
        """Write entries, which has happened when the call returns.

        Raises:
            EntryTooLargeError: an entry is over a limit; nothing of this call was written.
        """


class DurableObjectStoragePersister(Persister):
    """Keeps a mergeable store in the storage of its object.

    Saving happens within the call or the transaction that causes it, so that it is part of the object's
    turn: nothing that is sent afterwards leaves before it is safe. The storage reports no changes of its own.

    Args:
        store: a mergeable store.
        storage: the storage, usually ``ctx.storage`` of the object.
        prefix: begins every key, so that other keys may live beside them.
        on_ignored_error: is called with each error that is not raised; see :class:`Persister`. It also gets a
            :class:`EntryTooLargeError` for each thing that was left out; it stays in the store and in sync.

    Raises:
        StoreTypeError: ``store`` is not mergeable.
    """

    def __init__(
        self,
        store: MergeableStore,
        storage: KeyValueStorage,
        prefix: str = "",
        *,
        on_ignored_error: IgnoredErrorHandler | None = None,
    ) -> None:
        super().__init__(store, persists=Persists.MERGEABLE_STORE_ONLY, on_ignored_error=on_ignored_error)
        self._storage = storage
        self._prefix = prefix
        self._loaded_hashes: list[int] | None = None
        self._left_out: dict[str, list[str]] = {}
        self._incomplete_keys: frozenset[str] = frozenset()

    def get_storage(self) -> KeyValueStorage:
        """The storage."""
        return self._storage

    def get_persisted(self) -> Completion[Any]:
        """List the entries and put the tree together; ``UNDEFINED`` if there are no cells and no values."""
        return start_steps(self._list_steps())

    def set_persisted(
        self, get_content: Callable[[], list[Any]], changes: list[Any] | None = None
    ) -> Completion[None] | None:
        """Put the entries of ``changes``, or of everything unless that is known to be there."""
        loaded_hashes, self._loaded_hashes = self._loaded_hashes, None
        if changes is not None:
            return start_steps(self._put_steps(changes))
        content = get_content()
        if [content[0][2], content[1][2]] == loaded_hashes:
            return None
        return start_steps(self._put_steps(content))

    # Loading

    def _list_steps(self) -> Steps[Any]:
        entries: Any = yield self._storage.list(prefix=self._prefix)
        tree = _Tree()
        for key, value in entries.items():
            path = _path_of(key[len(self._prefix) :])
            if path is not None:
                self._add_to_tree(tree, key, path, value)
        content = tree.content()
        self._loaded_hashes = [content[0][2], content[1][2]] if tree.is_complete() else None
        return content if content[0][0] or content[1][0] else UNDEFINED

    def _add_to_tree(self, tree: _Tree, key: str, path: _Path, value: Any) -> None:
        if _is_stored_stamp(value):
            tree.add(path, value)
        else:
            self._report(
                PersisterError(f"key {key!r} does not hold a stamp [thing, hlc, hash] but {value!r:.60}")
            )

    # Saving

    def _put_steps(self, content_or_changes: list[Any]) -> Steps[None]:
        entries = self._entries(content_or_changes)
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

    def _entries(self, content_or_changes: list[Any]) -> dict[str, Any]:
        tables, values = content_or_changes[0], content_or_changes[1]
        root = self._prefix + "t"
        entries: dict[str, Any] = {root: _container_entry(tables)}
        for table_id, table in ordered_items(tables[0]):
            table_key = root + string_text(table_id)
            entries[table_key] = _container_entry(table)
            for row_id, row in ordered_items(table[0]):
                row_key = f"{table_key},{string_text(row_id)}"
                entries[row_key] = _container_entry(row)
                for cell_id, cell in ordered_items(row[0]):
                    entries[f"{row_key},{string_text(cell_id)}"] = cell
        root = self._prefix + "v"
        entries[root] = _container_entry(values)
        for value_id, value in ordered_items(values[0]):
            entries[root + string_text(value_id)] = value
        return entries

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
            path = cast("_Path", _path_of(error.key[len(self._prefix) :]))
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
        self._incomplete_keys = frozenset(key for above in self._left_out.values() for key in above)

    def _key(self, path: _Path) -> str:
        return self._prefix + path[0] + ",".join(map(string_text, path[1:]))


class _Tree:
    """Mergeable content under construction, from entries in any order."""

    __slots__ = ("_container_count", "_entry_count", "_roots", "_unhashed_paths")

    def __init__(self) -> None:
        self._roots: dict[str, list[Any]] = {"t": [{}, "", 0], "v": [{}, "", 0]}
        self._container_count = 2
        self._entry_count = 0
        self._unhashed_paths: list[_Path] = []

    def add(self, path: _Path, stamp: Sequence[Any]) -> None:
        """Put a stamp in its place; the containers above it come into being as needed."""
        if len(path) > _MAX_IDS[path[0]]:
            self._container(path[:-1])[0][path[-1]] = list(stamp)
        else:
            self._container(path)[1:] = stamp[1:]
            self._entry_count += 1
            if stamp[2] == 0:
                self._unhashed_paths.append(path)

    def is_complete(self) -> bool:
        """Whether every container had an entry of its own."""
        return self._entry_count == self._container_count

    def content(self) -> MergeableContent:
        """The content, with hashes as stored; those stored as 0 are worked out from below."""
        for path in sorted(self._unhashed_paths, key=len, reverse=True):
            container = self._container(path)
            container[2] = _hash_of(container, is_table_like=path[0] == "t" and len(path) < _MAX_IDS["t"])
        return [self._roots["t"], self._roots["v"]]

    def _container(self, path: _Path) -> list[Any]:
        node = self._roots[path[0]]
        for id_ in path[1:]:
            child = node[0].get(id_)
            if child is None:
                child = node[0][id_] = [{}, "", 0]
                self._container_count += 1
            node = child
        return node


def _hash_of(container: list[Any], is_table_like: bool) -> int:
    hashes = {id_: child[2] for id_, child in container[0].items()}
    children = get_table_hash(hashes) if is_table_like else get_row_hash(hashes)
    return children ^ get_hash(container[1]) if container[1] else children


def _batches(entries: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if len(entries) <= _BATCH_KEYS:
        return iter((entries,))
    items = iter(entries.items())
    return iter(lambda: dict(islice(items, _BATCH_KEYS)), {})


def _container_entry(stamp: list[Any]) -> list[Any]:
    return [0, stamp[1], stamp[2]]


def _unhashed(entry: list[Any]) -> list[Any]:
    return [entry[0], entry[1], 0]


_match_plain_ids: Final = re.compile(
    r'"([^"\\\x00-\x1f]*)"(?:,"([^"\\\x00-\x1f]*)")?(?:,"([^"\\\x00-\x1f]*)")?'
).fullmatch


def _path_of(key: str) -> _Path | None:
    """The type and ids of a key without its prefix; ``None`` for a key that is not ours."""
    kind = key[:1]
    most = _MAX_IDS.get(kind, 0)
    ids = _ids_of(key[1:]) if most else None
    return None if ids is None or len(ids) > most else (kind, *ids)


def _ids_of(text: str) -> list[str] | None:
    if not text:
        return []
    plain = _match_plain_ids(text)
    if plain is not None:
        return [id_ for id_ in plain.groups() if id_ is not None]
    try:
        ids = parse_json(f"[{text}]")
    except ValueError:
        return None
    return ids if all(isinstance(id_, str) for id_ in ids) else None


def _is_stored_stamp(value: Any) -> bool:
    """Whether a stored value is ``[thing, hlc, hash]``."""
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and isinstance(value[1], str)
        and isinstance(value[2], (int, float))
        and not isinstance(value[2], bool)
    )


_LEVELS: Final = {
    ("t", 1): "the tables' stamp",
    ("t", 2): "table {0}",
    ("t", 3): "row {1} of table {0}",
    ("t", 4): "cell {2} of row {1} in table {0}",
    ("v", 1): "the values' stamp",
    ("v", 2): "value {0}",
}


def _describe(path: _Path) -> str:
    return _LEVELS[path[0], len(path)].format(*(_shortened(repr(id_)) for id_ in path[1:]))


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"
