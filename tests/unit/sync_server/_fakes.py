"""Sockets, storage and contexts for servers under test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from durabase.mergeable import MergeableStore
from durabase.persisters.base import Persister, Persists
from durabase.types import UNDEFINED
from durabase.web import Request, WebSocket
from durabase.web.connection import Connection, Use

__all__ = ["FakeContext", "FakePort", "FakeStorage", "MemoryPersister", "ObjectSockets", "settle"]


async def settle(turns: int = 30) -> None:
    """Let the event loop finish what it has to do."""
    for _ in range(turns):
        await asyncio.sleep(0)


class FakePort:
    """The far end of a socket: keeps what the server does to it."""

    def __init__(self, log: list[Any] | None = None, name: str = "") -> None:
        self.sent: list[str] = []
        self.closed: tuple[int | None, str] | None = None
        self.buffered = 0
        self._log = log
        self._name = name

    def send_text(self, text: str) -> None:
        if self.closed is None:
            self.sent.append(text)
            if self._log is not None:
                self._log.append((self._name, text))

    def send_binary(self, data: bytes) -> None:
        raise AssertionError("servers send text only")

    def abort(self) -> None:
        raise AssertionError("servers close in order")

    def close(self, code: int | None, reason: str) -> None:
        if self.closed is None:
            self.closed = (code, reason)

    def buffered_amount(self) -> int:
        return self.buffered

    def take(self) -> list[str]:
        """What was sent since the last time."""
        sent, self.sent = self.sent, []
        return sent


class MemoryPersister(Persister):
    """Keeps content in ``place``; plain functions unless futures are put in their way."""

    def __init__(self, store: MergeableStore, place: dict[str, Any], key: str = "", **options: Any) -> None:
        super().__init__(store, persists=Persists.MERGEABLE_STORE_ONLY, **options)
        self.place = place
        self.key = key
        self.saves = 0
        self.load_gate: asyncio.Future[None] | None = None
        self.save_gate: asyncio.Future[None] | None = None
        self.load_error: Exception | None = None

    def get_persisted(self) -> object:
        return self._read() if self.load_gate is None else self._read_later(self.load_gate)

    def _read(self) -> object:
        if self.load_error is not None:
            raise self.load_error
        return self.place.get(self.key, UNDEFINED)

    async def _read_later(self, gate: asyncio.Future[None]) -> object:
        await gate
        return self._read()

    def set_persisted(self, get_content: Callable[[], list[Any]], changes: list[Any] | None = None) -> object:
        if self.save_gate is not None:
            return self._write_later(get_content, self.save_gate)
        self._write(get_content)
        return None

    def _write(self, get_content: Callable[[], list[Any]]) -> None:
        self.saves += 1
        self.place[self.key] = get_content()

    async def _write_later(self, get_content: Callable[[], list[Any]], gate: asyncio.Future[None]) -> None:
        await gate
        self._write(get_content)


class FakeStorage:
    """The storage of an object."""

    def __init__(self, log: list[Any] | None = None) -> None:
        self.entries: dict[str, Any] = {}
        self.log: list[Any] = [] if log is None else log

    async def list(self, *, prefix: str) -> dict[str, Any]:
        return {key: value for key, value in sorted(self.entries.items()) if key.startswith(prefix)}

    def put(self, entries: dict[str, Any]) -> Any:
        self.log.append(("put", sorted(entries)))
        self.entries.update(entries)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def defer(self, write: Callable[[], object]) -> None:
        write()


class _Nobody:
    """The sink of accepted sockets: tests call the handlers themselves."""

    def on_text(self, text: str) -> None: ...
    def on_binary(self, data: bytes) -> None: ...
    def on_close(self, code: int, reason: str, was_clean: bool) -> None: ...
    def on_error(self, error: Exception) -> None: ...


class FakeContext:
    """What an object gets, and what outlives it: its sockets and its storage."""

    def __init__(self, log: list[Any] | None = None, name: str | None = None) -> None:
        self.id = SimpleNamespace(name=name)
        self.storage = FakeStorage(log)
        self.tags: dict[WebSocket, list[str]] = {}
        self.starting: asyncio.Task[Any] | None = None
        self.waited_for: list[Any] = []

    def accept_web_socket(self, socket: WebSocket, tags: list[str]) -> None:
        assert all(len(tag.encode()) <= 256 for tag in tags)
        socket.connection.accept(Use.HIBERNATABLE, _Nobody())
        self.tags[socket] = list(dict.fromkeys(tags))

    def get_web_sockets(self, tag: str | None = None) -> list[WebSocket]:
        if tag is None:
            return list(self.tags)[::-1]
        return [socket for socket, tags in self.tags.items() if tag in tags]

    def get_tags(self, socket: WebSocket) -> list[str]:
        return self.tags[socket]

    def block_concurrency_while(self, function: Callable[[], Any]) -> None:
        self.starting = asyncio.get_running_loop().create_task(function())

    def wait_until(self, awaitable: Any) -> None:
        self.waited_for.append(awaitable)

    def sleep(self) -> None:
        """Only connections and tags stay."""
        self.tags = {WebSocket(socket.connection): tags for socket, tags in self.tags.items()}


class ObjectSockets:
    """The clients of an object, by name: what its runtime does with their sockets."""

    def __init__(self, ctx: FakeContext) -> None:
        self.object: Any = None
        self.ports: dict[str, FakePort] = {}
        self._ctx = ctx
        self._connections: dict[str, Connection] = {}

    async def construct(self, cls: Callable[[Any, Any], Any]) -> Any:
        """Make the instance, or make it anew after everything but sockets and storage is gone."""
        self._ctx.sleep()
        self.object = cls(self._ctx, None)
        assert self._ctx.starting is not None
        await self._ctx.starting
        return self.object

    def connect(self, client: str, url: str, port: FakePort) -> FakePort:
        headers = {"upgrade": "websocket", "sec-websocket-key": client}
        response = self.object.fetch(Request(url, headers=headers))
        assert response.status == 101
        self.ports[client] = port
        self._connections[client] = response.web_socket.connect(port)
        return port

    def socket(self, client: str) -> WebSocket:
        (socket,) = [s for s in self._ctx.tags if s.connection is self._connections[client]]
        return socket

    def send(self, client: str, message: str | bytes) -> None:
        self.object.web_socket_message(self.socket(client), message)

    def close(self, client: str) -> None:
        socket = self.socket(client)
        self.ports[client].closed = (1005, "")
        self.object.web_socket_close(socket, 1005, "", True)
        del self._ctx.tags[socket]
