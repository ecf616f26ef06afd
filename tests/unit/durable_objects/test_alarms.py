"""Alarms: never early, retried, replaced, kept over restarts; as observed in the original."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from durabase.durable_objects import AlarmInfo, DurableObject
from durabase.durable_objects.routing import ObjectKey
from durabase.errors import ObjectResetError
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


@pytest.mark.feature("M-AL-1", "M-AL-2", "M-AL-4")
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


@pytest.mark.feature("M-AL-2", "M-AL-4")
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


@pytest.mark.feature("M-AL-3")
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
        scheduler = rig.host.scheduler
        assert list(scheduler.retries.values()) == [6]
        assert list(scheduler.given_up.values()) == [1]

    run(scenario, cls)
    assert "try again" in caplog.text


@pytest.mark.feature("M-AL-3")
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


@pytest.mark.feature("M-AL-3")
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


@pytest.mark.feature("M-AL-3")
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


@pytest.mark.feature("M-AL-2")
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
        assert await rig.stub().get() is not None
        go[0].set()
        await rig.settle()
        assert order == ["start", "end", "start", "end"]

    run(scenario, cls)


@pytest.mark.feature("M-AL-3", "S-AL-1")
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


@pytest.mark.feature("S-AL-1")
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


@pytest.mark.feature("M-AL-5")
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


@pytest.mark.feature("M-AL-1")
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


@pytest.mark.feature("C-LC-3")
@pytest.mark.parametrize("options", [({"retryAlarm": False},), ()])
def test_abort_may_say_that_the_alarm_is_not_tried_again(options: tuple[Any, ...]) -> None:
    async def alarm(self: Any, info: AlarmInfo) -> None:
        self.rung.append(info.retry_count)
        if options:
            self.ctx.abort("enough", *options)
        self.ctx.abort("enough", retry_alarm=info.retry_count == 0)

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        await rig.stub().set(rig.clock.now_ms() + 1000)
        await rig.pass_time(600)
        assert cls.rung == ([0] if options else [0, 1])
        assert await rig.stub().get() is None

    run(scenario, cls)


@pytest.mark.feature("C-LC-3")
def test_abort_from_another_event_drops_the_alarm_that_it_interrupts_but_not_one_that_is_set() -> None:
    async def alarm(self: Any, info: AlarmInfo) -> None:
        self.rung.append(info.scheduled_time)
        if len(self.rung) == 1:
            await asyncio.Event().wait()

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        await rig.stub().set(rig.clock.now_ms())
        await rig.settle()
        next_due = rig.clock.now_ms() + 1000
        await rig.stub().set(next_due)
        with pytest.raises(ObjectResetError):
            await rig.run_in(lambda instance, ctx: ctx.abort("over", retry_alarm=False))
        await rig.pass_time(600)
        assert cls.rung[1:] == [next_due]

    run(scenario, cls)


@pytest.mark.feature("S-AL-1")
def test_what_is_not_the_handlers_fault_is_not_counted() -> None:
    async def alarm(self: Any, info: AlarmInfo) -> None:
        self.rung.append(info.retry_count)
        if len(self.rung) < 11:
            await asyncio.Event().wait()

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        await rig.stub().set(rig.clock.now_ms())
        await rig.settle()
        lost = ObjectResetError("the machine went", retryable=True)
        for _ in range(10):
            key = ObjectKey(cls.__name__, rig.namespace.id_from_name("x"))
            rig.host.abort(key, lost)
            await rig.pass_time(80)
        assert cls.rung == [0] * 11

    run(scenario, cls)


@pytest.mark.feature("S-AL-1")
def test_a_critical_section_that_takes_too_long_is_the_handlers_fault() -> None:
    async def alarm(self: Any, info: AlarmInfo) -> None:
        self.rung.append(info.retry_count)
        await self.ctx.block_concurrency_while(asyncio.Event().wait)

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        await rig.stub().set(rig.clock.now_ms())
        await rig.pass_time(3600)
        assert cls.rung == list(range(7))

    run(scenario, cls)


@pytest.mark.feature("M-AL-2")
def test_requests_come_in_while_the_handler_waits() -> None:
    go: list[asyncio.Event] = []

    async def alarm(self: Any) -> None:
        await go[0].wait()
        self.rung.append("over")

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        go.append(asyncio.Event())
        await rig.stub().set(rig.clock.now_ms())
        await rig.settle()
        assert await rig.stub().get() is None
        assert cls.rung == []
        go[0].set()
        await rig.settle()
        assert cls.rung == ["over"]

    run(scenario, cls)


async def overdue(rig: Rig, count: int) -> None:
    """A server that has been down while the alarms of so many objects fell due."""
    for number in range(count):
        namespace = rig.host.namespace(rig.classes[number % len(rig.classes)].__name__)
        await namespace.get_by_name(str(number)).set(rig.clock.now_ms() + 1000 + number)
    await rig.host.__aexit__(None, None, None)
    rig.clock.advance(5000)
    rig.host = rig._made()
    await rig.host.__aenter__()


@pytest.mark.feature("S-AL-2")
def test_many_overdue_alarms_start_a_few_at_a_time_the_oldest_first_of_all_classes() -> None:
    async def alarm(self: Any, info: AlarmInfo) -> None:
        every.append(info.scheduled_time)

    every: list[int] = []
    classes = (ringing(alarm=alarm), type("Early", (ringing(alarm=alarm),), {}))

    async def scenario(rig: Rig) -> None:
        await overdue(rig, 150)
        steps = []
        while len(every) < 150:
            before = len(every)
            await asyncio.sleep(0)
            steps.append(len(every) - before)
        assert max(steps) == 16
        assert every == sorted(every)

    run(scenario, *classes)


@pytest.mark.feature("S-AL-2")
def test_only_so_many_alarms_are_under_way_but_slow_ones_do_not_hold_up_the_others() -> None:
    go: list[asyncio.Event] = []

    async def alarm(self: Any, info: AlarmInfo) -> None:
        self.rung.append(info.scheduled_time)
        await go[0].wait()

    cls = ringing(alarm=alarm)

    async def scenario(rig: Rig) -> None:
        go.append(asyncio.Event())
        await overdue(rig, 230)
        await rig.pass_time(4.9)
        assert len(cls.rung) == 100
        await rig.pass_time(0.1)
        assert len(cls.rung) == 200
        go[0].set()
        await rig.settle()
        assert len(cls.rung) == 230
        assert cls.rung == sorted(cls.rung)

    run(scenario, cls)
