from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durabase.durable_objects.execution import TaskStarter, quiet_future
from durabase.durable_objects.gates import InputGate, Section
from durabase.durable_objects.storage.done import Done

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def in_loop(scenario: Callable[[TaskStarter, InputGate], Awaitable[None]]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        await scenario(TaskStarter(loop), InputGate(lambda: None, loop.call_soon))

    asyncio.run(main())


def start(starter: TaskStarter, gate: InputGate, awaitable: Awaitable[Any]) -> tuple[Any, Any]:
    return starter.start(awaitable, gate, contextvars.copy_context())


def test_what_does_not_wait_is_over_at_once() -> None:
    async def quick() -> str:
        variable.set("inside")
        return await Done("result")

    async def fails() -> None:
        raise ValueError("bad")

    async def scenario(starter: TaskStarter, gate: InputGate) -> None:
        assert start(starter, gate, quick()) == (None, "result")
        assert variable.get() == "unset"
        assert start(starter, gate, Done(5)) == (None, 5)
        with pytest.raises(ValueError, match="bad"):
            start(starter, gate, fails())
        assert len(asyncio.all_tasks()) == 1

    in_loop(scenario)


def test_what_waits_goes_on_as_the_task_it_began_in() -> None:
    async def slow(gate: asyncio.Event) -> tuple[bool, str]:
        first = asyncio.current_task()
        variable.set("kept")
        await gate.wait()
        await asyncio.sleep(0)
        return first is asyncio.current_task(), variable.get()

    async def scenario(starter: TaskStarter, gate: InputGate) -> None:
        event, mine = asyncio.Event(), asyncio.current_task()
        tasks = [start(starter, gate, slow(event))[0] for _ in range(2)]
        assert asyncio.current_task() is mine
        assert set(tasks) <= asyncio.all_tasks()
        event.set()
        assert await asyncio.gather(*tasks) == [(True, "kept")] * 2

    in_loop(scenario)


def test_starting_within_a_first_stretch() -> None:
    async def scenario(starter: TaskStarter, gate: InputGate) -> None:
        async def inner() -> Any:
            return asyncio.current_task()

        async def outer() -> tuple[Any, Any, Any]:
            before = asyncio.current_task()
            _, within = start(starter, gate, inner())
            return before, within, asyncio.current_task()

        _, (before, within, after) = start(starter, gate, outer())
        assert before is after
        assert within is not before

    in_loop(scenario)


def test_errors_and_cancellation_of_what_waits() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("later")

    async def cleans_up(log: list[str]) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    async def scenario(starter: TaskStarter, gate: InputGate) -> None:
        task, _ = start(starter, gate, fails())
        with pytest.raises(ValueError, match="later"):
            await task
        log: list[str] = []
        task, _ = start(starter, gate, cleans_up(log))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["cancelled"]

    in_loop(scenario)


def test_timeouts_begun_in_the_first_stretch() -> None:
    async def slow() -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"
        return "not"

    async def scenario(starter: TaskStarter, gate: InputGate) -> None:
        task, _ = start(starter, gate, slow())
        assert await task == "timed out"

    in_loop(scenario)


def test_a_section_holds_what_is_not_part_of_it() -> None:
    async def scenario(starter: TaskStarter, gate: InputGate) -> None:
        async def slow() -> str:
            await asyncio.sleep(0)
            return "went on"

        task, _ = start(starter, gate, slow())
        section = Section(None, lambda: None)
        gate.enter(section)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        gate.leave(section)
        assert await task == "went on"

    in_loop(scenario)


def test_a_quiet_future_may_be_dropped() -> None:
    async def main() -> None:
        quiet_future(asyncio.get_running_loop()).set_exception(ValueError())
        quiet_future(asyncio.get_running_loop()).cancel()
        await asyncio.sleep(0)

    asyncio.run(main())
