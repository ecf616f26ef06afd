"""A service binding: ``env.B.fetch(request)``, ``env.B.method(…)``: an entrypoint of a worker answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from durabase.durable_objects.rpc import check_callable_name, copied, remote_error
from durabase.web import Request, Response
from durabase.workers.outgoing import writes_safe

__all__ = ["CallableWorker", "Service"]


class CallableWorker(Protocol):
    """What a service binding needs of the worker behind it."""

    def run(self, call: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
        """Start what ``call`` returns, as code of the worker."""

    def fetch(
        self, request: Request, entrypoint: str = ..., props: Mapping[str, Any] | None = ...
    ) -> Awaitable[Response]:
        """Answer a request."""

    def call(
        self,
        entrypoint: str,
        method: str,
        arguments: tuple[Any, ...],
        keywords: Mapping[str, Any],
        props: Mapping[str, Any] | None = ...,
    ) -> Awaitable[Any]:
        """Call a method."""


class Service:
    """An entrypoint of a worker, for another one, or for itself.

    A call is made when it is written, not when it is awaited. Arguments and results are copies; what
    the entrypoint raises arrives as from a Durable Object: builtin types as they are, others as
    :class:`~durabase.errors.RemoteError`.
    """

    def __init__(
        self, worker: CallableWorker, entrypoint: str, props: Mapping[str, Any] | None = None
    ) -> None:
        self._worker = worker
        self._entrypoint = entrypoint
        self._props = props

    def fetch(self, resource: str | Request, **options: Any) -> Awaitable[Response]:
        """Let the entrypoint answer a request.

        Args:
            resource: an absolute URL, of any host, or a request.
            options: as of :class:`~durabase.web.Request`.

        Raises:
            TypeError: no absolute URL.
        """
        request = resource if isinstance(resource, Request) and not options else Request(resource, **options)
        return self._send(partial(self._worker.fetch, request, self._entrypoint, self._props))

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("__") or name == "then":
            raise AttributeError(name)
        return partial(self._call, name)

    def _call(self, name: str, *arguments: Any, **keywords: Any) -> Awaitable[Any]:
        check_callable_name(name)
        copies, options = tuple(map(copied, arguments)), copied(keywords) if keywords else {}
        return self._send(partial(self._worker.call, self._entrypoint, name, copies, options, self._props))

    def _send(self, call: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
        result = asyncio.get_running_loop().create_task(self._answer(call))
        result.add_done_callback(_look_at)
        return result

    async def _answer(self, call: Callable[[], Awaitable[Any]]) -> Any:
        await writes_safe()
        try:
            return await self._worker.run(call)
        except Exception as error:
            raise remote_error(error) from None

    def __repr__(self) -> str:
        return f"<Service {self._entrypoint}>"


def _look_at(result: asyncio.Task[Any]) -> None:
    """Nobody else has to."""
    if not result.cancelled():
        result.exception()
