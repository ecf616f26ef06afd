from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from durabase.workers.entrypoint import BackgroundTasks, ExecutionContext, ambient_context, wait_until


async def append(target: list[int]) -> None:
    await asyncio.sleep(0)
    target.append(1)


def test_background_work_is_finished() -> None:
    async def main() -> list[int]:
        done: list[int] = []
        background = BackgroundTasks()
        context: Any = ExecutionContext(background)
        context.wait_until(append(done))
        context.waitUntil(append(done))
        token = ambient_context.set(context)
        wait_until(append(done))
        ambient_context.reset(token)
        await background.finish(5)
        return done

    assert asyncio.run(main()) == [1, 1, 1]


def test_what_takes_too_long_is_cancelled() -> None:
    async def main() -> bool:
        background = BackgroundTasks()
        event = asyncio.Event()
        background.add(event.wait())
        await background.finish(0)
        return event.is_set()

    assert asyncio.run(main()) is False


def test_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError("the reason")

    async def main() -> None:
        background = BackgroundTasks()
        background.add(fail())
        await background.finish(5)
        await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert "the reason" in caplog.text


def test_outside_of_a_handler() -> None:
    async def nothing() -> None: ...

    awaitable = nothing()
    with pytest.raises(RuntimeError, match="outside of a handler"):
        wait_until(awaitable)
    awaitable.close()


def test_a_call_is_open_until_the_work_that_it_has_left_is_over() -> None:
    async def main() -> list[bool]:
        background = BackgroundTasks()
        context = ExecutionContext(background)
        before = context.has_open_events
        context.wait_until(append([]))
        meanwhile = context.has_open_events
        await background.finish(5)
        await asyncio.sleep(0)
        return [before, meanwhile, context.has_open_events]

    assert asyncio.run(main()) == [False, True, False]
