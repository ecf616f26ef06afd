"""An ASGI server without a network: scopes, what an application receives, and what it sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import unquote

from durabase.asgi import AsgiApp
from durabase.asgi.life import Served, Settings
from durabase.clock import TimerClock
from durabase.errors import ServerError
from durabase.server import ServerLimits
from durabase.sync_server import OpeningRoom
from durabase.testing import FakeClock
from durabase.web import Request, Response

Message = dict[str, Any]
CONNECT = {"type": "websocket.connect"}
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="


def scope(kind: str = "http", path: str = "/", **more: Any) -> Message:
    """A scope as uvicorn makes it of a path as it was sent; ``more`` replaces parts of it."""
    base = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"example.com")],
        "client": ("192.0.2.7", 5000),
        "server": ("127.0.0.1", 8000),
        "extensions": {"websocket.http.response": {}},
    }
    base |= {"method": "GET"} if kind == "http" else {"subprotocols": []}
    return base | more


def web_socket_scope(path: str = "/room", key: bytes = KEY, **more: Any) -> Message:
    headers = [(b"host", b"example.com"), (b"upgrade", b"websocket"), (b"sec-websocket-key", key)]
    return scope("websocket", path, headers=headers, **more)


def text(message: str) -> Message:
    return {"type": "websocket.receive", "text": message}


class Call:
    """An application that was called with one scope."""

    def __init__(self, app: Any, scope: Message, *incoming: Message) -> None:
        self._app = app
        self._scope = scope
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self.takes = asyncio.Event()
        self.takes.set()
        self.fails: Exception | None = None
        self.give(*incoming)

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self._app(self._scope, self._incoming.get, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def give(self, *messages: Message) -> None:
        """What the application receives next."""
        for message in messages:
            self._incoming.put_nowait(message)

    async def next(self) -> Message:
        """What it has sent."""
        async with asyncio.timeout(20):
            return await self._sent.get()

    async def over(self) -> None:
        """Wait until it has returned; raises what it raised."""
        async with asyncio.timeout(20):
            await self.task

    def rest(self) -> list[Message]:
        """What else it has sent by now."""
        return [self._sent.get_nowait() for _ in range(self._sent.qsize())]

    async def _send(self, message: Message) -> None:
        await self.takes.wait()
        if self.fails is not None:
            raise self.fails
        self._sent.put_nowait(message)


async def answer(app: Any, scope: Message, *incoming: Message) -> list[Message]:
    """All that an application sends for a scope."""
    async with Call(app, scope, *(incoming or ({"type": "http.request"},))) as call:
        await call.over()
        return call.rest()


def no_room(path_id: str, binding: str | None) -> OpeningRoom:
    raise ServerError(f"{path_id} {binding}")


def settings(clock: TimerClock | None = None, **limits: Any) -> Settings:
    return Settings(clock or FakeClock(), ServerLimits(**limits), (1001, "the server stops"), 5.0)


def app_of(
    fetch: Callable[[Request], Awaitable[Response]],
    *,
    clock: TimerClock | None = None,
    prefix: str = "",
    events: list[str] | None = None,
    failing: list[Exception] | None = None,
    **limits: Any,
) -> AsgiApp:
    """An application that serves ``fetch``; ``events`` tells what happens, ``failing`` prevents it."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Served]:
        if failing:
            raise failing.pop(0)
        if events is not None:
            events.append("open")
        try:
            yield Served(fetch, no_room)
        finally:
            await asyncio.sleep(0)
            if events is not None:
                events.append("close")

    return AsgiApp(opened, settings(clock, **limits), prefix)


async def turns(count: int = 20) -> None:
    """Let the loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)
