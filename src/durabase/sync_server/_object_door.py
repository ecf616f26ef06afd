"""The door of a room that is an object: what each socket may do, kept with it over sleep.

A socket that somebody was asked about carries a mark among its tags, and its entry as its attachment; without
the entry, a marked socket may do nothing. Limits, and the end of an access, are seen to where the connection
is, so that neither wakes the object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from durabase._codec import utf8_length
from durabase.clock import TimerClock, TimerHandle
from durabase.durable_objects.started import OutsideClock
from durabase.errors import LimitError, SyncError, UnauthenticatedError
from durabase.sync_server._fetch import WebSocketPort
from durabase.sync_server._guard import OVER, Guard, Questions
from durabase.sync_server.access import Access, Level
from durabase.sync_server.limits import ClientLimits, Ticket
from durabase.sync_server.rules import Rules
from durabase.types import Id
from durabase.web import SocketSink, WebSocket
from durabase.web.connection import Connection, Use

__all__ = ["GUARDED", "Entry", "ObjectDoor"]

GUARDED: Final = "\nguarded"
"""The tag of sockets that have an entry. No path has a line feed."""


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a socket: its access, the session it belongs to, and where it came from."""

    access: Access
    session: str = ""
    address: str = ""

    def to_json(self, path_id: Id | None) -> dict[str, Any]:
        """The entry as an attachment; with the path, if that has no other place."""
        return {
            "path": path_id,
            "access": self.access.to_json(),
            "session": self.session,
            "address": self.address,
        }


@final
class ObjectDoor:
    """Where clients of one object come in.

    Args:
        clock: the clock of the class.
        rules: who may write what.
        limits: how much one may take.
    """

    def __init__(self, clock: TimerClock, rules: Rules | None, limits: ClientLimits | None) -> None:
        self._clock = clock
        self._rules = Rules() if rules is None else rules
        self._limits = limits
        self._questions = Questions()

    def now_ms(self) -> int:
        """What time it is."""
        return self._clock.now_ms()

    def ticket(self, entry: Entry, path_id: Id, connection: Connection) -> Ticket | None:
        """Count one more connection.

        Raises:
            ConnectionLimitError: there are as many as there may be.
        """
        if self._limits is None:
            return None

        def is_over() -> bool:
            return connection.closed or connection.use is Use.NONE  # or was never accepted

        return self._limits.admit(entry.access.identity, entry.address, path_id, self._clock, is_over)

    def watch(self, socket: WebSocket, access: Access, ticket: Ticket | None) -> None:
        """Close an accepted socket when its access is over, or when it takes too much."""
        connection = socket.connection
        connection.sink = watched = _WatchedSink(connection, OutsideClock(self._clock), ticket)
        watched.watch(access)

    def guard(self, socket: WebSocket, client_id: Id) -> Guard:
        """The guard of a socket, by its entry."""
        return Guard(self.entry(socket).access, self._rules, self._questions, client_id)

    @staticmethod
    def entry(socket: WebSocket) -> Entry:
        """The entry of a marked socket; if it is not there, one that lets it do nothing."""
        found = socket.deserialize_attachment()
        if not (isinstance(found, Mapping) and "access" in found):
            return Entry(Access(Level.NONE))
        return Entry(Access.from_json(found["access"]), found["session"], found["address"])

    def renew(self, socket: WebSocket, entry: Entry, access: Access) -> None:
        """Give a marked socket another access."""
        path_id = socket.deserialize_attachment()["path"]
        socket.serialize_attachment(Entry(access, entry.session, entry.address).to_json(path_id))
        sink = socket.connection.sink
        if isinstance(sink, _WatchedSink):
            sink.watch(access)


@final
class _WatchedSink:
    """Stands before the sink of a connection for as long as that lives."""

    __slots__ = ("_clock", "_connection", "_sink", "_ticket", "_timer")

    def __init__(self, connection: Connection, clock: OutsideClock, ticket: Ticket | None) -> None:
        self._connection = connection
        self._sink: SocketSink = connection.sink
        self._clock = clock
        self._ticket = ticket
        self._timer: TimerHandle | None = None

    def watch(self, access: Access) -> None:
        """Close the connection when this access is over, not when an earlier one would have been."""
        self._cancel()
        if access.expires_at is not None:
            seconds = max(access.expires_at - self._clock.now_ms() / 1000, 0)
            error = UnauthenticatedError(OVER)
            self._timer = self._clock.call_later(seconds, lambda: self._close(error))

    def on_text(self, text: str) -> None:
        if self._is_within(utf8_length(text) if self._ticket is not None else 0):
            self._sink.on_text(text)

    def on_binary(self, data: bytes) -> None:
        if self._is_within(len(data)):
            self._sink.on_binary(data)

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        self._cancel()
        if self._ticket is not None:
            self._ticket.end()
        self._sink.on_close(code, reason, was_clean)

    def on_error(self, error: Exception) -> None:
        self._sink.on_error(error)

    def _is_within(self, size: int) -> bool:
        """Whether a message may go on: nothing does from a connection that has been told to close."""
        if self._connection.sent_close:
            return False
        try:
            if self._ticket is not None:
                self._ticket.charge(size, self._clock.now_ms())
        except LimitError as error:
            self._close(error)
            return False
        return True

    def _close(self, error: SyncError) -> None:
        self._cancel()
        WebSocketPort(self._connection).close(error.close_code, str(error))

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
