"""The module ``js``: JavaScript's globals, as far as Python programs for Workers commonly use them."""

from __future__ import annotations

import sys
from typing import Any

from durabase.web import Blob, File, FormData, Headers, Request, Response, WebSocketRequestResponsePair
from durabase.web import WebSocketPair as _WebSocketPair
from durabase.workers.compat.http_fetch import fetch
from durabase.workers.compat.js_async import (
    Promise,
    clearInterval,
    clearTimeout,
    queueMicrotask,
    scheduler,
    setInterval,
    setTimeout,
)
from durabase.workers.compat.js_socket import OutgoingWebSocket
from durabase.workers.compat.js_values import (
    JSON,
    URL,
    Array,
    Date,
    JsFunction,
    Map,
    Object,
    Set,
    URLSearchParams,
    crypto,
)

_RESPONSE_OPTIONS = {"statusText": "status_text", "webSocket": "web_socket"}
_ALTERNATIVES = {
    "Math": "the module math",
    "TextDecoder": "bytes.decode()",
    "TextEncoder": "str.encode()",
    "caches": "storage of an object",
    "document": "nothing: there is no page",
    "window": "nothing: there is no page",
}


class _ResponseFunction(JsFunction[Response]):
    """``Response``: options by keyword or in one dict, under JavaScript's names."""

    json = staticmethod(Response.from_json)
    redirect = staticmethod(Response.redirect)

    def __init__(self) -> None:
        super().__init__(_response)


def _response(body: Any = None, init: dict[str, Any] | None = None, **named: Any) -> Response:
    options = {**(init or {}), **named}
    return Response(body, **{_RESPONSE_OPTIONS.get(name, name): value for name, value in options.items()})


def _request(url: str | Request, init: dict[str, Any] | None = None, **named: Any) -> Request:
    return Request(url, **{**(init or {}), **named})


class _Console:
    """``console``: plain lines, warnings and errors to standard error."""

    @staticmethod
    def log(*values: Any) -> None:
        sys.stdout.write(" ".join(map(str, values)) + "\n")

    info = debug = log

    @staticmethod
    def warn(*values: Any) -> None:
        sys.stderr.write("▲ [WARNING] " + " ".join(map(str, values)) + "\n")

    @staticmethod
    def error(*values: Any) -> None:
        sys.stderr.write("✘ [ERROR] " + " ".join(map(str, values)) + "\n")


_GLOBALS: dict[str, Any] = {
    "Array": Array,
    "Blob": JsFunction(Blob),
    "Date": Date,
    "Error": JsFunction(Exception),
    "File": JsFunction(File),
    "FormData": JsFunction(FormData),
    "Headers": JsFunction(Headers),
    "JSON": JSON,
    "Map": Map,
    "Object": Object,
    "Promise": Promise,
    "Request": JsFunction(_request),
    "Response": _ResponseFunction(),
    "Set": Set,
    "URL": URL,
    "URLSearchParams": URLSearchParams,
    "Uint8Array": JsFunction(bytearray),
    "WebSocket": OutgoingWebSocket(),
    "WebSocketPair": _WebSocketPair,
    "WebSocketRequestResponsePair": WebSocketRequestResponsePair,
    "clearInterval": clearInterval,
    "clearTimeout": clearTimeout,
    "console": _Console(),
    "crypto": crypto,
    "fetch": fetch,
    "queueMicrotask": queueMicrotask,
    "scheduler": scheduler,
    "setInterval": setInterval,
    "setTimeout": setTimeout,
    "undefined": None,
}

__all__ = list(_GLOBALS)


def __getattr__(name: str) -> Any:
    if name in _GLOBALS:
        return _GLOBALS[name]
    instead = _ALTERNATIVES.get(name)
    hint = f"; use {instead}" if instead else ""
    raise AttributeError(f"js.{name}: this JavaScript global is not offered here{hint}")
