"""Text exactly as JavaScript writes and reads it: numbers, JSON, UTF-8, ids.

Hashes are taken over these texts and other implementations compare them, so each function agrees
with ECMAScript byte for byte: ``number_text`` with ``Number::toString``, ``json_text`` with
``JSON.stringify``, ``parse_json`` with ``JSON.parse``, ``utf8`` with ``TextEncoder``. "JSON with
undefined" is TinyBase's own: every undefined member or element is the string U+FFFC.

It does not know stores, stamps or messages. ``orjson`` speeds up parsing when it is installed; what
it reads differently from JavaScript goes to the standard library's parser, so results are the same.
Nesting deeper than ``MAX_NESTING`` is refused both ways: JavaScript's own limit depends on its stack.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any, Final

from durabase.types import UNDEFINED, UNDEFINED_MARK

__all__ = [
    "ALPHABET",
    "MAX_NESTING",
    "id_from_bytes",
    "is_array_index",
    "js_string",
    "json_text",
    "json_text_with_undefined",
    "number_text",
    "ordered_items",
    "parse_json",
    "parse_json_with_undefined",
    "string_text",
    "unique_id",
    "utf8",
    "utf8_length",
]

ALPHABET: Final = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""Six bits a character, in ASCII order: texts of equal length compare as the numbers they stand for."""

MAX_NESTING: Final = 256
"""How deep objects and arrays may be nested in JSON text that is read or written."""

_MAX_SAFE: Final = 2**53
_MAX_ARRAY_INDEX: Final = 4294967294
_MAX_DOUBLE_DIGITS: Final = 310
_SHORT_NUMBER: Final = 15
"""Numbers of so many characters are below 2^53."""

# ---------------------------------------------------------------------------------------- numbers


def number_text(number: float) -> str:
    """The text of a number as JavaScript's ``String(number)``: ``1.0`` is ``1``, ``1e21`` is ``1e+21``.

    An ``int`` beyond 2^53 is rounded to the nearest double first.
    """
    if isinstance(number, int):
        if -_MAX_SAFE <= number <= _MAX_SAFE:
            return int.__repr__(number)
        number = _nearest_double(number)
    text = float.__repr__(number)
    if "e" not in text:
        return _without_fraction(text)
    return _scientific_text(text)


