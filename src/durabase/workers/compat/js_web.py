"""``js.Response``, ``js.Request``, ``js.fetch`` and ``js.console``: options as JavaScript passes them."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from durabase.web import Blob, File, Request, Response
from durabase.workers.compat.http_fetch import fetch
from durabase.workers.compat.js_values import JsFunction

__all__ = [
    "Console",
    "RequestFunction",
    "ResponseFunction",
    "js_blob",
    "js_fetch",
    "js_file",
    "navigator",
    "performance",
]

_RESPONSE_OPTIONS = {"statusText": "status_text", "webSocket": "web_socket"}


class ResponseFunction(JsFunction[Response]):
    """``Response``: options by keyword or in one dict, under JavaScript's names."""

    json = staticmethod(Response.from_json)
    redirect = staticmethod(Response.redirect)

    def __init__(self) -> None:
        super().__init__(_response)


class RequestFunction(JsFunction[Request]):
    """``Request``: options by keyword or in one dict."""

    def __init__(self) -> None:
        super().__init__(_request)


class Console:
    """``console``: plain lines, warnings and errors to standard error."""

    @staticmethod
    def log(*values: Any) -> None:
        """Write a line."""
        sys.stdout.write(_line(values))

    info = debug = log

    trace = dir = table = log

    @staticmethod
    def warn(*values: Any) -> None:
        """Write a warning."""
        sys.stderr.write("▲ [WARNING] " + _line(values))

    @staticmethod
    def error(*values: Any) -> None:
        """Write an error."""
        sys.stderr.write("✘ [ERROR] " + _line(values))


def js_blob(parts: Any = (), options: Mapping[str, Any] | None = None, **named: Any) -> Blob:
    """``Blob``: the options are ``type`` and ``endings``, in one dict or by keyword."""
    chosen = {**(options or {}), **named}
    return Blob(parts, chosen.get("type", ""), chosen.get("endings"))


def js_file(parts: Any, name: str, options: Mapping[str, Any] | None = None, **named: Any) -> File:
    """``File``: the options are those of ``Blob``, and ``lastModified``."""
    chosen = {**(options or {}), **named}
    changed = chosen.get("lastModified", time.time_ns() // 1_000_000)
    return File(parts, name, chosen.get("type", ""), chosen.get("endings"), changed)


class _Navigator:
    """The global ``navigator``."""

    userAgent = "Cloudflare-Workers"  # noqa: N815 (JavaScript's name)


class _Performance:
    """The global ``performance``; as on Cloudflare its time begins in 1970."""

    timeOrigin = 0  # noqa: N815 (JavaScript's name)

    @staticmethod
    def now() -> float:
        """Return milliseconds since 1970, with fractions."""
        return time.time_ns() / 1_000_000


navigator = _Navigator()
performance = _Performance()


async def js_fetch(resource: Any, init: dict[str, Any] | None = None, **named: Any) -> Response:
    """``fetch`` with options in one dict, or by keyword. What is given as an address is turned into text.

    Raises:
        OSError: the server can't be reached.
    """
    options = {**(init or {}), **named}
    return await fetch(resource if isinstance(resource, Request) else str(resource), **options)


def _response(body: Any = None, init: dict[str, Any] | None = None, **named: Any) -> Response:
    options = {**(init or {}), **named}
    return Response(body, **{_RESPONSE_OPTIONS.get(name, name): value for name, value in options.items()})


def _request(url: Any, init: dict[str, Any] | None = None, **named: Any) -> Request:
    return Request(url if isinstance(url, Request) else str(url), **{**(init or {}), **named})


def _line(values: tuple[Any, ...]) -> str:
    return " ".join(map(str, values)) + "\n"
