"""``JSON.stringify``.

Things of users are written in Python, exactly. What is written "with undefined" are stores' stamps and
messages, many and mostly plain; ``orjson`` writes them when it is installed, and its text is taken
unless there is a sign that JavaScript's would be another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from durabase._codec.limits import MAX_NESTING, too_deep
from durabase._codec.numbers import MAX_SAFE, number_text
from durabase._codec.order import is_in_order, ordered_items
from durabase._codec.strings import WORDS, string_text
from durabase.types import UNDEFINED, UNDEFINED_MARK

__all__ = ["json_text", "json_text_with_undefined"]


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
    quick = _quick_text(value)
    return _guarded_text(value, f'"{UNDEFINED_MARK}"') if quick is None else quick


def _guarded_text(value: Any, mark: str) -> str:
    try:
        return _text(value, mark, MAX_NESTING)
    except RecursionError:
        raise ValueError("JSON can't be written: too little stack is left") from None


def _text(value: Any, mark: str, depth: int) -> str:
    kind = type(value)
    if kind is str:
        return string_text(value)
    if kind is int and -MAX_SAFE <= value <= MAX_SAFE:
        number: int = value
        return str(number)
    if kind is dict:
        return _object_text(value, mark, depth - 1)
    if kind is list:
        return _array_text(value, mark, depth - 1)
    return _scalar_text(value, mark, depth)


def _scalar_text(value: Any, mark: str, depth: int) -> str:
    if value is UNDEFINED:
        return mark or "null"
    if value is None or isinstance(value, bool):
        return WORDS[value]
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
        raise too_deep()
    parts = [
        f"{string_text(key)}:{_text(value, mark, depth)}"
        for key, value in ordered_items(members)
        if mark or value is not UNDEFINED
    ]
    return "{" + ",".join(parts) + "}"


def _array_text(elements: Iterable[Any], mark: str, depth: int) -> str:
    if depth < 0:
        raise too_deep()
    return "[" + ",".join([_text(element, mark, depth) for element in elements]) + "]"


try:
    import orjson
except ImportError:  # the data wing needs nothing but the standard library

    def _no_quick_text(_value: Any) -> str | None:
        return None

    _quick_text: Callable[[Any], str | None] = _no_quick_text
else:
    _OPTIONS: Final = (
        orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
    )
    # Looked for in text whose digits have all become 0.
    _SAME_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
    _LONG_NUMBER: Final = b"0" * 16
    _EXPONENT: Final = re.compile(rb"0e[-+]?0+(?:[,\]}]|$)")
    _INDEX_KEY: Final = re.compile(rb'"0{1,10}":')
    _WHOLE_FLOAT: Final = re.compile(rb"\.0(?:[,\]}]|$)")

    def _orjson_text(value: Any) -> str | None:
        """The text if it is JavaScript's too; None if it may not be, or there is none."""
        try:
            raw = orjson.dumps(value, _mark_of_undefined, _OPTIONS)
        except TypeError:
            return None
        zeros = raw.translate(_SAME_DIGITS)
        if _has_odd_numbers(zeros):
            return None
        if b'0":' in zeros and _INDEX_KEY.search(zeros) and not _is_ordered(value):
            return None
        return raw.decode()

    def _mark_of_undefined(value: Any) -> str:
        if value is UNDEFINED:
            return UNDEFINED_MARK
        raise TypeError

    def _has_odd_numbers(zeros: bytes) -> bool:
        """Numbers that JavaScript rounds, or may write in another way (or texts that look like them)."""
        return (
            _LONG_NUMBER in zeros
            or (b".0" in zeros and _WHOLE_FLOAT.search(zeros) is not None)
            or (b"0e" in zeros and _EXPONENT.search(zeros) is not None)
        )

    def _is_ordered(value: Any) -> bool:
        if isinstance(value, dict):
            if len(value) > 1 and not is_in_order(value):
                return False
            value = value.values()
        for member in value:
            if isinstance(member, (dict, list, tuple)) and not _is_ordered(member):
                return False
        return True

    _quick_text = _orjson_text
