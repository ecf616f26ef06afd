"""Values as bytes and back: what may be stored, attached to a socket, or sent to another object.

The counterpart of the platform's structured clone, for Python's types. The encoding describes
itself, its first byte tells the form, and reading it never runs code:

========  ====================================================================
``J``     JSON text: the short way for plain data
``S``     UTF-8 text: one string
``\\x01``  tagged binary, first version: everything else
========  ====================================================================

Kept: ``None``, :data:`~durabase.types.UNDEFINED` (inside of things, too), ``bool``, ``int`` of any size,
``float`` (NaN and -0 as well), ``str`` (lone surrogates as well), ``bytes``, ``list``, ``dict``
(keys may be any scalar), ``set``, ``datetime``, exceptions of builtin types, and shared or circular
references. A tuple comes back as a list, a ``bytearray`` or ``memoryview`` as bytes, another exception
as :class:`Exception`, a subclass as what it is built on. Dicts come back as :class:`AttributeDict`, bytes as
:class:`ByteString`.
"""

from __future__ import annotations

import builtins
import json
import struct
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from types import ModuleType
from typing import Any, Final, cast

from durabase.types import UNDEFINED
from durabase.web.attribute_dict import AttributeDict
from durabase.web.byte_string import ByteString

orjson: ModuleType | None
try:
    import orjson
except ImportError:  # it is an extra; the text is the same data without it
    orjson = None

__all__ = ["decode_value", "decode_values", "encode_value"]

_JSON: Final = 0x4A
_TEXT: Final = 0x53
_TAGGED: Final = 0x01
_BRACE: Final = 0x7B  # asked for bytes, "in" raises and catches an error first

_PLAIN_DEPTH: Final = 32
_BATCH: Final = 1000
"""How many values are read as one text, which is a copy of theirs."""
_MIN_INT: Final = -(2**63)
_MAX_INT: Final = 2**63 - 1
_MAX_SHORT: Final = 2**53  # compiled, to compare larger numbers takes a call

_double = struct.Struct(">d")


def _never(item: Any) -> bool:
    return False


def encode_value(
    value: Any, passed: list[Any] | None = None, may_pass: Callable[[Any], bool] = _never
) -> bytes:
    """The bytes for ``value``.

    Args:
        value: anything of the kinds above.
        passed: where items for which ``may_pass`` says yes are appended; only their places are written.
        may_pass: whether an item of no such kind may be passed as it is.

    Raises:
        TypeError: with the path of the first item that can't be encoded.
    """
    if type(value) is str:
        return b"S" + value.encode("utf-8", "surrogatepass")
    if _is_plain(value, _PLAIN_DEPTH) and (text := _json_bytes(value)) is not None:
        return b"J" + text
    encoder = _Encoder(passed if passed is not None else [], may_pass)
    try:
        encoder.write(value, "value")
    except RecursionError:
        raise TypeError("value: it is nested too deeply") from None
    return bytes(encoder.out)


def decode_value(data: bytes, passed: list[Any] | None = None) -> Any:
    """The value that ``data`` was made from; each call gives a fresh one.

    Raises:
        ValueError: this is no such encoding, or one of a later version.
    """
    form = data[0] if data else None
    if form == _TEXT:
        return data[1:].decode("utf-8", "surrogatepass")
    if form == _JSON:
        value = _parsed(data[1:])
        return _with_attributes(value) if _BRACE in data else value
    if form == _TAGGED:
        return _Decoder(data, passed or []).read()
    raise ValueError(f"this is no encoded value, or one of a later version (first byte: {form})")


def decode_values(encoded: Sequence[bytes]) -> list[Any]:
    """:func:`decode_value` of each, quicker if there are many."""
    values: list[Any] = []
    for start in range(0, len(encoded), _BATCH):
        values += _decode_batch(encoded[start : start + _BATCH])
    return values


def _decode_batch(encoded: Sequence[bytes]) -> list[Any]:
    """What is JSON text, and has no dicts to be converted, is read as one text; the rest one by one."""
    texts = [data[1:] if data[:1] == b"J" and _BRACE not in data else b"0" for data in encoded]
    try:
        values: list[Any] = _parsed(b"[" + b",".join(texts) + b"]")
    except ValueError:  # one of them is broken: it is found when all are read alone
        values = []
    if len(values) != len(encoded):
        return [decode_value(data) for data in encoded]
    for index, text in enumerate(texts):
        if text == b"0":
            values[index] = decode_value(encoded[index])
    return values


def _parsed(text: bytes) -> Any:
    return orjson.loads(text) if orjson is not None else json.loads(text)


