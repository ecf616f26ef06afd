"""One connected socket, and the places it has on paths.

A connection reads what arrives (one store over the socket, or several in channels), gives whole messages to
the rooms it is in, and writes what rooms send, within bounds. After the first invalid payload, or when the
other side does not read, it is closed with the protocol's close code and takes part no more. It does not
know what rooms do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias, final

from durabase._codec import utf8_length
from durabase.clock import TimerClock
from durabase.errors import SyncError, SyncOverflowError
from durabase.persisters._steps import Completion
from durabase.sync_server.access import Access
from durabase.synchronizers._deadlines import DeadlineTimer
from durabase.synchronizers.protocol.channels import (
    CHANNELS_PROTOCOL,
    ChannelData,
    ChannelJoin,
    ChannelLeave,
    ChannelReply,
    ServerChannels,
    channel_path_id,
    channel_payload,
)
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES, Payload, PayloadDecoder

__all__ = ["Admission", "Connection", "Member", "Port", "Room", "RoomHost", "connect", "deliver"]

_Read: TypeAlias = Callable[[str, float], None]


class Port(Protocol):
    """The outgoing half of a socket: a transport, or a ``SocketPort`` of ``durabase.web``."""

    def send_text(self, text: str) -> None:
        """Queue a text."""

    def close(self, code: int | None, reason: str) -> None:
        """Close after what was sent."""

    def buffered_amount(self) -> int:
        """Bytes queued that were not taken yet."""


class Room(Protocol):
    """A path with clients on it."""

    def receive(self, member: Member, payload: Payload) -> None:
        """A whole message of a client that is, or was, on the path."""

    def leave(self, member: Member) -> Completion[None] | None:
        """Take a client off the path; what is still going on because of that, if anything."""


class RoomHost(Protocol):
    """A server with rooms."""

    clock: TimerClock
    request_timeout_seconds: float

    def enter(self, path_id: str, member: Member) -> None:
        """Put a client on a path; it sets ``member.room``."""

    def report(self, error: Exception) -> None:
        """Tell whoever wants to know of an error that changes nothing else."""

    def name_of(self, client_id: str, path: str) -> str:
        """Under which id a client is on its paths that has come by this one, path and query."""

    def disconnected(self, connection: Connection) -> None:
        """This connection is over."""


class Admission(Protocol):
    """What a connection may do, where that is not everything."""

    def begin(self, connection: Connection) -> None:
        """The connection is there."""

    def metered(self, read: _Read) -> _Read:
        """``read``, which raises a SyncError as well if that was too much."""

    def ask(self, path_id: str) -> Completion[Access | None]:
        """The access to the path of a channel; ``None`` if there is none."""

    def guard(self, member: Member, path_id: str, access: Access | None = None) -> None:
        """Put a guard before the room that a member has entered."""

    def end(self) -> None:
        """The connection is over."""


@final
class Member:
    """A client on one path: a connection, or one channel of it. ``room`` is there once it has entered."""

    __slots__ = ("channel_id", "client_id", "connection", "room")

    room: Room

    def __init__(self, connection: Connection, channel_id: str | None = None) -> None:
        self.connection = connection
        self.client_id = connection.client_id
        self.channel_id = channel_id

    def send(self, payload: str, size: int) -> None:
        """Send a payload of ``size`` bytes."""
        if self.channel_id is not None:
            payload = channel_payload(self.channel_id, payload)
            size += utf8_length(self.channel_id) + 3  # "M", and two line feeds
        self.connection.send(payload, size)


def deliver(members: list[Member], payloads: Iterable[str]) -> None:
    """Send payloads to members; each is measured once."""
    for payload in payloads:
        size = utf8_length(payload)
        for member in members:
            member.send(payload, size)


class Connection(ABC):
    """One connected socket. It is its port's ``SocketSink``: ``on_…`` are called with what happens there."""

    def __init__(self, host: RoomHost, port: Port, client_id: str, admission: Admission | None) -> None:
        self.client_id = client_id
        self.admission = admission
        """What it may do; ``None``: everything."""
        self.waiting_count = 0
        """How many messages wait for rooms to be ready, in all rooms together."""
        self.waiting_size = 0
        """How many bytes they have."""
        self._host = host
        self._port = port
        self._is_open = True
        self._reader = self._read if admission is None else admission.metered(self._read)

    @property
    def is_open(self) -> bool:
        """Whether it takes part: neither side has closed it."""
        return self._is_open

    def send(self, text: str, size: int) -> None:
        """Send a text of ``size`` bytes, or close if the other side has too much to read already."""
        if not self._is_open:
            return
        if self._port.buffered_amount() + size > MAX_PAYLOAD_BYTES:
            self.fail(SyncOverflowError("socket"))
        else:
            self._port.send_text(text)

    def fail(self, error: SyncError) -> None:
        """Close with the error's close code and text. Nothing that comes afterwards is read."""
        if self._is_open:
            self._is_open = False
            self._host.report(error)
            self._port.close(error.close_code, str(error))
            self._end()

    def close(self) -> None:
        """Close without a code."""
        if self._is_open:
            self._is_open = False
            self._port.close(None, "")
            self._end()

    def on_text(self, text: str) -> None:
        """A text message came."""
        if self._is_open:
            try:
                self._reader(text, self._host.clock.now_ms())
            except SyncError as error:
                self.fail(error)

    def on_binary(self, data: bytes) -> None:
        """A binary message came: it is read as UTF-8, as the original's Node servers do."""
        self.on_text(data.decode("utf-8", "replace"))

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        """The socket is closed."""
        if self._is_open:
            self._is_open = False
            self._end()

    def on_error(self, error: Exception) -> None:
        """The other side broke the WebSocket protocol; the close follows."""
        self._host.report(error)

    def _end(self) -> None:
        self._reader = _nothing_more
        self._detach()
        if self.admission is not None:
            self.admission.end()
        self._host.disconnected(self)

    @abstractmethod
    def left_out(self, member: Member) -> None:
        """The room of a member could not be opened and has let go of it."""

    @abstractmethod
    def _read(self, text: str, now: float) -> None:
        """Read one payload; raises a SyncError if it is invalid."""

    @abstractmethod
    def _detach(self) -> None:
        """Leave all rooms and let go of everything."""


