"""What a persister asks of its store: plain content, mergeable content, or what peers are sent.

Things are always in encoded form. Shapes are those of TinyBase 10.0.1: content is ``[tables, values]``
or ``[tables stamp, values stamp]``, changes have a third element ``1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from durabase._codec import js_string
from durabase.errors import PersisterError
from durabase.types import UNDEFINED, Id

if TYPE_CHECKING:
    from durabase.mergeable import MergeableStore
    from durabase.store import Store
    from durabase.types import Changes, Content, MergeableChanges, MergeableContent

__all__ = ["BroadcastAccess", "MergeableAccess", "PlainAccess", "StampIdsAccess", "StoreAccess"]


class StoreAccess(Protocol):
    """How one kind of content gets out of a store and into it."""

    is_mergeable: bool

    def get_content(self) -> list[Any]:
        """Everything."""

    def get_changes(self) -> list[Any] | None:
        """What the transaction that is just finishing changed; ``None`` if nothing."""

    def apply(self, content_or_changes: list[Any]) -> None:
        """Replace everything by content, or apply changes."""

    def merge(self, content: list[Any], edits: list[list[Any]]) -> None:
        """Put content in, and keep what the store has, as far as its kind allows that.

        ``edits``: changes of the store that were made while the content was being read.
        """

    def check_taken(self, content: list[Any]) -> None:
        """See whether the store has taken what was loaded, or whether saving would lose some of that.

        Raises:
            PersisterError: it has refused it, or a part of it.
        """

    def set_initial_content(self, content: Any) -> None:
        """Put content into a store for which nothing was persisted."""


class PlainAccess:
    """Plain content; that of a mergeable store is stamped as local edits when it comes in."""

    is_mergeable = False

    def __init__(self, store: Store) -> None:
        self._store = store

    def get_content(self) -> Content:
        return self._store._get_encoded_content()

    def get_changes(self) -> Changes | None:
        changes = self._store._get_encoded_transaction_changes()
        return changes if changes[0] or changes[1] else None

    def apply(self, content_or_changes: list[Any]) -> None:
        _apply_plain(self._store, content_or_changes)

    def merge(self, content: list[Any], edits: list[list[Any]]) -> None:
        """Nothing tells which of two plain things is newer, but edits came after what was read."""
        with self._store.transaction():
            for content_or_changes in (content, *edits):
                _apply_plain(self._store, content_or_changes)

    def check_taken(self, content: list[Any]) -> None:
        """Plain content is taken as far as it is valid; what is no table or row would be lost unseen."""
        _check_plain(content)

    def set_initial_content(self, content: Any) -> None:
        self._store.set_content(content)


class MergeableAccess:
    """Content with stamps and hashes; changes are all stamps that the transaction accepted.

    That is more than the original saves: a newer stamp of an equal thing and the tombstone of a cell that
    was never there are part of the hashes, so without them a reloaded store could not agree with its peers.
    """

    is_mergeable = True

    def __init__(self, store: MergeableStore) -> None:
        self._store = store

    def get_content(self) -> MergeableContent:
        return self._store._get_encoded_mergeable_content()

    def get_changes(self) -> MergeableChanges | None:
        changes = self._store._get_encoded_transaction_stamp_changes()
        return changes if changes[0][0] or changes[1][0] else None

    def apply(self, content_or_changes: list[Any]) -> None:
        if not _is_mergeable_content(content_or_changes):
            _apply_plain(self._store, content_or_changes)
        elif _are_changes(content_or_changes):
            self._store._apply_encoded_mergeable_changes(content_or_changes)
        else:
            self._store._set_encoded_mergeable_content(content_or_changes)

    def merge(self, content: list[Any], edits: list[list[Any]]) -> None:
        """Stamps tell what is newer, of edits, too."""
        if _is_mergeable_content(content):
            self._store._apply_encoded_mergeable_changes(content)
        else:
            self.apply(content)

    def check_taken(self, content: list[Any]) -> None:
        """Mergeable content is taken whole or not at all; whatever table and value was taken has a hash."""
        if not _is_mergeable_content(content):
            _check_plain(content)
            return
        hashes = (self._store.get_mergeable_table_hashes(), self._store.get_mergeable_value_hashes())
        if len(content) < len(hashes) or not all(map(_is_taken, content, hashes)):
            raise PersisterError(
                "the store refuses what is persisted: a stamp in it has a wrong shape, "
                "or a time more than five minutes ahead of this machine's clock"
            )

    def set_initial_content(self, content: Any) -> None:
        self._store.set_default_content(content)


class StampIdsAccess(MergeableAccess):
    """Changes are the ids, ``[cells by table and row, values]``, of the new stamps, to be looked up later."""

    def get_changes(self) -> list[Any] | None:
        cells, values = self._store._get_transaction_stamp_ids()
        return [cells, values] if cells or values else None


class BroadcastAccess(MergeableAccess):
    """What peers are sent of a transaction: the touched cells and values, without hashes."""

    def get_changes(self) -> MergeableChanges | None:
        changes = self._store._get_encoded_transaction_mergeable_changes(False)
        return changes if changes[0][0] or changes[1][0] else None


def _is_taken(stamp: Any, taken: Mapping[Id, int]) -> bool:
    """Whether all that a container stamp mentions has a hash now; an empty table leaves no trace."""
    children = stamp[0] if isinstance(stamp, (list, tuple)) and stamp else None
    return isinstance(children, dict) and all(
        id_ in taken or (isinstance(child, (list, tuple)) and child[:1] == [{}])
        for id_, child in children.items()
    )


def _check_plain(content: list[Any]) -> None:
    """Nothing is lost where nothing is: a half of the content may be missing."""
    if _are_changes(content):
        return
    for name, half in zip(("tables", "values"), content, strict=False):
        if half is not None and half is not UNDEFINED and not isinstance(half, Mapping):
            raise PersisterError(f"the {name} that are persisted are {_described(half)}, no object")
    tables = content[0] if content and isinstance(content[0], Mapping) else {}
    for table_id, table in tables.items():
        if not isinstance(table, Mapping):
            raise PersisterError(f"table {table_id!r} that is persisted is {_described(table)}, no object")
        if set(map(type, table.values())) <= {dict}:  # quick, for there may be many rows
            continue
        for row_id, row in table.items():
            if not isinstance(row, Mapping):
                where = f"row {row_id!r} of table {table_id!r}"
                raise PersisterError(f"{where} that is persisted is {_described(row)}, no object")


def _described(thing: Any) -> str:
    if isinstance(thing, (list, tuple)) and thing[:1] and isinstance(thing[0], Mapping):
        return "a stamp, as of a MergeableStore"
    return f"{js_string(thing)!r}"


def _is_mergeable_content(content: list[Any]) -> bool:
    return bool(content) and isinstance(content[0], (list, tuple))


def _are_changes(content: list[Any]) -> bool:
    return len(content) > 2 and content[2] is not True and content[2] == 1


def _apply_plain(store: Store, content_or_changes: list[Any]) -> None:
    content = cast("Any", content_or_changes)
    if _are_changes(content):
        store._apply_encoded_changes(content)
    else:
        store._set_encoded_content(content)
