"""A WebSocket as programs see it: the pair, sending, closing, ready state, attachments, listeners.

Follows ``WebSocket`` of Cloudflare's Workers where it differs from browsers: an end has to be accepted
before it sends, codes and texts of errors are the same. What outlives it: :mod:`durabase.web.connection`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Final

from durabase._names import js_names
from durabase.web.attribute_dict import proxied
from durabase.web.byte_string import ByteString
from durabase.web.connection import (
    ALWAYS_OPEN,
    LOST,
    Connection,
    OutputHold,
    SocketOwner,
    Use,
    join,
    socket_owner,
)
from durabase.web.ports import SocketPort, SocketSink
from durabase.web.structured_clone import decode_value, encode_value

__all__ = [
    "CloseEvent",
    "ErrorEvent",
    "MessageEvent",
    "OpenEvent",
    "WebSocket",
    "WebSocketPair",
    "WebSocketRequestResponsePair",
]

MAX_ATTACHMENT: Final = 16_384
MAX_REASON: Final = 123
_RESERVED_CODES: Final = frozenset((1004, 1005, 1006, 1015))
_NO_LISTENERS: Final[dict[str, dict[Callable[[Any], Any], bool]]] = {}  # most have none


@js_names
@dataclass(slots=True)
class OpenEvent:
    """An outgoing socket is connected."""

    target: WebSocket
    type: str = field(default="open", init=False)


@js_names
@dataclass(slots=True)
class MessageEvent:
    """A message arrived: ``data`` is ``str`` or ``bytes``."""

    target: WebSocket
    data: str | bytes
    type: str = field(default="message", init=False)


@js_names
@dataclass(slots=True)
class CloseEvent:
    """The socket is over."""

    target: WebSocket
    code: int
    reason: str
    was_clean: bool
    type: str = field(default="close", init=False)


@js_names
@dataclass(slots=True)
class ErrorEvent:
    """The connection failed; ``close`` follows."""

    target: WebSocket
    error: Exception
    type: str = field(default="error", init=False)

    @property
    def message(self) -> str:
        """What went wrong."""
        return str(self.error)


class _Listeners:
    """The sink of an end that was accepted for its listeners: each arrival is an event of its owner."""

    __slots__ = ("_owner", "_socket")

    def __init__(self, socket: WebSocket, owner: SocketOwner | None) -> None:
        self._socket = socket
        self._owner = owner

    def on_text(self, text: str) -> None:
        self._tell(MessageEvent(self._socket, text))

    def on_binary(self, data: bytes) -> None:
        self._tell(MessageEvent(self._socket, ByteString(data)))

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        self._tell(CloseEvent(self._socket, code, reason, was_clean))
        if self._owner is not None:
            self._owner.release(self._socket.connection)

    def on_error(self, error: Exception) -> None:
        self._tell(ErrorEvent(self._socket, error))

    def on_open(self) -> None:
        self._tell(OpenEvent(self._socket))

    def _tell(self, event: Any) -> None:
        for listener in self._socket.listeners_of(event.type):
            if self._owner is not None:
                self._owner.enter(partial(listener, event))
            elif hasattr(listener(event), "__await__"):
                raise RuntimeError(
                    f"the {event.type} listener is asynchronous, but nothing runs here that could await it"
                )


@js_names
class WebSocket:
    """One end of a WebSocket. Made by :class:`WebSocketPair`, never directly.

    Attributes:
        connection: its state, which outlives it.
        binary_type: how binary messages come to listeners; always as ``bytes``, whatever it says.
    """

    CONNECTING: ClassVar[int] = 0
    OPEN: ClassVar[int] = 1
    CLOSING: ClassVar[int] = 2
    CLOSED: ClassVar[int] = 3
    READY_STATE_CONNECTING: ClassVar[int] = 0
    READY_STATE_OPEN: ClassVar[int] = 1
    READY_STATE_CLOSING: ClassVar[int] = 2
    READY_STATE_CLOSED: ClassVar[int] = 3

    binary_type: str
    onopen: Callable[[OpenEvent], Any] | None = None
    onmessage: Callable[[MessageEvent], Any] | None = None
    onclose: Callable[[CloseEvent], Any] | None = None
    onerror: Callable[[ErrorEvent], Any] | None = None

    def __init__(self, connection: Connection, output: OutputHold = ALWAYS_OPEN) -> None:
        self.connection = connection
        self.binary_type = "arraybuffer"
        self._output = output
        self._listeners = _NO_LISTENERS

    @classmethod
    def outgoing(cls, url: str) -> WebSocket:
        """A socket that is being connected to ``url``; :meth:`opened` or :meth:`failed` must follow."""
        connection = Connection()
        connection.connecting, connection.url = True, url
        socket = cls(connection)
        socket._listen()
        return socket

    # For carriers

    def connect(self, port: SocketPort, *, protocol: str = "", extensions: str = "") -> Connection:
        """Carry this end, the one that came in a response: messages of the other end go to ``port``.

        What the other end has sent already is sent at once, in order.

        Returns:
            whom to tell what arrives.

        Raises:
            TypeError: this end is carried, or used by a program, already.
        """
        if self.connection.use not in (Use.NONE, Use.RESPONSE) or not self.connection.is_paired:
            raise TypeError("this WebSocket is already in use")
        self.connection.use = Use.RESPONSE
        return self.connection.carry(port, protocol, extensions)

    def opened(self, port: SocketPort, *, protocol: str = "", extensions: str = "") -> SocketSink:
        """An outgoing socket is connected: its messages go to ``port``. Returns whom to tell what arrives."""
        connection = self.connection
        connection.port, connection.connecting = port, False
        connection.sendable = not connection.sent_close
        connection.protocol, connection.extensions = protocol, extensions
        if isinstance(connection.sink, _Listeners):
            connection.sink.on_open()
        if connection.sent_close:
            port.close(None, "")
        return connection

    def hold_output(self, output: OutputHold) -> None:
        """From now on ``output`` holds what this end sends."""
        self._output = output

    def failed(self, error: Exception) -> None:
        """An outgoing socket can't be connected."""
        self.connection.connecting = False
        self.connection.on_error(error)
        self.connection.on_close(LOST, "Failed to establish websocket connection", False)

    # For programs

    @property
    def ready_state(self) -> int:
        """0 connecting, 1 open, 2 closing, 3 closed."""
        return int(self.connection.ready_state)

    @property
    def protocol(self) -> str:
        """The subprotocol that was chosen."""
        return self.connection.protocol

    @property
    def extensions(self) -> str:
        """The extensions that were negotiated."""
        return self.connection.extensions

    @property
    def url(self) -> str | None:
        """Where an outgoing socket leads."""
        return self.connection.url

    def accept(self) -> None:
        """Use this end here: what arrives goes to its listeners. Keeps an object awake while it is open.

        Raises:
            TypeError: it is used otherwise already.
        """
        use = self.connection.use
        if use is Use.HIBERNATABLE:
            raise TypeError("Can't accept() WebSocket after enabling hibernation.")
        if use is Use.RESPONSE:
            raise TypeError("Can't accept() WebSocket that was already used in a response.")
        if use is Use.NONE:
            self._listen()

    def _listen(self) -> None:
        owner = socket_owner.get()
        if owner is not None:
            self._output = owner.output
            owner.adopt(self.connection)
        self.connection.accept(Use.STANDARD, _Listeners(self, owner))

    def send(self, message: str | bytes | bytearray | memoryview) -> None:
        """Send text or bytes; anything else as its text. Dropped silently when the peer is gone.

        It leaves when everything that was written to storage before is safe, in order.

        Raises:
            TypeError: it was not accepted, or :meth:`close` was called.
        """
        connection = self.connection
        if not connection.sendable and self._drops():
            return
        if isinstance(message, (bytes, bytearray, memoryview)):
            self._leave(connection.send_binary, bytes(message))
        else:
            text = message if isinstance(message, str) else str(message)
            if self._output.is_open:
                connection.port.send_text(text)
            else:
                connection.send_held_text(text, self._output)

    def _drops(self) -> bool:
        """Why a message can't be sent: an error, or the peer is gone."""
        connection = self.connection
        if connection.use is Use.NONE:
            raise TypeError(
                "You must call one of accept() or state.acceptWebSocket() on this WebSocket "
                "before sending messages."
            )
        if connection.sent_close:
            raise TypeError("Can't call WebSocket send() after close().")
        if connection.connecting:
            raise TypeError("The WebSocket is still connecting: wait for its open event.")
        return connection.closed

    def _leave(self, send: Callable[..., None], *arguments: Any) -> None:
        if self._output.is_open:
            send(*arguments)
        else:
            self._output.hold(partial(send, *arguments))

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the socket, and send no more; nothing else happens if it was closed before, by either side.

        Raises:
            ValueError: a code that may not be sent, or a reason that is too long.
            TypeError: a reason without a code, or the end was not accepted.
        """
        _check_close(code, reason)
        connection = self.connection
        if connection.use is Use.NONE:
            raise TypeError(
                "You must call one of accept() or state.acceptWebSocket() on this WebSocket before close()."
            )
        if not connection.sent_close:
            connection.sendable, connection.sent_close = False, True
            if not connection.closed:
                self._leave(connection.send_close, code, reason or "")

    def serialize_attachment(self, value: Any) -> None:
        """Attach a copy of ``value``; it is kept while the object sleeps.

        Raises:
            TypeError: it can't be stored.
            ValueError: it takes more than 16,384 bytes.
        """
        data = encode_value(value)
        if len(data) > MAX_ATTACHMENT:
            raise ValueError(
                f"A WebSocket 'attachment' cannot be larger than {MAX_ATTACHMENT} bytes."
                f"'attachment' was {len(data)} bytes."
            )
        self.connection.attachment = data

    def deserialize_attachment(self) -> Any:
        """A copy of what was attached last, ``None`` if nothing was."""
        data = self.connection.attachment
        return None if data is None else proxied(decode_value(data))

    def add_event_listener(self, type: str, listener: Callable[[Any], Any], options: Any = None) -> None:
        """Call ``listener`` with each event of this type; with ``{"once": True}``, with the first only."""
        once = bool(options.get("once")) if isinstance(options, dict) else False
        self._listeners = {**self._listeners, type: {**self._listeners.get(type, {}), listener: once}}

    def remove_event_listener(self, type: str, listener: Callable[[Any], Any]) -> None:
        """Undo :meth:`add_event_listener`."""
        self._listeners.get(type, {}).pop(listener, None)

    def listeners_of(self, type: str) -> list[Callable[[Any], Any]]:
        """Whom to call for one event of this type, in order; those that wanted only one are removed."""
        added = self._listeners.get(type, {})
        listeners = list(added)
        for listener in [listener for listener, once in added.items() if once]:
            del added[listener]
        attribute = getattr(self, "on" + type, None)
        return listeners if attribute is None else [attribute, *listeners]

    def __repr__(self) -> str:
        return f"<WebSocket {self.connection.ready_state.name}>"


def _check_close(code: int | None, reason: str | None) -> None:
    if code is None:
        if reason:
            raise TypeError("If you specify a WebSocket close reason, you must also specify a code.")
        return
    if not 1000 <= code <= 4999 or code in _RESERVED_CODES:
        raise ValueError(f"Invalid WebSocket close code: {code}.")
    if reason and len(reason.encode("utf-8", "replace")) > MAX_REASON:
        raise ValueError(f"WebSocket close reason must not be longer than {MAX_REASON} bytes.")


class WebSocketPair:
    """Two joined ends: ``client, server = WebSocketPair()``. The first goes into the response."""

    __slots__ = ("_ends",)

    def __init__(self) -> None:
        first, second = Connection(), Connection()
        join(first, second)
        self._ends = (WebSocket(first), WebSocket(second))

    @classmethod
    def new(cls) -> WebSocketPair:
        """The same as calling the class, in JavaScript's way."""
        return cls()

    def object_values(self) -> list[WebSocket]:
        """Both ends."""
        return list(self._ends)

    def __iter__(self) -> Iterator[WebSocket]:
        return iter(self._ends)

    def __getitem__(self, index: int | str) -> WebSocket:
        return self._ends[int(index)]

    def __len__(self) -> int:
        return 2


@dataclass(frozen=True, slots=True)
class WebSocketRequestResponsePair:
    """A text that is answered by another without waking the object."""

    request: str
    response: str

    @classmethod
    def new(cls, request: str, response: str) -> WebSocketRequestResponsePair:
        """The same as calling the class, in JavaScript's way."""
        return cls(request, response)
