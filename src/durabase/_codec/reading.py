"""``JSON.parse``.

``orjson`` reads when it is installed; what it reads differently from JavaScript, or refuses, goes to
the standard library's parser, so results are the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from durabase._codec.limits import MAX_NESTING, too_deep
from durabase._codec.numbers import MAX_SAFE
from durabase._collector import CollectorPause
from durabase.types import UNDEFINED, UNDEFINED_MARK

__all__ = ["parse_json", "parse_json_with_undefined"]

_MAX_DOUBLE_DIGITS: Final = 310
_SHORT_NUMBER: Final = 15
"""Numbers of so many characters are below 2^53."""
_SHORT_TEXT: Final = 4096
"""The collector hardly ever runs while so little is read."""


def parse_json(text: str | bytes) -> Any:
    """What ``JSON.parse(text)`` gives; bytes are UTF-8.

    Numbers written as integers are ``int``, beyond 2^53 the nearest double; all others ``float``, too
    large ones infinite. ``-0`` is ``-0.0``.

    Raises:
        ValueError: ``JSON.parse`` would throw, the UTF-8 is bad, or it is nested too deeply.
    """
    if not isinstance(text, str):
        text = bytes(text).decode()
    if len(text) < _SHORT_TEXT:
        return _shallow_value(text)
    with CollectorPause():
        return _shallow_value(text)


def _shallow_value(text: str) -> Any:
    try:
        value = _parse(text)
    except RecursionError:
        raise too_deep() from None
    # A text needs as many characters to be deep.
    if len(text) > MAX_NESTING and text.count("[") + text.count("{") > MAX_NESTING and _is_deep(value):
        raise too_deep()
    return value


def parse_json_with_undefined(text: str | bytes) -> Any:
    """Like ``parse_json``, but every string that is exactly U+FFFC, except keys, becomes ``UNDEFINED``."""
    if not isinstance(text, str):
        text = bytes(text).decode()
    value = parse_json(text)
    # One character is found much sooner than two, and mostly there is none.
    may_be_marked = UNDEFINED_MARK in text or ("\\" in text and "\\u" in text)
    return _with_undefined(value) if may_be_marked else value


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


def _number_from_text(text: str) -> int | float:
    """A JSON integer as JavaScript holds it."""
    if len(text) <= _SHORT_NUMBER:
        return int(text) if text != "-0" else -0.0
    if len(text) > _MAX_DOUBLE_DIGITS:
        return float("-inf") if text[0] == "-" else float("inf")
    double = float(text)
    return int(double) if -MAX_SAFE <= double <= MAX_SAFE else double


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


def _quick_reader() -> Callable[[bytes], Any] | None:
    try:
        import orjson
    except ImportError:  # the data wing needs nothing but the standard library
        return None
    return orjson.loads


_read_quickly: Final = _quick_reader()
_FIRST_LOOK: Final = bytes.maketrans(b"123456789[: \n\r\t", b"000000000,,,,,,")
_LONG_NUMBER: Final = "0" * (_SHORT_NUMBER + 1)
_NEGATIVE_ZERO: Final = re.compile(rb"(?:^|[\[:,\s])-0(?![.\d])")
_SAME_STARTS: Final = bytes.maketrans(b"[: \n\r\t", b",,,,,,")


def _parse(text: str) -> Any:
    """By ``orjson`` what it reads as JavaScript does; the rest, errors included, by ``_decode``."""
    if _read_quickly is None:
        return _decode(text)
    try:
        raw = text.encode()
        # As a text again, for to find something in bytes takes three times as long.
        look = raw.translate(_FIRST_LOOK).decode("latin-1")
        if _LONG_NUMBER in look:
            return _decode(text)
        if (",-0" in look or look.startswith("-0")) and _holds_negative_zero(raw):
            return _decode(text)
        return _read_quickly(raw)
    except ValueError:
        return _decode(text)


def _holds_negative_zero(raw: bytes) -> bool:
    """Whether a negative number of a text is ``-0``. Mostly none is, and the expression is slow."""
    if raw.translate(_SAME_STARTS).find(b",-0") >= 0:
        return _NEGATIVE_ZERO.search(raw) is not None
    return raw.startswith(b"-0")
