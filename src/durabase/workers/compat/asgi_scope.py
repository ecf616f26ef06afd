"""What ASGI calls have in common: the types, and the part of a scope that comes from the request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from durabase.web import Request

__all__ = ["VERSIONS", "Application", "Message", "Receive", "Send", "request_scope"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

VERSIONS = {"spec_version": "2.0", "version": "3.0"}


def request_scope(request: Request, env: Any) -> dict[str, Any]:
    """Return the scope of a request but for its type."""
    url = urlsplit(request.url)
    return {
        "asgi": VERSIONS,
        "http_version": "1.1",
        "method": str(request.method),
        "scheme": url.scheme,
        "path": unquote(url.path),
        "raw_path": url.path.encode("ascii"),
        "query_string": url.query.encode("ascii"),
        "root_path": "",
        "headers": [_header(name, value) for name, value in request.headers.items()],
        "server": (url.hostname, url.port or (443 if url.scheme == "https" else 80)),
        "client": None,
        "env": env,
        "state": {},
    }


def _header(name: str, value: str) -> tuple[bytes, bytes]:
    return name.encode("latin-1"), value.encode("latin-1", "replace")
