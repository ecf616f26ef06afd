"""A server of paths: clients of one path see each other, and the server may keep a store of its own for each.

TinyBase 10.0.1's ``createWsServer``, over any transport. It differs where the original makes clients wait
or can lose data: a room is ready as soon as it is loaded, does not write everything again when it starts,
and does not overwrite what it could not load.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeAlias

from durabase.clock import SystemClock, TimerClock
from durabase.errors import ServerError
from durabase.persisters.base import IgnoredErrorHandler
from durabase.sync_server._connections import Member
from durabase.sync_server._fetch import opens_web_socket
from durabase.sync_server._guard import judged_by_rules
from durabase.sync_server._reports import ErrorReporter
from durabase.sync_server._room import MadePersister, PathRoom
from durabase.sync_server._serving import ConnectionHost
from durabase.sync_server.access import ANYBODY, Access, Level
from durabase.sync_server.authority import Authority, Proposal, Validate
from durabase.sync_server.authorizing import Authorize
from durabase.sync_server.limits import ClientLimits
from durabase.sync_server.presence import GRACE_SECONDS, Presence, client_name, is_presence
from durabase.sync_server.rest.entry import RestEntry
from durabase.sync_server.rest.events import event_stream, events_response
from durabase.sync_server.rest.permission import Permission
from durabase.sync_server.rest.problems import ProblemError
from durabase.sync_server.rest.room import RestRoom, check_events_request
from durabase.sync_server.rest.target import Target
from durabase.sync_server.room import HeldPath, OpeningRoom, Room
from durabase.sync_server.rules import Rules
from durabase.types import Id
from durabase.web import Request, Response

__all__ = ["ClientIdsListener", "PathIdsListener", "WsServer"]

PathIdsListener: TypeAlias = Callable[["WsServer", Id, int], object]
"""``listener(server, path_id, change)``: 1 for a path that appeared, -1 for one that is gone."""
ClientIdsListener: TypeAlias = Callable[["WsServer", Id, Id, int], object]
"""``listener(server, path_id, client_id, change)``: 1 for a client that came, -1 for one that went."""
PathValidate: TypeAlias = Callable[[Id, Proposal], object]
"""Called with a path id and what a client's message would change, or was refused of it."""
CreatePersisterForPath: TypeAlias = Callable[[Id], MadePersister | Awaitable[MadePersister]]

_ADDED = 1
_REMOVED = -1


