"""All stubs, by the file that each belongs in."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from durabase import web
from durabase.durable_objects import (
    AlarmInfo,
    DurableObjectId,
    DurableObjectState,
    DurableObjectStorage,
    RpcTarget,
)
from durabase.durable_objects.storage.sql import RawIterator, SqlCursor, SqlStorage
from durabase.durable_objects.storage.sync_kv import SyncKv, SyncKvIterator
from durabase.durable_objects.storage.transactions import Transaction
from durabase.web.body import Body
from durabase.web.readable_stream import ReadableStream, StreamReader
from durabase.web.websocket import CloseEvent, ErrorEvent, MessageEvent, OpenEvent
from durabase.workers.bindings.kv import KvNamespace
from durabase.workers.compat.finder import COMPAT_MODULES
from durabase.workers.config import Config
from durabase.workers.entrypoint import ExecutionContext
from durabase.workers.loader import Worker
from durabase.workers.scheduled import ScheduledController
from durabase.workers.typings.classes import class_stub
from durabase.workers.typings.env import env_stub
from durabase.workers.typings.hints import IMPORTS, signature, spelt

__all__ = ["typings"]

_CONSTRUCTIBLE = (
    *(web.Blob, web.File, web.FormData, web.Headers, web.Request, web.Response),
    *(web.WebSocketPair, web.WebSocketRequestResponsePair),
)
_CLASSES: Mapping[type, str] = {
    cls: cls.__name__
    for cls in (
        *(web.AttributeDict, ReadableStream, StreamReader, Body, *_CONSTRUCTIBLE, web.WebSocket),
        *(OpenEvent, MessageEvent, CloseEvent, ErrorEvent),
        *(DurableObjectId, DurableObjectState, DurableObjectStorage, Transaction, AlarmInfo),
        *(SqlStorage, SqlCursor, RawIterator, SyncKv, SyncKvIterator, RpcTarget),
        *(KvNamespace, ExecutionContext, ScheduledController),
    )
}

_RUNTIME = '''"""What programs are given by the runtime. Written by `durabase types`."""

{imports}
from collections.abc import Coroutine
from typing import Generic, TypeVar, overload

from worker_env import Env

_S = TypeVar("_S")

class _Json:
    @overload
    def __get__(self, instance: None, owner: Any) -> Callable[..., Response]: ...
    @overload
    def __get__(self, instance: Response, owner: Any) -> Callable[..., Coroutine[Any, Any, Any]]: ...

class DurableObject:
    ctx: DurableObjectState
    env: Env
    def __init__(self, ctx: DurableObjectState, env: Env) -> None: ...

class WorkerEntrypoint:
    ctx: ExecutionContext
    env: Env
    def __init__(self, ctx: ExecutionContext, env: Env) -> None: ...

class Service:
    def fetch(self, resource: str | Request, **options: Any) -> Awaitable[Response]: ...

class DurableObjectStub(Service):
    @property
    def id(self) -> DurableObjectId: ...
    @property
    def name(self) -> str | None: ...

class Assets:
    async def fetch(self, input: str | Request, **options: Any) -> Response: ...

class DurableObjectNamespace(Generic[_S]):
    def id_from_name(self, name: str) -> DurableObjectId: ...
    def id_from_string(self, text: str) -> DurableObjectId: ...
    def new_unique_id(self, options: Any = ..., *, jurisdiction: str | None = ...) -> DurableObjectId: ...
    def get(self, id: DurableObjectId, options: Any = ..., **more: Any) -> _S: ...
    def get_by_name(self, name: str, options: Any = ..., **more: Any) -> _S: ...
    def jurisdiction(self, jurisdiction: str | None) -> DurableObjectNamespace[_S]: ...
    idFromName = id_from_name
    idFromString = id_from_string
    newUniqueId = new_unique_id
    getByName = get_by_name

'''
_QUALIFIED: Mapping[type, str] = {cls: f"_runtime.{name}" for cls, name in _CLASSES.items()}
_OWN = (
    "Assets",
    "DurableObject",
    "DurableObjectNamespace",
    "DurableObjectStub",
    "Service",
    "WorkerEntrypoint",
)


def typings(programs: Sequence[tuple[Config, Worker]]) -> dict[str, str]:
    """Return the stubs for the program of the first worker, by path; the others are known by their classes.

    They are of the modules that Cloudflare's programs import, and of ``worker_env``, which has ``Env`` and is
    there for type checkers alone.
    """
    stubs = [
        class_stub(cls, name, _CLASSES, constructible=cls in _CONSTRUCTIBLE) for cls, name in _CLASSES.items()
    ]
    files = {
        "worker_env.pyi": env_stub(programs, _CLASSES),
        "workers/_runtime.pyi": _RUNTIME.replace("{imports}", IMPORTS) + "\n\n".join(stubs) + "\n",
    }
    for module, source in COMPAT_MODULES.items():
        is_package = any(other.startswith(f"{module}.") for other in COMPAT_MODULES)
        path = module.replace(".", "/") + ("/__init__.pyi" if is_package else ".pyi")
        files[path] = _module_stub(module, importlib.import_module(source))
    return files


def _module_stub(module: str, source: ModuleType) -> str:
    doc = (source.__doc__ or module).partition("\n")[0]
    lines = [_line(module, name, getattr(source, name)) for name in source.__all__]
    head = f'"""{doc} Written by `durabase types`."""\n\n{IMPORTS}\n\nimport workers._runtime as _runtime\n\n'
    return head + "\n".join(lines) + "\n"


def _line(module: str, name: str, value: Any) -> str:
    """What a module's stub says of one name."""
    if name == "env":
        return "from worker_env import Env\nenv: Env"
    if isinstance(value, ModuleType):
        return f"from workers import {name} as {name}"
    if value is Any or typing.get_origin(value) is not None:
        return f"{name} = {spelt(value, _QUALIFIED)}"
    if isinstance(value, type):
        return _class_line(module, name, value)
    if inspect.isfunction(value):
        word = "async def" if inspect.iscoroutinefunction(value) else "def"
        return f"{word} {name}{signature(value, _QUALIFIED)}: ..."
    return f"{name}: {'str' if isinstance(value, str) else 'Any'}"


def _class_line(module: str, name: str, cls: type) -> str:
    if cls in _CLASSES or cls.__name__ in _OWN:
        return f"from workers._runtime import {_CLASSES.get(cls, cls.__name__)} as {name}"
    if issubclass(cls, BaseException):
        return f"class {name}(Exception): ..."
    if module == "js":
        return f"{name}: Any"
    return f"class {name}:\n    def __getattr__(self, name: str) -> Any: ..."
