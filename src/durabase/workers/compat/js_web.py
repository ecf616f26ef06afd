"""``js.Response``, ``js.Request`` and ``js.console``: options as JavaScript passes them."""

from __future__ import annotations

import sys
from typing import Any

from durabase.web import Request, Response
from durabase.workers.compat.js_values import JsFunction

__all__ = ["Console", "RequestFunction", "ResponseFunction"]

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

    @staticmethod
    def warn(*values: Any) -> None:
        """Write a warning."""
        sys.stderr.write("▲ [WARNING] " + _line(values))

    @staticmethod
    def error(*values: Any) -> None:
        """Write an error."""
        sys.stderr.write("✘ [ERROR] " + _line(values))


def _response(body: Any = None, init: dict[str, Any] | None = None, **named: Any) -> Response:
    options = {**(init or {}), **named}
    return Response(body, **{_RESPONSE_OPTIONS.get(name, name): value for name, value in options.items()})


def _request(url: str | Request, init: dict[str, Any] | None = None, **named: Any) -> Request:
    return Request(url, **{**(init or {}), **named})


def _line(values: tuple[Any, ...]) -> str:
    return " ".join(map(str, values)) + "\n"
