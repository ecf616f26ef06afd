"""The door of a room that is an object: has connections closed whose access is over, or that take too much.

Limits, and the end of an access, are seen to where the connection is, so that neither wakes the object.
"""

from __future__ import annotations

from typing import Final, final

from durabase._codec import utf8_length
from durabase.clock import TimerClock, TimerHandle
from durabase.durable_objects.started import OutsideClock
from durabase.errors import LimitError, SyncError
from durabase.sync_server._fetch import WebSocketPort
from durabase.sync_server._guard import Guard, Questions, expired
from durabase.sync_server._room_sockets import Entry
from durabase.sync_server.access import Access
from durabase.sync_server.limits import ClientLimits, Ticket
from durabase.sync_server.rules import Rules
from durabase.types import Id
from durabase.web import SocketSink, WebSocket
from durabase.web.connection import Connection, Use

__all__ = ["ObjectDoor"]

_NO_RULES: Final = Rules()


@final
class ObjectDoor:
    """Where clients of one object come in.

    Args:
        clock: the clock of the class.
        rules: who may write what.
        limits: how much one may take.
        authoritative: whether the room itself judges what is written, so that it can take it back.
    """

    __slots__ = ("_clock", "_limits", "_questions", "_rules")

    def __init__(
        self, clock: TimerClock, rules: Rules | None, limits: ClientLimits | None, authoritative: bool
    ) -> None:
        self._clock = clock
        self._rules = None if authoritative else rules or _NO_RULES
        self._limits = limits
        self._questions: Questions | None = None

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

    def guard(self, access: Access, client_id: Id) -> Guard:
        """A guard for the messages of a client."""
        if self._questions is None:
            self._questions = Questions()
        return Guard(access, self._rules, self._questions, client_id)

    @staticmethod
    def rewatch(socket: WebSocket, access: Access) -> None:
        """Close a watched socket when this access is over, and not when another one is."""
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
            self._timer = self._clock.call_later(seconds, lambda: self._close(expired()))

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
