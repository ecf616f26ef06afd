"""Who is here: rooms in memory alone, in which each client writes the rows of its own id while it is there.

A client says its id in the query of the address, ``…/presence?id=ada``. Its rows are those with this id, in
whatever tables; when it has been away for a while they are deleted. Clients need nothing but a store and a
synchronizer. After the server has slept or was restarted the clients bring the rows back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, Final, final
from urllib.parse import parse_qs, urlsplit

from durabase._codec import json_text, utf8_length
from durabase.clock import TimerClock, TimerHandle
from durabase.mergeable import MergeableStore
from durabase.persisters.base import Persister, Persists
from durabase.persisters.custom import CustomPersister
from durabase.sync_server._fetch import opens_web_socket
from durabase.sync_server.authority import Edit, Proposal
from durabase.sync_server.authorizing import Authorize, is_refresh
from durabase.sync_server.durable_object import WsServerDurableObject
from durabase.sync_server.object_fetch import ws_server_fetch
from durabase.sync_server.rules import Rules
from durabase.types import UNDEFINED, Id
from durabase.web import Request, Response, WebSocket

__all__ = [
    "GRACE_SECONDS",
    "Presence",
    "PresenceDurableObject",
    "client_name",
    "fault_of_id",
    "is_presence",
    "presence_fetch",
]

PRESENCE: Final = "presence"
"""The last part of the paths of such rooms."""
GRACE_SECONDS: Final = 5.0
"""How long rows stay whose client has gone: so long a connection may be lost."""
MAX_TABLES: Final = 16
MAX_ROWS: Final = 1000
"""The most rows of one table."""
MAX_CELLS: Final = 32
"""The most cells of one row."""
MAX_THING_BYTES: Final = 1024
MAX_ID_BYTES: Final = 128


def client_name(client_id: Id, target: str) -> Id:
    """The name of a client in rooms of presence: with the id that the query of its address tells."""
    presence_id = _id_in(target)
    if presence_id is None or fault_of_id(target) is not None:
        return client_id
    return f"{client_id} {presence_id}"


def fault_of_id(target: str) -> str | None:
    """What is wrong with the id in an address; ``None`` if nothing is, or there is none."""
    presence_id = _id_in(target)
    if presence_id is None:
        return None
    if presence_id and utf8_length(presence_id) <= MAX_ID_BYTES and "\n" not in presence_id:
        return None
    return f"An id of 1 to {MAX_ID_BYTES} bytes in one line is taken"


def is_presence(path_id: Id) -> bool:
    """Whether this is the path of a room of presence: the last part says so."""
    return path_id.rpartition("/")[2] == PRESENCE


def _id_in(target: str) -> Id | None:
    found = parse_qs(urlsplit(target).query, keep_blank_values=True).get("id")
    return None if found is None else found[0]


def _id_of(client_name: Id) -> Id | None:
    _, has_id, presence_id = client_name.partition(" ")
    return presence_id if has_id else None


@final
class Presence:
    """The rows of one room, and whose they are.

    Args:
        clock: what timers run on.
        grace_seconds: how long rows stay whose client has gone.
        client_names: of those that are there; see :func:`client_name`.
    """

    def __init__(
        self, clock: TimerClock, grace_seconds: float, client_names: Callable[[], Iterable[Id]]
    ) -> None:
        self.store = MergeableStore()
        self._clock = clock
        self._grace_ms = grace_seconds * 1000
        self._client_names = client_names
        self._away: dict[Id, float] = {}
        self._timer: TimerHandle | None = None

    def persister(self) -> Persister:
        """What keeps the store nowhere."""
        return CustomPersister(
            self.store, lambda: UNDEFINED, lambda *_: None, persists=Persists.MERGEABLE_STORE_ONLY
        )

    def validate(self, proposal: Proposal) -> None:
        """Refuse what is not the client's own, and what is too much.

        Rows of others that are not there any more, or not yet, may be brought: that is how they come back.
        """
        own, present, added = _id_of(proposal.client_id), self._present(), _Added(proposal.store)
        for edit in proposal.edits:
            fault = self._fault(proposal, edit, own, present) or added.fault(edit)
            if fault is not None:
                proposal.refuse(edit, fault)
            elif edit.row_id not in present:
                self._look_later()

    def _fault(self, proposal: Proposal, edit: Edit, own: Id | None, present: set[Id]) -> str | None:
        if edit.table_id is None or edit.row_id is None:
            return "presence is rows, not values"
        if edit.row_id == own:
            return None
        if own is None:
            return "who has no id writes nothing"
        is_there = proposal.store.has_row(edit.table_id, edit.row_id)
        return "it is somebody else's" if is_there or (edit.is_deletion and edit.row_id in present) else None

    def client_left(self) -> None:
        """A client has gone: look whose rows are there without their client."""
        self._look()

    def close(self) -> None:
        """Nothing is to be looked after any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _present(self) -> set[Id]:
        return {presence_id for name in self._client_names() if (presence_id := _id_of(name)) is not None}

    def _look(self) -> None:
        """Delete the rows of those that were away for long enough; look again when others will have been."""
        self.close()
        store, present, now = self.store, self._present(), self._clock.now_ms()
        rows = {row_id for table_id in store.get_table_ids() for row_id in store.get_row_ids(table_id)}
        self._away = {row_id: self._away.get(row_id, now) for row_id in rows - present}
        over = [row_id for row_id, since in self._away.items() if now - since >= self._grace_ms]
        if over:
            self._delete(over)
        for row_id in over:
            del self._away[row_id]
        if self._away:
            self._look_later()

    def _look_later(self) -> None:
        if self._timer is None:
            now = self._clock.now_ms()
            first = min(self._away.values(), default=now)
            delay = max(first + self._grace_ms - now, 0) / 1000 if self._away else 0
            self._timer = self._clock.call_later(delay, self._look)

    def _delete(self, row_ids: list[Id]) -> None:
        with self.store.transaction():
            for table_id in self.store.get_table_ids():
                for row_id in row_ids:
                    self.store.del_row(table_id, row_id)


