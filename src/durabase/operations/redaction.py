"""What records must not tell: credentials in headers, subprotocols and query strings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

__all__ = ["REDACTED", "redacted_headers", "redacted_url"]

REDACTED: Final = "REDACTED"

_SECRET_HEADERS: Final = frozenset(("authorization", "cookie", "proxy-authorization", "set-cookie"))
_BEARER: Final = re.compile(r"\b(bearer\.)[^\s,]+", re.IGNORECASE)
_SECRET_NAME: Final = re.compile(
    r"api.?key|auth|credential|jwt|passw|secret|session|signature|token|^(code|key|sig)$", re.IGNORECASE
)


def redacted_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers, without the values of those that carry credentials, and without tokens in subprotocols."""
    return {name: REDACTED if _is_secret_header(name) else _public(name, value) for name, value in headers}


def _public(name: str, value: str) -> str:
    return _BEARER.sub(rf"\1{REDACTED}", value) if name.lower() == "sec-websocket-protocol" else value


def _is_secret_header(name: str) -> bool:
    return name.lower() in _SECRET_HEADERS or _SECRET_NAME.search(name) is not None


def redacted_url(url: str) -> str:
    """The URL, without passwords, and without the values of parameters whose names sound like secrets."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if host == parts.netloc and not any(_SECRET_NAME.search(name) for name, _ in pairs):
        return url
    query = urlencode([(name, REDACTED if _SECRET_NAME.search(name) else value) for name, value in pairs])
    return urlunsplit(parts._replace(netloc=host, query=query))
