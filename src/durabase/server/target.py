"""The absolute URL of a request, from its target and its ``Host`` header. RFC 9112 section 3.

Path and query stay as they were sent, percent escapes included: rooms are told apart by them.
"""

from __future__ import annotations

from typing import Any, Final

from durabase.web import Request

__all__ = ["line_of", "request_url"]

_HOST_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~:[]%")


def request_url(host: str | None, target: str, address: Any, scheme: str = "http") -> str:
    """The URL that was asked for.

    Args:
        host: the ``Host`` header.
        target: of the request line.
        address: where the server listens, for clients that name no host.
        scheme: by which it was asked.

    Raises:
        ValueError: the target or the host is none.
    """
    if target.startswith("/"):
        return _origin(host, address, scheme) + target
    if target == "*":
        return _origin(host, address, scheme) + "/"
    if "://" not in target:
        raise ValueError(f"Not a request target: {target!r}")
    return target


def line_of(request: Request) -> str:
    """A request as logs tell it: without its query, in which there may be tokens."""
    return f"{request.method} {request.url.partition('?')[0]}"


def _origin(host: str | None, address: Any, scheme: str) -> str:
    if not host:
        name, port = address[:2]
        host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    elif not _HOST_CHARACTERS.issuperset(host):
        raise ValueError(f"Not a host: {host!r}")
    return f"{scheme}://{host}"
