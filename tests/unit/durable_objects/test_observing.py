"""What an observer is told of events, and which event code belongs to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.durable_objects.events import Call, EventHandled, Fetch, SocketEvent
from durabase.durable_objects.origin import current_origin
from unit.durable_objects.rig import Accepting, Rig, run

seen: list[Any] = []


def look() -> None:
    origin = current_origin.get()
    seen.append(origin and (origin.class_name, origin.id.name if origin.id else None, origin.event))


class Talking(Accepting):
    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        look()

    def fetch(self, request: Any) -> Any:
        look()
        return super().fetch(request)

    async def visit(self, wait: bool = False) -> None:
        if wait:
            await asyncio.sleep(0)
        await asyncio.create_task(self.later())

    async def later(self) -> None:
        look()

    def bad(self) -> Any:
        return object()

    def web_socket_message(self, ws: Any, message: str) -> Any:
        look()
        if message == "fail":
            raise ValueError(message)
        return asyncio.sleep(0) if message == "wait" else None

    def web_socket_close(self, ws: Any, code: int) -> None:
        look()


def handled(rig: Rig) -> list[EventHandled]:
    return [fact for fact in rig.facts if isinstance(fact, EventHandled)]


def test_code_knows_its_event_also_in_tasks() -> None:
    async def scenario(rig: Rig) -> None:
        seen.clear()
        wire = await rig.connect()
        wire.sink.on_text("now")
        await rig.stub().visit(True)
        wire.sink.on_close(1000, "", True)
        look()
        kinds = ["constructor", "fetch", "web_socket_message", "visit", "web_socket_close"]
        assert seen == [*(("Talking", "x", kind) for kind in kinds), None]

    run(scenario, Talking)


def test_what_an_observer_is_told_of_an_event() -> None:
    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        with pytest.raises(Exception, match="object"):
            await rig.stub().bad()
        wire.sink.on_close(1001, "", False)
        fetch, bad, close = handled(rig)
        assert isinstance(fetch.event, Fetch)
        assert (fetch.kind, fetch.status, fetch.started_ms) == ("fetch", 101, rig.clock.now_ms())
        assert bad.event == Call("bad", (), {})
        assert isinstance(bad.error, TypeError)  # what its result was refused with
        assert close.event == SocketEvent("close", 1001, False)

    run(scenario, Talking, observed=True)


def test_messages_are_told_of_when_they_wait_or_fail_and_all_of_them_if_asked_for() -> None:
    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()

        async def told() -> list[bool]:
            rig.facts.clear()
            for text in ("now", "wait", "fail"):
                wire.sink.on_text(text)
                await rig.settle()
            assert all(event.event == SocketEvent("message") for event in handled(rig))
            return [event.error is None for event in handled(rig)]

        assert await told() == [True, False]
        rig.host.tell_messages(True)
        assert await told() == [True, True, False]
        rig.host.tell_messages(False)
        assert await told() == [True, False]

    run(scenario, Talking, observed=True)
