"""WebSocket frames as bytes: RFC 6455 section 5, the server's side of it.

:class:`FrameReader` is fed whatever the network delivers, in any segmentation, and gives whole
messages and control frames. It refuses at the earliest byte that proves a frame wrong: a reserved bit
or an unmasked frame when the first two bytes are there, an oversized message when the length is,
bad UTF-8 of a fragmented message with the fragment that has it.

It knows nothing of connections, answers or closing handshakes; :mod:`~durabase.server.websocket` does.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from durabase.errors import ServerError

try:
    from websockets.speedups import apply_mask
except ImportError:  # it was installed without its extension
    from websockets.utils import apply_mask

__all__ = [
    "CLOSE_ABNORMAL",
    "CLOSE_INVALID_DATA",
    "CLOSE_NO_STATUS",
    "CLOSE_PROTOCOL_ERROR",
    "CLOSE_TOO_BIG",
    "CLOSE_TRY_AGAIN_LATER",
    "Close",
    "Fragment",
    "FrameError",
    "FrameEvent",
    "FrameReader",
    "Inflater",
    "Ping",
    "Pong",
    "binary_frame",
    "close_frame",
    "close_reason",
    "compressed_frame",
    "ping_frame",
    "pong_frame",
    "text_frame",
]

CLOSE_PROTOCOL_ERROR: Final = 1002
CLOSE_NO_STATUS: Final = 1005
CLOSE_ABNORMAL: Final = 1006
CLOSE_INVALID_DATA: Final = 1007
CLOSE_TOO_BIG: Final = 1009
CLOSE_TRY_AGAIN_LATER: Final = 1013

_CONTINUATION: Final = 0x0
_TEXT: Final = 0x1
_BINARY: Final = 0x2
_CLOSE: Final = 0x8
_PING: Final = 0x9
_PONG: Final = 0xA

_FIN: Final = 0x80
_MASKED: Final = 0x80
_COMPRESSED: Final = 0x40
_RESERVED: Final = 0x70
_WHOLE_TEXT: Final = _FIN | _TEXT
_MAX_CONTROL_PAYLOAD: Final = 125
_unmasked: Final[Callable[[bytes, bytes], bytes]] = apply_mask

_NOT_SENT_CLOSE_CODES: Final = frozenset((1004, 1005, 1006))


class FrameError(ServerError):
    """The peer broke RFC 6455. ``close_code`` says how, ``details`` what was found."""

    def __init__(self, close_code: int, details: str) -> None:
        super().__init__(details)
        self.close_code: int = close_code


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a message, which does not end it."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping; it wants a :func:`pong_frame` with the same payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """A pong, asked for or not."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """A Close frame. ``code`` is 1005 if the frame was empty."""

    code: int
    reason: str


FrameEvent: TypeAlias = str | bytes | Fragment | Ping | Pong | Close
"""A text message, a binary one, a fragment that ends none, or a control frame."""

_FRAGMENT: Final = Fragment()


class Inflater(Protocol):
    """What undoes the compression that was agreed on with a client."""

    def inflate(self, first: int, payload: bytes, room: int) -> bytes | None:
        """The data of a data frame with this first byte; ``None``: more than ``room`` bytes."""


class FrameReader:
    """Bytes of masked client frames in, messages and control frames out.

    ``feed`` takes bytes, ``next_event`` gives one event at a time, so the caller decides how much work
    it does at once. After a :class:`FrameError` the reader is of no further use.
    """

    __slots__ = (
        "_data",
        "_inflater",
        "_limit",
        "_message",
        "_needed",
        "_opcode",
        "_pending",
        "_position",
        "_room",
        "_utf8",
    )

    def __init__(self, max_message_bytes: int, inflater: Inflater | None = None) -> None:
        self._limit = max_message_bytes
        self._inflater = inflater
        self._data = b""
        self._position = 0
        self._pending: bytearray | None = None  # the beginning of a frame
        self._needed = 2  # bytes of it that the next step needs
        self._opcode = 0  # of the fragmented message in progress, 0 if there is none
        self._message: bytearray | None = None
        self._utf8: codecs.IncrementalDecoder | None = None
        self._room = max_message_bytes  # what the message in progress may still add

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        if self._pending is not None:
            self._pending += data
            if len(self._pending) < self._needed:
                return
            data = bytes(self._pending)
            self._pending = None
        elif self._position < len(self._data):
            data = self._data[self._position :] + data
        self._data = data
        self._position = 0

    @property
    def has_unread(self) -> bool:
        """Whether bytes are there that ``next_event`` has not looked at yet."""
        return self._position < len(self._data)

    def next_event(self) -> FrameEvent | None:
        """What the next frame is, or ends; ``None``: more bytes are due.

        Raises:
            FrameError: The peer broke the protocol or the size limit.
        """
        data = self._data
        start = self._position
        available = len(data) - start
        if available < 2:
            self._put_aside(2)
            return None
        first = data[start]
        length = data[start + 1] - _MASKED
        if length < 0 or first != _WHOLE_TEXT or self._opcode:
            self._check_head(first, length)
        at = start + 6
        if length > _MAX_CONTROL_PAYLOAD:
            extra = 2 if length == 126 else 8
            if available < 2 + extra:
                self._put_aside(2 + extra)
                return None
            length = _extended_length(data[start + 2 : start + 2 + extra])
            at += extra
        if length > self._room and first & 0x08 == 0:
            self._check_size(first, length)
        end = at + length
        if end > len(data):
            self._put_aside(end - start)
            return None
        if end < len(data):
            self._position = end
        else:
            self._data, self._position = b"", 0
        payload = _unmasked(data[at:end], data[at - 4 : at])
        return _text(payload) if first == _WHOLE_TEXT else self._take(first, payload)

    def _put_aside(self, needed: int) -> None:
        """Keep the beginning of a frame until ``needed`` bytes of it are there."""
        if self._position < len(self._data):
            self._pending = bytearray(self._data[self._position :])
            self._needed = needed
        self._data = b""
        self._position = 0

    def _check_head(self, first: int, length: int) -> None:
        """Refuse what the first two bytes of a frame prove wrong."""
        opcode = first & 0x0F
        if first & _RESERVED and (
            first & _RESERVED != _COMPRESSED or self._inflater is None or opcode not in (_TEXT, _BINARY)
        ):
            raise FrameError(CLOSE_PROTOCOL_ERROR, "a reserved bit is set that no extension gives a meaning")
        if length < 0:
            raise FrameError(CLOSE_PROTOCOL_ERROR, "the frame is not masked")
        if opcode >= _CLOSE:
            _check_control_head(first, length)
        elif opcode > _BINARY:
            raise FrameError(CLOSE_PROTOCOL_ERROR, f"opcode {opcode} is reserved")
        elif opcode == _CONTINUATION and not self._opcode:
            raise FrameError(CLOSE_PROTOCOL_ERROR, "there is no message to continue")
        elif opcode != _CONTINUATION and self._opcode:
            raise FrameError(CLOSE_PROTOCOL_ERROR, "a new message begins inside a fragmented one")

    def _check_size(self, first: int, length: int) -> None:
        """Refuse a frame for its length. What can't be compressed is a little longer when it is."""
        is_plain = self._inflater is None or first == _WHOLE_TEXT
        if is_plain or length > self._room + (length >> 10) + 64:
            raise self._too_big(length)

    def _too_big(self, length: int) -> FrameError:
        size = self._limit - self._room + length
        return FrameError(CLOSE_TOO_BIG, f"a message of {size} bytes at least; the limit is {self._limit}")

    def _take(self, first: int, payload: bytes) -> FrameEvent:
        """The event that a whole frame is."""
        opcode = first & 0x0F
        if opcode >= _CLOSE:
            return _control(opcode, payload)
        if self._inflater is not None:
            payload = self._inflated(self._inflater, first, payload)
        if self._opcode or not first & _FIN:
            return self._take_fragment(opcode, first >= _FIN, payload)
        return _text(payload) if opcode == _TEXT else payload

    def _inflated(self, inflater: Inflater, first: int, payload: bytes) -> bytes:
        data = inflater.inflate(first, payload, self._room)
        if data is None:
            raise self._too_big(self._room + 1)
        return data

    def _take_fragment(self, opcode: int, last: bool, payload: bytes) -> str | bytes | Fragment:
        if self._message is None:
            self._opcode = opcode
            self._message = bytearray()
            if opcode == _TEXT:
                self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._message += payload
        self._room -= len(payload)
        if self._utf8 is not None:
            try:
                self._utf8.decode(payload, last)
            except UnicodeDecodeError as error:
                raise _bad_utf8(error) from None
        return self._end_message() if last else _FRAGMENT

    def _end_message(self) -> str | bytes:
        assert self._message is not None  # noqa: S101 - a fragment was just added
        whole = bytes(self._message)
        is_text = self._utf8 is not None
        self._opcode = 0
        self._message = None
        self._utf8 = None
        self._room = self._limit
        return _text(whole) if is_text else whole