def _nearest_double(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _without_fraction(text: str) -> str:
    if text.endswith(".0"):
        return "0" if text == "-0.0" else text[:-2]
    if "n" not in text:
        return text
    return text.replace("inf", "Infinity").replace("nan", "NaN")


def _scientific_text(text: str) -> str:
    """Python's ``d.ddde±xx`` as ECMAScript lays out the same digits."""
    sign = "-" if text[0] == "-" else ""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    digits = mantissa.replace(".", "")
    point = int(exponent) + 1
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"


# ------------------------------------------------------------------------------- strings and bytes

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def utf8(text: str) -> bytes:
    """The UTF-8 bytes of a text, each lone surrogate as U+FFFD (``EF BF BD``)."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        units = text.encode("utf-16-le", "surrogatepass")
        return units.decode("utf-16-le", "replace").encode()


def utf8_length(text: str) -> int:
    """How many bytes ``utf8(text)`` has."""
    return len(text) if text.isascii() else len(utf8(text))


def string_text(text: str) -> str:
    """``JSON.stringify`` of a string: in quotes, controls and lone surrogates escaped, all else literal."""
    if not text.isascii() and _SURROGATE.search(text):
        return _SURROGATE.sub(_escaped_surrogate, encode_basestring(_joined_surrogates(text)))
    return encode_basestring(text)


def _joined_surrogates(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _escaped_surrogate(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def js_string(value: object) -> str:
    """How JavaScript makes an id of a thing: ``1.0`` is ``"1"``, ``True`` ``"true"``, ``None`` ``"null"``."""
    if isinstance(value, str):
        return str(value)
    if value is None or value is UNDEFINED or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, (list, tuple)):
        return ",".join(["" if item is None or item is UNDEFINED else js_string(item) for item in value])
    return "[object Object]" if isinstance(value, Mapping) else str(value)


_WORDS: Final[dict[object, str]] = {None: "null", UNDEFINED: "undefined", True: "true", False: "false"}

# ----------------------------------------------------------------------------------- object order


def is_array_index(key: str) -> bool:
    """Whether JavaScript lists an object's key ``key`` first: the decimal text of 0 to 4294967294."""
    if not (key.isdigit() and key.isascii()) or len(key) > 10:
        return False
    return key == "0" or (key[0] != "0" and int(key) <= _MAX_ARRAY_INDEX)


def ordered_items(mapping: Mapping[Any, Any]) -> Iterable[tuple[str, Any]]:
    """The members of a dict as JavaScript lists an object's: array indexes ascending, then the others.

    Keys that are no strings become strings.
    """
    if not mapping:
        return ()
    try:
        if min(mapping) >= ":":  # no key starts with a digit: the quickest way to see it
            return mapping.items()
    except TypeError:
        mapping = {js_string(key): value for key, value in mapping.items()}
    indexes = [key for key in mapping if is_array_index(key)]
    if not indexes:
        return mapping.items()
    indexes.sort(key=int)
    others = [item for item in mapping.items() if not is_array_index(item[0])]
    return [(key, mapping[key]) for key in indexes] + others


# ------------------------------------------------------------------------------------ writing JSON


def json_text(value: Any) -> str:
    """``JSON.stringify(value)``: undefined members are left out, undefined elements are ``null``.

    ``UNDEFINED`` itself gives ``null``.

    Raises:
        ValueError: ``value`` is nested too deeply, or contains itself.
        TypeError: ``value`` holds something that is no JSON.
    """
    return _guarded_text(value, "")


def json_text_with_undefined(value: Any) -> str:
    """Like ``json_text``, but every ``UNDEFINED`` becomes the string U+FFFC."""
    return _guarded_text(value, f'"{UNDEFINED_MARK}"')


def _guarded_text(value: Any, mark: str) -> str:
    try:
        return _text(value, mark, MAX_NESTING)
    except RecursionError:
        raise ValueError("JSON can't be written: too little stack is left") from None


def _text(value: Any, mark: str, depth: int) -> str:
    kind = type(value)
    if kind is str:
        return string_text(value)
    if kind is int and -_MAX_SAFE <= value <= _MAX_SAFE:
        return repr(value)
    if kind is dict:
        return _object_text(value, mark, depth - 1)
    if kind is list:
        return _array_text(value, mark, depth - 1)
    return _scalar_text(value, mark, depth)


def _scalar_text(value: Any, mark: str, depth: int) -> str:
    if value is UNDEFINED:
        return mark or "null"
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, (int, float)):
        text = number_text(value)
        return "null" if text[-1] in "yN" else text
    return _subclass_text(value, mark, depth)


def _subclass_text(value: Any, mark: str, depth: int) -> str:
    if isinstance(value, str):
        return string_text(str(value))
    if isinstance(value, Mapping):
        return _object_text(value, mark, depth - 1)
    if isinstance(value, (list, tuple)):
        return _array_text(value, mark, depth - 1)
    raise TypeError(f"{type(value).__name__} is no JSON; expected str, number, bool, None, dict or list")


def _object_text(members: Mapping[Any, Any], mark: str, depth: int) -> str:
    if depth < 0:
        raise _too_deep()
    parts = [
        f"{string_text(key)}:{_text(value, mark, depth)}"
        for key, value in ordered_items(members)
        if mark or value is not UNDEFINED
    ]
    return "{" + ",".join(parts) + "}"


def _array_text(elements: Iterable[Any], mark: str, depth: int) -> str:
    if depth < 0:
        raise _too_deep()
    return "[" + ",".join([_text(element, mark, depth) for element in elements]) + "]"


