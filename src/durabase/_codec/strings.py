"""Strings as JavaScript has them: sequences of UTF-16 units, lone surrogates included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Final

from durabase._codec.numbers import number_text
from durabase.types import UNDEFINED

__all__ = ["IS_COMPILED", "WORDS", "js_string", "string_text", "utf8", "utf8_length"]

IS_COMPILED: Final = not __file__.endswith(".py")
"""Whether this is machine code, which goes through texts and bytes without making objects."""

WORDS: Final[dict[object, str]] = {None: "null", UNDEFINED: "undefined", True: "true", False: "false"}

_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


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
        return WORDS[value]
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, (list, tuple)):
        return ",".join(["" if item is None or item is UNDEFINED else js_string(item) for item in value])
    return "[object Object]" if isinstance(value, Mapping) else str(value)