@final
class _Added:
    """What one proposal adds to a store, against the limits."""

    def __init__(self, store: MergeableStore) -> None:
        self._store = store
        self._cells: dict[Id, dict[Id, set[Id]]] = {}

    def fault(self, edit: Edit) -> str | None:
        """Why an edit would be too much; if it is not, it counts for those that follow."""
        if edit.is_deletion or edit.table_id is None or edit.row_id is None or edit.cell_id is None:
            return None
        if utf8_length(json_text(edit.thing)) > MAX_THING_BYTES:
            return f"a cell takes {MAX_THING_BYTES} bytes"
        store, table_id, row_id = self._store, edit.table_id, edit.row_id
        if (
            not store.has_table(table_id)
            and len({*store.get_table_ids(), *self._cells, table_id}) > MAX_TABLES
        ):
            return f"there are {MAX_TABLES} tables"
        rows = self._cells.get(table_id, {})
        if not store.has_row(table_id, row_id):
            new = {other for other in rows if not store.has_row(table_id, other)} | {row_id}
            if store.get_row_count(table_id) + len(new) > MAX_ROWS:
                return f"there are {MAX_ROWS} rows"
        cells = {*store.get_cell_ids(table_id, row_id), *rows.get(row_id, ()), edit.cell_id}
        if len(cells) > MAX_CELLS:
            return f"a row has {MAX_CELLS} cells"
        self._cells.setdefault(table_id, {}).setdefault(row_id, set()).add(edit.cell_id)
        return None


class PresenceDurableObject(WsServerDurableObject):
    """A room for who is there, as a Durable Object. It stores nothing.

    ::

        class Presence(PresenceDurableObject):
            pass

    Attributes:
        grace_seconds: how long rows stay whose client has gone.
        rules: whoever may be there may say so.
    """

    authoritative: ClassVar[bool] = True
    rules: ClassVar[Rules | None] = Rules({"tables": {"*": {"write": "read"}}})
    grace_seconds: ClassVar[float] = GRACE_SECONDS

    def create_persister(self) -> Persister:
        """One that keeps the rows in memory alone."""
        self._presence = Presence(self._timers, self.grace_seconds, lambda: self._relay.client_ids)
        return self._presence.persister()

    def validate(self, proposal: Proposal) -> None:
        """Each client writes the rows of its id; override, and call this, to refuse more."""
        self._presence.validate(proposal)

    def fetch(self, request: Request) -> Any:
        """Let a client in, by the id in the query of its address. An id that can't be one gets 400."""
        fault = fault_of_id(request.url)
        if fault is not None:
            return Response(fault, status=400)
        key = request.headers.get("sec-websocket-key")
        if key is None:
            return super().fetch(request)
        headers = [*request.headers.items(), ("sec-websocket-key", client_name(key, request.url))]
        return super().fetch(Request(request, headers=dict(headers)))

    def web_socket_close(self, ws: WebSocket, code: int, reason: str, was_clean: bool) -> None:
        """A client has gone; its rows stay for a while."""
        super().web_socket_close(ws, code, reason, was_clean)
        self._presence.client_left()

    def web_socket_error(self, ws: WebSocket, error: Any) -> None:
        """A client's connection broke; its rows stay for a while."""
        super().web_socket_error(ws, error)
        self._presence.client_left()


def presence_fetch(
    namespace_name: str,
    otherwise: Callable[[Any, Request], Awaitable[Response]],
    authorize: Authorize | None = None,
) -> Callable[[Any, Request], Awaitable[Response]]:
    """The ``fetch`` of a worker that sends clients of ``…/presence`` to rooms of presence.

    ::

        class Default(WorkerEntrypoint):
            fetch = presence_fetch("Presences", ws_server_fetch("Rooms"))

    Args:
        namespace_name: of the binding of a :class:`PresenceDurableObject`.
        otherwise: the ``fetch`` for all other requests.
        authorize: says who may be there, as that of :func:`~durabase.sync_server.ws_server_fetch`, with the
            path of the room of presence. Give it the hook of your rooms, or everybody sees who is in them.
    """
    to_presence = ws_server_fetch(namespace_name, authorize)

    async def fetch(self: Any, request: Request) -> Response:
        is_client = opens_web_socket(request) or is_refresh(request)
        chosen = to_presence if is_client and is_presence(urlsplit(request.url).path) else otherwise
        return await chosen(self, request)

    return fetch
