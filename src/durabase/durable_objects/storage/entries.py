"""Keys and values as bytes, within their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from durabase._collector import CollectorPause
from durabase.durable_objects.storage.keys import key_bytes, key_text
from durabase.durable_objects.storage.strict import as_read, as_written
from durabase.errors import KeyTooLargeError, ValueTooLargeError
from durabase.types import UNDEFINED
from durabase.web.structured_clone import decode_value, decode_values, encode_value

__all__ = ["EntryRules", "decoded_entries", "decoded_entry", "encoded_entries", "encoded_entry"]

ENVELOPE_BYTES: Final = 34
"""What an encoded value may take beyond the limit of its data, as on Cloudflare."""


class EntryRules(Protocol):
    """What a class allows of keys and values."""

    @property
    def max_key_bytes(self) -> int | None:
        """The longest key."""

    @property
    def max_value_bytes(self) -> int:
        """The largest value."""

    @property
    def is_strict(self) -> bool:
        """Whether values become what they become on Cloudflare."""


def encoded_entries(entries: Mapping[Any, Any], rules: EntryRules) -> dict[bytes, bytes | None]:
    """The bytes of all entries that are not ``UNDEFINED``; it raises what :func:`encoded_entry` does."""
    limits = _Limits(rules)
    encoded: dict[bytes, bytes | None] = {}
    for key, value in entries.items():
        if value is not UNDEFINED:
            data = limits.key(key)
            encoded[data] = limits.value(key, value)
    return encoded


def decoded_entry(data: bytes, rules: EntryRules) -> Any:
    """The value that these bytes are."""
    return as_read(decode_value(data)) if rules.is_strict else decode_value(data)


def decoded_entries(pairs: list[tuple[bytes, bytes]], rules: EntryRules) -> dict[str, Any]:
    """The keys and values that these bytes are."""
    if rules.is_strict:
        return {key_text(key): decoded_entry(data, rules) for key, data in pairs}
    with CollectorPause():
        values = decode_values([data for _, data in pairs])
        return {key_text(key): value for (key, _), value in zip(pairs, values, strict=True)}


def encoded_entry(key: object, value: Any, rules: EntryRules) -> tuple[bytes, bytes]:
    """The bytes of a key and its value.

    Raises:
        TypeError: the value is of no kind that can be stored, with the path of the item.
        EntryTooLargeError: the key or the value is over its limit.
    """
    limits = _Limits(rules)
    return limits.key(key), limits.value(key, value)


class _Limits:
    """The rules as they are for all entries of one call."""

    __slots__ = ("_is_strict", "_key_bytes", "_value_bytes")

    def __init__(self, rules: EntryRules) -> None:
        self._key_bytes = rules.max_key_bytes
        self._value_bytes = rules.max_value_bytes
        self._is_strict = rules.is_strict

    def key(self, key: object) -> bytes:
        data = key_bytes(key)
        if self._key_bytes is not None and len(data) > self._key_bytes:
            raise KeyTooLargeError(str(key), len(data), self._key_bytes)
        return data

    def value(self, key: object, value: Any) -> bytes:
        data = encode_value(as_written(value) if self._is_strict else value)
        if len(data) > self._value_bytes + ENVELOPE_BYTES:
            raise ValueTooLargeError(str(key), len(data), self._value_bytes)
        return data
