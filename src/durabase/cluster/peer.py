"""One other process, as this one knows it: what is asked of it, and what it asks."""

from __future__ import annotations

import asyncio
import logging
from asyncio import AbstractEventLoop, Future
from collections.abc import Awaitable, Callable
from functools import partial
from socket import socket as Socket  # noqa: N812 - a class
from typing import Any, Final

from durabase.cluster.errors import error_form, error_from, lost_error
from durabase.cluster.holds import HOLD_KINDS, Holds
from durabase.cluster.link import Link
from durabase.cluster.sockets import SocketRelays
from durabase.cluster.wire import Perform, Wire
from durabase.durable_objects.events import Call, Fetch, ObjectEvent, Read
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.observing import Watch
from durabase.durable_objects.routing import Holder, ObjectKey, ObjectRouter
from durabase.durable_objects.rpc_stub import RpcStub
from durabase.durable_objects.rpc_target import Granted
from durabase.errors import ClusterError, ObjectError
from durabase.server.context import Answered
from durabase.web import AbortSignal, Request, Response, WebSocket

__all__ = ["Adopt", "Peer"]

_log = logging.getLogger("durabase.cluster")

_QUESTIONS = frozenset(("deliver", "serve", "admin"))
_RETIRED_SECONDS: Final = 0.25
"""How long a connection stays at least with a process that is about to end."""
_SOCKET_KINDS = frozenset(("relay", "text", "binary", "close", "over"))


Adopt = Callable[[int, WebSocket, Answered], object]
"""Serve a client whose connection is this descriptor: carry the socket for it."""


class _RemoteGrant:
    """What another process exported, and how many stubs of it there are here."""

    __slots__ = ("_number", "_peer", "_stubs")

    def __init__(self, peer: Peer, number: int) -> None:
        self._peer = peer
        self._number = number
        self._stubs = 0

    def take(self) -> None:
        self._stubs += 1

    def give_back(self) -> None:
        self._stubs -= 1
        if not self._stubs:
            self._peer.release(self, self._number)

    def serve(self, event: Call | Read) -> Awaitable[Any]:
        return self._peer.serve(self._number, event)


