"""What handlers are called with by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from durabase.testing import (
    create_execution_context,
    create_scheduled_controller,
    wait_on_execution_context,
)
from durabase.workers import WorkerEntrypoint
from durabase.workers.entrypoint import BackgroundTasks, ExecutionContext
from durabase.workers.env import Env


class Default(WorkerEntrypoint):
    def fetch(self, done: list[str], *failures: str) -> str:
        async def later(text: str) -> None:
            await asyncio.sleep(0)
            done.append(text)
            self.ctx.wait_until(self.after(done))

        async def fail(text: str) -> None:
            raise ValueError(text)

        self.ctx.wait_until(later("later"))
        for failure in failures:
            self.ctx.wait_until(fail(failure))
        return "now"

    async def after(self, done: list[str]) -> None:
        done.append("after")


@pytest.mark.feature("S-TH-4")
def test_a_handler_and_what_it_leaves_to_be_finished() -> None:
    async def main() -> None:
        done: list[str] = []
        ctx = create_execution_context()
        assert Default(ctx, Env({})).fetch(done) == "now"
        assert done == []
        await wait_on_execution_context(ctx)
        assert done == ["later", "after"]
        await wait_on_execution_context(ctx)

    asyncio.run(main())


@pytest.mark.feature("S-TH-4")
def test_failures_of_what_is_left_reach_the_test() -> None:
    async def failing(*failures: str) -> None:
        ctx = create_execution_context()
        Default(ctx, Env({})).fetch([], *failures)
        await wait_on_execution_context(ctx)

    with pytest.raises(ValueError, match="one"):
        asyncio.run(failing("one"))
    with pytest.raises(ExceptionGroup, match="background work failed") as caught:
        asyncio.run(failing("one", "two"))
    assert len(caught.value.exceptions) == 2


def test_only_contexts_of_ours_can_be_waited_on() -> None:
    with pytest.raises(TypeError, match="create_execution_context"):
        asyncio.run(wait_on_execution_context(ExecutionContext(BackgroundTasks())))


@pytest.mark.feature("S-TH-4")
@pytest.mark.parametrize(
    ("time", "expected"), [(77, 77), (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), 1000), (None, None)]
)
def test_controllers(time: Any, expected: int | None) -> None:
    before = int(datetime.now(UTC).timestamp() * 1000)
    controller = create_scheduled_controller(time, "1 2 * * *")
    assert controller.cron == "1 2 * * *"
    if expected is None:
        assert before <= controller.scheduled_time <= before + 60_000
    else:
        assert controller.scheduled_time == expected
