"""WebSockets whose object lives in another process than the one where their client has arrived.

The response to an upgrade brings one end of a pair, which stays where it was made: in the object's process.
Where the response arrives there is a socket with a :class:`RemoteEnd`. If the server carries that, the
client's connection itself is handed over, and no message of it comes this way again; if a program uses it, or
another carrier, messages are relayed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from durabase.server.context import Answered
from durabase.web import Connection, SocketPort, SocketSink, WebSocket

__all__ = ["RemoteEnd", "SocketRelays"]

NO_CODE: Final = 1005
LOST: Final = 1006
_LOST_REASON: Final = "WebSocket disconnected without sending Close frame."

Send = Callable[[list[Any]], object]


class RemoteEnd:
    """The end of a pair that was exported by another process."""

    def __init__(self, relays: SocketRelays, number: int) -> None:
        self._relays = relays
        self._number = number

    def hand_over(self, descriptor: int, answered: Answered) -> None:
        """Have the connection of the client served where this end is; nothing else is done with it any more.

        Raises:
            ClusterError: the other process is gone.
        """
        self._relays.hand_over(self._number, descriptor, answered)

    def relay(self, sink: SocketSink) -> SocketPort:
        """A program uses the end that is here, or something else than the server carries it."""
        return self._relays.begin(-self._number, sink)


class _RelayPort:
    """Where a relayed end sends to."""

    __slots__ = ("_number", "_relays")

    def __init__(self, relays: SocketRelays, number: int) -> None:
        self._relays = relays
        self._number = number

    def send_text(self, text: str) -> None:
        self._relays.send(["text", self._number, text])

    def send_binary(self, data: bytes) -> None:
        self._relays.send(["binary", self._number, data])

    def close(self, code: int | None, reason: str) -> None:
        self._relays.send(["close", self._number, code, reason])

    def abort(self) -> None:
        self._relays.send(["over", self._number, LOST, _LOST_REASON, False])

    def buffered_amount(self) -> int:
        return 0


class SocketRelays:
    """The sockets between two processes, by number: those exported here have positive ones, those of the
    other process negative ones, and what is positive here is negative there.

    Args:
        send: sends a message to the other process.
        hand_over: sends it the connection of a client, for the socket that has this number there.
    """

    def __init__(self, send: Send, hand_over: Callable[[int, int, Answered], object]) -> None:
        self.send = send
        self.hand_over = hand_over
        self._exported: dict[int, WebSocket] = {}
        self._sinks: dict[int, SocketSink] = {}
        self._last = 0

    def export(self, socket: WebSocket) -> int:
        """Keep an end until the other process says what becomes of it."""
        self._last += 1
        self._exported[self._last] = socket
        return self._last

    def socket(self, number: int) -> WebSocket:
        """What stands here for an end that the other process exported."""
        connection = Connection()
        connection.far = RemoteEnd(self, number)
        return WebSocket(connection)

    def take(self, number: int) -> WebSocket | None:
        """An exported end, whose client is handed over now."""
        return self._exported.pop(number, None)

    def begin(self, number: int, sink: SocketSink) -> SocketPort:
        """Have messages of an end of the other process relayed to ``sink``. Returns where to send some."""
        self._sinks[number] = sink
        self.send(["relay", number])
        return _RelayPort(self, number)

    def receive(self, kind: str, number: int, details: list[Any]) -> None:
        """The other process says something of the socket that has this number there."""
        number = -number
        if kind == "relay" and number in self._exported:
            self._sinks[number] = self._exported.pop(number).connect(_RelayPort(self, number))
        elif (sink := self._sinks.get(number)) is not None:
            self._tell(sink, kind, number, details)

    def _tell(self, sink: SocketSink, kind: str, number: int, details: list[Any]) -> None:
        if kind == "text":
            sink.on_text(*details)
        elif kind == "binary":
            sink.on_binary(*details)
        else:
            if kind == "close":
                code, reason = details
                details = [NO_CODE if code is None else code, reason, True]
                self.send(["over", number, *details])
            del self._sinks[number]
            sink.on_close(*details)

    def lose(self) -> None:
        """The other process is gone."""
        sinks, self._sinks = list(self._sinks.values()), {}
        exported, self._exported = list(self._exported.values()), {}
        sinks += [socket.connect(_RelayPort(self, 0)) for socket in exported]
        for sink in sinks:
            sink.on_close(LOST, _LOST_REASON, False)
