"""The opening handshake of RFC 6455 section 4.2: which requests ask for it, which may have it.

Pure functions over header lists as the HTTP parser gives them: pairs of bytes, names in lower case.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = [
    "OURS",
    "Headers",
    "accept_headers",
    "asks_for_web_socket",
    "handshake_fault",
    "offered_extensions",
]

Headers = Sequence[tuple[bytes, bytes]]

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
OURS: Final = frozenset(
    (
        b"connection",
        b"upgrade",
        b"sec-websocket-accept",
        b"sec-websocket-extensions",
        b"sec-websocket-version",
        b"content-length",
        b"transfer-encoding",
    )
)
"""The headers of a 101 that are not the program's to say."""


def asks_for_web_socket(method: bytes, headers: Headers) -> bool:
    """Whether a request wants the connection to become a WebSocket. Without a key it is a plain request:
    what to make of it is the program's affair."""
    return (
        method == b"GET"
        and b"websocket" in _tokens(headers, b"upgrade")
        and bool(_values(headers, b"sec-websocket-key"))
    )


def handshake_fault(headers: Headers) -> tuple[int, str] | None:
    """Status and text of the refusal of a WebSocket request, ``None`` if it is in order."""
    if b"upgrade" not in _tokens(headers, b"connection"):
        return 400, "Connection has to be Upgrade"
    if _values(headers, b"sec-websocket-version") != [b"13"]:
        return 426, "WebSocket version 13 is spoken here"
    keys = _values(headers, b"sec-websocket-key")
    if len(keys) != 1 or not _is_key(keys[0]):
        return 400, "Sec-WebSocket-Key has to be 16 bytes in base64"
    return None


def offered_extensions(headers: Headers) -> str:
    """The extensions that a client offers, in its own words; empty for none."""
    return b", ".join(_values(headers, b"sec-websocket-extensions")).decode("latin-1")


def accept_headers(
    headers: Headers, extra: Iterable[tuple[bytes, bytes]], extensions: str
) -> list[tuple[bytes, bytes]]:
    """The headers of the 101 answer to a request in order.

    Args:
        headers: those of the request. extra: those that the program set.
        extensions: what was agreed on; empty for none.
    """
    key = _values(headers, b"sec-websocket-key")[0]
    digest = hashlib.sha1(key + _GUID, usedforsecurity=False).digest()
    return [
        (b"Upgrade", b"websocket"),
        (b"Connection", b"Upgrade"),
        (b"Sec-WebSocket-Accept", base64.b64encode(digest)),
        *([(b"Sec-WebSocket-Extensions", extensions.encode())] if extensions else []),
        *(item for item in extra if item[0].lower() not in OURS),
    ]


def _values(headers: Headers, name: bytes) -> list[bytes]:
    return [value.strip() for key, value in headers if key == name]


def _tokens(headers: Headers, name: bytes) -> list[bytes]:
    return [token.strip().lower() for value in _values(headers, name) for token in value.split(b",")]


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        return False