class WsServer(ConnectionHost):
    """Relays between the clients of each path and synchronizes a persisted store per path.

    ::

        def create_persister_for_path(path_id):
            return FilePersister(MergeableStore(), f"{quote(path_id, safe='')}.json")

        async with WsServer(create_persister_for_path) as ws_server, websockets.serve(ws_server.handle, "",
        8048):
            ...
    """

    def __init__(
        self,
        create_persister_for_path: CreatePersisterForPath | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        request_timeout_seconds: float = 1.0,
        fragment_size: float | None = None,
        *,
        authorize: Authorize | None = None,
        rules: Rules | None = None,
        limits: ClientLimits | None = None,
        authoritative: bool = False,
        validate: PathValidate | None = None,
        on_refused: PathValidate | None = None,
        presence: bool = False,
        clock: TimerClock | None = None,
        rest: str | None = None,
    ) -> None:
        """Start with no clients.

        Args:
            create_persister_for_path: called with a path id when its first client comes. Returns a
            persister of a
                mergeable store; or a pair of that and a function that is called with the store once it is
                synchronizing; or ``None`` for a path that only relays; or an awaitable of these.
            on_ignored_error: is called with each error that is not raised; unset, they are logged.
            request_timeout_seconds: how long the server waits for answers, and for the rest of a message.
            fragment_size: bytes of UTF-8 after which the server cuts its messages.
            authorize: says who a client is and what it may do: ``authorize(request, path_id)``, plain or
                asynchronous. Whom it refuses gets 401 or 403 in place of the WebSocket.
            rules: who may write what.
            limits: how much a client may take.
            authoritative: whether clients hear of each other's edits from the store alone, and only of those
                that its schema and ``validate`` allow. Others are taken back.
            validate: called as ``validate(path_id, proposal)`` with what a client's message would change; it
                refuses what must not be. If it raises, all is refused.
            on_refused: called as ``on_refused(path_id, proposal)`` when something was.
            presence: whether rooms whose path ends with ``/presence``, or is that, are kept in memory alone,
                and each client writes the rows of its own id there while it is there.
            clock: what timers run on.
            rest: the path below which :meth:`fetch` has rooms as resources, as ``/api``; by default nowhere.

        Raises:
            ValueError: ``rest`` is no path; or rooms that are not authoritative are to refuse something.
        """
        super().__init__(
            SystemClock() if clock is None else clock, request_timeout_seconds, authorize, rules, limits
        )
        self._rest = None if rest is None else RestEntry(rest)
        self.fragment_size = fragment_size
        self._create_persister_for_path = create_persister_for_path
        self._reporter = ErrorReporter(on_ignored_error)
        if not authoritative and (validate or on_refused):
            raise ValueError("only what is authoritative refuses edits: pass authoritative=True, too")
        self._validate = validate
        self._on_refused = on_refused
        self._is_authoritative = authoritative
        self._has_presence = presence
        self._presences: dict[Id, Presence] = {}
        self._rooms: dict[Id, PathRoom] = {}
        self._path_ids_listeners: dict[Id, PathIdsListener] = {}
        self._client_ids_listeners: dict[Id, tuple[Id | None, ClientIdsListener]] = {}
        self._next_listener_id = 0

    # What can be asked

    def get_path_ids(self) -> list[Id]:
        """The paths that have clients, are open for edits, or are not yet done with what was edited last."""
        return list(self._rooms)

    def get_client_ids(self, path_id: Id) -> list[Id]:
        """The clients of a path, in order of coming."""
        room = self._rooms.get(path_id)
        return [] if room is None else room.relay.client_ids

    def get_access(self, path_id: Id, client_id: Id) -> Access:
        """What a client of a path may do; nothing if it is not there."""
        if self._door is not None:
            return self._door.access_of(path_id, client_id)
        return ANYBODY if client_id in self.get_client_ids(path_id) else Access(Level.NONE)

    def get_stats(self) -> dict[str, int]:
        """``{"paths": …, "clients": …}``; a client in several channels counts once for each."""
        return {"paths": len(self._rooms), "clients": sum(len(room.relay) for room in self._rooms.values())}

    # Edits by the program around the server

    def room(self, path_id: Id) -> OpeningRoom:
        """Open the store of a path, also if it has no clients; see :class:`~durabase.sync_server.Room`.

        ::

            async with ws_server.room("pets") as room:
                room.store.set_cell("pets", "fido", "sold", True)

        Raises:
            ServerError: when it is awaited: the path has no store, or the server is destroyed.
            Exception: why the store could not be opened.
        """
        return OpeningRoom(partial(self._hold_room, path_id))

    async def _hold_room(self, path_id: Id) -> Room:
        if self._is_destroyed:
            raise ServerError("the server is destroyed; its rooms are closed")
        room, is_new = self._room_at(path_id)
        room.hold()
        if is_new:
            room.start()
        try:
            seat = await room.store_seat()
            if seat is None:
                raise ServerError(
                    f"the path {path_id!r} has no store: its clients are only passed on to each other"
                )
        except BaseException:
            room.release()
            raise
        return Room(path_id, HeldPath(room, seat))

    # Requests that open no WebSocket

    async def fetch(self, request: Request) -> Response:
        if self._rest is not None and not (self._is_destroyed or opens_web_socket(request)):
            response = await self._rest.answer(request, self._answer_rest)
            if response is not None:
                return response
        return await super().fetch(request)

    async def _answer_rest(self, request: Request, target: Target) -> Response:
        permission = await self._permission_of(request, target.path_id)
        if isinstance(permission, Response):
            return permission
        try:
            room = await self.room(target.path_id)
        except ServerError as error:
            raise ProblemError(HTTPStatus.NOT_FOUND, str(error)) from error
        try:
            if target.is_events:
                check_events_request(request, target)
                return events_response(self._events(request, target.path_id, permission.access))
            return await RestRoom(room.store, room.saved, permission).answer(request, target)
        finally:
            await room.close()

    async def _permission_of(self, request: Request, path_id: Id) -> Permission | Response:
        validate = self._judge_of(path_id)
        if self._door is None:
            return Permission(validate=validate)
        access = await self._door.decide(request, path_id)
        return access if isinstance(access, Response) else Permission(access, self._door.rules, validate)

    def _judge_of(self, path_id: Id) -> Validate | None:
        """What judges edits that come as requests."""
        if self._is_presence(path_id):
            return lambda proposal: self._presences[path_id].validate(proposal)
        return None if self._validate is None else partial(self._validate, path_id)

    async def _events(self, request: Request, path_id: Id, access: Access) -> AsyncIterator[bytes]:
        """The events of a path, which is open from when they are read first, and only if they are."""
        room = await self.room(path_id)
        try:
            async with aclosing(event_stream(room.store, self.clock, request, access)) as pieces:
                async for piece in pieces:
                    if not room.is_open:
                        break
                    yield piece
        finally:
            await room.close()

    # Listeners

    def add_path_ids_listener(self, listener: PathIdsListener) -> Id:
        """Call ``listener(server, path_id, 1 | -1)`` when a path appears or is gone."""
        listener_id = self._new_listener_id()
        self._path_ids_listeners[listener_id] = listener
        return listener_id

    def add_client_ids_listener(self, path_id: Id | None, listener: ClientIdsListener) -> Id:
        """Call ``listener(server, path_id, client_id, 1 | -1)`` when a client comes or goes.

        ``path_id``: of this path only; ``None``: of any.
        """
        listener_id = self._new_listener_id()
        self._client_ids_listeners[listener_id] = path_id, listener
        return listener_id

    def del_listener(self, listener_id: Id) -> Self:
        """Remove a listener."""
        self._path_ids_listeners.pop(listener_id, None)
        self._client_ids_listeners.pop(listener_id, None)
        return self

    def _new_listener_id(self) -> Id:
        listener_id = str(self._next_listener_id)
        self._next_listener_id += 1
        return listener_id

    def _tell_path(self, path_id: Id, change: int) -> None:
        for listener in list(self._path_ids_listeners.values()):
            self._reporter.call(listener, self, path_id, change)

    def _tell_client(self, path_id: Id, client_id: Id, change: int) -> None:
        for asked, listener in list(self._client_ids_listeners.values()):
            if asked is None or asked == path_id:
                self._reporter.call(listener, self, path_id, client_id, change)

    def is_judged(self, path_id: Id) -> bool:
        return self._is_authoritative or self._is_presence(path_id)

    def _is_presence(self, path_id: Id) -> bool:
        return self._has_presence and is_presence(path_id)

    def name_of(self, client_id: Id, path: str) -> Id:
        return client_name(client_id, path) if self._has_presence else client_id

    # The life of rooms (called by connections and rooms)

    def enter(self, path_id: str, member: Member) -> None:
        room, is_new = self._room_at(path_id)
        member.room = room
        room.relay.join(member.client_id, member)
        self._tell_client(path_id, member.client_id, _ADDED)
        if is_new:
            room.start()

    def _room_at(self, path_id: Id) -> tuple[PathRoom, bool]:
        """The room of a path, and whether it is new and has to be started."""
        room = self._rooms.get(path_id)
        if room is None or room.stopping is not None:
            return self._open_room(path_id, room), True
        return room, False

    def _open_room(self, path_id: Id, predecessor: PathRoom | None) -> PathRoom:
        room = PathRoom(self, path_id, None if predecessor is None else predecessor.stopping)
        self._rooms[path_id] = room
        if predecessor is None:
            self._tell_path(path_id, _ADDED)
        return room

    def make_persister(self, path_id: Id) -> MadePersister | Awaitable[MadePersister]:
        presence = self._presences.get(path_id)
        if presence is not None:
            return presence.persister()
        return None if self._create_persister_for_path is None else self._create_persister_for_path(path_id)

    def authority_of(self, path_id: Id) -> Authority | None:
        if self._is_presence(path_id):
            self._end_presence(path_id)
            names = partial(self.get_client_ids, path_id)
            presence = self._presences[path_id] = Presence(self.clock, GRACE_SECONDS, names)
            return Authority(presence.validate, None, self.report)
        return self._programs_authority(path_id) if self._is_authoritative else None

    def _programs_authority(self, path_id: Id) -> Authority:
        validate, refused, door = self._validate, self._on_refused, self._door
        judges = None if validate is None else partial(validate, path_id)
        on_refused = (
            None if refused is None else lambda proposal: self._reporter.call(refused, path_id, proposal)
        )
        if door is None:
            return Authority(judges, on_refused, self.report)

        def access_of(client_id: Id) -> Access:
            return door.access_of(path_id, client_id)

        return Authority(
            judged_by_rules(door.rules, access_of, judges),
            on_refused,
            self.report,
            lambda client_id: door.rules.writes_nothing(access_of(client_id)),
        )

    def client_left(self, path_id: Id, client_id: Id) -> None:
        self._tell_client(path_id, client_id, _REMOVED)
        presence = self._presences.get(path_id)
        if presence is not None:
            presence.client_left()

    def _end_presence(self, path_id: Id) -> None:
        presence = self._presences.pop(path_id, None)
        if presence is not None:
            presence.close()

    def room_stopped(self, room: PathRoom) -> None:
        if self._rooms.get(room.path_id) is room:
            del self._rooms[room.path_id]
            self._end_presence(room.path_id)
            self._tell_path(room.path_id, _REMOVED)

    def report(self, error: Exception) -> None:
        self._reporter.report(error)

    # The end

    async def destroy(self) -> None:
        """Close all connections, finish what is being written, let go of all stores. May be called again.

        Raises:
            Exception: the first failure of a persister's end; the others have ended nevertheless.
        """
        self.close_connections()
        failures: list[Exception] = []
        for room in list(self._rooms.values()):
            try:
                await room.stop()
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.destroy()
