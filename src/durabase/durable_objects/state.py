"""``ctx``: what an object is given to live with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NoReturn, ParamSpec, Protocol, TypeVar

from durabase._names import js_names
from durabase.durable_objects.base import DurableObjectAbort
from durabase.durable_objects.hibernation import SocketRegistry
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.storage.keys import merged_options
from durabase.durable_objects.storage.kv import DurableObjectStorage
from durabase.errors import ObjectResetError
from durabase.web.attribute_dict import JsList
from durabase.web.websocket import WebSocket, WebSocketRequestResponsePair

__all__ = ["DurableObjectState", "StateHost"]

P = ParamSpec("P")
R = TypeVar("R")

MAX_EVENT_TIMEOUT_MS: Final = 604_800_000


class StateHost(Protocol):
    """What the state needs of the life it belongs to."""

    def block_concurrency_while(self, callback: Callable[[], Any]) -> Awaitable[Any]:
        """Run ``callback`` as a critical section; what it raises ends the life."""

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """Keep the life going until ``awaitable`` is over."""

    def run_blocking(self, call: Callable[[], Any]) -> Awaitable[Any]:
        """Run ``call`` in a thread, in a copy of this context."""

    def end_with(self, error: Exception) -> None:
        """End the life at once."""


@js_names
class DurableObjectState:
    """The state of one object, for one life of its instance.

    Attributes:
        id: who it is; ``id.name`` is there if anybody ever reached it by name.
        storage: what it keeps.
        props: what its binding adds; nothing here.
        exports: the worker's own entrypoints and namespaces, as bindings.
    """

    def __init__(
        self,
        id: DurableObjectId,
        storage: DurableObjectStorage,
        sockets: SocketRegistry,
        host: StateHost,
        exports: Any = None,
    ) -> None:
        self.id = id
        self.storage = storage
        self.props: Any = None
        self.exports: Any = exports
        self._sockets = sockets
        self._host = host

    # Life

    def block_concurrency_while(self, callback: Callable[[], Any]) -> Awaitable[Any]:
        """Run the asynchronous ``callback`` while nothing else happens in the object; gives its result.

        Called in ``__init__``, it starts when that has returned, and holds back the first event. If it
        raises, or takes longer than 30 seconds, the object is reset.
        """
        return self._host.block_concurrency_while(callback)

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """See ``awaitable`` through, keeping the object awake meanwhile. Its failure is logged."""
        self._host.wait_until(awaitable)

    def run_blocking(
        self, function: Callable[P, R], /, *arguments: P.args, **keywords: P.kwargs
    ) -> Awaitable[R]:
        """Call ``function`` in a thread, for what would hold up everybody; await it for its result.

        The thread has the context variables of the caller. Meanwhile other events come in, unless a
        critical section keeps them out; the object stays awake until the function has returned. The
        function must not use ``ctx``, sockets or stubs: they belong to the event loop. A thread can't be
        stopped: if the object is reset, or the wait cancelled, it goes on and its result is dropped.

        Raises:
            ObjectError: this life of the object is over.
        """
        return self._host.run_blocking(partial(function, *arguments, **keywords))

    def abort(self, reason: object = None, options: Mapping[str, Any] | None = None, **more: Any) -> NoReturn:
        """Reset the object: this turn's writes are lost, calls under way fail, sockets are dropped.

        Args:
            reason: what callers are told.
            options, more: ``retry_alarm=False`` lets an alarm whose handler is under way not be tried again.

        Raises:
            DurableObjectAbort: always, to leave the program.
        """
        text = "Application called abort() to reset Durable Object." if reason is None else str(reason)
        retry_alarm = merged_options(options, more).get("retry_alarm", True)
        self._host.end_with(ObjectResetError(text, retry_alarm=bool(retry_alarm)))
        raise DurableObjectAbort(text)

    # Sockets

    def accept_web_socket(self, web_socket: WebSocket, tags: Iterable[str] | None = None) -> None:
        """Take the server's end of a pair; it stays connected while the object sleeps.

        Args:
            web_socket: an end that nobody has accepted.
            tags: up to 10 strings of up to 256 bytes, to find it by.

        Raises:
            TypeError: the end is in use, or a tag is not allowed; in strict mode also a list that is
                not one of JavaScript's.
        """
        if self.storage.is_strict and tags is not None and not isinstance(tags, JsList):
            raise TypeError(f"tags must be an array: to_js([...]), not {type(tags).__name__}")
        self._sockets.accept(web_socket, tags)

    def get_web_sockets(self, tag: str | None = None) -> list[WebSocket]:
        """All sockets, newest first; with ``tag``, those that have it, oldest first.

        A socket is among them until it is over: still while ``web_socket_close`` begins.
        """
        return JsList(self._sockets.sockets(tag))

    def get_tags(self, web_socket: WebSocket) -> list[str]:
        """The tags of a socket, in the order in which they were given.

        Raises:
            TypeError: it was not taken by :meth:`accept_web_socket`.
        """
        return JsList(self._sockets.record_of(web_socket).tags)

    def set_web_socket_auto_response(self, pair: WebSocketRequestResponsePair | None = None) -> None:
        """Answer each text message equal to ``pair.request`` with ``pair.response``, also while asleep.

        Raises:
            ValueError: one of the texts is longer than 2,048 bytes.
        """
        self._sockets.set_auto_response(pair)

    def get_web_socket_auto_response(self) -> WebSocketRequestResponsePair | None:
        """What was set last, if anything."""
        return self._sockets.auto_response

    def get_web_socket_auto_response_timestamp(self, web_socket: WebSocket) -> datetime | None:
        """When this socket was last given the automatic answer."""
        answered_ms = self._sockets.record_of(web_socket).answered_ms
        return None if answered_ms is None else datetime.fromtimestamp(answered_ms / 1000, UTC)

    def set_hibernatable_web_socket_event_timeout(self, milliseconds: int | None = None) -> None:
        """Reset the object when a socket's handler takes longer; none or 0: as long as it likes.

        Raises:
            ValueError: longer than seven days.
        """
        if milliseconds is not None and milliseconds > MAX_EVENT_TIMEOUT_MS:
            raise ValueError(f"Event timeout should not exceed {MAX_EVENT_TIMEOUT_MS} ms.")
        self._sockets.event_timeout_ms = milliseconds or None

    def get_hibernatable_web_socket_event_timeout(self) -> int | None:
        """What was set last, if anything."""
        return self._sockets.event_timeout_ms
