"""What waits for an object has bounds, and objects that call each other leave the event loop its turns."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, ObjectLimits
from durabase.durable_objects.definition import Bindings
from durabase.durable_objects.tally import Tally
from durabase.durable_objects.waiting import EventQueue, Waiting
from durabase.errors import ObjectOverloadedError
from durabase.testing.fake_clock import FakeClock
from durabase.web import Response

from .rig import Rig, run


class Blocked(DurableObject):
    """Lets nothing in until it is told to."""

    free: asyncio.Event

    async def block(self) -> None:
        await self.ctx.block_concurrency_while(Blocked.free.wait)

    def echo(self, value: Any) -> Any:
        return value

    async def fetch(self, request: Any) -> Response:
        return Response(await request.text())


def limited(scenario: Any, **limits: Any) -> None:
    async def within(rig: Rig) -> None:
        Blocked.free = asyncio.Event()
        blocking = rig.stub().block()
        await asyncio.sleep(0)
        await scenario(rig)
        Blocked.free.set()
        await blocking

    run(within, Blocked, limits=ObjectLimits(**limits))


@pytest.mark.feature("S-ST-6", "M-ST-7")
def test_too_many_events() -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        waiting = [stub.echo(number) for number in range(3)]
        with pytest.raises(ObjectOverloadedError, match=r"is overloaded\. Too many requests") as caught:
            await stub.echo("too many")
        error: Any = caught.value
        assert (error.overloaded, error.durableObjectReset, error.retryable) == (True, False, False)
        with pytest.raises(OSError, match="Too many requests queued"):
            await stub.fetch("http://x/")
        assert await rig.stub("other").echo(1) == 1
        Blocked.free.set()
        assert [await call for call in waiting] == [0, 1, 2]
        assert await stub.echo("again") == "again"

    limited(scenario, queued_events=3)


@pytest.mark.feature("S-ST-6")
def test_too_much_data() -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        calls = [stub.echo("x" * 600), stub.fetch("http://x/", method="POST", body=b"y" * 300)]
        with pytest.raises(ObjectOverloadedError, match="Too much data queued"):
            await stub.echo("z" * 200)
        small = stub.echo("small")
        Blocked.free.set()
        await asyncio.gather(*calls)
        assert await small == "small"
        assert await stub.echo("z" * 900) == "z" * 900

    limited(scenario, queued_bytes=1000)


@pytest.mark.feature("S-ST-6")
def test_for_too_long() -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        early = asyncio.ensure_future(stub.echo("early"))
        await rig.pass_time(6)
        late = asyncio.ensure_future(stub.echo("late"))
        await rig.pass_time(4)
        with pytest.raises(ObjectOverloadedError, match="Requests queued for too long"):
            await early
        assert not late.done()
        Blocked.free.set()
        assert await late == "late"
        await rig.pass_time(60)

    limited(scenario, queued_seconds=10)


def test_what_sockets_say_waits_without_a_timer() -> None:
    """Nobody is to be told that it waits too long: a timer for it would be due again and again."""
    clock, limits, queue = FakeClock(), ObjectLimits(queued_seconds=10), EventQueue()
    loop, tally = asyncio.new_event_loop(), Tally()
    told, asked = Waiting(lambda life: None, "a"), Waiting(lambda life: None, "b", loop.create_future())
    for waiting in (told, asked):
        clock.advance(5000)
        waiting.since_ms = clock.now_ms()
        queue.put(waiting, limits, tally)
        queue.watch(clock, limits, tally)
    assert clock.run_next(asked.since_ms + 10_000)
    assert clock.now_ms() == asked.since_ms + 10_000
    assert asked.result is not None
    assert isinstance(asked.result.exception(), ObjectOverloadedError)
    assert queue == [told]
    assert not clock.run_next(asked.since_ms + 60_000)
    loop.close()


@pytest.mark.feature("S-ST-5")
def test_the_size_of_calls_and_results_is_configurable() -> None:
    async def scenario(rig: Rig) -> None:
        Blocked.free.set()
        stub = rig.stub("other")
        with pytest.raises(
            ValueError, match="limited to 100 bytes, but the size of this value was: 120 bytes"
        ):
            stub.echo("x" * 60, "y" * 60)

        def large() -> str:
            return "x" * 101

        assert await stub.echo("x" * 100) == "x" * 100
        with pytest.raises(ValueError, match="limited to 100 bytes"):
            await (await stub.echo(large))()

    limited(scenario, message_bytes=100)


class Player(DurableObject):
    hits = 0
    most = 0
    end: asyncio.Event

    def hit(self, me: str, other: str) -> None:
        Player.hits += 1
        if Player.hits < Player.most:
            self.ctx.wait_until(self.env().get_by_name(other).hit(other, me))

    def chain(self, length: int) -> int:
        Player.hits += 1
        if length:
            self.ctx.wait_until(self.env().get_by_name(f"link {length}").chain(length - 1))
        else:
            Player.end.set()
        return length


def played(scenario: Any) -> None:
    async def within(rig: Rig) -> None:
        rig.host._classes["Player"]._hosted.bindings = Bindings(lambda: rig.namespace)
        Player.hits, Player.end = 0, asyncio.Event()
        await scenario(rig)

    run(within, Player)


@pytest.mark.feature("M-ST-4")
def test_objects_that_call_each_other_without_end_leave_others_their_turns() -> None:
    async def scenario(rig: Rig) -> None:
        Player.most = 1_000_000
        await rig.stub("a").hit("a", "b")
        before = Player.hits
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert before < Player.hits < 10_000
        Player.most = 0
        await rig.settle()

    played(scenario)


def test_a_long_chain_of_calls_does_not_end_the_stack() -> None:
    async def scenario(rig: Rig) -> None:
        assert await rig.stub("first").chain(3000) == 3000
        await Player.end.wait()
        assert Player.hits == 3001

    played(scenario)
