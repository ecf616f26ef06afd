"""The handle that callers hold: fetches and method calls, delivered in the order in which they are made."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from durabase.durable_objects.events import Call, Fetch, ObjectEvent
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.routing import ObjectKey, ObjectRouter
from durabase.durable_objects.rpc import check_callable_name, copied
from durabase.web.connection import socket_owner
from durabase.web.request import Request
from durabase.web.response import Response

__all__ = ["DurableObjectStub"]


class DurableObjectStub:
    """One object, for one caller. ``await stub.method(...)`` calls a method of it.

    A call is delivered when it is made, not when it is awaited; its result may be dropped. When the
    object is reset, this stub is broken: every further call fails in the same way. Get a new one.

    Attributes:
        id: the object's id.
        name: the name it was made from, if any.
    """

    def __init__(self, router: ObjectRouter, key: ObjectKey) -> None:
        self._router = router
        self._key = key
        self._broken: BaseException | None = None

    @property
    def id(self) -> DurableObjectId:
        """The object's id."""
        return self._key.id

    @property
    def name(self) -> str | None:
        """The name that the id was made from."""
        return self._key.id.name

    def fetch(self, resource: str | Request, **options: Any) -> Awaitable[Response]:
        """Let the object answer a request.

        Args:
            resource: an absolute URL, of any host, or a request.
            options: as of :class:`~durabase.web.Request`.

        Raises:
            TypeError: no absolute URL.
        """
        request = resource if isinstance(resource, Request) and not options else Request(resource, **options)
        return self._send(Fetch(request))

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("__") or name == "then":
            raise AttributeError(name)
        return partial(self._call, name)

    def _call(self, name: str, *arguments: Any, **keywords: Any) -> Awaitable[Any]:
        check_callable_name(name)
        return self._send(Call(name, tuple(map(copied, arguments)), copied(keywords) if keywords else {}))

    def _send(self, event: ObjectEvent) -> Awaitable[Any]:
        result: Future[Any] = asyncio.get_running_loop().create_future()
        result.add_done_callback(self._note)
        if self._broken is not None:
            result.set_exception(self._broken)
            return result
        deliver = partial(self._deliver, event, result)
        owner = socket_owner.get()
        if owner is None or owner.output.is_open:
            deliver()
        else:
            owner.output.hold(deliver)
        return result

    def _deliver(self, event: ObjectEvent, result: Future[Any]) -> None:
        delivered = asyncio.ensure_future(self._router.deliver(self._key, event))
        delivered.add_done_callback(partial(_hand_over, result))

    def _note(self, result: Future[Any]) -> None:
        """Look at the result, so that nobody else has to, and remember whether the object was reset."""
        if not result.cancelled():
            error = result.exception()
            if getattr(error, "durable_object_reset", False):
                self._broken = error

    def __repr__(self) -> str:
        return f"<DurableObjectStub {self._key.class_name} {self.name if self.name is not None else self.id}>"


def _hand_over(result: Future[Any], delivered: Future[Any]) -> None:
    if result.done():
        return
    if delivered.cancelled():
        result.cancel()
    elif (error := delivered.exception()) is not None:
        result.set_exception(error)
    else:
        result.set_result(delivered.result())
