"""Delivers to every object, wherever it lives: here, or in one of the other processes."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM
from socket import socket as Socket  # noqa: N812 - a class
from typing import Any

from durabase.cluster.errors import lost_error
from durabase.cluster.peer import Adopt, Peer
from durabase.cluster.sockets import RemoteEnd
from durabase.durable_objects.events import ObjectEvent
from durabase.durable_objects.host import ObjectHost
from durabase.durable_objects.limits import ObjectLimits
from durabase.durable_objects.partition import Partition, partition_of
from durabase.durable_objects.routing import Holder, ObjectKey
from durabase.server.context import Answered, Departure
from durabase.web import Request, Response, WebSocket

__all__ = ["ClusterRouter", "door"]


def door(folder: Path, index: int) -> Path:
    """The Unix socket at which the process with this partition can be reached."""
    return folder / f"{index}.sock"


class ClusterRouter:
    """The :class:`~durabase.durable_objects.routing.ObjectRouter` of one of several processes.

    Args:
        host: the objects that live here.
        folder: where the sockets of all processes are; nobody else can get there.
        listener: the socket of this process, listening.

    Attributes:
        admin: answers what other processes pass on to this one from administrators.
    """

    admin: Callable[[Request], Awaitable[Response]]

    def __init__(self, host: ObjectHost, folder: Path, listener: Socket) -> None:
        self._host = host
        self._folder = folder
        self._listener = listener
        self._callers: set[Peer] = set()
        self._called: dict[int, Peer] = {}
        self._waiting: list[tuple[int, WebSocket, Answered]] = []
        self._adopt: Adopt | None = None
        self._idle: Future[None] | None = None

    @property
    def partition(self) -> Partition:
        """The objects that live here."""
        return self._host.partition

    @property
    def limits(self) -> ObjectLimits:
        """What objects take on."""
        return self._host.limits

    def open(self) -> None:
        """Let the other processes in. The host must be open."""
        self._listener.setblocking(False)
        self._host.loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Let nobody in any more, and hang up: what is under way in other processes is lost."""
        self._host.loop.remove_reader(self._listener.fileno())
        self._listener.close()
        for peer in [*self._callers, *self._called.values()]:
            peer.close()

    async def retire(self, seconds: float) -> None:
        """Another process takes the place of this one: whoever calls from now on waits for that at the door.
        Wait for the calls that are under way, but not longer."""
        self._host.loop.remove_reader(self._listener.fileno())
        for peer in self._callers:
            peer.retire()
        if self._callers:
            self._idle = self._host.loop.create_future()
            await asyncio.wait([self._idle], timeout=seconds)

    def deliver(self, key: ObjectKey, event: ObjectEvent) -> Future[Any]:
        """Let the object have the event; see :class:`~durabase.durable_objects.routing.ObjectRouter`."""
        if self.hosts(key):
            return self._host.deliver(key, event)
        try:
            peer = self._peer(partition_of(key.id.key, self.partition.count))
        except OSError:  # it has stopped
            lost: Future[Any] = self._host.loop.create_future()
            lost.set_exception(lost_error())
            return lost
        return peer.deliver(key, event)

    def hosts(self, key: ObjectKey) -> bool:
        """Whether that object lives in this process."""
        return partition_of(key.id.key, self.partition.count) == self.partition.index

    def hold(self, key: ObjectKey, holder: Holder) -> None:
        """Keep that object awake for as long as ``holder`` is there and in use, wherever it lives."""
        if self.hosts(key):
            self._host.hold(key, holder)
            return
        peer = self._called.get(partition_of(key.id.key, self.partition.count))
        if peer is not None:  # else the other process has stopped, and what was delivered has failed
            peer.hold(key, holder)

    def ask_admin(self, index: int, request: Request) -> Awaitable[Response]:
        """Have another process answer an administrator's request."""
        return self._peer(index).ask_admin(request)

    def departure(self, socket: WebSocket) -> Departure | None:
        """How to hand over the client that this socket is for; ``None`` if it is served here."""
        end = socket.connection.far
        return end.hand_over if isinstance(end, RemoteEnd) else None

    def adopt_with(self, adopt: Adopt) -> None:
        """Serve the clients that other processes hand over in this way; those who have come already, too."""
        self._adopt = adopt
        waiting, self._waiting = self._waiting, []
        for client in waiting:
            adopt(*client)

    def _adopt_client(self, descriptor: int, socket: WebSocket, answered: Answered) -> None:
        if self._adopt is None:
            self._waiting.append((descriptor, socket, answered))
        else:
            self._adopt(descriptor, socket, answered)

    def _peer(self, index: int) -> Peer:
        peer = self._called.get(index)
        if peer is None:
            socket = Socket(AF_UNIX, SOCK_STREAM)
            socket.connect(str(door(self._folder, index)))
            peer = self._called[index] = self._made(socket)
        return peer

    def _accept(self) -> None:
        try:
            socket, _ = self._listener.accept()
        except BlockingIOError:
            return
        self._callers.add(self._made(socket))

    def _made(self, socket: Socket) -> Peer:
        return Peer(
            *(socket, self._host.loop, self._host, self._host.watch, self),
            *(self._adopt_client, self._answer_admin),
            *(self._forget, self._call_no_more),
        )

    async def _answer_admin(self, request: Request) -> Response:
        return await self.admin(request)

    def _forget(self, peer: Peer) -> None:
        self._callers.discard(peer)
        if self._idle is not None and not self._callers and not self._idle.done():
            self._idle.set_result(None)
        self._call_no_more(peer)

    def _call_no_more(self, peer: Peer) -> None:
        self._called = {index: known for index, known in self._called.items() if known is not peer}