def _is_plain(value: Any, depth: int) -> bool:
    """Whether JSON keeps ``value`` exactly. Shared references are told apart only where they make it deep."""
    kind = type(value)
    if kind is list:
        return depth > 0 and _are_plain(value, depth - 1)
    if kind is dict:
        are_strings = all(type(key) is str for key in value)
        return depth > 0 and are_strings and _are_plain(list(value.values()), depth - 1)
    return _are_plain([value], depth)


def _are_plain(items: list[Any], depth: int) -> bool:
    for item in items:  # one loop, for a list of a few scalars is what synchronized stores keep
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is int:
            number: int = item
            if not (-_MAX_SHORT <= number <= _MAX_SHORT or _MIN_INT <= number <= _MAX_INT):
                return False
        elif kind is float:
            if item - item != 0.0:
                return False
        elif not (kind is list or kind is dict) or not _is_plain(item, depth):
            return False
    return True


def _json_bytes(value: Any) -> bytes | None:
    """JSON text, or ``None`` if there is a string that is no Unicode text."""
    try:
        if orjson is not None:
            return cast("bytes", orjson.dumps(value))
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, UnicodeEncodeError):
        return None


def _with_attributes(value: Any) -> Any:
    if type(value) is dict:
        return AttributeDict({key: _with_attributes(item) for key, item in value.items()})
    if type(value) is list:
        for index, item in enumerate(value):
            if type(item) is dict or type(item) is list:
                value[index] = _with_attributes(item)
    return value


class _Encoder:
    """Writes one value in the tagged form. ``seen`` numbers the containers in the order of their start."""

    __slots__ = ("containers", "may_pass", "out", "passed", "seen")

    def __init__(self, passed: list[Any], may_pass: Callable[[Any], bool]) -> None:
        self.out = bytearray((_TAGGED,))
        self.passed = passed
        self.may_pass = may_pass
        self.containers = 0
        self.seen: dict[int, int] = {}

    def write(self, value: Any, path: str) -> None:
        for kind, tag, method in _WRITERS:
            if isinstance(value, kind):
                if id(value) in self.seen:
                    self._tagged_length(b"R", self.seen[id(value)])
                else:
                    method(self, tag, value, path)
                return
        if not self.may_pass(value):
            raise TypeError(f"{path}: an object of type {type(value).__name__} can't be stored or sent")
        self._tagged_length(b"O", len(self.passed))
        self.passed.append(value)

    def _tagged_length(self, tag: bytes, length: int) -> None:
        out = self.out
        out += tag
        while length > 0x7F:
            out.append(length & 0x7F | 0x80)
            length >>= 7
        out.append(length)

    def _chunk(self, tag: bytes, data: bytes) -> None:
        self._tagged_length(tag, len(data))
        self.out += data

    def write_constant(self, _: bytes, value: Any, path: str) -> None:
        self.out += _CONSTANT_TAGS[value]

    def write_int(self, tag: bytes, value: int, path: str) -> None:
        self._chunk(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))

    def write_float(self, tag: bytes, value: float, path: str) -> None:
        self.out += tag + _double.pack(value)

    def write_text(self, tag: bytes, value: str, path: str) -> None:
        self._chunk(tag, value.encode("utf-8", "surrogatepass"))

    def write_bytes(self, tag: bytes, value: Any, path: str) -> None:
        self._chunk(tag, bytes(value))

    def write_date(self, tag: bytes, value: datetime, path: str) -> None:
        self._chunk(tag, value.isoformat().encode())

    def write_error(self, tag: bytes, value: BaseException, path: str) -> None:
        kind = type(value).__name__ if _is_builtin_error(type(value)) else "Exception"
        first = value.args[0] if len(value.args) == 1 else None
        self._chunk(tag, kind.encode())
        self.write_text(b"", first if isinstance(first, str) else str(value), path)

    def _start(self, tag: bytes, value: Any) -> None:
        if not isinstance(value, (tuple, frozenset)):  # those can't change, sharing them means nothing
            self.seen[id(value)] = self.containers
        self.containers += 1
        self._tagged_length(tag, len(value))

    def write_list(self, tag: bytes, value: Any, path: str) -> None:
        self._start(tag, value)
        for index, item in enumerate(value):
            self.write(item, f"{path}[{index}]")

    def write_dict(self, tag: bytes, value: dict[Any, Any], path: str) -> None:
        self._start(tag, value)
        for key, item in value.items():
            self._write_hashable(key, path, "a key")
            self.write(item, f"{path}[{key!r}]")

    def write_set(self, tag: bytes, value: Any, path: str) -> None:
        self._start(tag, value)
        for item in value:
            self._write_hashable(item, path, "an item")

    def _write_hashable(self, value: Hashable, path: str, what: str) -> None:
        if not isinstance(value, _HASHABLE):
            raise TypeError(f"{path}: {what} of type {type(value).__name__} can't be stored or sent")
        self.write(value, path)


