"""The CPU time of events: what runs is told what time it is, and how much of it passes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.durable_objects import cpu_time
from durabase.durable_objects.events import EventHandled
from unit.durable_objects.rig import Accepting, Rig, run

MILLISECOND = 1_000_000


class Cpu:
    """A thread's CPU time, that passes when code says so."""

    now = 0

    def spend(self, milliseconds: int) -> None:
        self.now += milliseconds * MILLISECOND


cpu = Cpu()


class Busy(Accepting):
    async def wait(self) -> None:
        cpu.spend(1)
        await asyncio.sleep(0)
        cpu.spend(2)
        await self.inner()
        cpu.spend(3)

    async def inner(self) -> None:
        cpu.spend(10)
        await asyncio.sleep(0)
        cpu.spend(20)

    def at_once(self) -> None:
        cpu.spend(7)

    async def fail(self) -> None:
        await asyncio.sleep(0)
        cpu.spend(5)
        raise ValueError("failed")

    async def call(self, other: Any) -> None:
        cpu.spend(1)
        promise = other.wait()  # its first stretch runs within this call
        cpu.spend(100)
        await promise
        cpu.spend(1000)

    def web_socket_message(self, ws: Any, message: str) -> None:
        cpu.spend(4)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_time, "thread_time_ns", lambda: cpu.now)


def spent(rig: Rig) -> dict[str, float | None]:
    return {fact.kind: fact.cpu_milliseconds for fact in rig.facts if isinstance(fact, EventHandled)}


@pytest.mark.feature("S-OB-1")
def test_the_stretches_of_a_handler_are_counted_and_its_waits_are_not() -> None:
    async def scenario(rig: Rig) -> None:
        rig.host.watch.measures_cpu = True
        waiting = rig.stub().wait()
        cpu.spend(100_000)  # of somebody else
        await waiting
        await rig.stub().at_once()
        with pytest.raises(ValueError, match="failed"):
            await rig.stub().fail()
        assert spent(rig) == {"wait": 36, "at_once": 7, "fail": 5}

    run(scenario, Busy, observed=True)


@pytest.mark.feature("S-OB-1")
def test_what_another_object_does_within_a_call_is_its_own() -> None:
    async def scenario(rig: Rig) -> None:
        rig.host.watch.measures_cpu = True
        await rig.stub("x").call(rig.stub("y"))
        assert spent(rig) == {"wait": 36, "call": 1101}

    run(scenario, Busy, observed=True)


def test_messages_are_measured_while_they_are_told_of() -> None:
    async def scenario(rig: Rig) -> None:
        rig.host.watch.measures_cpu = True
        rig.host.tell_messages(True)
        wire = await rig.connect()
        wire.sink.on_text("hello")
        assert spent(rig)["web_socket_message"] == 4

    run(scenario, Busy, observed=True)


def test_nothing_is_measured_unless_somebody_asks_for_it() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().at_once()
        assert spent(rig) == {"at_once": None}

    run(scenario, Busy, observed=True)


def test_what_is_cancelled_is_counted_until_then() -> None:
    async def scenario(rig: Rig) -> None:
        rig.host.watch.measures_cpu = True
        time = cpu_time.CpuTime()

        async def work() -> None:
            cpu.spend(1)
            try:
                await asyncio.sleep(3600)
            finally:
                cpu.spend(2)

        task = asyncio.ensure_future(time.around(work)())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.milliseconds == 3

    run(scenario, Busy)
