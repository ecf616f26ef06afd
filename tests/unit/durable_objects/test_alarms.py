"""Alarms: never early, retried, replaced, kept over restarts; as observed in the original."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from durabase.durable_objects import AlarmInfo, DurableObject
from unit.durable_objects.rig import Rig, run


class Ringing(DurableObject):
    """Keeps what it was told in the class, as instances come and go."""

    rung: list[Any]
    fail_times = 0

    async def set(self, milliseconds: int) -> None:
        await self.ctx.storage.set_alarm(milliseconds)

    async def get(self) -> Any:
        return await self.ctx.storage.get_alarm()

    async def alarm(self, info: AlarmInfo) -> None:
        cls = type(self)
        cls.rung.append((info.scheduled_time, info.retry_count, info.is_retry))
        assert await self.ctx.storage.get_alarm() is None
        if cls.fail_times:
            cls.fail_times -= 1
            raise ValueError("try again")


RIGS: list[Rig] = []


def ringing(**members: Any) -> type[Ringing]:
    return type("Ringing", (Ringing,), {"rung": [], **members})


def test_an_alarm_is_not_early_and_is_over_then() -> None:
    cls = ringing()

    async def scenario(rig: Rig) -> None:
        due = rig.clock.now_ms() + 60_000
        await rig.stub().set(due)
        assert await rig.stub().get() == due
        await rig.pass_time(59.999)
        assert cls.rung == []
        await rig.pass_time(0.001)
        assert cls.rung == [(due, 0, False)]
        assert await rig.stub().get() is None
        await rig.pass_time(3600)
        assert len(cls.rung) == 1

    run(scenario, cls)


def test_an_alarm_survives_a_restart_knows_the_name_and_an_overdue_one_rings_at_once() -> None:
    names: list[Any] = []

    async def alarm(self: Any) -> None:
        names.append(self.ctx.id.name)

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        await rig.stub().set(rig.clock.now_ms() + 1000)
        await rig.restart()
        await rig.pass_time(1)
        assert names == ["x"]
        await rig.stub().set(rig.clock.now_ms() + 1000)
        await rig.host.__aexit__(None, None, None)
        rig.clock.advance(5000)
        rig.host = rig._made()
        await rig.host.__aenter__()
        await rig.settle()
        assert names == ["x", "x"]

    run(scenario, cls)


def test_seven_tries_with_growing_distance_then_it_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    times: list[int] = []

    async def alarm(self: Any, info: AlarmInfo) -> None:
        times.append(RIGS[-1].clock.now_ms())
        await Ringing.alarm(self, info)

    cls = ringing(fail_times=100, alarm=alarm)

    async def scenario(rig: Rig) -> None:
        RIGS.append(rig)
        due = rig.clock.now_ms() + 1000
        await rig.stub().set(due)
        await rig.pass_time(5)
        assert await rig.stub().get() == due
        await rig.pass_time(3600)
        assert await rig.stub().get() is None
        assert cls.rung == [(due, retry, retry > 0) for retry in range(7)]
        distances = [after - before for before, after in pairwise(times)]
        for retry, distance in enumerate(distances):
            assert 2000 * 2**retry <= distance <= 2500 * 2**retry

    run(scenario, cls)
    assert "try again" in caplog.text


def test_writes_made_before_the_failure_are_kept_and_a_good_retry_ends_it() -> None:
    async def alarm(self: Any, info: AlarmInfo) -> None:
        await self.ctx.storage.put(f"run {info.retry_count}", 1)
        if info.retry_count == 0:
            raise ValueError

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        await rig.stub().set(rig.clock.now_ms())
        await rig.pass_time(10)
        assert await rig.run_in(lambda i, ctx: ctx.storage.list()) == {"run 0": 1, "run 1": 1}
        assert await rig.stub().get() is None

    run(scenario, cls)


def test_an_alarm_set_in_the_handler_follows_and_replaces_a_retry() -> None:
    async def alarm(self: Any, info: AlarmInfo) -> None:
        self.rung.append(info.retry_count)
        if len(self.rung) < 3:
            await self.ctx.storage.set_alarm(self.rung_clock.now_ms() + 1000)
            assert await self.ctx.storage.get_alarm() is not None
            raise ValueError

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        cls.rung_clock = rig.clock  # type: ignore[attr-defined]
        await rig.stub().set(rig.clock.now_ms())
        await rig.settle()
        assert cls.rung == [0]
        await rig.pass_time(1)
        await rig.pass_time(1)
        assert cls.rung == [0, 0, 0]
        await rig.pass_time(60)
        assert len(cls.rung) == 3

    run(scenario, cls)


def test_an_alarm_deleted_in_a_handler_that_fails_is_not_retried() -> None:
    async def alarm(self: Any) -> None:
        self.rung.append(1)
        await self.ctx.storage.delete_alarm()
        raise ValueError

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        await rig.stub().set(rig.clock.now_ms())
        await rig.pass_time(600)
        assert cls.rung == [1]

    run(scenario, cls)


def test_an_alarm_set_while_the_handler_runs_comes_after_it() -> None:
    order: list[str] = []
    go: list[asyncio.Event] = []

    async def alarm(self: Any) -> None:
        order.append("start")
        await go[0].wait()
        order.append("end")

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        go.append(asyncio.Event())
        await rig.stub().set(rig.clock.now_ms())
        await rig.settle()
        await rig.stub().set(rig.clock.now_ms())
        await rig.pass_time(60)
        assert order == ["start"]
        go[0].set()
        await rig.settle()
        assert order == ["start", "end", "start", "end"]

    run(scenario, cls)


def test_abort_in_the_handler_is_a_failure() -> None:
    async def alarm(self: Any, info: AlarmInfo) -> None:
        self.rung.append(info.retry_count)
        if info.retry_count == 0:
            self.ctx.abort("enough")

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        await rig.stub().set(rig.clock.now_ms() + 1000)
        await rig.pass_time(3.6)
        assert cls.rung == [0, 1]
        assert await rig.stub().get() is None

    run(scenario, cls)


def test_a_handler_that_takes_more_than_fifteen_minutes_is_stopped_and_retried() -> None:
    async def alarm(self: Any, info: AlarmInfo) -> None:
        self.rung.append(info.retry_count)
        if info.retry_count == 0:
            await asyncio.Event().wait()

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        await rig.stub().set(rig.clock.now_ms())
        await rig.pass_time(899)
        assert cls.rung == [0]
        await rig.pass_time(4)
        assert cls.rung == [0, 1]

    run(scenario, cls)


def test_many_alarms_ring_in_order_without_opening_objects_before() -> None:
    cls = ringing()

    async def scenario(rig: Rig) -> None:
        start = rig.clock.now_ms()
        for number in range(20):
            await rig.stub(str(number)).set(start + 60_000 + (7 * number % 20) * 1000)
        await rig.pass_time(20)
        assert rig.host.stats().live == 0
        await rig.pass_time(60)
        assert [scheduled - start for scheduled, *_ in cls.rung] == [60_000 + n * 1000 for n in range(20)]

    run(scenario, cls)


def test_a_transaction_that_fails_takes_its_alarm_back() -> None:
    cls = ringing()

    async def scenario(rig: Rig) -> None:
        def closure(instance: Any, ctx: Any) -> None:
            def fails() -> None:
                ctx.storage.set_alarm(rig.clock.now_ms())
                raise ValueError

            with pytest.raises(ValueError):
                ctx.storage.transaction_sync(fails)

        await rig.run_in(closure)
        await rig.pass_time(1)
        assert cls.rung == []

    run(scenario, cls)
