"""The state of one end of a WebSocket, apart from the object that programs hold.

A :class:`Connection` lives as long as the socket does; the :class:`~durabase.web.websocket.WebSocket`
around it may come and go (an object that sleeps has none). It is a
:class:`~durabase.web.ports.SocketSink`: whatever carries the socket tells it what arrives, and it
passes that on to the sink of whoever accepted the end, keeping it until somebody has.

Who runs things: this module waits for nothing and knows no event loop. A
:class:`SocketOwner`, found in the context, decides when listeners run and when messages may leave.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from enum import IntEnum
from functools import partial
from typing import Any, Final, Protocol

from durabase._codec import utf8_length
from durabase.web.ports import SocketPort, SocketSink

__all__ = [
    "ALWAYS_OPEN",
    "Connection",
    "FarEnd",
    "OutputHold",
    "PortSink",
    "ReadyState",
    "SocketOwner",
    "Use",
    "join",
    "socket_owner",
]

NO_CODE: Final = 1005
LOST: Final = 1006


class ReadyState(IntEnum):
    """JavaScript's ``readyState``."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


class Use(IntEnum):
    """What an end is used for; decided once."""

    NONE = 0
    STANDARD = 1
    """``accept()``: events go to listeners."""
    HIBERNATABLE = 2
    """``accept_web_socket()``: events go to the object's handlers."""
    RESPONSE = 3
    """Handed to whoever carries it, in a response."""


class OutputHold(Protocol):
    """What stands between a program and its outgoing messages."""

    is_open: bool
    """Whether a message may leave now."""

    def hold(self, action: Callable[[], object]) -> None:
        """Call ``action`` when everything that was written before is safe; in order; never if that fails."""


class SocketOwner(Protocol):
    """Whoever runs the program that uses a socket."""

    @property
    def output(self) -> OutputHold:
        """What holds the program's outgoing messages."""

    def enter(self, event: Callable[[], Any]) -> None:
        """Run ``event`` as an event of the program; if it gives an awaitable, see to its end."""

    def defer(self, action: Callable[[], object]) -> None:
        """Call ``action`` soon, in order, never from within this call."""

    def adopt(self, connection: Connection) -> None:
        """The program accepted an end for its listeners; :meth:`release` follows when it is over."""

    def release(self, connection: Connection) -> None:
        """An adopted end is over."""


socket_owner: ContextVar[SocketOwner | None] = ContextVar("socket_owner", default=None)
"""Who runs the current code; ``None``: nobody in particular, then things happen at once."""


class FarEnd(Protocol):
    """The other end of a pair, if that is in another process."""

    def relay(self, sink: SocketSink) -> SocketPort:
        """From now on ``sink`` is told what that end sends. Returns where to send to it."""


class _AlwaysOpen:
    """The hold of programs that have no storage to wait for."""

    __slots__ = ()
    is_open: bool = True

    def hold(self, action: Callable[[], object]) -> None:
        action()


ALWAYS_OPEN: Final[OutputHold] = _AlwaysOpen()


