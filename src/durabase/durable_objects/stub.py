"""The handle that callers hold: fetches and method calls, delivered in the order in which they are made."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import ref

from durabase.durable_objects.crossing import make_call
from durabase.durable_objects.events import Call, Fetch, ObjectEvent, Read, Run
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.routing import Caller, Holder, ObjectKey, ObjectRouter, current_caller
from durabase.durable_objects.rpc import fetch_error
from durabase.durable_objects.rpc_promise import Failure, RpcMember, RpcPromise, member, send
from durabase.web.request import Request

__all__ = ["DurableObjectStub", "keep_awake", "run_in_object"]


class DurableObjectStub:
    """One object, for one caller. ``await stub.method(...)`` calls a method of it.

    A call is delivered when it is made, not when it is awaited; its result may be dropped. When the
    object is reset, this stub is broken: every further call fails in the same way. Get a new one.
    A stub that has been used keeps the object awake until the event that used it is over.

    ``await stub.name`` gives the value of a property of the object's class.

    Attributes:
        id: the object's id.
        name: the name it was made from, if any.
    """

    def __init__(self, router: ObjectRouter, key: ObjectKey) -> None:
        self._rpc_router = router
        self._rpc_key = key
        self._rpc_broken: BaseException | None = None
        self._rpc_caller: ref[Caller] | None = None

    @property
    def id(self) -> DurableObjectId:
        """The object's id."""
        return self._rpc_key.id

    @property
    def name(self) -> str | None:
        """The name that the id was made from."""
        return self._rpc_key.id.name

    def fetch(self, resource: str | Request, **options: Any) -> RpcPromise:
        """Let the object answer a request. The promise gives a :class:`~durabase.web.Response`.

        What it fails with is an :class:`OSError` as well. Aborting the request's signal fails it with the
        reason; if whoever waits for it is cancelled, the signal is aborted. The object goes on in both cases.

        Args:
            resource: an absolute URL, of any host, or a request.
            options: as of :class:`~durabase.web.Request`.

        Raises:
            TypeError: no absolute URL.
        """
        request = resource if isinstance(resource, Request) and not options else Request(resource, **options)
        promise = self._rpc_send(Fetch(request), fetch_error)
        promise._rpc_follow(request)
        return promise

    def __getattr__(self, name: str) -> RpcMember:
        return member(self, name, self._rpc_make_call)

    def _rpc_make_call(self, name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Call:
        return make_call(name, arguments, keywords, self._rpc_router.limits.message_bytes)

    def _rpc_perform(self, event: Call | Read) -> RpcPromise:
        return self._rpc_send(event)

    def _rpc_cross(self) -> DurableObjectStub:
        return DurableObjectStub(self._rpc_router, self._rpc_key)

    def _rpc_send(self, event: ObjectEvent, failure: Failure | None = None) -> RpcPromise:
        known, lent = self._rpc_broken, event.lent if isinstance(event, Call) else ()
        caller = current_caller.get()
        if caller is not None:
            self._rpc_caller = ref(caller)
        deliver = partial(_fail, known) if known else partial(self._rpc_deliver, event)
        return send(deliver, self._rpc_make_call, lent, failure, self._rpc_note)

    def _rpc_deliver(self, event: ObjectEvent) -> Awaitable[Any]:
        result = self._rpc_router.deliver(self._rpc_key, event)
        if self._rpc_caller is not None:
            self._rpc_router.hold(self._rpc_key, self)
        return result

    def _rpc_in_use(self) -> bool:
        caller = None if self._rpc_caller is None else self._rpc_caller()
        return caller is not None and caller.has_open_events

    def _rpc_note(self, result: Future[Any]) -> None:
        """Remember whether the object was reset."""
        if not result.cancelled():
            error = result.exception()
            if getattr(error, "durable_object_reset", False):
                self._rpc_broken = error

    def __repr__(self) -> str:
        who = self.name if self.name is not None else self.id
        return f"<DurableObjectStub {self._rpc_key.class_name} {who}>"


def run_in_object(stub: DurableObjectStub, function: Callable[[Any, Any], Any]) -> Awaitable[Any]:
    """Call ``function(instance, ctx)`` as an event of the object, in this process; its result is no copy."""
    return stub._rpc_router.deliver(stub._rpc_key, Run(function))


def keep_awake(stub: DurableObjectStub, holder: Holder) -> None:
    """Keep the object's present life from hibernating for as long as ``holder`` is there and in use."""
    stub._rpc_router.hold(stub._rpc_key, holder)


def _fail(error: BaseException) -> Future[Any]:
    failed: Future[Any] = asyncio.get_running_loop().create_future()
    failed.set_exception(error)
    return failed
