"""Values as V8 serializes them, versions 13 to 15: what ``wrangler dev`` keeps. Reading runs no code.

What Python has no like of becomes the nearest: regular expressions their text, dates ``datetime`` in UTC
without a zone, typed arrays lists of numbers (of bytes: bytes), holes ``UNDEFINED``, boxed values what is in
them, maps and sets whose members can't be hashed lists. Arrays lose properties that are no items.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from durabase.types import UNDEFINED

__all__ = ["read_v8"]

_VERSIONS: Final = range(13, 16)
_MAX_SAFE: Final = 2**53 - 1

_double = struct.Struct("<d")

_VIEWS: Final = {
    "b": "b", "w": "h", "W": "H", "d": "i", "D": "I", "h": "e", "f": "f", "F": "d", "q": "q", "Q": "Q",
}  # fmt: skip
"""Kinds of typed arrays, as :mod:`struct` calls their items; others are bytes."""
_ERRORS: Final = {
    "E": Exception, "R": ValueError, "F": NameError, "S": SyntaxError, "T": TypeError, "U": ValueError,
}  # fmt: skip
_FLAGS: Final = "gimuysdv"


def read_v8(data: bytes) -> Any:
    """The value that V8 has written so.

    Raises:
        ValueError: it is no such value, of another version, or has what only its program knows.
    """
    reader = _Reader(data)
    try:
        reader.read_header()
        value = reader.read()
    except (IndexError, struct.error, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"the value is cut off, or damaged ({error})") from None
    if reader.position != len(data):
        raise ValueError(f"there is more after the value, from byte {reader.position} on")
    return value


class _Buffer(bytes):
    """An ``ArrayBuffer``, on which views may follow."""


class _Reader:
    """Reads one value. ``seen`` has the objects in the order in which they begin, for references to them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.version = 0
        self.seen: list[Any] = []

    def read_header(self) -> None:
        if self._byte() != 0xFF:
            raise ValueError("this is no value of V8's")
        self.version = self._varint()
        if self.version not in _VERSIONS:
            raise ValueError(f"the value has V8's version {self.version}; 13 to 15 can be read")

    # Pieces

    def _byte(self) -> int:
        byte = self.data[self.position]
        self.position += 1
        return byte

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def _bytes(self, length: int) -> bytes:
        start = self.position
        if start + length > len(self.data):
            raise IndexError("its end is missing")
        self.position = start + length
        return self.data[start : self.position]

    def _double(self) -> float:
        return float(_double.unpack(self._bytes(8))[0])

    def _tag(self) -> str:
        tag = self._byte()
        while tag == 0:  # padding
            tag = self._byte()
        return chr(tag)

    def _next_is(self, tag: str) -> bool:
        position = self.position
        while position < len(self.data) and self.data[position] == 0:
            position += 1
        if self.data[position : position + 1] != tag.encode("latin-1"):
            return False
        self.position = position + 1
        return True

    # Values

    def read(self) -> Any:
        value = self._value(self._tag())
        if isinstance(value, _Buffer):
            return self._view(value) if self._next_is("V") else bytes(value)
        return value

    def _value(self, tag: str) -> Any:
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        read = _READERS.get(tag)
        if read is None:
            raise ValueError(f"the value has something that only its program knows ({tag!r})")
        return read(self)

    def _begin(self, value: Any) -> Any:
        self.seen.append(value)
        return value

    def counted(self) -> Any:
        self._varint()
        return self.read()

    def reference(self) -> Any:
        return self.seen[self._varint()]

    def int32(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)

    def uint32(self) -> int:
        return self._varint()

    def number(self) -> float | int:
        return _number(self._double())

    def bigint(self) -> int:
        field = self._varint()
        magnitude = int.from_bytes(self._bytes(field >> 1), "little")
        return -magnitude if field & 1 else magnitude

    def latin1(self) -> str:
        return self._bytes(self._varint()).decode("latin-1")

    def utf16(self) -> str:
        return self._bytes(self._varint()).decode("utf-16-le", "surrogatepass")

    def utf8(self) -> str:
        return self._bytes(self._varint()).decode("utf-8")

    # Objects

    def date(self) -> datetime | None:
        time = self._double()
        try:
            date = None if time != time else datetime(1970, 1, 1) + timedelta(milliseconds=time)
        except OverflowError:
            raise ValueError(f"a date {time} ms from 1970, which Python has no datetime for") from None
        found: datetime | None = self._begin(date)
        return found

    def boxed(self, read: Callable[[_Reader], Any]) -> Any:
        index = len(self.seen)
        self._begin(None)
        self.seen[index] = value = read(self)
        return value

    def regexp(self) -> str:
        index = len(self.seen)
        self._begin(None)
        pattern, flags = self.read(), self._varint()
        text = f"/{pattern}/" + "".join(flag for bit, flag in enumerate(_FLAGS) if flags >> bit & 1)
        self.seen[index] = text
        return text

    def object(self) -> dict[str, Any]:
        found: dict[str, Any] = self._begin({})
        self._properties(found, "{")
        return found

    def _properties(self, found: dict[Any, Any], end: str) -> None:
        while not self._next_is(end):
            key = self.read()
            found[key if isinstance(key, str) else str(key)] = self.read()
        self._varint()

    def dense_array(self) -> list[Any]:
        found: list[Any] = self._begin([])
        for _ in range(self._varint()):
            found.append(UNDEFINED if self._next_is("-") else self.read())  # noqa: PERF401 (may refer to it)
        self._properties({}, "$")
        self._varint()
        return found

    def sparse_array(self) -> list[Any]:
        length = self._varint()
        if length > len(self.data) * 1000:
            raise ValueError(f"the value has an array of {length} items, nearly all of which are holes")
        found: list[Any] = self._begin([UNDEFINED] * length)
        items: dict[Any, Any] = {}
        self._properties(items, "@")
        self._varint()
        for key, item in items.items():
            if key.isdecimal() and int(key) < length:
                found[int(key)] = item
        return found

    def map(self) -> Any:
        index = len(self.seen)
        found: dict[Any, Any] = self._begin({})
        pairs: list[list[Any]] = []
        while not self._next_is(":"):
            pairs.append([self.read(), self.read()])
        self._varint()
        try:
            found.update((key, value) for key, value in pairs)
        except TypeError:
            self.seen[index] = pairs
            return pairs
        return found

    def set(self) -> Any:
        index = len(self.seen)
        found: set[Any] = self._begin(set())
        items: list[Any] = []
        while not self._next_is(","):
            items.append(self.read())
        self._varint()
        try:
            found.update(items)
        except TypeError:
            self.seen[index] = items
            return items
        return found

    def buffer(self) -> _Buffer:
        found: _Buffer = self._begin(_Buffer(self._bytes(self._varint())))
        return found

    def resizable_buffer(self) -> _Buffer:
        length = self._varint()
        self._varint()
        found: _Buffer = self._begin(_Buffer(self._bytes(length)))
        return found

    def _view(self, buffer: _Buffer) -> Any:
        kind = chr(self._byte())
        start, length = self._varint(), self._varint()
        if self.version >= 14:
            self._varint()
        data = buffer[start : start + length]
        code = _VIEWS.get(kind)
        if code is None:
            return self._begin(bytes(data))
        items = struct.unpack(f"<{len(data) // struct.calcsize(code)}{code}", data)
        return self._begin([_number(item) if isinstance(item, float) else item for item in items])

    def error(self) -> Exception:
        index = len(self.seen)
        self._begin(None)
        kind: type[Exception] = Exception
        message, cause = "", None
        while (tag := chr(self._byte())) != ".":
            if tag in _ERRORS:
                kind = _ERRORS[tag]
            elif tag == "m":
                message = self.read()
            elif tag == "c":
                cause = self.read()
            elif tag == "s":
                self.read()  # where in the program it was made
            else:
                raise ValueError(f"the value has an error with the unknown part {tag!r}")
        self.seen[index] = error = kind(message)
        error.__cause__ = cause if isinstance(cause, Exception) else None
        return error


