"""The module ``workers`` of Cloudflare's Python SDK, as far as objects, HTTP and sockets need it."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Mapping
from contextvars import copy_context
from types import SimpleNamespace
from typing import Any

from durabase.durable_objects import DurableObject, RpcTarget
from durabase.web import Blob, File, FormData, Headers, Request, Response
from durabase.workers.compat import asgi, wsgi
from durabase.workers.compat.http_fetch import fetch
from durabase.workers.compat.rpc_values import python_from_rpc, python_to_rpc
from durabase.workers.compat.sdk_types import (
    BlobEnding,
    BlobValue,
    Body,
    FetchKwargs,
    FormDataValue,
    JSBody,
    RequestInitCfProperties,
)
from durabase.workers.entrypoint import ExecutionContext, WorkerEntrypoint, wait_until
from durabase.workers.env import Env, ambient_env, env, patch_env

__all__ = [
    "Blob",
    "BlobEnding",
    "BlobValue",
    "Body",
    "Context",
    "DurableObject",
    "FetchKwargs",
    "FetchResponse",
    "File",
    "FormData",
    "FormDataValue",
    "Headers",
    "JSBody",
    "Request",
    "RequestInitCfProperties",
    "Response",
    "RpcTarget",
    "WorkerEntrypoint",
    "WorkflowEntrypoint",
    "asgi",
    "env",
    "fetch",
    "handler",
    "import_from_javascript",
    "patch_env",
    "python_from_rpc",
    "python_to_rpc",
    "waitUntil",
    "wait_until",
    "wsgi",
]

Context = ExecutionContext
FetchResponse = Response
waitUntil = wait_until  # noqa: N816 (its other name)


class WorkflowEntrypoint:
    """Workflows are not there; deriving from this class says so."""

    def __init_subclass__(cls) -> None:
        raise NotImplementedError(f"{cls.__qualname__}: workflows are not supported here")


def handler(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a module-level handler. Its arguments need no wrapping here."""

    @functools.wraps(function)
    async def handle(*arguments: Any) -> Any:
        result = function(*arguments)
        return await result if inspect.isawaitable(result) else result

    return handle


def _with_env(values: Mapping[str, object], function: Callable[[], Any]) -> Any:
    """Call ``function``, for which ``env`` has these values and no others, also after it has waited."""
    context = copy_context()
    context.run(ambient_env.set, Env(dict(values)))
    result = context.run(function)
    if not inspect.isawaitable(result):
        return result
    return context.run(asyncio.ensure_future, result)


def import_from_javascript(name: str) -> Any:
    """Return the contents of the JavaScript module ``cloudflare:workers``.

    Raises:
        ImportError: any other module: there is no JavaScript here.
    """
    if name != "cloudflare:workers":
        raise ImportError(f"No such module {name!r}: there is no JavaScript here")
    return SimpleNamespace(
        DurableObject=DurableObject,
        RpcTarget=RpcTarget,
        WorkerEntrypoint=WorkerEntrypoint,
        env=env,
        waitUntil=wait_until,
        withEnv=_with_env,
    )