_HASHABLE = (str, int, float, bytes, datetime, type(None), type(UNDEFINED))
_CONSTANT_TAGS: dict[object, bytes] = {None: b"N", UNDEFINED: b"U", True: b"T", False: b"F"}
_CONSTANTS: dict[int, object] = {ord(tag): value for value, tag in _CONSTANT_TAGS.items()}
_Writer = Callable[[_Encoder, bytes, Any, str], None]
_WRITERS: list[tuple[Any, bytes, _Writer]] = [
    (str, b"S", _Encoder.write_text),
    ((bool, type(None), type(UNDEFINED)), b"", _Encoder.write_constant),
    (int, b"I", _Encoder.write_int),
    (float, b"D", _Encoder.write_float),
    ((list, tuple), b"L", _Encoder.write_list),
    (dict, b"M", _Encoder.write_dict),
    ((bytes, bytearray, memoryview), b"B", _Encoder.write_bytes),
    ((set, frozenset), b"E", _Encoder.write_set),
    (datetime, b"t", _Encoder.write_date),
    (Exception, b"X", _Encoder.write_error),
]


def _is_builtin_error(kind: type) -> bool:
    return getattr(builtins, kind.__name__, None) is kind


class _Decoder:
    """Reads one value in the tagged form."""

    __slots__ = ("data", "passed", "position", "seen")

    def __init__(self, data: bytes, passed: list[Any]) -> None:
        self.data = data
        self.position = 1
        self.passed = passed
        self.seen: list[Any] = []

    def read(self) -> Any:
        tag = self.data[self.position]
        self.position += 1
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        try:
            reader = _READERS[tag]
        except KeyError:
            raise ValueError(f"an encoded value has the unknown tag {tag}") from None
        return reader(self)

    def _length(self) -> int:
        length = shift = 0
        while True:
            byte = self.data[self.position]
            self.position += 1
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                return length
            shift += 7

    def read_bytes(self) -> ByteString:
        return ByteString(self._chunk())

    def _chunk(self) -> bytes:
        length = self._length()
        start = self.position
        self.position = start + length
        if self.position > len(self.data):
            raise ValueError("an encoded value ends too early")
        return self.data[start : self.position]

    def read_int(self) -> int:
        return int.from_bytes(self._chunk(), "big", signed=True)

    def read_float(self) -> float:
        (value,) = _double.unpack_from(self.data, self.position)
        self.position += 8
        return float(value)

    def read_text(self) -> str:
        return self._chunk().decode("utf-8", "surrogatepass")

    def read_date(self) -> datetime:
        return datetime.fromisoformat(self._chunk().decode())

    def read_error(self) -> Exception:
        kind = getattr(builtins, self._chunk().decode(), Exception)
        text = self.read_text()
        try:
            made = kind(text)
        except TypeError:  # a builtin that wants other arguments, like UnicodeDecodeError
            made = Exception(text)
        return made if isinstance(made, Exception) else Exception(text)

    def read_list(self) -> list[Any]:
        items: list[Any] = []
        length = self._length()
        self.seen.append(items)
        for _ in range(length):
            items.append(self.read())  # noqa: PERF401 (an item may refer to the list itself)
        return items

    def read_dict(self) -> AttributeDict:
        items = AttributeDict()
        length = self._length()
        self.seen.append(items)
        for _ in range(length):
            key = self.read()
            items[key] = self.read()
        return items

    def read_set(self) -> set[Any]:
        items: set[Any] = set()
        length = self._length()
        self.seen.append(items)
        for _ in range(length):
            items.add(self.read())
        return items

    def read_reference(self) -> Any:
        return self.seen[self._length()]

    def read_passed(self) -> Any:
        return self.passed[self._length()]


_READERS: dict[int, Callable[[_Decoder], Any]] = {
    ord("S"): _Decoder.read_text,
    ord("I"): _Decoder.read_int,
    ord("D"): _Decoder.read_float,
    ord("B"): _Decoder.read_bytes,
    ord("L"): _Decoder.read_list,
    ord("M"): _Decoder.read_dict,
    ord("E"): _Decoder.read_set,
    ord("t"): _Decoder.read_date,
    ord("X"): _Decoder.read_error,
    ord("R"): _Decoder.read_reference,
    ord("O"): _Decoder.read_passed,
}
