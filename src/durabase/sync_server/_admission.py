"""The door of a socket server: asks the application, and keeps what each connection may do.

It is there only if the server has something to ask: a hook, rules, or limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import final

from durabase._codec import utf8_length
from durabase._refusals import refused
from durabase.clock import TimerClock, TimerHandle
from durabase.errors import AccessError, SyncError
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.sync_server._connections import Connection, Member, Room, RoomHost
from durabase.sync_server._fetch import already_here, client_id_of
from durabase.sync_server._guard import Guard, Questions, expired
from durabase.sync_server.access import ANYBODY, Access, Level
from durabase.sync_server.authorizing import Authorize, decide, refreshed, session_of
from durabase.sync_server.limits import ClientLimits, Ticket, address_of
from durabase.sync_server.rules import Rules
from durabase.synchronizers.protocol.channels import CHANNELS_PROTOCOL, channel_path_id
from durabase.synchronizers.protocol.payloads import Payload
from durabase.types import Id
from durabase.web import Request, Response

__all__ = ["Admission", "Door", "asked_path_id"]


@final
class Door:
    """Where a server's clients come in.

    Args:
        host: the server.
        authorize: says who somebody is; ``None``: everybody may write.
        rules: who may write what.
        limits: how much one may take.
        is_judged: whether the room of a path itself judges what is written, so that it can take it back.
    """

    def __init__(
        self,
        host: RoomHost,
        authorize: Authorize | None,
        rules: Rules | None,
        limits: ClientLimits | None,
        is_judged: Callable[[Id], bool],
    ) -> None:
        self.host = host
        self.rules = Rules() if rules is None else rules
        self.is_judged = is_judged
        self.questions = Questions()
        self.guards: dict[tuple[Id, Id], Guard] = {}
        """By path and client."""
        self.client_ids: set[Id] = set()
        """Of the connections that are there: nobody may come under the id of somebody else."""
        self._authorize: Authorize = _anybody if authorize is None else authorize
        self._limits = limits
        self.asks = authorize is not None
        """Whether a client needs a request, or an access that somebody vouches for."""

    async def decide(self, request: Request, path_id: Id) -> Access | Response:
        """What a hook says of a request, or how it is refused."""
        return await decide(self._authorize, request, path_id, self.host.clock.now_ms())

    def access_of(self, path_id: Id, client_id: Id) -> Access:
        """What a client of a path may do; nothing if it is not there."""
        guard = self.guards.get((path_id, client_id))
        return Access(Level.NONE) if guard is None else guard.access

    async def admit(self, request: Request, path_id: Id, subprotocol: str | None) -> Admission | Response:
        """Let the client of a request in, or refuse it.

        Raises:
            Exception: what the hook raises.
        """
        asked_for = asked_path_id(path_id, subprotocol)
        access = await self.decide(request, asked_for)
        if isinstance(access, Response):
            return access
        if self.host.name_of(client_id_of(request), request.url) in self.client_ids:
            return already_here()
        try:
            ticket = self._ticket(access, path_id, address_of(request))
        except SyncError as error:
            return Response(str(error), error.status or 429, headers={"retry-after": "1"})
        return Admission(self, access, path_id, ticket, request, asked_for)

    def vouched(self, access: Access, path_id: Id) -> Admission:
        """Let somebody in of whom the program says what they may do.

        Raises:
            AccessError: that is nothing, or it is over.
            ConnectionLimitError: there are too many already.
        """
        if access.level is Level.NONE:
            refused("forbidden", path_id)
            raise AccessError("this access is to nothing")
        if access.is_over(self.host.clock.now_ms()):
            raise expired()
        return Admission(self, access, path_id, self._ticket(access, path_id, ""))

    def _ticket(self, access: Access, path_id: Id, address: str) -> Ticket | None:
        if self._limits is None:
            return None
        return self._limits.admit(access.identity, address, path_id, self.host.clock)

    async def refresh(self, request: Request, path_id: Id, connections: Iterable[Connection]) -> Response:
        """Give the connections of a session, at this path, the access that this request shows."""
        there = [connection.admission for connection in connections]
        session = session_of(request)
        of_session = [one for one in there if isinstance(one, Admission) and one.is_of(session, path_id)]
        refusal, count, access = None, 0, ANYBODY
        for asked_for in dict.fromkeys(one.asked_for for one in of_session) or (path_id,):
            verdict = await self.decide(request, asked_for)
            if isinstance(verdict, Response):
                refusal = verdict
                continue
            access = verdict
            for one in of_session:
                if one.asked_for == asked_for and one.access.identity == access.identity:
                    count += await one.refresh(request, access)
        return refreshed(count, access) if count or refusal is None else refusal


def asked_path_id(path_id: Id, subprotocol: str | None) -> Id:
    """What a hook is asked about when a socket opens: its path, or in channel mode what is below that."""
    return channel_path_id(path_id, "") if subprotocol == CHANNELS_PROTOCOL else path_id


def _anybody(_request: Request, _path_id: Id) -> Access:
    return ANYBODY


@final
class Admission:
    """What one connection may do; in channel mode for each of its paths.

    Attributes:
        access: of the path that was connected to.
        asked_for: the path that the hook was asked about when the socket opened.
    """

    def __init__(
        self,
        door: Door,
        access: Access,
        path_id: Id,
        ticket: Ticket | None,
        request: Request | None = None,
        asked_for: Id = "",
    ) -> None:
        self.access = access
        self.asked_for = asked_for
        self._door = door
        self._path_id = path_id
        self._request = request
        self._ticket = ticket
        self._guards: dict[Member, tuple[Id, Guard]] = {}
        self._connection: Connection | None = None
        self._timer: TimerHandle | None = None

    # What connections ask

    def begin(self, connection: Connection) -> None:
        """The connection is there; it is closed when its access is over."""
        self._connection = connection
        self._door.client_ids.add(connection.client_id)
        self._watch()

    def metered(self, read: Callable[[str, float], None]) -> Callable[[str, float], None]:
        """``read``, within the limits."""
        ticket = self._ticket
        if ticket is None:
            return read

        def read_within_limits(text: str, now: float) -> None:
            ticket.charge(utf8_length(text), now)
            read(text, now)

        return read_within_limits

    def ask(self, path_id: Id) -> Completion[Access | None]:
        """The access to the path of a channel; ``None`` if there is none."""
        return start_steps(self._ask_steps(path_id))

    def guard(self, member: Member, path_id: Id, access: Access | None = None) -> None:
        """Put a guard before the room that a member has entered."""
        door = self._door
        rules = None if door.is_judged(path_id) else door.rules
        guard = Guard(access or self.access, rules, door.questions, member.client_id)
        self._guards[member] = path_id, guard
        door.guards[path_id, member.client_id] = guard
        member.room = _GuardedRoom(member.room, guard, door.host, self._forget)
        self._watch()

    def _forget(self, member: Member) -> None:
        """A member has left its path."""
        found = self._guards.pop(member, None)
        if found is not None and self._door.guards.get((found[0], member.client_id)) is found[1]:
            del self._door.guards[found[0], member.client_id]

    def end(self) -> None:
        """The connection is over."""
        if self._connection is not None:
            self._door.client_ids.discard(self._connection.client_id)
            self._connection = None
        self._cancel_timer()
        if self._ticket is not None:
            self._ticket.end()

    # What the server asks

    def is_of(self, session: str, path_id: Id) -> bool:
        """Whether this is a connection of a session, at a path."""
        request = self._request
        return request is not None and session_of(request) == session and self._path_id == path_id

    async def refresh(self, request: Request, access: Access) -> bool:
        """Take over an access, in channel mode those to each channel's path as well.

        A channel that it does not reach any more closes the connection, and so does one of which nobody can
        say whether it does.

        Raises:
            Exception: what the hook raises.
        """
        self.access, self._request = access, request
        try:
            for member, (path_id, guard) in list(self._guards.items()):
                verdict = access if member.channel_id is None else await self._door.decide(request, path_id)
                if isinstance(verdict, Response):
                    raise AccessError(f"no access to {path_id!r} any more")
                guard.access = verdict
        except AccessError as error:
            self._fail(error)
            return False
        except Exception:
            self._fail(AccessError("it is not known whether there is access to all channels"))
            raise
        self._watch()
        return self._connection is not None

    def _ask_steps(self, path_id: Id) -> Steps[Access | None]:
        request = self._request
        if request is None:
            return self.access
        verdict = yield self._door.decide(request, path_id)
        if self._request is not request:  # it was refreshed meanwhile, and may do less now
            return (yield from self._ask_steps(path_id))
        return None if isinstance(verdict, Response) else verdict

    # Time

    def _watch(self) -> None:
        """See to it that the connection is closed when the first access is over."""
        self._cancel_timer()
        accesses = [self.access, *(guard.access for _, guard in self._guards.values())]
        ends = [access.expires_at for access in accesses if access.expires_at is not None]
        if ends and self._connection is not None:
            clock: TimerClock = self._door.host.clock
            seconds = max(min(ends) - clock.now_ms() / 1000, 0)
            self._timer = clock.call_later(seconds, lambda: self._fail(expired()))

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fail(self, error: SyncError) -> None:
        if self._connection is not None:
            self._connection.fail(error)


@final
class _GuardedRoom:
    """A room as somebody sees it who does not have full access."""

    __slots__ = ("_forget", "_guard", "_host", "_room")

    def __init__(self, room: Room, guard: Guard, host: RoomHost, forget: Callable[[Member], None]) -> None:
        self._room = room
        self._guard = guard
        self._host = host
        self._forget = forget

    def receive(self, member: Member, payload: Payload) -> None:
        try:
            passed = self._guard.let_through(payload, self._host.clock.now_ms())
        except SyncError as error:
            member.connection.fail(error)
        except Exception as error:  # of the application's check: what it can't judge is refused
            self._host.report(error)
        else:
            if passed is not None:
                self._room.receive(member, passed)

    def leave(self, member: Member) -> Completion[None] | None:
        self._forget(member)
        return self._room.leave(member)
