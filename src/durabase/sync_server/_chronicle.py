"""Who changes what in a room that is an object, told to the journal of that object, where one is kept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, final
from weakref import WeakKeyDictionary

from durabase.durable_objects.authors import Author, current_author
from durabase.durable_objects.storage.change_journal import ChangeJournal
from durabase.mergeable import MergeableStore
from durabase.mergeable._journal import CellIds
from durabase.persisters import DurableObjectSqlStoragePersister, DurableObjectStoragePersister, Persister
from durabase.persisters._stored_stamps import path_of
from durabase.sync_server._room_sockets import RoomSockets
from durabase.sync_server.access import Access
from durabase.types import UNDEFINED, Id
from durabase.web import WebSocket

__all__ = ["Chronicle", "said_by"]

_NOTHING: Final = ...


def said_by(access: Access, address: str) -> None:
    """What the current code writes is of this client; its address counts if it is nobody in particular."""
    current_author.set(Author(access.identity, address="" if access.identity else address))


@final
class Chronicle:
    """Tells a journal what happens in one room.

    Args:
        journal: the object's.
        sockets: the room's.
    """

    def __init__(self, journal: ChangeJournal, sockets: RoomSockets) -> None:
        self._journal = journal
        self._sockets = sockets
        self._authors: WeakKeyDictionary[WebSocket, Author] = WeakKeyDictionary()

    @staticmethod
    def of(ctx: Any, sockets: RoomSockets) -> Chronicle | None:
        """That of an object; ``None`` if none is kept."""
        journal = getattr(ctx.storage, "_journal", None)
        return Chronicle(journal, sockets) if isinstance(journal, ChangeJournal) else None

    def hears(self, socket: WebSocket) -> None:
        """What the current code does is because of a message of this socket's client."""
        author = self._authors.get(socket)
        if author is None:
            entry = self._sockets.entry(socket)
            identity, address = ("", "") if entry is None else (entry.access.identity, entry.address)
            client_id = self._sockets.client_id(socket)
            author = self._authors[socket] = Author(identity, client_id, "" if identity else address)
        current_author.set(author)

    def keeps(self, persister: Persister) -> None:
        """This keeps the store: what it writes is told as cells and values, not as keys and statements."""
        if isinstance(persister, DurableObjectStoragePersister):
            prefix = persister._prefix
            self._journal.leaves_out_key = lambda key: _is_stamp(key, prefix)
        elif isinstance(persister, DurableObjectSqlStoragePersister):
            names = persister._table_names
            self._journal.leaves_out_sql = lambda statement: any(name in statement for name in names)

    def note(self, store: MergeableStore) -> None:
        """A transaction of the store ends."""
        cells, values = store._get_transaction_stamp_ids()
        if not cells and not values:
            return
        first, first_values, more = _first(cells, values, self._journal.room)
        for path, old, stamp in _stamped(store, store._get_encoded_stamps(first, first_values, False)):
            hlc = stamp[1] if len(stamp) > 1 else ""  # a default's has no time
            self._journal.note_thing(path, _shown(old), _shown(stamp[0]), hlc)
        if more:
            self._journal.note_more(more)


def _first(cells: CellIds, values: dict[Id, None], most: int) -> tuple[CellIds, list[Id], int]:
    """The first cells and values, so many together, and how many there are besides."""
    paths = (
        (table_id, row_id, cell_id)
        for table_id in cells
        for row_id in cells[table_id]
        for cell_id in cells[table_id][row_id]
    )
    first: CellIds = {}
    for table_id, row_id, cell_id in islice(paths, most):
        first.setdefault(table_id, {}).setdefault(row_id, {})[cell_id] = None
        most -= 1
    some_values = list(islice(values, most))
    return first, some_values, sum(1 for _ in paths) + len(values) - len(some_values)


def _is_stamp(key: str, prefix: str) -> bool:
    return key.startswith(prefix) and path_of(key[len(prefix) :]) is not None


def _stamped(store: MergeableStore, changes: Any) -> Iterator[tuple[dict[str, Any], Any, Any]]:
    """Which things have new stamps, what each was before, and its stamp."""
    log = store._log
    for table_id, table in changes[0][0].items():
        before = log.cells.get(table_id, {})
        for row_id, row in table[0].items():
            pairs = before.get(row_id, {})
            for cell_id, stamp in row[0].items():
                old = pairs[cell_id][0] if cell_id in pairs else stamp[0]
                yield {"cell": [table_id, row_id, cell_id]}, old, stamp
    for value_id, stamp in changes[1][0].items():
        old = log.values[value_id][0] if value_id in log.values else stamp[0]
        yield {"value": value_id}, old, stamp


def _shown(thing: Any) -> Any:
    return _NOTHING if thing is UNDEFINED else thing
