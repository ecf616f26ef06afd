"""Tasks and timers that an object's code starts: attributed, held by the input gate, ended with the life."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.durable_objects.routing import current_caller

from .rig import Rig, run

LOG: list[Any] = []
GO: list[asyncio.Event] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    LOG.clear()


class Starting(DurableObject):
    """Starts what tests ask for; timers of the event loop run by the real time."""

    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        self.go = asyncio.Event()

    def start_task(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        await self.go.wait()
        LOG.append("worked")

    def start_timer(self, seconds: float) -> None:
        self.timer = asyncio.get_running_loop().call_later(seconds, LOG.append, "rung")

    def start_timer_at(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self.timer = loop.call_at(
            loop.time() + seconds, LOG.append, "rung", context=contextvars.copy_context()
        )

    def cancel_timer(self) -> None:
        self.timer.cancel()

    async def section(self, before: str, *arguments: Any) -> None:
        getattr(self, before)(*arguments)
        await self.ctx.block_concurrency_while(self._section)

    async def _section(self) -> None:
        self.go.set()
        for _ in range(10):
            await asyncio.sleep(0)
        await asyncio.sleep(0.001)  # a timer of its own is not held
        LOG.append("section over")

    async def counted(self) -> int:
        async def once() -> int:
            count = await self.ctx.storage.get("count") or 0
            await self.ctx.storage.put("count", count + 1)
            return count + 1

        return max(await asyncio.gather(*(asyncio.create_task(once()) for _ in range(5))))


class Asking(DurableObject):
    async def ask(self) -> None:
        self.other = self.env.get_by_name("other")
        await self.other.start_timer(0)
        await GO[0].wait()


@pytest.mark.feature("M-LC-5", "S-LC-1")
@pytest.mark.parametrize("method", ["start_task", "start_timer", "start_timer_at"])
def test_a_task_or_timer_keeps_the_object_awake_but_not_for_ever(method: str) -> None:
    async def scenario(rig: Rig) -> None:
        await getattr(rig.stub(), method)(*([] if method == "start_task" else [600]))
        await rig.pass_time(69)
        assert rig.host.stats().live == 1
        await rig.pass_time(11)
        assert rig.host.stats().live == 0

    run(scenario, Starting)


@pytest.mark.feature("M-LC-5")
def test_a_timer_that_is_over_or_cancelled_does_not_keep_the_object_awake() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub("a").start_timer(600)
        await rig.stub("a").cancel_timer()
        await rig.stub("b").start_timer(0)
        await rig.pass_time(10)
        assert LOG == ["rung"]
        assert rig.host.stats().live == 0

    run(scenario, Starting)


@pytest.mark.feature("M-LC-5")
def test_timers_and_tasks_end_with_the_life() -> None:
    kept: list[Any] = []

    async def scenario(rig: Rig) -> None:
        await rig.run_in(lambda instance, ctx: instance.start_timer(600))
        await rig.run_in(lambda instance, ctx: instance.start_task())
        await rig.run_in(lambda instance, ctx: kept.extend([instance.timer, instance.task]))
        with pytest.raises(Exception, match="over"):
            await rig.run_in(lambda instance, ctx: ctx.abort("over"))
        await rig.settle()
        assert [work.cancelled() for work in kept] == [True, True]

    run(scenario, Starting)


@pytest.mark.feature("M-GT-1")
@pytest.mark.parametrize("method", ["start_task", "start_timer"])
def test_tasks_and_timers_do_not_go_on_while_a_critical_section_runs(method: str) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().section(method, *([] if method == "start_task" else [0]))
        await rig.settle()
        assert ["section over", "worked" if method == "start_task" else "rung"] == LOG

    run(scenario, Starting)


@pytest.mark.feature("M-GT-1")
def test_tasks_that_wait_for_storage_alone_do_not_come_between_one_another() -> None:
    async def scenario(rig: Rig) -> None:
        assert await rig.stub().counted() == 5

    run(scenario, Starting)


@pytest.mark.feature("M-LC-5")
def test_a_stub_that_an_unfinished_event_has_used_keeps_the_object_awake() -> None:
    async def scenario(rig: Rig) -> None:
        rig.host.register(rig.definition(Asking), env=rig.namespace)
        GO[:] = [asyncio.Event()]
        asking = asyncio.ensure_future(rig.host.namespace("Asking").get_by_name("caller").ask())
        await rig.pass_time(200)
        assert rig.host.stats().live == 2
        GO[0].set()
        await asking
        await rig.pass_time(20)
        assert rig.host.stats().live == 0

    run(scenario, Starting)


class Call:
    """One call of a worker."""

    has_open_events = True


@pytest.mark.feature("M-LC-5")
def test_a_stub_that_is_gone_or_was_used_from_outside_does_not_keep_the_object_awake() -> None:
    call = Call()

    async def scenario(rig: Rig) -> None:
        outside = rig.stub("a")
        await outside.start_timer(0)
        current_caller.set(call)
        used, gone = rig.stub("b"), rig.stub("c")
        await used.start_timer(0)
        await gone.start_timer(0)
        del gone
        await rig.pass_time(10)
        assert [str(slot.id.name) for slot in rig.host.classes["Starting"].slots.values()] == ["b"]
        call.has_open_events = False
        await rig.pass_time(10)
        assert rig.host.stats().live == 0

    run(scenario, Starting)


def test_the_loop_is_as_it_was_when_the_host_is_gone() -> None:
    async def scenario(rig: Rig) -> None:
        loop = asyncio.get_running_loop()
        assert {"call_later", "call_at"} <= vars(loop).keys()
        await rig.host.__aexit__(None, None, None)
        assert not {"call_later", "call_at"} & vars(loop).keys()
        assert loop.get_task_factory() is None
        rig.host = rig._made()
        await rig.host.__aenter__()

    run(scenario, Starting)


def test_timers_that_were_cancelled_are_not_kept() -> None:
    async def scenario(rig: Rig) -> None:
        def many(instance: Any, ctx: Any) -> int:
            for _ in range(1000):
                asyncio.get_running_loop().call_later(600, LOG.append, "rung").cancel()
            return len(ctx._host.started._timers)

        assert await rig.run_in(many) <= 65
        await rig.pass_time(10)
        assert rig.host.stats().live == 0

    run(scenario, Starting)
