"""What an object has given away: through which gates calls of it go, and for how long they do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, RpcTarget

from .rig import Rig, run
from .test_rpc_stub import Giving


@pytest.mark.feature("S-ST-2", "M-GT-1")
def test_calls_of_targets_enter_through_the_gates_of_the_giver() -> None:
    class Careful(Giving):
        async def busy(self, other: Any) -> list[str]:
            order: list[str] = []

            async def section() -> None:
                def hear(text: str) -> None:
                    order.append(text)

                await other.call(hear, "from within")
                await asyncio.sleep(0)
                order.append("end")

            outside = other.call(lambda text: order.append(text), "from outside")
            await self.ctx.block_concurrency_while(section)
            await outside
            return order

    async def scenario(rig: Rig) -> None:
        assert await rig.stub("a").busy(rig.stub("b")) == ["from within", "end", "from outside"]

    run(scenario, Careful)


@pytest.mark.feature("S-ST-2", "M-GT-4")
def test_results_of_targets_wait_for_the_writes_of_the_giver() -> None:
    class Writer(RpcTarget):
        def __init__(self, ctx: Any) -> None:
            self.ctx = ctx

        def write(self) -> bool:
            self.ctx.storage.put("key", 1)
            return bool(self.ctx._host.output.is_open)

        def fail(self) -> None:
            self.ctx.abort("after all")

    class Writing(DurableObject):
        def writer(self) -> Writer:
            return Writer(self.ctx)

    async def scenario(rig: Rig) -> None:
        writer = await rig.stub().writer()
        gate = await rig.run_in(lambda instance, ctx: ctx._host.output)
        assert await writer.write() is False
        assert gate.is_open
        with pytest.raises(Exception, match="after all"):
            await writer.fail()

    run(scenario, Writing)


@pytest.mark.feature("S-ST-2", "M-LC-5")
def test_an_object_stays_awake_as_long_as_others_have_stubs_of_it() -> None:
    async def scenario(rig: Rig) -> None:
        counter = await rig.stub().target()
        await rig.pass_time(60)
        assert rig.host.stats().live == 1
        assert await counter.add() == 1
        counter.destroy()
        await rig.pass_time(30)
        assert rig.host.stats().live == 0

    run(scenario, Giving)


@pytest.mark.feature("S-ST-2", "M-ST-8")
def test_stubs_of_a_life_fail_when_it_is_over() -> None:
    async def scenario(rig: Rig) -> None:
        counter = await rig.stub().target()
        with pytest.raises(Exception, match="stopped"):
            await rig.stub().stop()
        with pytest.raises(Exception, match="stopped") as caught:
            await counter.add()
        assert caught.value.durable_object_reset  # type: ignore[attr-defined]
        counter = await rig.stub().target()
        await rig.host.replace([rig.definition(Giving)])
        with pytest.raises(Exception, match="over") as caught:
            await counter.add()
        assert caught.value.retryable  # type: ignore[attr-defined]

    run(scenario, Giving)