@final
class _OrdinaryConnection(Connection):
    """One store over the socket."""

    def __init__(
        self, host: RoomHost, port: Port, client_id: str, path_id: str, admission: Admission | None
    ) -> None:
        super().__init__(host, port, client_id, admission)
        self._decoder = PayloadDecoder(host.request_timeout_seconds)
        self._timer = DeadlineTimer(host.clock, self._decoder)
        self._member = Member(self)
        host.enter(path_id, self._member)
        if admission is not None:
            admission.guard(self._member, path_id)

    def left_out(self, member: Member) -> None:
        """As the original: the socket stays open, and what comes is dropped (by the room)."""

    def _read(self, text: str, now: float) -> None:
        payload = self._decoder.receive(text, now)
        if payload is None:
            self._timer.arm()
        else:
            self._member.room.receive(self._member, payload)

    def _detach(self) -> None:
        self._timer.cancel()
        self._decoder.poison()
        self._member.room.leave(self._member)


@final
class _ChannelsConnection(Connection):
    """Several stores over the socket."""

    def __init__(
        self, host: RoomHost, port: Port, client_id: str, base_path_id: str, admission: Admission | None
    ) -> None:
        super().__init__(host, port, client_id, admission)
        self._base_path_id = base_path_id
        self._channels = ServerChannels(host.request_timeout_seconds)
        self._timer = DeadlineTimer(host.clock, self._channels)
        self._members: dict[str, Member] = {}
        self._joining: dict[str, object] = {}

    def left_out(self, member: Member) -> None:
        """Data of that channel is invalid from now on; it may be subscribed again."""
        channel_id = member.channel_id
        if channel_id is not None and self._members.get(channel_id) is member:
            del self._members[channel_id]
            self._channels.drop(channel_id)

    def _read(self, text: str, now: float) -> None:
        match self._channels.receive(text, now):
            case ChannelData(channel_id, payload):
                member = self._members.get(channel_id)
                if member is not None:  # else it is not known yet whether it may join
                    member.room.receive(member, payload)
            case ChannelReply(reply):
                self._reply(reply)
            case ChannelJoin(channel_id, confirmation):
                self._join(channel_id, confirmation)
            case ChannelLeave(channel_id):
                self._leave(channel_id)
            case None:
                self._timer.arm()

    def _reply(self, text: str) -> None:
        self.send(text, utf8_length(text))

    def _join(self, channel_id: str, confirmation: str) -> None:
        if self.admission is None:
            self._enter(channel_id, confirmation)
            return
        joining = self._joining[channel_id] = object()
        path_id = channel_path_id(self._base_path_id, channel_id)
        asking = self.admission.ask(path_id)
        asking.add_done_callback(lambda _: self._on_asked(channel_id, confirmation, joining, asking))

    def _on_asked(
        self, channel_id: str, confirmation: str, joining: object, asked: Completion[Access | None]
    ) -> None:
        """Join, or leave the request unanswered, for the protocol has no refusal."""
        if self._joining.get(channel_id) is not joining:
            self._channels.released()  # it was left; not before, or any number could be asked for
            return
        del self._joining[channel_id]
        try:
            access = asked.result()
        except Exception as error:
            self._host.report(error)
            access = None
        if access is None:
            self._channels.drop(channel_id)
        else:
            self._enter(channel_id, confirmation, access)

    def _enter(self, channel_id: str, confirmation: str, access: Access | None = None) -> None:
        member = self._members[channel_id] = Member(self, channel_id)
        path_id = channel_path_id(self._base_path_id, channel_id)
        self._host.enter(path_id, member)
        if self.admission is not None:
            self.admission.guard(member, path_id, access)
        self._reply(confirmation)

    def _leave(self, channel_id: str) -> None:
        if self._joining.pop(channel_id, None) is not None:
            return
        member = self._members.pop(channel_id, None)
        going_on = None if member is None else member.room.leave(member)
        if going_on is None:
            self._channels.released()
        else:
            going_on.add_done_callback(lambda _: self._channels.released())

    def _detach(self) -> None:
        self._timer.cancel()
        self._channels.poison()
        self._joining.clear()
        members, self._members = self._members, {}
        for member in members.values():
            member.room.leave(member)


def _nothing_more(_text: str, _now: float) -> None:
    """Read nothing: the connection is over."""


def connect(
    host: RoomHost,
    port: Port,
    client_id: str,
    path_id: str,
    subprotocol: str | None = None,
    admission: Admission | None = None,
) -> Connection:
    """Let a socket in that was opened at ``path_id``; in channel mode if that subprotocol was agreed on."""
    kind = _ChannelsConnection if subprotocol == CHANNELS_PROTOCOL else _OrdinaryConnection
    connection = kind(host, port, client_id, path_id, admission)
    if admission is not None:
        admission.begin(connection)
    return connection