def _number(value: float) -> float | int:
    """The number as Python's programs have it on Cloudflare: whole ones are integers."""
    whole = value.is_integer() and abs(value) <= _MAX_SAFE and (value != 0 or str(value)[0] != "-")
    return int(value) if whole else value


_CONSTANTS: Final[dict[str, Any]] = {"_": UNDEFINED, "0": None, "T": True, "F": False}
_READERS: Final[dict[str, Callable[[_Reader], Any]]] = {
    "?": _Reader.counted,
    "^": _Reader.reference,
    "I": _Reader.int32,
    "U": _Reader.uint32,
    "N": _Reader.number,
    "Z": _Reader.bigint,
    '"': _Reader.latin1,
    "c": _Reader.utf16,
    "S": _Reader.utf8,
    "D": _Reader.date,
    "y": lambda reader: reader.boxed(lambda _: True),
    "x": lambda reader: reader.boxed(lambda _: False),
    "n": lambda reader: reader.boxed(_Reader.number),
    "z": lambda reader: reader.boxed(_Reader.bigint),
    "s": lambda reader: reader.boxed(_Reader.read),
    "R": _Reader.regexp,
    "o": _Reader.object,
    "A": _Reader.dense_array,
    "a": _Reader.sparse_array,
    ";": _Reader.map,
    "'": _Reader.set,
    "B": _Reader.buffer,
    "~": _Reader.resizable_buffer,
    "r": _Reader.error,
}