class Waiting:
    """The sink of an end that nobody has accepted yet: keeps what arrives, in order."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: list[Callable[[SocketSink], None]] = []

    def on_text(self, text: str) -> None:
        self._calls.append(lambda sink: sink.on_text(text))

    def on_binary(self, data: bytes) -> None:
        self._calls.append(lambda sink: sink.on_binary(data))

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        self._calls.append(lambda sink: sink.on_close(code, reason, was_clean))

    def on_error(self, error: Exception) -> None:
        self._calls.append(lambda sink: sink.on_error(error))

    def then(self, action: Callable[[], object]) -> None:
        """Call ``action`` after what came before it has been told."""

        def call(_: SocketSink) -> None:
            action()

        self._calls.append(call)

    def replay(self, sink: SocketSink) -> None:
        """Tell ``sink`` everything."""
        calls, self._calls = self._calls, []
        for call in calls:
            call(sink)


class Connection:
    """One end of a WebSocket.

    Attributes:
        port: where what this end sends goes.
        sink: who is told what arrives.
        accepted_by: the sink that it was accepted with; another may stand before that.
        attachment: what the program attached, encoded.
        sendable: its program may send now.
        far: the other end, if that is in another process; then this one has no ``peer``.
        sent_close: this end has been closed by its program.
        closed: it is over.
        held_bytes: what its program has sent and its owner's hold still keeps back.
        message_bytes: how large a message its program takes, ``None``: as large as whoever carries it lets
            through. To be set before it is carried.
    """

    __slots__ = (
        "accepted_by",
        "attachment",
        "closed",
        "connecting",
        "extensions",
        "far",
        "held_bytes",
        "message_bytes",
        "peer",
        "port",
        "protocol",
        "sendable",
        "sent_close",
        "sink",
        "url",
        "use",
    )

    def __init__(self) -> None:
        self.port: SocketPort = _NO_PORT
        self.sink: SocketSink = Waiting()
        self.peer: Connection | None = None
        self.far: FarEnd | None = None
        self.use = Use.NONE
        self.accepted_by: SocketSink | None = None
        self.sendable = False
        self.sent_close = False
        self.closed = False
        self.connecting = False
        self.held_bytes = 0
        self.message_bytes: int | None = None
        self.attachment: bytes | None = None
        self.protocol = ""
        self.extensions = ""
        self.url: str | None = None

    @property
    def ready_state(self) -> ReadyState:
        """Where in its life the socket is."""
        if self.closed:
            return ReadyState.CLOSED
        if self.connecting:
            return ReadyState.CONNECTING
        return ReadyState.CLOSING if self.sent_close else ReadyState.OPEN

    @property
    def is_paired(self) -> bool:
        """Whether there is another end, and nobody carries this one yet."""
        return self.peer is not None or self.far is not None

    def accept(self, use: Use, sink: SocketSink) -> None:
        """A program uses this end and lets ``sink`` be told what arrives."""
        self.use = use
        self.accepted_by = sink
        if self.far is not None:
            self.port = self.far.relay(self)
        self.sendable = not self.connecting and not self.closed
        self.receive_with(sink)

    def receive_with(self, sink: SocketSink) -> None:
        """From now on ``sink`` is told what arrives, beginning with what has arrived already."""
        before, self.sink = self.sink, sink
        if isinstance(before, Waiting):
            before.replay(sink)

    def carry(self, port: SocketPort, protocol: str, extensions: str) -> Connection:
        """Hand this end to a carrier: what the other end sends goes out by ``port``.

        Returns:
            whom to tell what arrives: the other end.
        """
        if self.far is not None:
            entry = Connection()
            entry.receive_with(PortSink(self.far.relay(PortSink(port))))
            return entry
        peer = self.peer
        if peer is None:
            raise TypeError("only an end of a WebSocketPair can be handed to a carrier")
        peer.port, peer.peer = port, None
        self.port, self.peer = _NO_PORT, None  # no circle, so that it goes with whoever has it
        peer.protocol, peer.extensions = protocol, extensions
        self.receive_with(PortSink(port))
        return peer

    # What a program does

    def send_text(self, text: str) -> None:
        """Send; a closed connection drops it."""
        self.port.send_text(text)

    def send_binary(self, data: bytes) -> None:
        """Send; a closed connection drops it."""
        self.port.send_binary(data)

    def send_held_text(self, text: str, output: OutputHold) -> None:
        """Send when ``output`` lets it leave; until then it counts as buffered."""
        size = utf8_length(text)
        self.held_bytes += size
        output.hold(partial(self._send_released_text, text, size))

    def _send_released_text(self, text: str, size: int) -> None:
        self.held_bytes -= size
        self.port.send_text(text)

    def buffered_amount(self) -> int:
        """Bytes that its program has sent and that have not left the process, whatever they wait for."""
        return self.held_bytes + self.port.buffered_amount()

    def send_close(self, code: int | None, reason: str) -> None:
        """Send a Close frame, ``None`` for an empty one."""
        self.port.close(code, reason)

    def abort(self) -> None:
        """Drop the connection; both sides see 1006."""
        self.sendable = False
        self.sent_close = self.closed = True
        self.port.abort()

    # What arrives

    def on_text(self, text: str) -> None:
        self.sink.on_text(text)

    def on_binary(self, data: bytes) -> None:
        self.sink.on_binary(data)

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        if not self.closed:
            self.sendable = False
            self.closed = True
            self.sink.on_close(code, reason, was_clean)

    def on_error(self, error: Exception) -> None:
        if not self.closed:
            self.sink.on_error(error)


class _NoPort:
    """The port of an end that is joined to nothing yet; nothing can have been sent."""

    __slots__ = ()

    def send_text(self, text: str) -> None: ...
    def send_binary(self, data: bytes) -> None: ...
    def close(self, code: int | None, reason: str) -> None: ...
    def abort(self) -> None: ...
    def buffered_amount(self) -> int:
        return 0


_NO_PORT: Final[SocketPort] = _NoPort()


class _PairPort:
    """Carries from one end of a pair to the other within the process.

    When a program's code is running, arrival waits until that has come to a stop.
    """

    __slots__ = ("_back", "_far")

    def __init__(self, back: Connection, far: Connection) -> None:
        self._back = back
        self._far = far

    def send_text(self, text: str) -> None:
        _soon(partial(self._far.on_text, text))

    def send_binary(self, data: bytes) -> None:
        _soon(partial(self._far.on_binary, data))

    def close(self, code: int | None, reason: str) -> None:
        _soon(partial(self._close, NO_CODE if code is None else code, reason))

    def _close(self, code: int, reason: str) -> None:
        self._far.on_close(code, reason, True)
        answer = partial(self._answer, code, reason)
        if isinstance(self._far.sink, Waiting):
            self._far.sink.then(answer)
        else:
            answer()

    def _answer(self, code: int, reason: str) -> None:
        if self._far.peer is self._back:
            self._back.on_close(code, reason, True)

    def abort(self) -> None:
        _soon(partial(self._far.on_close, LOST, "WebSocket disconnected without sending Close frame.", False))

    def buffered_amount(self) -> int:
        return 0


def _soon(action: Callable[[], object]) -> None:
    owner = socket_owner.get()
    if owner is None:
        action()
    else:
        owner.defer(action)


class PortSink:
    """Tells a port what arrives: sends it on."""

    __slots__ = ("_port",)

    def __init__(self, port: SocketPort) -> None:
        self._port = port

    def on_text(self, text: str) -> None:
        self._port.send_text(text)

    def on_binary(self, data: bytes) -> None:
        self._port.send_binary(data)

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        if was_clean:
            self._port.close(None if code == NO_CODE else code, reason)
        else:
            self._port.abort()

    def on_error(self, error: Exception) -> None:
        self._port.abort()


def join(first: Connection, second: Connection) -> None:
    """Make the two ends one socket."""
    first.peer, second.peer = second, first
    first.port, second.port = _PairPort(first, second), _PairPort(second, first)
