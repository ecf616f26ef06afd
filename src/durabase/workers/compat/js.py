"""The module ``js``: JavaScript's globals, as far as Python programs for Workers commonly use them."""

from __future__ import annotations

import dis
import sys
from types import FrameType, SimpleNamespace
from typing import Any

from durabase import web
from durabase.web.url_search_params import URLSearchParams
from durabase.workers.caches import caches
from durabase.workers.compat import js_async, js_bytes, js_crypto, js_streams, js_text, js_url, js_values
from durabase.workers.compat.js_missing import alternative
from durabase.workers.compat.js_socket import OutgoingWebSocket
from durabase.workers.compat.js_web import (
    Console,
    RequestFunction,
    ResponseFunction,
    js_blob,
    js_fetch,
    js_file,
    navigator,
    performance,
)

_GLOBALS: dict[str, Any] = {
    "AbortController": js_values.JsFunction(web.AbortController),
    "AbortSignal": js_async.AbortSignalFunctions,
    "Array": js_values.Array,
    "ArrayBuffer": js_bytes.ArrayBuffer,
    "Blob": js_values.JsFunction(js_blob),
    "Date": js_values.Date,
    "Error": js_values.JsFunction(Exception),
    "File": js_values.JsFunction(js_file),
    "FormData": js_values.JsFunction(web.FormData),
    "Headers": js_values.JsFunction(web.Headers),
    "JSON": js_values.JSON,
    "Map": js_values.Map,
    "Object": js_values.Object,
    "Promise": js_async.Promise,
    "RangeError": js_values.JsFunction(ValueError),
    "ReadableStream": js_streams.ReadableStreams(),
    "Request": RequestFunction(),
    "Response": ResponseFunction(),
    "Set": js_values.Set,
    "TextDecoder": js_text.TextDecoder,
    "TextEncoder": js_text.TextEncoder,
    "TransformStream": js_streams.TransformStream,
    "TypeError": js_values.JsFunction(TypeError),
    "URL": js_url.URL,
    "URLSearchParams": URLSearchParams,
    "Uint8Array": js_bytes.Uint8Array,
    "WebSocket": OutgoingWebSocket(),
    "WebSocketPair": web.WebSocketPair,
    "WebSocketRequestResponsePair": web.WebSocketRequestResponsePair,
    "WritableStream": js_streams.WritableStream,
    "atob": js_text.atob,
    "btoa": js_text.btoa,
    "caches": caches,
    "clearInterval": js_async.clearInterval,
    "clearTimeout": js_async.clearTimeout,
    "console": Console(),
    "crypto": js_crypto.crypto,
    "decodeURI": js_text.decodeURI,
    "decodeURIComponent": js_text.decodeURIComponent,
    "encodeURI": js_text.encodeURI,
    "encodeURIComponent": js_text.encodeURIComponent,
    "fetch": js_fetch,
    "navigator": navigator,
    "performance": performance,
    "queueMicrotask": js_async.queueMicrotask,
    "scheduler": js_async.scheduler,
    "setInterval": js_async.setInterval,
    "setTimeout": js_async.setTimeout,
    "structuredClone": js_text.structuredClone,
    "undefined": None,
}
_GLOBALS["globalThis"] = _GLOBALS["self"] = SimpleNamespace(**_GLOBALS)
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
