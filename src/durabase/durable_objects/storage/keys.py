"""Keys as bytes, and which of them a listing means."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, Final

from durabase._names import snake_case
from durabase.durable_objects.storage.store import KeyRange

__all__ = ["key_bytes", "key_range", "key_text", "merged_options"]

_MAX_LIMIT: Final = 2**31 - 1


def key_range(options: Mapping[str, Any]) -> KeyRange:
    """The keys that ``list`` with these options means.

    Raises:
        TypeError: the options contradict each other.
    """
    start, start_after, end = options.get("start"), options.get("start_after"), options.get("end")
    limit = options.get("limit")
    if start is not None and start_after is not None:
        raise TypeError("list() cannot be called with both start and startAfter values.")
    if limit is not None:
        _check_limit(limit)
    lowest = b"" if start is None else key_bytes(start)
    if start_after is not None:
        lowest = key_bytes(start_after) + b"\0"
    highest = None if end is None else key_bytes(end)
    if (prefix := options.get("prefix")) is not None:
        first = key_bytes(prefix)
        lowest = max(lowest, first)
        highest = _lower(highest, _after_prefix(first))
    return KeyRange(lowest, highest, bool(options.get("reverse")), None if limit is None else int(limit))


def _check_limit(limit: object) -> None:
    if not isinstance(limit, (int, float)) or not 1 <= limit < inf:
        raise TypeError("List limit must be positive.")
    if limit > _MAX_LIMIT:
        raise TypeError("Value out of range. Must be between -2147483648 and 2147483647 (inclusive).")


def _after_prefix(prefix: bytes) -> bytes | None:
    """The first key after all that begin with ``prefix``; UTF-8 has no byte 255."""
    return prefix[:-1] + bytes((prefix[-1] + 1,)) if prefix else None


def _lower(one: bytes | None, other: bytes | None) -> bytes | None:
    return min((bound for bound in (one, other) if bound is not None), default=None)


def key_bytes(key: object) -> bytes:
    """The UTF-8 of a key; what is no text is turned into such."""
    text = key if isinstance(key, str) else str(key)
    return text.encode() if text.isascii() else text.encode("utf-8", "surrogatepass")


def key_text(key: bytes) -> str:
    """The key that these bytes are."""
    return key.decode("utf-8", "surrogatepass")


def merged_options(options: Mapping[str, Any] | None, more: dict[str, Any]) -> dict[str, Any]:
    """Options given as a dict and as keywords, in snake_case."""
    merged = {**(options or {}), **more}
    return {snake_case(name): value for name, value in merged.items()}
