"""``pre_shutdown``: called before an instance goes, with the reason; may write; has ten seconds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.durable_objects import ObjectKey
from durabase.errors import ObjectError

from .rig import Accepting, Rig, run

TOLD: list[str] = []


@pytest.fixture(autouse=True)
def _nobody_told() -> None:
    TOLD.clear()


class Leaving(Accepting):
    async def hello(self) -> str:
        return "hello"

    async def work(self) -> None:
        await asyncio.Event().wait()

    async def pre_shutdown(self, info: Any) -> None:
        TOLD.append(info.reason)
        await asyncio.sleep(0)
        await self.ctx.storage.put("saved", len(TOLD))

    async def saved(self) -> Any:
        return await self.ctx.storage.get("saved")


@pytest.mark.feature("S-LC-5")
def test_an_object_is_told_before_it_sleeps_and_may_write() -> None:
    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        await rig.pass_time(10)
        assert (TOLD, rig.host.stats().live, wire.sent) == (["inactive"], 0, [])
        assert await rig.stub().saved() == 1
        await rig.pass_time(10)
        assert TOLD == ["inactive", "inactive"]

    run(scenario, Leaving)


@pytest.mark.feature("S-LC-5")
def test_the_reason_of_an_eviction_a_reload_and_a_stop() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().hello()
        await rig.host.evict(ObjectKey("Leaving", rig.namespace.id_from_name("x")))
        await rig.stub().hello()
        await rig.host.replace([rig.definition(type("Leaving", (Accepting,), {}))])
        assert TOLD == ["inactive", "codeUpdated"]
        await rig.host.replace([rig.definition(Leaving)])
        await rig.stub().hello()
        await rig.restart()
        assert TOLD == ["inactive", "codeUpdated", "stopped"]
        assert await rig.stub().saved() == 3

    run(scenario, Leaving)


@pytest.mark.feature("S-LC-5")
def test_events_wait_meanwhile_and_meet_the_next_life() -> None:
    order: list[str] = []

    class Slow(Leaving):
        async def preShutdown(self) -> None:
            order.append("leaving")
            await GO[0].wait()
            order.append("left")

        async def hello(self) -> str:
            order.append("hello")
            return "hello"

    async def scenario(rig: Rig) -> None:
        GO[:] = [asyncio.Event()]
        await rig.stub().hello()
        await rig.pass_time(10)
        greeted = asyncio.ensure_future(rig.stub().hello())
        await rig.pass_time(5)
        assert order == ["hello", "leaving"]
        GO[0].set()
        assert await greeted == "hello"
        assert order == ["hello", "leaving", "left", "hello"]

    run(scenario, Slow)


GO: list[asyncio.Event] = []


@pytest.mark.feature("S-LC-5")
def test_it_has_ten_seconds_and_sockets_stay(caplog: pytest.LogCaptureFixture) -> None:
    class Endless(Leaving):
        async def pre_shutdown(self, info: Any) -> None:
            await self.ctx.storage.put("saved", "begun")
            await asyncio.Event().wait()

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        await rig.pass_time(19.9)
        assert rig.host.stats().live == 1
        await rig.pass_time(0.1)
        assert (rig.host.stats().live, rig.host.stats().sockets, wire.sent) == (0, 1, [])
        assert await rig.stub().saved() == "begun"
        await rig.pass_time(20)

    run(scenario, Endless)
    assert "pre_shutdown of Endless(x) took more than ten seconds" in caplog.text


@pytest.mark.feature("S-LC-5")
def test_a_failure_is_logged_and_a_reset_tells_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Leaving):
        def pre_shutdown(self) -> None:
            TOLD.append("failing")
            raise ValueError("not now")

    async def scenario(rig: Rig) -> None:
        with pytest.raises(ObjectError, match="enough"):
            await rig.run_in(lambda instance, ctx: ctx.abort("enough"))
        await rig.pass_time(30)
        assert TOLD == []
        await rig.stub().hello()
        await rig.pass_time(10)
        assert (TOLD, rig.host.stats().live) == (["failing"], 0)

    run(scenario, Failing)
    assert "not now" in caplog.text


def test_it_can_not_be_called_from_outside() -> None:
    async def scenario(rig: Rig) -> None:
        for name in ("pre_shutdown", "preShutdown"):
            with pytest.raises(TypeError, match="reserved"):
                await getattr(rig.stub(), name)()

    run(scenario, Leaving)
