"""A Durable Object that is the server of one path: clients see each other, and the object may keep a store.

TinyBase 10.0.1's ``WsServerDurableObject``. Sockets hibernate: the object may be gone from memory while they
stay connected, and everything here is found again from the sockets and the storage. It differs where the
original loses or rewrites data: the message that wakes the object is handled like any other, waking writes
nothing, a client that does not read is closed instead of filling memory, paths may be of any length.

What is passed on to other clients leaves at once and does not wait for the disk, neither for its own write
nor for earlier ones. What the store itself sends comes after its writes, and the output gate holds it until
they are safe: what it says that it has is on disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, ClassVar, Final

from durabase.clock import SystemClock, TimerClock
from durabase.durable_objects import DurableObject, RpcStub
from durabase.errors import ConnectionLimitError, ServerError, SyncTimeoutError
from durabase.persisters.base import Persister
from durabase.sync_server._chronicle import Chronicle, said_by
from durabase.sync_server._fetch import BESIDE_TOKENS, already_here, client_id_of, subprotocol_of
from durabase.sync_server._guard import judged_by_rules
from durabase.sync_server._inbox import AnyInbox, EventClock, GuardedInbox, Inbox, hears_messages
from durabase.sync_server._object_door import ObjectDoor
from durabase.sync_server._passing import Passing
from durabase.sync_server._peer import ServerSeat
from durabase.sync_server._remote_room import lend_store
from durabase.sync_server._room_sockets import Entry, RoomSockets
from durabase.sync_server.access import ANYBODY, Access, Level
from durabase.sync_server.authority import Authority, Proposal
from durabase.sync_server.authorizing import Verdict, decide, is_refresh, passed_on, refreshed, session_of
from durabase.sync_server.limits import ClientLimits, address_of
from durabase.sync_server.object_fetch import path_id_of_request, refusal_of
from durabase.sync_server.rest.objects import answer_in_object
from durabase.sync_server.rest.permission import Permission
from durabase.sync_server.rules import Rules
from durabase.synchronizers.protocol.relay import OBJECT_RULES, HubRelay, Relay
from durabase.types import Id
from durabase.web import Request, Response, WebSocket, WebSocketPair

__all__ = ["WsServerDurableObject"]

_logger = logging.getLogger(__name__)

_ADDED: Final = 1
_REMOVED: Final = -1
_HELLO: Final = 'S\n[null,1,""]'


class WsServerDurableObject(DurableObject):
    """Relays between the sockets of one path; with :meth:`create_persister`, synchronizes a store with them.

    ::

        class TinyBaseDurableObject(WsServerDurableObject):
            def create_persister(self):
                return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)

    Methods that you override and that do something here (``__init__``, ``fetch``, ``web_socket_message``,
    ``web_socket_close``, ``web_socket_error``) must call those of ``super()``.

    Attributes:
        clock: what timers run on.
        durable_before_visible: whether clients get each other's edits only when these are safe on disk. If
            not, as in the original, an edit lost in a crash of the server comes back from whoever has it.
        authoritative: whether clients hear of each other's edits from the store alone, and only of those that
            its schema and :meth:`validate` allow, when they are safe on disk. Others are taken back.
        rules: who may write what; ``None``: whoever may write at all.
        limits: how much a client may take, counted over all objects of the class in the process.
    """

    clock: ClassVar[TimerClock] = SystemClock()
    durable_before_visible: ClassVar[bool] = False
    authoritative: ClassVar[bool] = False
    rules: ClassVar[Rules | None] = None
    limits: ClassVar[ClientLimits | None] = None

    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        self._timers = EventClock(self.clock)
        self._relay: Relay[WebSocket] = (HubRelay if self.authoritative else Relay)(OBJECT_RULES)
        self._door = ObjectDoor(self.clock, self.rules, self.limits, self.authoritative)
        self._authorizes = type(self).authorize is not WsServerDurableObject.authorize
        self._sockets = RoomSockets(ctx, self._authorizes or self.rules is not None)
        self._chronicle = Chronicle.of(ctx, self._sockets)
        tells_messages = type(self).on_message is not WsServerDurableObject.on_message
        self._passing = Passing(
            self._relay,
            self.durable_before_visible,
            new_inbox=self._new_inbox,
            fragment_size=self.get_fragment_size,
            tell=self._tell,
            on_message=self.on_message if tells_messages else None,
            on_error=self.on_ignored_error,
        )
        for socket in self._sockets.all():
            if socket.connection.sendable:
                self._relay.join(self._sockets.client_id(socket), socket)
        ctx.block_concurrency_while(self._start)

    # What subclasses may override

    def create_persister(self) -> Persister | Awaitable[Persister | None] | None:
        """The persister of this object's store, which must be able to merge; ``None`` to relay only."""
        return None

    def validate(self, proposal: Proposal) -> None:
        """Refuse what must not be of what a client's message would change. If this raises, all is refused.

        Called if the room is :attr:`authoritative`.
        """

    def on_refused(self, proposal: Proposal) -> Any:
        """Something of a proposal was refused, and its client is being corrected."""

    def get_path_id(self) -> Id:
        """The path that this object serves; empty while there is no socket."""
        sockets = self._sockets.all()
        return self._sockets.path_id(sockets[0]) if sockets else ""

    def get_client_ids(self) -> list[Id]:
        """The clients that are connected, in order of coming."""
        return [self._sockets.client_id(socket) for socket in self._sockets.all()]

    def get_fragment_size(self) -> float | None:
        """Bytes of UTF-8 after which the store's own messages are cut; ``None``: never."""
        return None

    def get_request_timeout_seconds(self) -> float:
        """How long a client has to answer the store, and to send the rest of a message."""
        return 1.0

    def on_path_id(self, path_id: Id, added_or_removed: int) -> Any:
        """The first client has come (1), or the last one has gone (-1)."""

    def on_client_id(self, path_id: Id, client_id: Id, added_or_removed: int) -> Any:
        """A client has come (1) or gone (-1)."""

    def on_message(self, from_client_id: Id, to_client_id: Id, remainder: str) -> Any:
        """A message, or a piece of one, is being passed on, also from and to the store (``S``).

        ``to_client_id``: empty for everybody else. ``remainder``: the text without its address line.
        """

    def on_ignored_error(self, error: Exception) -> Any:
        """Something went wrong that changes nothing else, such as an invalid payload. It is logged here."""
        _logger.warning("%s: ignored: %r", type(self).__name__, error)

    def authorize(self, request: Request, path_id: Id) -> Verdict | Awaitable[Verdict]:
        """Who a client is and what it may do: an :class:`Access`, a response that refuses it, or ``None``.

        Without one of your own, it is what the worker has found out (see :func:`ws_server_fetch`), and if
        that does not ask either, everybody may write.
        """
        return passed_on(request) or ANYBODY

    def get_access(self, client_id: Id) -> Access:
        """What a client may do that is connected; nothing if there is none of that id."""
        for socket in self._relay.route_from_server(client_id) if client_id else []:
            return self._sockets.access(socket)
        return Access(Level.NONE)

    # What the runtime calls

    def fetch(self, request: Request) -> Response | Awaitable[Response]:
        """Let a client in. Anything but the opening of a WebSocket gets 426, a path over 16,000 bytes 414.

        A POST with ``?session=`` gives the connections of that session the access that it shows.
        """
        asks = self._authorizes or passed_on(request) is not None
        if asks and is_refresh(request):
            return self._refresh(request)
        if (refusal := refusal_of(request)) is not None:
            return refusal
        if asks or self.rules is not None or self.limits is not None:
            return self._ask(request)
        return self._let_in(request, None)

    async def _decide(self, request: Request, path_id: Id) -> Access | Response:
        return await decide(self.authorize, request, path_id, self._door.now_ms())

    async def _ask(self, request: Request) -> Response:
        access = await self._decide(request, path_id_of_request(request))
        if isinstance(access, Response):
            return access
        if self._relay.route_from_server(client_id_of(request)):
            return already_here()
        try:
            return self._let_in(request, Entry(access, session_of(request), address_of(request)))
        except ConnectionLimitError as error:
            return Response(str(error), error.status or 429, headers={"retry-after": "1"})

    async def _refresh(self, request: Request) -> Response:
        access = await self._decide(request, path_id_of_request(request))
        if isinstance(access, Response):
            return access
        count = 0
        for socket in self._sockets.all():
            entry = self._sockets.entry(socket)
            if entry is None or not socket.connection.sendable or entry.session != session_of(request):
                continue
            if entry.access.identity == access.identity:
                count += 1
                self._sockets.renew(socket, entry, access)
                self._door.rewatch(socket, access)
                inbox = self._passing.inbox(socket)
                if isinstance(inbox, GuardedInbox):
                    inbox.guard.access = access
        return refreshed(count, access)

    def _let_in(self, request: Request, entry: Entry | None) -> Response:
        client_id, path_id = client_id_of(request), path_id_of_request(request)
        client, server = WebSocketPair()
        ticket = None if entry is None else self._door.ticket(entry, path_id, server.connection)
        if not self.ctx.get_web_sockets():
            self._tell(self.on_path_id, path_id, _ADDED)
        self._sockets.accept(server, client_id, path_id, entry)
        if entry is not None:
            self._door.watch(server, entry.access, ticket)
        self._relay.join(client_id, server)
        self._tell(self.on_client_id, path_id, client_id, _ADDED)
        server.send(_HELLO)
        subprotocol = subprotocol_of(request, (BESIDE_TOKENS,))
        headers = {} if subprotocol is None else {"sec-websocket-protocol": subprotocol}
        return Response(None, status=101, headers=headers, web_socket=client)

    def web_socket_message(self, ws: WebSocket, message: str | bytes) -> None:
        """A payload of a client: passed on, then given to the store."""
        if self._chronicle is not None:
            self._chronicle.hears(ws)
        self._passing.receive(ws, message)

    def web_socket_close(self, ws: WebSocket, code: int, reason: str, was_clean: bool) -> None:
        """A client has gone."""
        self._say_goodbye(ws)

    def web_socket_error(self, ws: WebSocket, error: Any) -> None:
        """A client's connection broke; no close is told after that."""
        self._say_goodbye(ws)

    async def rest_fetch(self, request: Request, prefix: str) -> Response:
        """Answer a request for something in this room; see ``rest`` of :func:`ws_server_fetch`."""

        async def permission_of(path_id: Id) -> Permission | Response:
            verdict: Access | Response = ANYBODY
            if self._authorizes or passed_on(request) is not None:
                verdict = await self._decide(request, path_id)
            if isinstance(verdict, Response):
                return verdict
            said_by(verdict, address_of(request))
            return Permission(verdict, self.rules, self.validate if self.authoritative else None)

        storage, clock = self.ctx.storage, self._timers
        return await answer_in_object(request, prefix, self._passing.seat, storage, clock, permission_of)

    def room_copy(self, ear: RpcStub) -> object:
        """Let another process of the server have a copy of the store; see :func:`object_room`."""
        return lend_store(ear, self._passing.seat, self._timers)

    def _say_goodbye(self, ws: WebSocket) -> None:
        self._passing.forget(ws)
        path_id = self._sockets.path_id(ws)
        self._tell(self.on_client_id, path_id, self._sockets.client_id(ws), _REMOVED)
        if all(other is ws for other in self.ctx.get_web_sockets()):
            self._tell(self.on_path_id, path_id, _REMOVED)

    # The store

    async def _start(self) -> None:
        """Load, and be ready to answer: nothing that waits for the object is handled before."""
        made = self.create_persister()
        persister = await made if isinstance(made, Awaitable) else made
        if persister is None:
            if self.authoritative:
                raise ServerError(f"create_persister of {type(self).__name__} gives none: who is to decide?")
            return
        hears = self.durable_before_visible or hears_messages(type(self), WsServerDurableObject)
        seat = ServerSeat(
            persister,
            send=self._passing.send_from_store,
            has_several_clients=lambda: len(self._relay) > 1,
            clock=self._timers,
            request_timeout_seconds=self.get_request_timeout_seconds(),
            on_ignored_error=self._report_of_store,
            in_slices=None if self.durable_before_visible else self._in_slices,
            defer=None if hears else self.ctx.storage.defer,
            authority=self._authority() if self.authoritative else None,
            send_to_others=self._passing.send_to_others,
            chronicle=self._chronicle,
        )
        await seat.load()
        self._passing.seat = seat
        self._timers.call_later(0, self._start_sync)

    def _start_sync(self) -> None:
        if self._passing.seat is not None:
            self._passing.seat.start_sync()

    def _in_slices(self, slices: Iterator[None]) -> None:
        """Do what takes long as one commit while nothing else happens here; others have their turn."""

        async def go_on() -> None:
            try:
                for _ in slices:
                    await asyncio.sleep(0)
            except Exception:
                _logger.exception("%s: a large message could not be taken over", type(self).__name__)

        self.ctx.storage.in_one_turn(go_on)

    def _authority(self) -> Authority:
        rules = self.rules or Rules()
        return Authority(
            validate=judged_by_rules(rules, self.get_access, self.validate),
            on_refused=lambda proposal: self._tell(self.on_refused, proposal),
            report=lambda error: self._tell(self.on_ignored_error, error),
            writes_nothing=lambda client_id: rules.writes_nothing(self.get_access(client_id)),
        )

    def _report_of_store(self, error: Exception) -> None:
        """Clients that do not answer are nothing to speak of: they come and go."""
        if isinstance(error, SyncTimeoutError):
            _logger.debug("%s: %r", type(self).__name__, error)
        else:
            self._tell(self.on_ignored_error, error)

    def _new_inbox(self, socket: WebSocket, client_id: Id) -> AnyInbox:
        seconds, entry = self.get_request_timeout_seconds(), self._sockets.entry(socket)
        if entry is None:
            return Inbox(self._timers, seconds)
        guard = self._door.guard(entry.access, client_id)
        return GuardedInbox(self._timers, seconds, guard, self._report_of_store)

    def _tell(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call what a subclass may have overridden; its failure must not keep messages from passing."""
        try:
            result = function(*arguments)
        except Exception:
            _logger.exception("%s of %s failed", function.__name__, type(self).__name__)
        else:
            if result is not None and isinstance(result, Awaitable):
                self.ctx.wait_until(result)