def _extended_length(field: bytes) -> int:
    length = int.from_bytes(field, "big")
    if length < (126 if len(field) == 2 else 1 << 16):
        raise FrameError(CLOSE_PROTOCOL_ERROR, f"length {length} is not written in the shortest form")
    if length >= 1 << 63:
        raise FrameError(CLOSE_PROTOCOL_ERROR, "the highest bit of a frame's length is set")
    return length


def _check_control_head(first: int, length: int) -> None:
    opcode = first & 0x0F
    if opcode > _PONG:
        raise FrameError(CLOSE_PROTOCOL_ERROR, f"opcode {opcode} is reserved")
    if not first & _FIN:
        raise FrameError(CLOSE_PROTOCOL_ERROR, "a control frame is fragmented")
    if length > _MAX_CONTROL_PAYLOAD:
        raise FrameError(CLOSE_PROTOCOL_ERROR, "a control frame is longer than 125 bytes")


def _control(opcode: int, payload: bytes) -> Ping | Pong | Close:
    if opcode == _PING:
        return Ping(payload)
    if opcode == _PONG:
        return Pong(payload)
    return _close(payload)


def _close(payload: bytes) -> Close:
    if not payload:
        return Close(CLOSE_NO_STATUS, "")
    if len(payload) == 1:
        raise FrameError(CLOSE_PROTOCOL_ERROR, "a Close frame has half a code")
    code = int.from_bytes(payload[:2], "big")
    if code < 1000 or 1014 < code < 3000 or code > 4999 or code in _NOT_SENT_CLOSE_CODES:
        raise FrameError(CLOSE_PROTOCOL_ERROR, f"close code {code} is not one to be sent")
    return Close(code, _text(payload[2:]))


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise _bad_utf8(error) from None


