"""JavaScript globals that are not offered, and what Python has in their place."""

from __future__ import annotations

from typing import Final

__all__ = ["alternative"]

_ALTERNATIVES: Final = {
    "a lock, as of asyncio: nothing runs beside the event loop": "Atomics SharedArrayBuffer",
    "the module array, or bytes and memoryview": "BigInt64Array BigUint64Array DataView Float16Array "
    "Float32Array Float64Array Int16Array Int32Array Int8Array Uint16Array Uint32Array Uint8ClampedArray",
    "int": "BigInt Number parseInt",
    "bool": "Boolean",
    "float": "Infinity NaN isFinite isNaN parseFloat",
    "str": "String",
    "the package brotli, or the modules gzip and zlib": "CompressionStream DecompressionStream",
    "CloseEvent, MessageEvent and others of durabase.web": "CloseEvent CustomEvent ErrorEvent Event "
    "MessageEvent PromiseRejectionEvent",
    "a list of functions": "EventTarget",
    "fetch(), and iterate the lines of response.body": "EventSource",
    "the module weakref": "FinalizationRegistry WeakMap WeakRef WeakSet",
    "the module html.parser": "HTMLRewriter DOMParser",
    "the package babel": "Intl",
    "iter()": "Iterator",
    "the module math": "Math",
    "asyncio.Queue": "MessageChannel MessagePort BroadcastChannel",
    "getattr() and setattr()": "Proxy Reflect",
    "the module re": "RegExp",
    "an object of your own, or enum": "Symbol",
    "the module threading, or concurrent.futures": "Worker",
    "the package wasmtime": "WebAssembly",
    "fetch()": "XMLHttpRequest",
    "exec()": "eval",
    "an exception of Python's own": "AggregateError DOMException EvalError ReferenceError SyntaxError "
    "URIError",
    "the storage of an object": "indexedDB localStorage sessionStorage",
    "os.environ, or env": "process",
    "nothing: there is no page": "document location window",
}
_OF_NAME: Final = {name: instead for instead, names in _ALTERNATIVES.items() for name in names.split()}


def alternative(name: str) -> str | None:
    """What to use in place of the global of this name, if that is known."""
    return _OF_NAME.get(name)
