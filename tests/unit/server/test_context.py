"""Who is connected to a server, and how they are let go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durabase.server.context import ServerContext, ServerLimits
from durabase.testing import FakeClock


class Connection:
    """Goes when it is asked to, when it is cut off, or not at all. Its time-out is noted."""

    def __init__(self, context: ServerContext, goes: str) -> None:
        self._context = context
        self._goes = goes
        self.log: list[str] = []

    def drain(self) -> None:
        self.log.append("drain")
        if self._goes == "drain":
            self._context.forget(self)

    def abort(self) -> None:
        self.log.append("abort")
        if self._goes in ("drain", "abort"):
            self._context.forget(self)

    def on_deadline(self) -> None:
        self.log.append("deadline")

    def ping(self) -> None: ...

    def buffered_amount(self) -> int:
        return 0


def run(scenario: Callable[[ServerContext, FakeClock], Awaitable[None]]) -> None:
    async def main() -> None:
        clock = FakeClock()

        async def fetch(request: Any) -> Any:
            raise AssertionError

        context = ServerContext(
            fetch, asyncio.get_running_loop(), clock, ServerLimits(), False, None, (1001, "bye")
        )
        async with asyncio.timeout(20):
            await scenario(context, clock)

    asyncio.run(main())


def test_limits_are_those_of_its_parts() -> None:
    async def scenario(context: ServerContext, _: FakeClock) -> None:
        assert context.traffic is context.turn.traffic
        assert (context.is_draining, context.requests, context.sockets) == (False, set(), set())

    run(scenario)


def test_who_is_forgotten_has_no_time_out_and_the_last_one_is_told() -> None:
    async def scenario(context: ServerContext, clock: FakeClock) -> None:
        told: list[str] = []
        context.on_empty = lambda: told.append("empty")
        request, socket = Connection(context, ""), Connection(context, "")
        context.requests.add(request)
        context.sockets.add(socket)
        context.deadlines.watch(request, 1)
        context.forget(request)
        clock.advance(10_000)
        assert (request.log, told) == ([], [])
        context.forget(socket)
        assert told == ["empty"]
        assert context.requests == context.sockets == set()

    run(scenario)


def test_nobody_there_is_waited_for_by_nobody() -> None:
    async def scenario(context: ServerContext, clock: FakeClock) -> None:
        await context.drain(5)
        assert context.is_draining
        assert not clock.run_next(clock.now_ms() + 10**6)

    run(scenario)


def test_all_are_asked_to_finish_and_nobody_is_cut_off_who_does() -> None:
    async def scenario(context: ServerContext, clock: FakeClock) -> None:
        connections = [Connection(context, "drain") for _ in range(4)]
        context.requests.update(connections[:2])
        context.sockets.update(connections[2:])
        await context.drain(5)
        assert [connection.log for connection in connections] == [["drain"]] * 4
        assert not clock.run_next(clock.now_ms() + 10**6)

    run(scenario)


@pytest.mark.parametrize("goes", ["abort", "never"])
def test_who_is_still_there_when_time_is_over_is_cut_off_and_waited_for_a_second(goes: str) -> None:
    async def scenario(context: ServerContext, clock: FakeClock) -> None:
        slow, quick = Connection(context, goes), Connection(context, "drain")
        context.sockets.update((slow, quick))
        draining = asyncio.ensure_future(context.drain(5))
        await asyncio.sleep(0)
        clock.advance(4999)
        await asyncio.sleep(0)
        assert (slow.log, quick.log) == (["drain"], ["drain"])
        clock.advance(1)
        for _ in range(3):
            await asyncio.sleep(0)
        assert (slow.log, quick.log) == (["drain", "abort"], ["drain"])
        assert draining.done() is (goes == "abort")
        clock.advance(1000)
        await draining
        assert context.on_empty is None

    run(scenario)


def test_who_goes_meanwhile_ends_the_wait() -> None:
    async def scenario(context: ServerContext, clock: FakeClock) -> None:
        slow = Connection(context, "never")
        context.requests.add(slow)
        draining = asyncio.ensure_future(context.drain(5))
        await asyncio.sleep(0)
        context.forget(slow)
        await draining
        assert slow.log == ["drain"]
        assert not clock.run_next(clock.now_ms() + 10**6)

    run(scenario)
