"""What is counted while somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, EventHandled, ObjectClass, ObjectHost, ObjectReset
from durabase.durable_objects.events import SocketEvent
from durabase.operations.admin import AdminApp
from durabase.operations.objects import ObjectOperations
from durabase.operations.process import LoopLag
from durabase.operations.telemetry import Telemetry
from durabase.testing.fake_clock import FakeClock
from durabase.web import Request


class Room(DurableObject):
    def keep(self) -> None:
        self.ctx.storage.kv.put("kept", True)


class Bench:
    """A host, watched."""

    def __init__(self, host: ObjectHost, telemetry: Telemetry, clock: FakeClock) -> None:
        self.host, self.telemetry, self.clock = host, telemetry, clock
        self.objects = ObjectOperations(host)

    def follow(self, limit: int = 10) -> Any:
        return self.telemetry.activity.follow(self.host, self.objects, 2, limit)

    def happen(self, name: str, times: int, cpu: float = 0, error: Exception | None = None) -> None:
        id = self.host.namespace("Room").id_from_name(name)
        for _ in range(times):
            event = SocketEvent("message")
            self.telemetry.observe(EventHandled("Room", id, "fetch", 3, error, 0, event, None, cpu))

    async def after(self, following: Any, seconds: float) -> Any:
        coming = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        self.clock.advance(seconds * 1000)
        return await coming


def run(folder: Path, scenario: Callable[[Bench], Awaitable[None]]) -> None:
    async def main() -> None:
        clock = FakeClock()
        telemetry = Telemetry("app", clock)
        async with ObjectHost(folder, clock=clock, observer=telemetry.observe) as host:
            host.register(ObjectClass("Room", "app-Room", Room, "sqlite"))
            telemetry.attach(host)
            async with asyncio.timeout(10):
                await scenario(Bench(host, telemetry, clock))

    asyncio.run(main())


@pytest.mark.feature("S-OB-2")
def test_each_interval_is_counted_anew(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        following = bench.follow()
        first = await anext(following)
        assert (first["seconds"], first["objects"]) == (0, [])
        bench.happen("busy", 4, cpu=2)
        bench.happen("broken", 1, error=ValueError())
        id = bench.host.namespace("Room").id_from_name("broken")
        bench.telemetry.observe(ObjectReset("Room", id, ValueError()))
        second = await bench.after(following, 2)
        assert second["seconds"] == 2
        assert {each["name"]: (each["events"], each["errors"]) for each in second["objects"]} == {
            "busy": (4, 0),
            "broken": (1, 2),
        }
        (busy,) = [each for each in second["objects"] if each["name"] == "busy"]
        assert (busy["cpu_ms"], busy["wall_ms"], busy["messages"], busy["state"]) == (8, 12, 4, "asleep")
        (room,) = second["classes"]
        assert (room["class"], room["events"], room["errors"], room["awake"]) == ("Room", 5, 2, 0)
        assert (await bench.after(following, 2))["objects"] == []
        await following.aclose()

    run(tmp_path, scenario)


def test_only_the_foremost_are_listed_by_each_measure(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        following = bench.follow(limit=1)
        await anext(following)
        bench.happen("many", 9)
        bench.happen("long", 1, cpu=100)
        bench.happen("failing", 2, error=ValueError())
        bench.happen("other", 3)
        listed = (await bench.after(following, 2))["objects"]
        assert {each["name"] for each in listed} == {"many", "long", "failing"}
        await following.aclose()

    run(tmp_path, scenario)


def test_objects_are_shown_with_state_and_size(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        following = bench.follow()
        await anext(following)
        await bench.host.namespace("Room").get_by_name("a/b").keep()
        (shown,) = (await bench.after(following, 2))["objects"]
        assert (shown["name"], shown["state"], shown["events"]) == ("a/b", "awake", 1)
        assert shown["file_bytes"] > 0
        await following.aclose()

    run(tmp_path, scenario)


def test_nothing_is_counted_and_no_message_told_of_unless_somebody_looks(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        assert not bench.host.watch.tells_messages
        following = bench.follow()
        await anext(following)
        assert bench.host.watch.tells_messages
        await following.aclose()
        assert not bench.host.watch.tells_messages
        assert not bench.telemetry.activity.is_watched

    run(tmp_path, scenario)


def test_it_ends_with_the_server(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        following = bench.follow()
        await anext(following)
        coming = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        bench.telemetry.close()
        with pytest.raises(StopAsyncIteration):
            await coming

    run(tmp_path, scenario)


def test_everybody_is_told_the_longest_delay_since_they_last_asked() -> None:
    class Loop:
        now = 0.0

        def time(self) -> float:
            return self.now

        def call_at(self, when: float, callback: object) -> None: ...

    loop = Loop()
    lag = LoopLag(loop)  # type: ignore[arg-type]
    first, second = lag.reader(), lag.reader()
    lag.start()
    loop.now = 0.25 + 1.5
    lag._called()
    assert (first.take_longest(), first.take_longest(), second.take_longest()) == (1.5, 0, 1.5)
    second.close()
    loop.now += 1.25
    lag._called()
    assert (first.take_longest(), second.take_longest()) == (1, 0)


@pytest.mark.parametrize("query", ["seconds=0", "seconds=soon", "seconds=nan", "limit=x"])
def test_what_makes_no_sense_is_refused(tmp_path: Path, query: str) -> None:
    async def scenario(bench: Bench) -> None:
        app = AdminApp(bench.objects, bench.telemetry)
        response = await app.fetch(Request(f"http://localhost/activity?{query}"))
        assert response.status == 400

    run(tmp_path, scenario)