def _bad_utf8(error: UnicodeDecodeError) -> FrameError:
    return FrameError(CLOSE_INVALID_DATA, f"a text is not UTF-8: {error.reason}")


def _frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return (first << 8 | length).to_bytes(2, "big") + payload
    if length < 1 << 16:
        return (first << 24 | 126 << 16 | length).to_bytes(4, "big") + payload
    return (first << 72 | 127 << 64 | length).to_bytes(10, "big") + payload


def text_frame(payload: bytes) -> bytes:
    """A whole text message; ``payload`` is its UTF-8."""
    return _frame(_FIN | _TEXT, payload)


def binary_frame(payload: bytes) -> bytes:
    """A whole binary message."""
    return _frame(_FIN | _BINARY, payload)


def compressed_frame(opcode: int, payload: bytes) -> bytes:
    """A whole text or binary message whose payload is compressed."""
    return _frame(_FIN | _COMPRESSED | opcode, payload)


def ping_frame(payload: bytes = b"") -> bytes:
    """A ping; ``payload`` has at most 125 bytes."""
    return _frame(_FIN | _PING, payload)


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping with that payload."""
    return _frame(_FIN | _PONG, payload)


def close_frame(code: int | None, reason: str = "") -> bytes:
    """A Close frame, empty if ``code`` is ``None``. The reason is cut to the 123 bytes that fit."""
    if code is None:
        return _frame(_FIN | _CLOSE, b"")
    return _frame(_FIN | _CLOSE, code.to_bytes(2, "big") + close_reason(reason).encode())


def close_reason(reason: str) -> str:
    """What of a reason fits into a Close frame: 123 bytes."""
    return reason.encode("utf-8", "replace")[:123].decode("utf-8", "ignore")
