"""The place of one object: it wakes when something comes, and lets things in, in order, until it goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.durable_objects.slot import ObjectSlot
from durabase.errors import ObjectResetError
from durabase.web import WebSocket
from unit.durable_objects.rig import Accepting, Rig, run
from unit.durable_objects.test_host import GO, versions


@pytest.mark.feature("M-ST-8", "M-LC-2")
def test_a_failing_constructor_is_told_to_all_and_tried_again() -> None:
    failures = 1
    made = 0

    class Failing(DurableObject):
        def __init__(self, ctx: Any, env: Any) -> None:
            nonlocal failures, made
            super().__init__(ctx, env)
            made += 1
            ctx.storage.put("lost", 1)
            if failures:
                failures -= 1
                raise ValueError("not yet")

        async def read(self) -> Any:
            return await self.ctx.storage.get("lost")

        async def delete(self) -> None:
            await self.ctx.storage.delete("lost")

    async def scenario(rig: Rig) -> None:
        broken = rig.stub()
        with pytest.raises(ValueError, match="not yet") as caught:
            await broken.read()
        assert caught.value.durableObjectReset is True  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match="not yet"):
            await broken.read()
        assert made == 1
        assert await rig.stub().read() == 1
        assert made == 2

    run(scenario, Failing)


@pytest.mark.feature("M-ST-4")
def test_calls_of_one_stub_start_in_order_also_during_construction() -> None:
    order: list[int] = []

    class Ordered(DurableObject):
        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            ctx.block_concurrency_while(lambda: asyncio.sleep(0.001))

        async def call(self, number: int) -> None:
            order.append(number)

    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        await asyncio.gather(*[stub.call(number) for number in range(20)])
        assert order == list(range(20))

    run(scenario, Ordered)


@pytest.mark.feature("M-NS-9", "M-LC-1")
def test_concurrent_first_events_share_one_construction_and_instances_stay() -> None:
    made = 0

    class Once(DurableObject):
        def __init__(self, ctx: Any, env: Any) -> None:
            nonlocal made
            made += 1

        def hello(self) -> int:
            return made

    async def scenario(rig: Rig) -> None:
        assert await asyncio.gather(*[rig.stub().hello() for _ in range(3)]) == [1, 1, 1]
        assert await rig.stub("y").hello() == 2

    run(scenario, Once)


def test_a_life_that_does_not_end_is_reset_after_five_seconds() -> None:
    async def scenario(rig: Rig) -> None:
        GO.append(asyncio.Event())
        wire = await rig.connect()
        wire.sink.on_text("wait")
        replacing = asyncio.create_task(rig.host.replace([rig.definition(versions(2), "Room")]))
        await rig.pass_time(4)
        assert not replacing.done()
        await rig.pass_time(1)
        await replacing
        assert wire.sent == ["abort"]

    run(scenario, versions(1))


def test_events_that_come_while_an_object_starts_are_had_before_it_stops() -> None:
    closed: list[str] = []

    class Slow(Accepting):
        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            ctx.block_concurrency_while(self.load)

        async def load(self) -> None:
            await asyncio.sleep(0)

        def web_socket_close(self, ws: WebSocket, code: int, reason: str, was_clean: bool) -> None:
            closed.append(reason)

    async def scenario(rig: Rig) -> None:
        wires = [await rig.connect() for _ in range(3)]
        await rig.pass_time(10)
        assert rig.host.stats().live == 0
        for number, wire in enumerate(wires):
            wire.sink.on_close(1000, f"bye {number}", True)
        await rig.host.__aexit__()
        assert closed == ["bye 0", "bye 1", "bye 2"]
        await rig.host.__aenter__()

    run(scenario, Slow)


class Plain(DurableObject):
    def hello(self) -> str:
        return "hello"


def slot_of(rig: Rig) -> ObjectSlot:
    return rig.host.classes[rig.classes[0].__name__].slot(rig.namespace.id_from_name("x"))


def test_a_place_where_nothing_is_has_been_drained_already_and_one_that_lives_is_when_it_may() -> None:
    async def scenario(rig: Rig) -> None:
        told: list[str] = []
        slot, go = slot_of(rig), asyncio.Event()
        slot.drain(lambda: told.append("empty"))
        assert told == ["empty"]
        waiting = asyncio.ensure_future(rig.run_in(lambda instance, ctx: go.wait()))
        await rig.settle()
        slot = slot_of(rig)
        slot.drain(lambda: told.append("first"))
        slot.drain(lambda: told.append("second"))
        await rig.settle()
        assert told == ["empty"]
        go.set()
        assert await waiting is True
        await rig.settle()
        assert told == ["empty", "first", "second"]
        assert slot_of(rig) is not slot

    run(scenario, Plain)


def test_events_wait_while_it_is_occupied_and_are_had_in_order_then() -> None:
    async def scenario(rig: Rig) -> None:
        slot = slot_of(rig)
        slot.is_occupied = True
        calls = [asyncio.ensure_future(wait(rig.stub().hello())) for _ in range(2)]
        await rig.settle()
        assert (slot.waiting_events(), rig.host.stats().live) == (["hello", "hello"], 0)
        slot.is_occupied = False
        slot.go_on()
        assert await asyncio.gather(*calls) == ["hello", "hello"]
        assert slot.waiting_events() == []

    async def wait(call: Any) -> Any:
        return await call

    run(scenario, Plain)


def test_a_reset_fails_what_waits_and_what_comes_then_has_another_life() -> None:
    class Starting(Plain):
        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            ctx.block_concurrency_while(GO[-1].wait)

    async def scenario(rig: Rig) -> None:
        GO.append(asyncio.Event())
        waiting = [rig.stub().hello() for _ in range(2)]
        await rig.settle()
        slot = slot_of(rig)
        slot.reset(ObjectResetError("it was reset"))
        for each in waiting:
            with pytest.raises(ObjectResetError, match="it was reset"):
                await each
        GO[-1].set()
        assert await rig.stub().hello() == "hello"

    run(scenario, Starting)


def test_its_label_names_the_object_as_well_as_anybody_knows() -> None:
    async def scenario(rig: Rig) -> None:
        slot = slot_of(rig)
        assert "x" in slot.label
        assert slot.origin("fetch") == ("Plain", slot.id, "fetch")

    run(scenario, Plain)