class Peer:
    """The other end of a link.

    Args:
        socket: a connected Unix socket.
        loop: the event loop.
        objects: the objects of this process.
        watch: how closely they are watched.
        router: for stubs of objects that arrive.
        adopt: serves clients that are handed over.
        admin: answers administrators.
        lost: called when the other process is gone.
        retired: called when another process takes the place of that one.
    """

    def __init__(
        self,
        socket: Socket,
        loop: AbstractEventLoop,
        objects: ObjectRouter,
        watch: Watch,
        router: ObjectRouter,
        adopt: Adopt,
        admin: Callable[[Request], Awaitable[Response]],
        lost: Callable[[Peer], object],
        retired: Callable[[Peer], object],
    ) -> None:
        self._loop = loop
        self._objects = objects
        self._watch = watch
        self._adopt = adopt
        self._admin = admin
        self._lost = lost
        self._retired = retired
        self._grants: set[_RemoteGrant] = set()
        self._wire = Wire(self, router)
        self._sockets = SocketRelays(self._send, self._hand_over)
        self._holds = Holds(self._send, objects)
        self._pending: dict[int, Future[Any]] = {}
        self._requests: dict[int, Request] = {}
        self._exports: dict[int, tuple[Perform, Callable[[], object]]] = {}
        self._last = 0
        self._link = Link(socket, loop, self._receive, self._lose)

    def close(self) -> None:
        """Hang up."""
        self._link.close()
        self._end()

    # What this process asks

    def retire(self) -> None:
        """Ask the other process to call this one no more."""
        self._send(["retire", 0])

    def _close_if_idle(self) -> None:
        """Hang up when what is under way has ended, clients that are handed over included."""
        if self._pending or self._grants:
            self._loop.call_later(_RETIRED_SECONDS, self._close_if_idle)
        else:
            self.close()

    def deliver(self, key: ObjectKey, event: ObjectEvent) -> Future[Any]:
        """Let an object of the other process have the event."""
        id = key.id
        where = [key.class_name, id.key, id.name, id.jurisdiction]
        number = self._last + 1  # of the question: what it carries along gets numbers, too
        sent = self._watch.sent()
        result = self._ask(lambda number: ["deliver", number, *where, sent, self._wire.event_form(event)])
        if isinstance(event, Fetch):
            self._pass_on_abort(event.request.signal, number)
        return result

    def hold(self, key: ObjectKey, holder: Holder) -> None:
        """Keep an object of the other process awake for as long as ``holder`` is there and in use."""
        self._holds.hold(key, holder)

    def _pass_on_abort(self, signal: AbortSignal, number: int) -> None:
        if signal.aborted:
            self._send(["abandon", number])
        else:
            signal.add_event_listener("abort", lambda event: self._send(["abandon", number]))

    def serve(self, export: int, event: Call | Read) -> Future[Any]:
        """Have something performed that the other process exported."""
        return self._ask(
            lambda number: ["serve", number, export, self._watch.sent(), self._wire.event_form(event)]
        )

    def _hand_over(self, socket: int, descriptor: int, answered: Answered) -> None:
        self._link.send(self._wire.encode(["adopt", socket, *answered]), descriptor)

    def ask_admin(self, request: Request) -> Future[Any]:
        """Have the other process answer an administrator's request."""
        return self._ask(lambda number: ["admin", number, request])

    def release(self, grant: _RemoteGrant, export: int) -> None:
        """What the other process exported is not used any more."""
        self._grants.discard(grant)
        self._send(["release", export])

    def _ask(self, message: Callable[[int], list[Any]]) -> Future[Any]:
        self._last += 1
        number, result = self._last, self._loop.create_future()
        self._pending[number] = result
        try:
            self._send_value(message(number))
        except (ClusterError, TypeError) as error:
            del self._pending[number]
            result.set_exception(ObjectError(str(error)) if isinstance(error, ClusterError) else error)
        return result

    def _send_value(self, message: list[Any]) -> None:
        """Send what may carry stubs along; if it can't be sent, they are released again."""
        before = self._last
        try:
            self._link.send(self._wire.encode(message))
        except (ClusterError, TypeError):
            for number in [number for number in self._exports if number > before]:
                self._release(number)
            raise

    def _send(self, message: list[Any]) -> None:
        """Send what nobody waits for: if the other process is gone, it needs it no more."""
        try:
            self._link.send(self._wire.encode(message))
        except ClusterError as error:
            _log.debug("%s to another process: %s", message[0], error)

    # What the other process asks

    def _receive(self, data: bytes, descriptor: int | None) -> None:
        stubs: list[RpcStub] = []
        kind, number, *details = self._wire.decode(data, stubs)
        if kind in _QUESTIONS:
            self._answer(number, stubs, partial(self._question, kind, number, details, stubs, len(data)))
        elif kind in _SOCKET_KINDS:
            self._sockets.receive(kind, number, details)
        elif kind in HOLD_KINDS:
            self._holds.receive(kind, number, details)
        elif kind == "adopt" and descriptor is not None:
            self._adopt_client(number, descriptor, Answered(*details))
        else:
            self._statement(kind, number, details)

    def _question(
        self, kind: str, number: int, details: list[Any], stubs: list[RpcStub], size: int
    ) -> Awaitable[Any]:
        """Do what the other process waits for."""
        if kind == "admin":
            return self._admin(*details)
        *where, sent, form = details
        event = self._wire.event_from(form, stubs, size)
        if kind == "serve":
            perform, _ = self._exports[where[0]]
            return self._within(sent, partial(perform, event))  # type: ignore[arg-type]
        if isinstance(event, Fetch):
            self._requests[number] = event.request
        class_name, *id = where
        key = ObjectKey(class_name, DurableObjectId(*id))
        return self._within(sent, partial(self._objects.deliver, key, event))

    def _within(self, sent: Any, call: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
        done: Awaitable[Any] = self._watch.within(sent, call)
        return done

    def _statement(self, kind: str, number: int, details: list[Any]) -> None:
        """Take note of what the other process says."""
        if kind == "done":
            self._settle(number, details[0], None)
        elif kind == "failed":
            self._settle(number, None, error_from(details[0]))
        elif kind == "release":
            self._release(number)
        elif kind == "abandon":
            if (request := self._requests.get(number)) is not None:
                request.abandon()
        elif kind == "retire":
            self._retired(self)
            self._loop.call_later(_RETIRED_SECONDS, self._close_if_idle)
        else:
            raise ClusterError(f"a message of an unknown kind: {kind}")

    def _answer(self, number: int, stubs: list[RpcStub], do: Callable[[], Awaitable[Any]]) -> None:
        try:
            result = asyncio.ensure_future(do())
        except Exception as error:
            self._send(["failed", number, error_form(error)])
            return
        result.add_done_callback(partial(self._answered, number, stubs))

    def _answered(self, number: int, stubs: list[RpcStub], result: Future[Any]) -> None:
        for stub in stubs:
            stub.destroy()
        self._requests.pop(number, None)
        error = asyncio.CancelledError() if result.cancelled() else result.exception()
        if error is None:
            try:
                self._send_value(["done", number, result.result()])
            except (ClusterError, TypeError) as fault:
                error = fault
        if error is not None:
            self._send(["failed", number, error_form(error)])

    def _settle(self, number: int, value: Any, error: Exception | None) -> None:
        result = self._pending.pop(number)
        if result.done():
            return
        if error is None:
            result.set_result(value)
        else:
            result.set_exception(error)

    def _adopt_client(self, socket: int, descriptor: int, answered: Answered) -> None:
        web_socket = self._sockets.take(socket)
        if web_socket is None:
            raise ClusterError(f"no socket {socket} was exported")
        self._adopt(descriptor, web_socket, answered)

    # Borders of the wire

    def export(self, perform: Perform, release: Callable[[], object]) -> int:
        """Keep what is to be performed for the other process, until it releases it."""
        self._last += 1
        self._exports[self._last] = (perform, release)
        return self._last

    def _release(self, number: int) -> None:
        _, release = self._exports.pop(number)
        release()

    def granted(self, number: int) -> Granted:
        """What the other process exported."""
        grant = _RemoteGrant(self, number)
        self._grants.add(grant)
        return grant

    def export_socket(self, socket: WebSocket) -> int:
        """Keep a socket for the other process."""
        return self._sockets.export(socket)

    def socket(self, number: int) -> WebSocket:
        """What stands for a socket of the other process."""
        return self._sockets.socket(number)

    # The end

    def _lose(self) -> None:
        self._end()
        self._lost(self)

    def _end(self) -> None:
        pending, self._pending = list(self._pending.values()), {}
        for result in pending:
            if not result.done():
                result.set_exception(lost_error())
        for request in list(self._requests.values()):
            request.abandon()  # nobody is there to have the response
        exports, self._exports = list(self._exports.values()), {}
        for _, release in exports:
            release()
        self._sockets.lose()
        self._holds.lose()
