"""Strict mode: values become, or are refused, as on Cloudflare, for programs that run there, too.

Source: what ``wrangler dev`` does with values that go from Python to JavaScript and back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from durabase.types import UNDEFINED
from durabase.web.attribute_dict import AttributeDict

__all__ = ["as_bound", "as_read", "as_row", "as_written"]

_MAX_SAFE: Final = 2**53 - 1


def as_written(value: Any, path: str = "value") -> Any:
    """The value as Cloudflare stores it: whole numbers are integers, keys of dicts strings.

    Raises:
        TypeError: it refuses this, with the path of the item.
    """
    if isinstance(value, (tuple, bytearray)):
        wanted = "a list" if isinstance(value, tuple) else "bytes"
        raise TypeError(f"{path}: a {type(value).__name__} can't be stored on Cloudflare; {wanted} can")
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return [as_written(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {_key(key): as_written(item, f"{path}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return {as_written(item, path) for item in value}
    if isinstance(value, datetime):
        milliseconds = value.microsecond // 1000 * 1000
        return value.astimezone().replace(tzinfo=None, microsecond=milliseconds)
    return value


def as_read(value: Any) -> Any:
    """The value as Cloudflare gives it back: bytes are a ``memoryview``."""
    if isinstance(value, bytes):
        return memoryview(value)
    if isinstance(value, list):
        return [as_read(item) for item in value]
    if isinstance(value, dict):
        return AttributeDict({key: as_read(item) for key, item in value.items()})
    return value


def as_bound(value: Any) -> Any:
    """A parameter of SQL as Cloudflare binds it: numbers are REAL, booleans text.

    Raises:
        TypeError: it can't be bound there.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > _MAX_SAFE:
            raise TypeError(f"{value} is a BigInt on Cloudflare, which can't be bound to a parameter of SQL")
        return float(value)
    return value


def as_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a row has on Cloudflare: numbers are JavaScript's, so whole ones are integers in Python."""
    return tuple(map(_row_value, row))


def _row_value(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > _MAX_SAFE:
        value = float(value)
    return _number(value) if isinstance(value, float) else as_read(value)


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) <= _MAX_SAFE else value


def _key(key: Any) -> str:
    """What becomes of a key of a dict, which is a property's name there."""
    if isinstance(key, bool):
        return "true" if key else "false"
    if key is None or key is UNDEFINED:
        return "null" if key is None else "undefined"
    return str(_number(key) if isinstance(key, float) else key)