def _too_deep() -> ValueError:
    return ValueError(f"JSON nested more than {MAX_NESTING} deep (or containing itself)")


# ------------------------------------------------------------------------------------ reading JSON


def parse_json(text: str | bytes) -> Any:
    """What ``JSON.parse(text)`` gives; bytes are UTF-8.

    Numbers written as integers are ``int``, beyond 2^53 the nearest double; all others ``float``, too
    large ones infinite. ``-0`` is ``-0.0``.

    Raises:
        ValueError: ``JSON.parse`` would throw, the UTF-8 is bad, or it is nested too deeply.
    """
    if not isinstance(text, str):
        text = bytes(text).decode()
    try:
        value = _parse(text)
    except RecursionError:
        raise _too_deep() from None
    if text.count("[") + text.count("{") > MAX_NESTING and _is_deep(value):
        raise _too_deep()
    return value


def parse_json_with_undefined(text: str | bytes) -> Any:
    """Like ``parse_json``, but every string that is exactly U+FFFC, except keys, becomes ``UNDEFINED``."""
    if not isinstance(text, str):
        text = bytes(text).decode()
    value = parse_json(text)
    return _with_undefined(value) if UNDEFINED_MARK in text or "\\u" in text else value


def _with_undefined(value: Any) -> Any:
    """Replaces the marks in a freshly parsed value, in place."""
    if isinstance(value, dict):
        for key, member in value.items():
            value[key] = _with_undefined(member)
    elif isinstance(value, list):
        value[:] = [_with_undefined(element) for element in value]
    elif value == UNDEFINED_MARK:
        return UNDEFINED
    return value


def _number_from_text(text: str) -> float:
    """A JSON integer as JavaScript holds it."""
    if len(text) <= _SHORT_NUMBER:
        return int(text) if text != "-0" else -0.0
    if len(text) > _MAX_DOUBLE_DIGITS:
        return float("-inf") if text[0] == "-" else float("inf")
    double = float(text)
    return int(double) if -_MAX_SAFE <= double <= _MAX_SAFE else double


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_decode: Final[Callable[[str], Any]] = json.JSONDecoder(
    parse_int=_number_from_text, parse_constant=_refuse_constant
).decode


def _is_deep(value: Any) -> bool:
    """Whether a parsed value is nested too deeply, seen level by level."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_NESTING):
        level = [
            member
            for node in level
            for member in (node.values() if type(node) is dict else node)
            if type(member) is list or type(member) is dict
        ]
        if not level:
            return False
    return True


try:
    import orjson
except ImportError:  # the data wing needs nothing but the standard library
    _parse: Callable[[str], Any] = _decode
else:
    _SAME_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
    _LONG_NUMBER: Final = b"0" * (_SHORT_NUMBER + 1)
    _NEGATIVE_ZERO: Final = re.compile(rb"(?:^|[\[:,\s])-0(?![.\d])")

    def _parse_quickly(text: str) -> Any:
        """``orjson`` for what it reads as JavaScript does; the rest, errors included, is for ``_decode``."""
        try:
            raw = text.encode()
            if _LONG_NUMBER in raw.translate(_SAME_DIGITS) or _may_hold_negative_zero(raw):
                return _decode(text)
            return orjson.loads(raw)
        except ValueError:
            return _decode(text)

    def _may_hold_negative_zero(raw: bytes) -> bool:
        return b"-0" in raw and _NEGATIVE_ZERO.search(raw) is not None

    _parse = _parse_quickly

# ---------------------------------------------------------------------------------------------- ids


def unique_id(length: int = 16) -> str:
    """A random id of ``length`` characters of ``ALPHABET``, from the system's secure source."""
    return id_from_bytes(os.urandom(length))


def id_from_bytes(raw: bytes) -> str:
    """The id that random bytes stand for: the low six bits of each pick a character."""
    return "".join([ALPHABET[byte & 63] for byte in raw])
