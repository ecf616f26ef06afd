"""A host on a temporary folder with a clock that stands still, and what tests need around it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

from durabase.durable_objects import (
    DurableObject,
    DurableObjectNamespace,
    DurableObjectStub,
    ObjectClass,
    ObjectHost,
)
from durabase.testing.fake_clock import FakeClock
from durabase.web import SocketSink, WebSocketPair


class Wire:
    """A port that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.sink: SocketSink

    def send_text(self, text: str) -> None:
        self.sent.append(text)

    def send_binary(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self, code: int | None, reason: str) -> None:
        self.sent.append(("close", code, reason))

    def abort(self) -> None:
        self.sent.append("abort")

    def buffered_amount(self) -> int:
        return 0


OF_CLASSES = {field.name for field in fields(ObjectClass)}


class Rig:
    """One host and what happened in it. ``restart`` closes it and opens another on the same folder."""

    def __init__(self, folder: str, classes: tuple[type, ...], **options: Any) -> None:
        self.folder = folder
        self.classes = classes
        self.clock = FakeClock()
        self.facts: list[Any] = []
        self.options: dict[str, Any] = {"storage": "kv"} | options
        self.host = self._made()

    def _made(self) -> ObjectHost:
        observer = self.facts.append if self.options.get("observed") else None
        host = ObjectHost(
            self.folder,
            clock=self.clock,
            observer=observer,
            limits=self.options.get("limits"),
            disk=self.options.get("disk"),
        )
        for cls in self.classes:
            host.register(self.definition(cls))
        return host

    def definition(self, cls: type, name: str | None = None) -> ObjectClass:
        name = name or cls.__name__
        options = {option: value for option, value in self.options.items() if option in OF_CLASSES}
        return ObjectClass(name, f"test-{name}", cls, **options)

    async def restart(self) -> None:
        await self.host.__aexit__(None, None, None)
        self.host = self._made()
        await self.host.__aenter__()

    @property
    def namespace(self) -> DurableObjectNamespace:
        return self.host.namespace(self.classes[0].__name__)

    def stub(self, name: str = "x") -> DurableObjectStub:
        return self.namespace.get_by_name(name)

    async def settle(self) -> None:
        """Let everything happen that needs neither time nor messages."""
        for _ in range(3):
            for _ in range(20):
                await asyncio.sleep(0)
            await self.host.settle()
        for _ in range(20):
            await asyncio.sleep(0)

    async def pass_time(self, seconds: float) -> None:
        await self.settle()
        until = self.clock.now_ms() + seconds * 1000
        while self.clock.run_next(until):
            await self.settle()
        self.clock.advance(until - self.clock.now_ms())
        await self.settle()

    async def connect(self, stub: DurableObjectStub | None = None) -> Wire:
        """A client that opens a socket through the object's ``fetch``."""
        wire = Wire()
        response = await (stub or self.stub()).fetch("http://host/", headers={"upgrade": "websocket"})
        assert response.web_socket is not None
        wire.sink = response.web_socket.connect(wire)
        return wire

    async def run_in(self, function: Callable[[Any, Any], Any], name: str = "x") -> Any:
        """Call ``function(instance, ctx)`` as an event of the object."""
        from durabase.durable_objects.events import Run
        from durabase.durable_objects.routing import ObjectKey

        key = ObjectKey(self.classes[0].__name__, self.namespace.id_from_name(name))
        return await self.host.deliver(key, Run(function))


class Accepting(DurableObject):
    """Lets clients in, hibernatable, with the tag that the header says."""

    def fetch(self, request: Any) -> Any:
        from durabase.web import Response

        client, server = WebSocketPair()
        tag = request.headers.get("tag")
        self.ctx.accept_web_socket(server, [] if tag is None else [tag])
        return Response(None, status=101, web_socket=client)


def run(scenario: Callable[[Rig], Awaitable[None]], *classes: type, **options: Any) -> None:
    """Run ``scenario`` with a fresh rig."""

    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            rig = Rig(folder, classes or (DurableObject,), **options)
            async with asyncio.timeout(20):
                await rig.host.__aenter__()
                try:
                    await scenario(rig)
                finally:
                    await rig.host.__aexit__(None, None, None)

    asyncio.run(main())
