"""The host as a whole: namespaces, stubs, calls, replacing classes, observing, stopping."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.durable_objects import (
    DurableObject,
    EventHandled,
    ObjectClass,
    ObjectConstructed,
    ObjectHibernated,
    ObjectHost,
    ObjectReset,
)
from durabase.errors import ObjectError, StorageError
from durabase.types import UNDEFINED
from durabase.web import Headers, Request, Response, WebSocket
from unit.durable_objects.rig import Accepting, Rig, run


class Talking(DurableObject):
    attribute = "value"

    def echo(self, *arguments: Any, **keywords: Any) -> Any:
        return [list(arguments), keywords]

    def positional(self, first: Any, options: Any = None) -> Any:
        return [first, options]

    def give(self, what: Any) -> Any:
        return what

    def stop_iteration(self) -> None:
        raise StopIteration

    async def cancelled(self) -> None:
        raise asyncio.CancelledError

    def unsendable(self) -> Any:
        return object()

    def _private(self) -> str:
        return "private"

    async def fetch(self, request: Request) -> Response:
        text = await request.text() if request.body else ""
        return Response(f"{request.method} {request.url} {request.headers['x']} {text}", 201)


@pytest.mark.feature("M-ST-2", "M-ST-3", "M-ST-5", "S-ST-1")
def test_calls_copy_their_arguments_and_results() -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        given = [1, [2]]
        call = stub.echo(given, None, UNDEFINED, (3,), key={"a": b"b"})
        given.append(4)
        assert await call == [[[1, [2]], None, UNDEFINED, [3]], {"key": {"a": b"b"}}]
        assert await stub.positional(1, named=2) == [1, {"named": 2}]
        assert await stub.positional(1, options=2) == [1, 2]
        assert await stub._private() == "private"
        headers = Headers({"a": "1"})
        assert await stub.give([headers]) == [headers]

    run(scenario, Talking)


def test_an_observer_is_told() -> None:
    class Observed(Accepting):
        def web_socket_message(self, ws: WebSocket, message: str) -> None:
            if message == "abort":
                self.ctx.abort("over")
            raise ValueError("bad")

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("m")
        await rig.pass_time(10)
        wire.sink.on_text("abort")
        await rig.settle()
        kinds = [type(fact) for fact in rig.facts]
        assert kinds == [
            ObjectConstructed,
            EventHandled,
            EventHandled,
            ObjectHibernated,
            ObjectConstructed,
            ObjectReset,
        ]
        fetched, failed, slept = rig.facts[1:4]
        assert (fetched.kind, fetched.error, fetched.class_name) == ("fetch", None, "Observed")
        assert (failed.kind, str(failed.error)) == ("web_socket_message", "bad")
        assert (slept.sockets, slept.id.name) == (1, "x")
        assert str(rig.facts[-1].error) == "over"

    run(scenario, Observed, observed=True)


def versions(number: int) -> type:
    class Room(Accepting):
        async def web_socket_message(self, ws: WebSocket, message: str) -> None:
            if message == "wait":
                await GO[-1].wait()
            count = (await self.ctx.storage.get("count") or 0) + 1
            self.ctx.storage.put("count", count)
            ws.send(f"version {number}: {message} {count}")

    return Room


GO: list[asyncio.Event] = []
RIGS: list[Rig] = []


@pytest.mark.feature("S-LC-4")
def test_classes_are_replaced_while_sockets_stay() -> None:
    async def scenario(rig: Rig) -> None:
        GO.append(asyncio.Event())
        wire, other = await rig.connect(), await rig.connect(rig.stub("y"))
        wire.sink.on_text("a")
        wire.sink.on_text("wait")
        replacing = asyncio.create_task(rig.host.replace([rig.definition(versions(2), "Room")]))
        await rig.settle()
        wire.sink.on_text("b")
        other.sink.on_text("c")
        await rig.settle()
        assert wire.sent == ["version 1: a 1"]
        assert other.sent == ["version 2: c 1"]
        GO[-1].set()
        await replacing
        await rig.settle()
        assert wire.sent == ["version 1: a 1", "version 1: wait 2", "version 2: b 3"]

    run(scenario, versions(1))


def test_nothing_changes_if_one_of_the_new_classes_can_not_be_hosted() -> None:
    class Both(DurableObject):
        def alarm(self) -> None: ...
        def web_socket_message(self) -> None: ...
        def webSocketMessage(self) -> None: ...

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        good = rig.definition(versions(2), "Room")
        with pytest.raises(TypeError, match="defines both web_socket_message and webSocketMessage"):
            await rig.host.replace([good, rig.definition(Both)])
        with pytest.raises(ObjectError, match="can't change its unique key or its kind of storage"):
            await rig.host.replace([ObjectClass("Room", "test-Room", versions(2), "sqlite")])
        with pytest.raises(TypeError, match="a class is needed"):
            await rig.host.replace([good, ObjectClass("New", "test-New", lambda ctx, env: None)])
        wire.sink.on_text("a")
        await rig.settle()
        assert wire.sent == ["version 1: a 1"]
        await rig.host.replace([good, rig.definition(Talking)])
        wire.sink.on_text("b")
        await rig.settle()
        assert wire.sent[-1] == "version 2: b 2"
        assert await rig.host.namespace("Talking").get_by_name("x").give(5) == 5

    run(scenario, versions(1))


@pytest.mark.feature("M-LC-10")
def test_stopping_lets_events_end_and_refuses_new_ones() -> None:
    class Slow(DurableObject):
        async def slow(self) -> str:
            await GO[-1].wait()
            await self.ctx.storage.put("k", 1)
            return "done"

        async def read(self) -> Any:
            return await self.ctx.storage.get("k")

    async def scenario(rig: Rig) -> None:
        GO.append(asyncio.Event())
        stub = rig.stub()
        slow = stub.slow()
        restarting = asyncio.create_task(rig.restart())
        await asyncio.sleep(0)
        GO[-1].set()
        await restarting
        assert await slow == "done"
        assert await rig.stub().read() == 1
        await rig.host.__aexit__()
        with pytest.raises(ObjectError, match="not open"):
            await rig.stub().read()
        await rig.host.__aenter__()

    run(scenario, Slow)


def test_objects_that_keep_each_other_awake_are_reset_after_five_seconds() -> None:
    class Player(DurableObject):
        async def hit(self, me: str, other: str) -> None:
            await asyncio.sleep(0)
            self.ctx.wait_until(RIGS[-1].stub(other).hit(other, me))

    async def scenario(rig: Rig) -> None:
        RIGS.append(rig)
        await rig.stub("ping").hit("ping", "pong")
        stopping = asyncio.create_task(rig.host.__aexit__())
        await rig.settle()
        assert not stopping.done()
        rig.clock.advance(5000)
        rig.clock.run_next(rig.clock.now_ms())
        await stopping
        await rig.host.__aenter__()

    run(scenario, Player)


def test_what_is_registered_twice_or_never() -> None:
    async def scenario(rig: Rig) -> None:
        with pytest.raises(ObjectError, match="the class Talking is hosted already"):
            rig.host.register(rig.definition(Talking))
        with pytest.raises(ObjectError, match="no class Nobody is hosted"):
            rig.host.namespace("Nobody")

    run(scenario, Talking)


@pytest.mark.feature("M-NS-9")
def test_a_folder_that_can_not_be_used(tmp_path: Any) -> None:
    file = tmp_path / "file"
    file.write_text("")

    async def main() -> None:
        with pytest.raises(StorageError, match="can't be used for objects"):
            await ObjectHost(file).__aenter__()

    asyncio.run(main())


def test_env_is_what_was_registered() -> None:
    class Seeing(DurableObject):
        def see(self) -> Any:
            return self.env

    async def scenario(rig: Rig) -> None:
        rig.host.register(ObjectClass("Second", "test-Second", Seeing), env={"a": 1})
        assert await rig.host.namespace("Second").get_by_name("x").see() == {"a": 1}
        assert await rig.stub().see() is None

    run(scenario, Seeing)
