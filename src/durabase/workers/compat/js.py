"""The module ``js``: JavaScript's globals, as far as Python programs for Workers commonly use them."""

from __future__ import annotations

import dis
import sys
from types import FrameType
from typing import Any

from durabase import web
from durabase.workers.compat import js_async, js_values
from durabase.workers.compat.http_fetch import fetch
from durabase.workers.compat.js_missing import alternative
from durabase.workers.compat.js_socket import OutgoingWebSocket
from durabase.workers.compat.js_web import Console, RequestFunction, ResponseFunction

_GLOBALS: dict[str, Any] = {
    "Array": js_values.Array,
    "Blob": js_values.JsFunction(web.Blob),
    "Date": js_values.Date,
    "Error": js_values.JsFunction(Exception),
    "File": js_values.JsFunction(web.File),
    "FormData": js_values.JsFunction(web.FormData),
    "Headers": js_values.JsFunction(web.Headers),
    "JSON": js_values.JSON,
    "Map": js_values.Map,
    "Object": js_values.Object,
    "Promise": js_async.Promise,
    "Request": RequestFunction(),
    "Response": ResponseFunction(),
    "Set": js_values.Set,
    "URL": js_values.URL,
    "URLSearchParams": js_values.URLSearchParams,
    "Uint8Array": js_values.JsFunction(bytearray),
    "WebSocket": OutgoingWebSocket(),
    "WebSocketPair": web.WebSocketPair,
    "WebSocketRequestResponsePair": web.WebSocketRequestResponsePair,
    "clearInterval": js_async.clearInterval,
    "clearTimeout": js_async.clearTimeout,
    "console": Console(),
    "crypto": js_values.crypto,
    "fetch": fetch,
    "queueMicrotask": js_async.queueMicrotask,
    "scheduler": js_async.scheduler,
    "setInterval": js_async.setInterval,
    "setTimeout": js_async.setTimeout,
    "undefined": None,
}
globals().update(_GLOBALS)
__all__ = list(_GLOBALS)


def __getattr__(name: str) -> Any:
    """Complain about a global that is not offered: in the words of whoever asks for it.

    Raises:
        ImportError: it is imported by ``from js import …``.
        AttributeError: it is asked for in another way, such as by ``hasattr``.
    """
    instead = alternative(name)
    hint = f"; use {instead}" if instead else ""
    message = f"js.{name}: this JavaScript global is not offered here{hint}"
    if _imports(sys._getframe(1)):
        raise ImportError(message, name="js")
    raise AttributeError(message, name=name)


def _imports(frame: FrameType) -> bool:
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"
