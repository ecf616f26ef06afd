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
    encoded: dict[bytes, bytes | None] = {}
    for key, value in entries.items():
        if value is not UNDEFINED:
            data, value_data = encoded_entry(key, value, rules)
            encoded[data] = value_data
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
    data, limit = key_bytes(key), rules.max_key_bytes
    if limit is not None and len(data) > limit:
        raise KeyTooLargeError(str(key), len(data), limit)
    encoded = encode_value(as_written(value) if rules.is_strict else value)
    if len(encoded) > rules.max_value_bytes + ENVELOPE_BYTES:
        raise ValueTooLargeError(str(key), len(encoded), rules.max_value_bytes)
    return data, encoded
