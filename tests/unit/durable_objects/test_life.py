"""Construction, gates, errors and resets, as observed in the original."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import ObjectError, ObjectResetError, RemoteError
from unit.durable_objects.rig import Rig, run


class Counter(DurableObject):
    async def plain(self) -> int:
        value = (await self.ctx.storage.get("n") or 0) + 1
        await self.ctx.storage.put("n", value)
        return value

    async def sleeping(self) -> int:
        value = (await self.ctx.storage.get("n") or 0) + 1
        await asyncio.sleep(0.001)
        await self.ctx.storage.put("n", value)
        return value

    async def syncing(self) -> int:
        value = (await self.ctx.storage.get("n") or 0) + 1
        await self.ctx.storage.put("seen", True)
        await self.ctx.storage.sync()
        await self.ctx.storage.put("n", value)
        return value

    async def blocking(self) -> int:
        result: int = await self.ctx.blockConcurrencyWhile(self.sleeping)
        return result

    async def transacting(self) -> int:
        async def closure(txn: Any) -> int:
            value = (await txn.get("n") or 0) + 1
            await asyncio.sleep(0.001)
            await txn.put("n", value)
            return value

        result: int = await self.ctx.storage.transaction(closure)
        return result


@pytest.mark.feature("M-GT-1", "M-GT-2", "M-GT-3")
@pytest.mark.parametrize(
    ("method", "results"),
    [
        ("plain", [1, 2, 3, 4, 5]),
        ("sleeping", [1, 1, 1, 1, 1]),
        ("syncing", [1, 1, 1, 1, 1]),
        ("blocking", [1, 2, 3, 4, 5]),
        ("transacting", [1, 2, 3, 4, 5]),
    ],
)
def test_five_concurrent_counters(method: str, results: list[int]) -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        assert await asyncio.gather(*[getattr(stub, method)() for _ in range(5)]) == results

    run(scenario, Counter)


class Writer(DurableObject):
    """Every method writes and then ends in its way."""

    async def put_abort(self) -> None:
        self.ctx.storage.put("k", 1)
        self.ctx.abort()

    async def awaited_abort(self) -> None:
        await self.ctx.storage.put("k", 1)
        await asyncio.gather()  # nothing to wait for
        self.ctx.abort("reason")

    async def sleep_abort(self) -> None:
        self.ctx.storage.put("k", 1)
        await asyncio.sleep(0)
        self.ctx.abort()

    async def put_raise(self) -> None:
        self.ctx.storage.put("k", 1)
        raise ValueError("bad")

    async def read(self) -> Any:
        return await self.ctx.storage.get("k")


@pytest.mark.feature("M-GT-5")
@pytest.mark.parametrize(
    ("method", "kept"),
    [("put_abort", None), ("awaited_abort", None), ("sleep_abort", 1), ("put_raise", 1)],
)
def test_what_is_kept_of_a_turn_that_ends_badly(method: str, kept: int | None) -> None:
    async def scenario(rig: Rig) -> None:
        with pytest.raises((ValueError, ObjectResetError)):
            await getattr(rig.stub(), method)()
        assert await rig.stub().read() == kept
        await rig.restart()
        assert await rig.stub().read() == kept

    run(scenario, Writer)


@pytest.mark.feature("M-ST-6", "M-ST-7", "M-LC-9")
def test_an_exception_keeps_type_message_instance_and_stub() -> None:
    class OwnError(Exception): ...

    class Raising(DurableObject):
        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            self.calls = 0

        def builtin(self) -> None:
            self.calls += 1
            raise KeyError("k")

        async def own(self) -> None:
            self.calls += 1
            raise OwnError("text")

        def count(self) -> int:
            return self.calls

    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        with pytest.raises(KeyError) as builtin:
            await stub.builtin()
        assert builtin.value.args == ("k",)
        assert builtin.value.remote is True  # type: ignore[attr-defined]
        assert builtin.value.durableObjectReset is False  # type: ignore[attr-defined]
        with pytest.raises(RemoteError, match="OwnError: text") as own:
            await stub.own()
        assert own.value.remote
        assert await stub.count() == 2

    run(scenario, Raising)


@pytest.mark.feature("M-LC-2", "M-LC-3")
def test_a_failing_start_section_fails_every_waiting_event_and_loses_its_writes() -> None:
    attempts = 0

    class Failing(DurableObject):
        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            ctx.block_concurrency_while(self.start)

        async def start(self) -> None:
            nonlocal attempts
            attempts += 1
            if attempts == 1:
                await asyncio.sleep(0)
                self.ctx.storage.put("k", 1)
                raise OSError("down")

        async def read(self) -> Any:
            return await self.ctx.storage.get("k")

    async def scenario(rig: Rig) -> None:
        results = await asyncio.gather(*[rig.stub().read() for _ in range(3)], return_exceptions=True)
        assert [type(result) for result in results] == [OSError] * 3
        assert await rig.stub().read() is None

    run(scenario, Failing)


def test_the_start_section_runs_after_the_constructor_and_before_the_first_event() -> None:
    order: list[str] = []

    class Ordered(DurableObject):
        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            ctx.blockConcurrencyWhile(self.start)
            order.append("constructor")

        async def start(self) -> None:
            order.append("section")
            await asyncio.sleep(0.001)
            order.append("section ends")

        def event(self) -> None:
            order.append("event")

    async def scenario(rig: Rig) -> None:
        await asyncio.gather(rig.stub().event(), rig.stub().event())
        assert order == ["constructor", "section", "section ends", "event", "event"]

    run(scenario, Ordered)


@pytest.mark.feature("M-LC-3")
def test_a_section_gives_its_value_nests_and_holds_others() -> None:
    order: list[str] = []

    class Nesting(DurableObject):
        async def outer(self) -> str:
            async def inner() -> str:
                await asyncio.sleep(0.001)
                order.append("inner")
                return "value"

            async def section() -> str:
                value: str = await self.ctx.block_concurrency_while(inner)
                order.append("outer")
                return value

            value: str = await self.ctx.block_concurrency_while(section)
            order.append("caller")
            return value

        def other(self) -> None:
            order.append("other")

    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        first = stub.outer()
        await asyncio.gather(first, stub.other())
        assert await first == "value"
        assert order == ["inner", "outer", "caller", "other"]

    run(scenario, Nesting)


def test_another_handler_does_not_go_on_while_a_section_runs() -> None:
    order: list[str] = []

    class Resuming(DurableObject):
        async def sleeper(self) -> None:
            await asyncio.sleep(0.001)
            order.append("sleeper")

        async def blocker(self) -> None:
            async def section() -> None:
                await asyncio.sleep(0.01)
                order.append("section")

            await self.ctx.block_concurrency_while(section)

    async def scenario(rig: Rig) -> None:
        await asyncio.gather(rig.stub().sleeper(), rig.stub().blocker())
        assert order == ["section", "sleeper"]

    run(scenario, Resuming)


@pytest.mark.feature("M-LC-3")
def test_a_failing_section_resets_the_object_even_if_caught() -> None:
    class Catching(DurableObject):
        async def section(self) -> str:
            async def callback() -> None:
                raise ValueError("inside")

            try:
                await self.ctx.block_concurrency_while(callback)
            except ValueError:
                return "caught"
            return "no error"

        async def waits(self) -> None:
            await asyncio.sleep(3600)

        def hello(self) -> str:
            return "hello"

    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        waiting = stub.waits()
        with pytest.raises(ValueError, match="inside"):
            await stub.section()
        with pytest.raises(ValueError, match="inside"):
            await waiting
        with pytest.raises(ValueError, match="inside"):
            await stub.hello()
        assert await rig.stub().hello() == "hello"

    run(scenario, Catching)


@pytest.mark.feature("M-LC-3")
def test_a_section_of_more_than_thirty_seconds_resets_the_object() -> None:
    class Stuck(DurableObject):
        async def stuck(self) -> None:
            await self.ctx.block_concurrency_while(asyncio.Event().wait)

        def hello(self) -> str:
            return "hello"

    async def scenario(rig: Rig) -> None:
        stuck = asyncio.ensure_future(rig.stub().stuck())
        queued = rig.stub().hello()
        await rig.pass_time(29)
        assert not stuck.done()
        await rig.pass_time(1)
        for call in (stuck, queued):
            with pytest.raises(ObjectError, match="waited for too long") as caught:
                await call
            assert caught.value.overloaded
            assert caught.value.durable_object_reset
        assert await rig.stub().hello() == "hello"

    run(scenario, Stuck)


@pytest.mark.feature("M-LC-3")
def test_sections_that_are_nested_too_deeply_are_refused() -> None:
    class Deep(DurableObject):
        async def dive(self, depth: int) -> int:
            if depth == 0:
                return 0
            below: int = await self.ctx.block_concurrency_while(lambda: self.dive(depth - 1))
            return below + 1

    async def scenario(rig: Rig) -> None:
        assert await rig.stub("a").dive(64) == 64
        with pytest.raises(RuntimeError, match="nested too deeply"):
            await rig.stub("b").dive(65)

    run(scenario, Deep)


@pytest.mark.feature("M-ST-8", "M-ST-7", "M-LC-7")
def test_abort_fails_everything_under_way_and_cannot_be_swallowed() -> None:
    after: list[str] = []

    class Aborting(DurableObject):
        async def waits(self) -> None:
            await asyncio.sleep(3600)

        async def aborts(self) -> str:
            try:
                self.ctx.abort("because")
            except Exception:
                after.append("swallowed")
            after.append("went on")
            return "result"

        def hello(self) -> str:
            return "hello"

    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        waiting = stub.waits()
        calls: list[Any] = [stub.aborts, lambda: waiting, stub.hello]
        for call in calls:
            with pytest.raises(ObjectResetError, match="because") as caught:
                await call()
            assert caught.value.durable_object_reset
        assert not after
        assert await rig.stub().hello() == "hello"

    run(scenario, Aborting)


def test_the_first_stretch_of_a_handler_has_a_task_that_stays_the_same() -> None:
    class Timing(DurableObject):
        async def call(self) -> bool:
            before = asyncio.current_task()
            async with asyncio.timeout(10):
                await asyncio.sleep(0)
            return before is not None and before is asyncio.current_task()

        async def times_out(self) -> str:
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.sleep(3600)
            except TimeoutError:
                return "timed out"
            return "not"

    async def scenario(rig: Rig) -> None:
        assert await rig.stub().call()
        assert await rig.stub().times_out() == "timed out"

    run(scenario, Timing)


@pytest.mark.feature("M-GT-2")
def test_an_object_calls_another_and_itself_in_between() -> None:
    class Caller(DurableObject):
        async def ask(self, other: str, rig_index: int) -> list[str]:
            stub = RIGS[rig_index].stub(other)
            return [await stub.answer(), await RIGS[rig_index].stub().answer()]

        def answer(self) -> str:
            return str(self.ctx.id.name)

    async def scenario(rig: Rig) -> None:
        RIGS.append(rig)
        assert await rig.stub().ask("other", len(RIGS) - 1) == ["other", "x"]

    run(scenario, Caller)


RIGS: list[Rig] = []


@pytest.mark.feature("M-NS-6")
def test_the_name_is_known_after_a_restart_when_reached_by_id() -> None:
    class Named(DurableObject):
        async def write(self) -> None:
            await self.ctx.storage.put("k", 1)

        def own_name(self) -> str | None:
            name: str | None = self.ctx.id.name
            return name

    async def scenario(rig: Rig) -> None:
        by_id = rig.namespace.id_from_string(str(rig.namespace.id_from_name("x")))
        assert await rig.namespace.get(by_id).own_name() is None
        await rig.namespace.get(by_id).write()
        assert await rig.stub().own_name() == "x"
        await rig.restart()
        assert await rig.namespace.get(by_id).own_name() == "x"
        assert [id.name for id in rig.host.ids("Named")] == ["x"]

    run(scenario, Named)


@pytest.mark.feature("M-LC-5", "M-LC-8")
def test_wait_until_keeps_the_object_awake_and_logs_failure(caplog: pytest.LogCaptureFixture) -> None:
    class Working(DurableObject):
        done = False

        def start(self) -> None:
            self.ctx.waitUntil(self.work())

        async def work(self) -> None:
            await EVENTS[-1].wait()
            raise ValueError("in the background")

    async def scenario(rig: Rig) -> None:
        EVENTS.append(asyncio.Event())
        await rig.stub().start()
        await rig.pass_time(60)
        assert rig.host.stats().live == 1
        EVENTS[-1].set()
        await rig.pass_time(9)
        assert rig.host.stats().live == 1
        await rig.pass_time(1)
        assert rig.host.stats().live == 0

    run(scenario, Working)
    assert "in the background" in caplog.text


EVENTS: list[asyncio.Event] = []


@pytest.mark.feature("M-LC-5")
def test_a_task_of_the_object_keeps_it_awake() -> None:
    class Working(DurableObject):
        def start(self) -> None:
            self.task = asyncio.get_running_loop().create_task(EVENTS[-1].wait())

    async def scenario(rig: Rig) -> None:
        EVENTS.append(asyncio.Event())
        await rig.stub().start()
        await rig.pass_time(30)
        assert rig.host.stats().live == 1
        EVENTS[-1].set()
        await rig.pass_time(20)
        assert rig.host.stats().live == 0

    run(scenario, Working)


@pytest.mark.feature("M-LC-6")
def test_a_name_that_is_not_used_takes_no_memory() -> None:
    async def scenario(rig: Rig) -> None:
        for number in range(50):
            await rig.stub(str(number)).plain()
        assert rig.host.stats().live == 50
        await rig.pass_time(10)
        stats = rig.host.stats()
        assert (stats.live, stats.sleeping) == (0, 0)

    run(scenario, Counter)
