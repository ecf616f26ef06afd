"""A service binding: ``env.B.fetch(request)``, ``env.B.method(…)``: an entrypoint of a worker answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from durabase.durable_objects.crossing import make_call
from durabase.durable_objects.events import Call, Read
from durabase.durable_objects.limits import ObjectLimits
from durabase.durable_objects.rpc import fetch_error, remote_error
from durabase.durable_objects.rpc_promise import Failure, RpcMember, RpcPromise, member, send
from durabase.web import Request, Response

__all__ = ["CallableWorker", "Loopback", "Service"]


class CallableWorker(Protocol):
    """What a service binding needs of the worker behind it."""

    def run(self, call: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
        """Start what ``call`` returns, as code of the worker."""

    def fetch(
        self, request: Request, entrypoint: str = ..., props: Mapping[str, Any] | None = ...
    ) -> Awaitable[Response]:
        """Answer a request."""

    def perform(
        self, entrypoint: str, event: Call | Read, props: Mapping[str, Any] | None, limits: ObjectLimits
    ) -> Awaitable[Any]:
        """Call a method, or read a property."""


class Service:
    """An entrypoint of a worker, for another one, or for itself.

    A call is made when it is written, not when it is awaited. Arguments and results cross, and what
    the entrypoint raises arrives, as from a Durable Object: builtin types as they are, others as
    :class:`~durabase.errors.RemoteError`.
    """

    def __init__(
        self,
        worker: CallableWorker,
        entrypoint: str,
        props: Mapping[str, Any] | None = None,
        limits: ObjectLimits | None = None,
    ) -> None:
        self._worker = worker
        self._entrypoint = entrypoint
        self._props = props
        self._limits = limits or ObjectLimits()

    def fetch(self, resource: str | Request, **options: Any) -> RpcPromise:
        """Let the entrypoint answer a request. The promise gives a :class:`~durabase.web.Response`.

        What it fails with is an :class:`OSError` as well.

        Args:
            resource: an absolute URL, of any host, or a request.
            options: as of :class:`~durabase.web.Request`.

        Raises:
            TypeError: no absolute URL.
        """
        request = resource if isinstance(resource, Request) and not options else Request(resource, **options)
        call = partial(self._worker.fetch, request, self._entrypoint, self._props)
        return self._send(call, (), fetch_error)

    def __getattr__(self, name: str) -> RpcMember:
        return member(self, name, self._make_call)

    def _make_call(self, name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Call:
        return make_call(name, arguments, keywords, self._limits.message_bytes)

    def _rpc_perform(self, event: Call | Read) -> RpcPromise:
        call = partial(self._worker.perform, self._entrypoint, event, self._props, self._limits)
        return self._send(call, event.lent if isinstance(event, Call) else ())

    def _rpc_cross(self) -> Service:
        return Service(self._worker, self._entrypoint, self._props, self._limits)

    def _send(
        self, call: Callable[[], Awaitable[Any]], lent: Sequence[Any], failure: Failure | None = None
    ) -> RpcPromise:
        return send(lambda: self._answer(call), self._make_call, lent, failure)

    async def _answer(self, call: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await self._worker.run(call)
        except Exception as error:
            raise remote_error(error) from None

    def __repr__(self) -> str:
        return f"<Service {self._entrypoint}>"


class Loopback(Service):
    """An entrypoint of the worker's own, as ``ctx.exports`` has it. Calling it gives it other ``props``."""

    def __call__(
        self, options: Mapping[str, Any] | None = None, *, props: Mapping[str, Any] | None = None
    ) -> Service:
        """The same entrypoint, which finds ``props`` at its ``ctx.props``.

        Args:
            options: as JavaScript has them: ``{"props": …}``.
            props: what the entrypoint is to find.
        """
        given = (options or {}).get("props") if props is None else props
        return Service(self._worker, self._entrypoint, given, self._limits)
