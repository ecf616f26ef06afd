"""Keys and values as bytes, within their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from durabase._collector import CollectorPause
from durabase.durable_objects.storage.keys import key_bytes, key_text
from durabase.errors import KeyTooLargeError, ValueTooLargeError
from durabase.types import UNDEFINED
from durabase.web.structured_clone import decode_values, encode_value

__all__ = ["decoded_entries", "encoded_entries", "encoded_entry"]

ENVELOPE_BYTES: Final = 34
"""What an encoded value may take beyond the limit of its data, as on Cloudflare."""


def encoded_entries(
    entries: Mapping[Any, Any], max_key_bytes: int | None, max_value_bytes: int
) -> dict[bytes, bytes | None]:
    """The bytes of all entries that are not ``UNDEFINED``; it raises what :func:`encoded_entry` does."""
    encoded: dict[bytes, bytes | None] = {}
    for key, value in entries.items():
        if value is not UNDEFINED:
            data, value_data = encoded_entry(key, value, max_key_bytes, max_value_bytes)
            encoded[data] = value_data
    return encoded


def decoded_entries(pairs: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """The keys and values that these bytes are."""
    with CollectorPause():
        values = decode_values([data for _, data in pairs])
        return {key_text(key): value for (key, _), value in zip(pairs, values, strict=True)}


def encoded_entry(
    key: object, value: Any, max_key_bytes: int | None, max_value_bytes: int
) -> tuple[bytes, bytes]:
    """The bytes of a key and its value.

    Raises:
        TypeError: the value is of no kind that can be stored, with the path of the item.
        EntryTooLargeError: the key or the value is over its limit.
    """
    data = key_bytes(key)
    if max_key_bytes is not None and len(data) > max_key_bytes:
        raise KeyTooLargeError(str(key), len(data), max_key_bytes)
    encoded = encode_value(value)
    if len(encoded) > max_value_bytes + ENVELOPE_BYTES:
        raise ValueTooLargeError(str(key), len(encoded), max_value_bytes)
    return data, encoded
