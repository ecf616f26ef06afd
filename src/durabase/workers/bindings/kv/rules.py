"""What Workers KV allows: keys, values, options; and what it says when something is not. Pure.

Texts and limits are those of workerd and of wrangler's local simulator. Where JavaScript throws an
``Error`` with a status, here it is a ``ValueError``.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any, Final

from durabase._codec import js_string, json_text, utf8

__all__ = [
    "LIST_LIMIT",
    "checked_key",
    "checked_keys",
    "checked_limit",
    "checked_type",
    "checked_value",
    "cursor_text",
    "expiration_of",
    "metadata_text",
    "parse_cursor",
]

LIST_LIMIT: Final = 1000
MAX_KEY_BYTES: Final = 512
MAX_VALUE_BYTES: Final = 25 * 1024 * 1024
MAX_METADATA_BYTES: Final = 1024
MAX_KEYS: Final = 100
MIN_TTL: Final = 60

_TYPES: Final = ("text", "arrayBuffer", "json", "stream")
_BULK_TYPES: Final = ("text", "json")


def checked_key(method: str, key: object) -> bytes:
    """Return the key as bytes.

    Raises:
        TypeError: it is no text, is empty, or means a directory.
        ValueError: it is too long.
    """
    if not isinstance(key, str):
        raise TypeError(f"KV {method}: a key is a string, not {type(key).__name__}")
    if not key:
        raise TypeError("Key name cannot be empty.")
    if key in (".", ".."):
        raise TypeError(f'"{key}" is not allowed as a key name.')
    encoded = utf8(key)
    if len(encoded) > MAX_KEY_BYTES:
        limit = f"UTF-8 encoded length of {len(encoded)} exceeds key length limit of {MAX_KEY_BYTES}."
        raise _failure(method, 414, limit)
    return encoded


def checked_keys(method: str, keys: list[Any]) -> list[bytes]:
    """Return several keys as bytes; raises what :func:`checked_key` does, or for too many of them."""
    if not 0 < len(keys) <= MAX_KEYS:
        raise _failure(method, 400, f"You can request from 1 to {MAX_KEYS} keys, not {len(keys)}.")
    return [checked_key(method, key) for key in keys]


def checked_type(type: object, *, bulk: bool) -> str:
    """Return how a value is wanted.

    Raises:
        TypeError: no such type.
        ValueError: not one for several keys.
    """
    chosen = "text" if type is None else type
    if chosen not in _TYPES:
        raise TypeError(
            'Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".'
        )
    if bulk and chosen not in _BULK_TYPES:
        raise _failure("GET_BULK", 400, f'"{chosen}" is not a valid type. Use "json" or "text".')
    return str(chosen)


def checked_value(value: object) -> bytes:
    """Return a value that is at hand as bytes. Numbers and booleans become text, as in JavaScript.

    Raises:
        TypeError: of no storable type.
        ValueError: too large.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
    elif isinstance(value, (str, bool, int, float)):
        data = utf8(js_string(value))
    else:
        raise TypeError(
            "KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values, "
            f"not {type(value).__name__}."
        )
    if len(data) > MAX_VALUE_BYTES:
        raise _failure("PUT", 413, f"Value length of {len(data)} exceeds limit of {MAX_VALUE_BYTES}.")
    return data


def metadata_text(metadata: object) -> str | None:
    """Return metadata as JSON text, ``None`` if there is none.

    Raises:
        TypeError: it is no JSON value.
        ValueError: too large.
    """
    if metadata is None:
        return None
    text = json_text(metadata)
    size = len(utf8(text))
    if size > MAX_METADATA_BYTES:
        raise _failure("PUT", 413, f"Metadata length of {size} exceeds limit of {MAX_METADATA_BYTES}.")
    return text


def expiration_of(options: Mapping[str, Any], now: int) -> int | None:
    """Return the second since 1970 at which what is put now expires; ``None``: never.

    Raises:
        ValueError: less than a minute from now, or no number.
    """
    ttl = options.get("expirationTtl")
    if ttl is not None:
        return now + _checked_ttl(ttl)
    expiration = options.get("expiration")
    return None if expiration is None else _checked_expiration(expiration, now)


def _checked_ttl(ttl: object) -> int:
    seconds = _whole(ttl)
    invalid = f"Invalid expiration_ttl of {ttl}."
    if seconds is None or seconds <= 0:
        raise _failure("PUT", 400, f"{invalid} Please specify integer greater than 0.")
    if seconds < MIN_TTL:
        raise _failure("PUT", 400, f"{invalid} Expiration TTL must be at least {MIN_TTL}.")
    return seconds


def _checked_expiration(expiration: object, now: int) -> int:
    second = _whole(expiration)
    invalid = f"Invalid expiration of {expiration}."
    if second is None or second <= now:
        wanted = "Please specify integer greater than the current number of seconds since the UNIX epoch."
        raise _failure("PUT", 400, f"{invalid} {wanted}")
    if second < now + MIN_TTL:
        wanted = f"Expiration times must be at least {MIN_TTL} seconds in the future."
        raise _failure("PUT", 400, f"{invalid} {wanted}")
    return second


def _whole(number: object) -> int | None:
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
        return None
    return int(number)


def checked_limit(limit: object) -> int:
    """Return how many keys a listing may have at most.

    Raises:
        ValueError: not from 1 to 1000.
    """
    if limit is None:
        return LIST_LIMIT
    invalid = f"Invalid key_count_limit of {limit}."
    number = _whole(limit)
    if number is None or number < 1:
        raise _failure("GET", 400, f"{invalid} Please specify an integer greater than 0.")
    if number > LIST_LIMIT:
        raise _failure("GET", 400, f"{invalid} Please specify an integer less than {LIST_LIMIT}.")
    return number


def cursor_text(key: bytes) -> str:
    """Return the cursor of a listing that ended with ``key``."""
    return base64.b64encode(key).decode("ascii")


def parse_cursor(cursor: object) -> bytes | None:
    """Return the key after which a listing goes on.

    Raises:
        ValueError: it is no cursor.
    """
    if cursor is None or cursor == "":
        return None
    try:
        return base64.b64decode(str(cursor), validate=True)
    except ValueError:
        raise _failure("GET", 400, f"Invalid cursor {json.dumps(cursor, default=str)}.") from None


def _failure(method: str, status: int, text: str) -> ValueError:
    return ValueError(f"KV {method} failed: {status} {text}")
