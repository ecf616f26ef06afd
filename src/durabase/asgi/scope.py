"""Scopes as requests: which path below the place of mounting was asked for, and the rest of the request.

Path and query stay as they were sent, percent escapes included, for rooms are told apart by them. ASGI's
``path`` is decoded, so the target is taken from ``raw_path``; ``path`` and ``root_path`` say which part of it
is ours.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import AsyncIterable, Iterable
from typing import Any, Final
from urllib.parse import quote, unquote

from durabase.server.target import request_url
from durabase.web import Request
from durabase.web.client_address import with_address
from durabase.workers.compat.asgi_scope import Message

__all__ = ["http_request", "local_target", "web_socket_request"]

_SLASH: Final = re.compile("/|%2[fF]")
_AS_SENT: Final = "/!$&'()*+,;=:@-._~"
_SCHEMES: Final = {"ws": "http", "wss": "https"}
_NO_ADDRESS: Final = ("localhost", 80)


def http_request(scope: Message, prefix: str, body: bytes | AsyncIterable[bytes] | None) -> Request:
    """The request of an ``http`` scope.

    Raises:
        TypeError, ValueError: the host, the target or a header is none.
    """
    return _request(scope, prefix, scope["method"], _headers(scope["headers"]), body)


def web_socket_request(scope: Message, prefix: str) -> Request:
    """The request of a ``websocket`` scope, which always looks like that of HTTP/1.1: HTTP/2 has no key.

    Raises:
        TypeError, ValueError: the host, the target or a header is none.
    """
    headers = _headers(scope["headers"])
    names = {name for name, _ in headers}
    protocols = ", ".join(scope.get("subprotocols") or ())
    ours = {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": base64.b64encode(os.urandom(16)).decode(),
        **({"sec-websocket-protocol": protocols} if protocols else {}),
    }
    headers += [(name, value) for name, value in ours.items() if name not in names]
    return _request(scope, prefix, "GET", headers, None)


def local_target(scope: Message, prefix: str) -> str:
    """The path below the place of mounting, as it was sent.

    Args:
        scope: its ``path`` may include ``root_path`` or not: both is found.
        prefix: the place of mounting, for outer applications that do not tell it by ``root_path``.
    """
    path: str = scope["path"]
    raw = (scope.get("raw_path") or b"").decode("latin-1").partition("?")[0] or quote(path, safe=_AS_SENT)
    below = _below(raw, prefix) if prefix else None
    if below is None:
        below = _ending(raw, _without(path, scope.get("root_path") or ""))
    return below if below.startswith("/") else f"/{below}"


def _below(raw: str, prefix: str) -> str | None:
    """What follows ``prefix`` (decoded) in ``raw`` (as sent); ``None`` if something else begins it."""
    slashes = [found.start() for found in _SLASH.finditer(raw)]
    depth = prefix.count("/")
    end = slashes[depth] if depth < len(slashes) else len(raw)
    return raw[end:] if unquote(raw[:end]) == prefix else None


def _ending(raw: str, path: str) -> str:
    """The end of ``raw`` that reads ``path`` when it is decoded; if there is none, ``path`` encoded anew."""
    if path.endswith("/") and not raw.endswith("/") and not unquote(raw).endswith("/"):
        path = path[:-1]  # some frameworks add one
    slashes = [found.start() for found in _SLASH.finditer(raw)]
    depth = path.count("/")
    if depth <= len(slashes):
        ending = raw[slashes[-depth] :] if depth else ""
        if unquote(ending) == path:
            return ending
    return quote(path, safe=_AS_SENT)


def _without(path: str, root_path: str) -> str:
    root = root_path.rstrip("/")
    return path[len(root) :] if path == root or path.startswith(f"{root}/") else path


def _request(
    scope: Message,
    prefix: str,
    method: str,
    headers: list[tuple[str, str]],
    body: bytes | AsyncIterable[bytes] | None,
) -> Request:
    target = local_target(scope, prefix)
    if query := scope.get("query_string"):
        target = f"{target}?{query.decode('latin-1')}"
    host = next((value for name, value in headers if name == "host"), None)
    scheme: str = scope.get("scheme") or "http"
    client: Any = scope.get("client") or ("",)
    return Request(
        request_url(host, target, scope.get("server") or _NO_ADDRESS, _SCHEMES.get(scheme, scheme)),
        method=method,
        headers=with_address(headers, str(client[0])),
        body=None if method in ("GET", "HEAD") else body or None,
    )


def _headers(fields: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1")) for name, value in fields]
