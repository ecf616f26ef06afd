"""The module ``pyodide.ffi``: conversions that have nothing to convert, since both sides are Python.

``to_js`` gives back what it gets, so that lists are lists and dicts stay dicts wherever a
program hands them. ``JsException`` is every exception: what a JavaScript call may raise there, a
Python call raises here.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from typing import Any, TypeVar

from durabase.durable_objects import DurableObjectId, DurableObjectNamespace, DurableObjectStub
from durabase.durable_objects.suspension import can_run_sync, run_sync
from durabase.web import Headers, Request, Response, WebSocket, WebSocketPair
from durabase.web.attribute_dict import JsList

__all__ = [
    "ConversionError",
    "JsArray",
    "JsAsyncGenerator",
    "JsAsyncIterable",
    "JsAsyncIterator",
    "JsBuffer",
    "JsCallable",
    "JsDomElement",
    "JsException",
    "JsGenerator",
    "JsIterable",
    "JsIterator",
    "JsMap",
    "JsMutableMap",
    "JsNull",
    "JsPromise",
    "JsProxy",
    "can_run_sync",
    "create_once_callable",
    "create_proxy",
    "destroy_proxies",
    "jsnull",
    "run_sync",
    "to_js",
]

_T = TypeVar("_T")

JsException = Exception
JsArray = list
JsBuffer = bytes
JsMap = JsMutableMap = dict
JsCallable: Any = Callable
JsPromise = Awaitable
JsIterable, JsIterator, JsGenerator = Iterable, Iterator, Generator
JsAsyncIterable, JsAsyncIterator, JsAsyncGenerator = AsyncIterable, AsyncIterator, AsyncGenerator


class JsDomElement:
    """For ``isinstance``: there is no page, so nothing is one."""


class ConversionError(Exception):
    """What a conversion raises in Pyodide; here there is nothing to convert."""


class JsProxy(ABC):  # noqa: B024 (it is for isinstance checks alone)
    """What ``isinstance(x, JsProxy)`` means here: an object of the runtime."""


for _runtime_class in (
    DurableObjectId,
    DurableObjectNamespace,
    DurableObjectStub,
    Headers,
    Request,
    Response,
    WebSocket,
    WebSocketPair,
):
    JsProxy.register(_runtime_class)


class JsNull:
    """The type of :data:`jsnull`: falsy, and never given to a program."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "jsnull"


jsnull = JsNull()


class _Proxy:
    """A callable, or any object, with the life-cycle methods of a proxy, which have nothing to do."""

    __slots__ = ("_target",)

    def __init__(self, target: Any) -> None:
        self._target = target

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._target(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def copy(self) -> _Proxy:
        """Return another proxy of the same object."""
        return _Proxy(self._target)

    def destroy(self) -> None:
        """Do nothing: Python's own reference counts are enough."""


def create_proxy(obj: Any, /, *, capture_this: bool = False, roundtrip: bool = True) -> Any:
    """Return ``obj`` with ``copy()`` and ``destroy()``."""
    return _Proxy(obj)


def create_once_callable(obj: Callable[..., Any], /) -> Any:
    """Return ``obj`` with ``copy()`` and ``destroy()``; it may be called more than once."""
    return _Proxy(obj)


def destroy_proxies(proxies: Iterable[Any], /) -> None:
    """Do nothing: Python's own reference counts are enough."""


def to_js(obj: Any, /, **options: Any) -> Any:
    """Return ``obj``, or a copy if it is a list. Options are accepted and have nothing to do."""
    return JsList(obj) if isinstance(obj, list) else obj
