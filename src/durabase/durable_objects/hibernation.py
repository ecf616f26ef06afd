"""The sockets of one object, awake or asleep.

The registry belongs to the object's slot, not to one of its lives: it stays when the instance goes. A
sleeping socket is a :class:`SocketRecord` and its connection, no more: no task, no timer, no buffer.
What arrives is handed to the slot, except a message with an automatic answer, which wakes nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final, Protocol

from durabase.clock import Clock
from durabase.durable_objects.tally import Tally
from durabase.errors import ObjectError
from durabase.web.byte_string import ByteString
from durabase.web.connection import ALWAYS_OPEN, Connection, OutputHold, Use
from durabase.web.websocket import WebSocket, WebSocketRequestResponsePair

__all__ = ["SocketEvents", "SocketRecord", "SocketRegistry"]

MAX_SOCKETS: Final = 32_768
MAX_TAGS: Final = 10
MAX_TAG_BYTES: Final = 256
MAX_AUTO_RESPONSE_BYTES: Final = 2048


class SocketEvents(Protocol):
    """Who is told what sockets say: the slot."""

    def socket_message(self, record: SocketRecord, message: str | bytes) -> None:
        """A message for the object."""

    def socket_close(self, record: SocketRecord, code: int, reason: str, was_clean: bool) -> None:
        """The socket is over; :meth:`SocketRegistry.remove` it when the object has been told."""

    def socket_error(self, record: SocketRecord, error: Exception) -> None:
        """The peer broke the protocol; a close follows."""


class SocketRecord:
    """One hibernatable socket: the sink of its connection, and what is kept of it in sleep.

    Attributes:
        connection: the socket's state; the attachment is in it.
        tags: its tags, as given when it was accepted.
        socket: what programs hold, while the object is awake and somebody asked for it.
        answered_ms: when an automatic answer was last given.
        silent: the object is not told of the close any more.
    """

    __slots__ = ("answered_ms", "connection", "registry", "silent", "socket", "tags")

    def __init__(self, registry: SocketRegistry, connection: Connection, tags: tuple[str, ...]) -> None:
        self.registry = registry
        self.connection = connection
        self.tags = tags
        self.socket: WebSocket | None = None
        self.answered_ms: int | None = None
        self.silent = False

    def on_text(self, text: str) -> None:
        registry = self.registry
        if registry.auto_response is not None and text == registry.auto_response.request:
            registry.answer(self)
        else:
            registry.events.socket_message(self, text)

    def on_binary(self, data: bytes) -> None:
        self.registry.events.socket_message(self, ByteString(data))

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        if self.silent:  # as after an error
            self.registry.remove(self)
        else:
            self.registry.events.socket_close(self, code, reason, was_clean)

    def on_error(self, error: Exception) -> None:
        self.silent = True
        self.registry.events.socket_error(self, error)


class SocketRegistry:
    """All hibernatable sockets of one object.

    Attributes:
        events: who is told what they say.
        output: what holds outgoing messages: the gate of the current life.
        auto_response: a text that is answered without waking the object.
        event_timeout_ms: how long a handler of a socket may take.
    """

    __slots__ = (
        "_by_tag",
        "_clock",
        "_records",
        "_tally",
        "auto_response",
        "event_timeout_ms",
        "events",
        "output",
    )

    def __init__(self, events: SocketEvents, clock: Clock, tally: Tally) -> None:
        self.events = events
        self.output: OutputHold = ALWAYS_OPEN
        self.auto_response: WebSocketRequestResponsePair | None = None
        self.event_timeout_ms: int | None = None
        self._clock = clock
        self._tally = tally
        self._records: dict[SocketRecord, None] = {}
        self._by_tag: dict[str, list[SocketRecord]] | None = None

    def __len__(self) -> int:
        return len(self._records)

    def accept(self, socket: WebSocket, tags: Iterable[str] | None) -> SocketRecord:
        """Take ``socket`` in.

        Raises:
            TypeError: it is in use otherwise, or a tag is not allowed.
            ObjectError: the object has as many sockets as it may.
        """
        kept = _checked_tags(tags)
        _check_unused(socket.connection)
        if len(self._records) >= MAX_SOCKETS:
            raise ObjectError(
                f"only {MAX_SOCKETS} websockets can be accepted on a single Durable Object instance"
            )
        record = SocketRecord(self, socket.connection, kept)
        record.socket = socket
        socket.hold_output(self.output)
        self._records[record] = None
        self._by_tag = None
        socket.connection.accept(Use.HIBERNATABLE, record)
        return record

    def remove(self, record: SocketRecord) -> None:
        """The socket is over."""
        self._records.pop(record, None)
        self._by_tag = None

    def sockets(self, tag: str | None = None) -> list[WebSocket]:
        """What programs hold of the sockets: newest first, but with a tag oldest first."""
        if tag is None:
            return [self.revive(record) for record in reversed(self._records)]
        if self._by_tag is None:
            self._by_tag = self._tag_index()
        return [self.revive(record) for record in self._by_tag.get(tag, ())]

    def revive(self, record: SocketRecord) -> WebSocket:
        """What programs hold of this socket: one object for as long as the object is awake."""
        if record.socket is None:
            record.socket = WebSocket(record.connection, self.output)
        return record.socket

    def record_of(self, socket: WebSocket) -> SocketRecord:
        """The record of a socket that a program holds.

        Raises:
            TypeError: it is not hibernatable.
        """
        record = socket.connection.accepted_by
        if isinstance(record, SocketRecord):
            return record
        if socket.connection.use is Use.STANDARD:
            raise TypeError("only hibernatable websockets can have tags.")
        raise TypeError(
            "you must call 'acceptWebSocket()' before attempting to access the tags of a WebSocket."
        )

    def answer(self, record: SocketRecord) -> None:
        """Give the automatic answer, in order with what else is sent."""
        if self.auto_response is None or not record.connection.sendable:
            return
        self._tally.auto_responses += 1
        record.answered_ms = self._clock.now_ms()
        send = partial(record.connection.send_text, self.auto_response.response)
        if self.output.is_open:
            send()
        else:
            self.output.hold(send)

    def set_auto_response(self, pair: WebSocketRequestResponsePair | None) -> None:
        """Set or remove the automatic answer.

        Raises:
            ValueError: one of the texts is longer than 2,048 bytes.
        """
        if pair is not None:
            for what, text in (("Request", pair.request), ("Response", pair.response)):
                size = len(text.encode("utf-8", "surrogatepass"))
                if size > MAX_AUTO_RESPONSE_BYTES:
                    raise ValueError(
                        f"{what} cannot be larger than {MAX_AUTO_RESPONSE_BYTES} bytes. "
                        f"A {what.lower()} of size {size} was provided."
                    )
        self.auto_response = pair

    def wake(self, output: OutputHold) -> None:
        """A life begins: what it sends is held by ``output``."""
        self.output = output

    def fold(self) -> None:
        """The life is over: forget everything but the records."""
        self.output = ALWAYS_OPEN
        self._by_tag = None
        for record in self._records:
            record.socket = None

    def drop_all(self) -> None:
        """Drop every connection; the peers see 1006, the object is told nothing."""
        records, self._records = self._records, {}
        self.fold()
        for record in records:
            record.socket = None
            record.connection.abort()

    def close_all(self, code: int, reason: str) -> None:
        """Close every connection, for a planned stop; the object is told nothing."""
        records, self._records = self._records, {}
        self._by_tag = None
        for record in records:
            record.silent = True
            if not record.connection.sent_close and not record.connection.closed:
                record.connection.sendable = False
                record.connection.sent_close = True
                record.connection.send_close(code, reason)

    def _tag_index(self) -> dict[str, list[SocketRecord]]:
        index: dict[str, list[SocketRecord]] = {}
        for record in self._records:
            for tag in record.tags:
                index.setdefault(tag, []).append(record)
        return index


def _checked_tags(tags: Any) -> tuple[str, ...]:
    if isinstance(tags, str) or not isinstance(tags or (), Iterable):
        raise TypeError(f"tags must be a list of strings, not {type(tags).__name__}")
    kept = tuple(dict.fromkeys(tags or ()))
    if len(kept) > MAX_TAGS:
        raise TypeError(f"a Hibernatable WebSocket cannot have more than {MAX_TAGS} tags")
    for tag in kept:
        if not isinstance(tag, str):
            raise TypeError(f"a tag must be a string, not {type(tag).__name__}")
        if len(tag.encode("utf-8", "surrogatepass")) > MAX_TAG_BYTES:
            raise TypeError(f'"{tag}" is longer than the max tag length ({MAX_TAG_BYTES} characters).')
    return kept


def _check_unused(connection: Connection) -> None:
    if connection.use is Use.STANDARD:
        raise TypeError("Cannot call acceptWebSocket() if the WebSocket was already accepted via accept()")
    if connection.use is not Use.NONE:
        raise TypeError("Tried to acceptWebSocket() a WebSocket that is already in use")
    if connection.peer is not None and connection.peer.use is not Use.NONE:
        raise TypeError(
            "Cannot call acceptWebSocket() on this WebSocket because its pair has already been accepted "
            "or used in a Response."
        )
