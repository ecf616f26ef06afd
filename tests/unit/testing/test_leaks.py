"""What a test has left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from durabase.testing import WorkerHarness

from .test_harness import use


async def _nothing(worker: WorkerHarness) -> None:
    await worker.env.COUNTER.get_by_name("a").increment()
    socket = await worker.connect("/room")
    socket.close()
    await socket.closed()


async def _socket(worker: WorkerHarness) -> None:
    await worker.connect("/room")


kept: list[asyncio.Task[Any]] = []


async def _task(worker: WorkerHarness) -> None:
    kept.append(asyncio.create_task(asyncio.Event().wait()))


async def _work(worker: WorkerHarness) -> None:
    def begin(instance: Any, ctx: Any) -> None:
        ctx.wait_until(asyncio.Event().wait())

    await worker.run_in_durable_object(worker.env.COUNTER.get_by_name("a"), begin)


@pytest.mark.feature("S-TH-6")
def test_nothing_is_left(tmp_path: Path) -> None:
    use(tmp_path, _nothing, leak_check=True)


@pytest.mark.feature("S-TH-6")
@pytest.mark.parametrize(
    ("test", "left"),
    [
        (_socket, "1 open sockets of clients"),
        (_task, "the task <coroutine object Event.wait"),
        (_work, r"Counter\(a\), which has events, tasks or sockets that have not ended"),
    ],
)
def test_what_is_left_fails_the_test(tmp_path: Path, test: Any, left: str) -> None:
    use(tmp_path, test)
    with pytest.raises(AssertionError, match=f"The test has left behind: .*{left}"):
        use(tmp_path, test, leak_check=True)


def test_a_test_that_fails_is_not_checked(tmp_path: Path) -> None:
    async def failing(worker: WorkerHarness) -> None:
        await worker.connect("/room")
        raise ValueError("the reason")

    with pytest.raises(ValueError, match="the reason"):
        use(tmp_path, failing, leak_check=True)
