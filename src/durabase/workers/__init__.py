"""Workers: what a program is made of, and what runs it.

A program imports from here what it defines its classes with::

    from durabase.workers import Response, WorkerEntrypoint

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return Response("Hello!")
"""

from durabase.durable_objects import DurableObject, RpcTarget
from durabase.web import (
    Blob,
    File,
    FormData,
    Headers,
    Request,
    Response,
    WebSocket,
    WebSocketPair,
    WebSocketRequestResponsePair,
)
from durabase.workers.entrypoint import ExecutionContext, WorkerEntrypoint, wait_until
from durabase.workers.env import Env, env, patch_env
from durabase.workers.scheduled import ScheduledController

__all__ = [
    "Blob",
    "DurableObject",
    "Env",
    "ExecutionContext",
    "File",
    "FormData",
    "Headers",
    "Request",
    "Response",
    "RpcTarget",
    "ScheduledController",
    "WebSocket",
    "WebSocketPair",
    "WebSocketRequestResponsePair",
    "WorkerEntrypoint",
    "env",
    "patch_env",
    "wait_until",
]
