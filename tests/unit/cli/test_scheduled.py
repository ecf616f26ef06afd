from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from durabase.cli.scheduled import ScheduledTrigger
from durabase.testing import FakeClock
from durabase.web import Request, Response
from durabase.workers.runtime import Runtime


class PretendRuntime:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def dispatch(self, request: Request) -> Response:
        return Response("program")

    async def scheduled(self, controller: Any) -> None:
        self.seen.append((controller.cron, controller.scheduledTime, controller.type))


@pytest.mark.feature("S-DX-2")
def test_the_path_triggers_the_handler() -> None:
    runtime = PretendRuntime()

    async def ask(path: str, test: bool = False) -> str:
        clock = FakeClock(1000)
        trigger = ScheduledTrigger(cast("Runtime", runtime), clock, test=test)
        return await (await trigger.fetch(Request(f"http://host{path}"))).text()

    assert asyncio.run(ask("/cdn-cgi/handler/scheduled?cron=*+1+*+*+*")) == "ok"
    assert asyncio.run(ask("/cdn-cgi/handler/scheduled")) == "ok"
    assert asyncio.run(ask("/other")) == asyncio.run(ask("/__scheduled")) == "program"
    assert runtime.seen == [("* 1 * * *", 1000, "scheduled"), ("* * * * *", 1000, "scheduled")]
    assert asyncio.run(ask("/__scheduled?cron=1+1+1+1+1", test=True)) == "ok"
    assert runtime.seen[2:] == [("1 1 1 1 1", 1000, "scheduled")]
