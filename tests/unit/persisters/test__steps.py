"""Work over plain and asynchronous functions alike."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.persisters._steps import Completion, Steps, start_steps


def steps_over(*awaited: object) -> Steps[list[object]]:
    first, *others = awaited
    result = yield first
    return [result, *((yield from steps_over(*others)) if others else [])]


def test_plain_results_are_sent_back_at_once() -> None:
    completion = start_steps(steps_over(1, None, "x"))
    assert completion.done()
    assert completion.result() == [1, None, "x"]


def test_a_finished_completion_does_not_suspend() -> None:
    inner = start_steps(steps_over(1))
    assert start_steps(steps_over(inner, 2)).result() == [[1], 2]


def test_an_unfinished_completion_suspends_without_a_loop() -> None:
    gate: Completion[int] = Completion()
    outer = start_steps(steps_over(gate))
    assert not outer.done()
    gate.set_result(7)
    assert outer.result() == [7]


def test_errors_are_thrown_into_the_steps() -> None:
    def steps(gate: Completion[int]) -> Steps[str]:
        try:
            yield gate
        except ValueError as error:
            return f"caught {error}"
        return "nothing"

    for is_late in (False, True):
        gate: Completion[int] = Completion()
        if not is_late:
            gate.set_exception(ValueError("x"))
        outer = start_steps(steps(gate))
        if is_late:
            gate.set_exception(ValueError("x"))
        assert outer.result() == "caught x"


def test_an_error_of_the_steps_is_the_completions() -> None:
    def steps() -> Steps[None]:
        yield None
        raise ValueError("x")

    completion = start_steps(steps())
    assert completion.done()
    with pytest.raises(ValueError, match="x"):
        completion.result()


def test_an_interrupt_is_not_kept_back() -> None:
    def steps() -> Steps[None]:
        yield None
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start_steps(steps())


def test_coroutines_futures_and_other_awaitables() -> None:
    class Odd:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return "odd"

    async def coroutine() -> str:
        await asyncio.sleep(0)
        return "coroutine"

    async def main() -> list[object]:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, "future")
        return await start_steps(steps_over(coroutine(), future, Odd()))

    assert asyncio.run(main()) == ["coroutine", "future", "odd"]


def test_a_finished_awaitable_needs_no_loop() -> None:
    class Done:
        def __await__(self) -> Any:
            return "done"
            yield

    class Failed:
        def __await__(self) -> Any:
            raise ValueError("x")
            yield

    assert start_steps(steps_over(Done(), 2)).result() == ["done", 2]
    with pytest.raises(ValueError, match="x"):
        start_steps(steps_over(Failed())).result()


def test_an_error_reaches_an_awaitable_of_ones_own() -> None:
    class Careful:
        def __init__(self, future: asyncio.Future[None]) -> None:
            self.future = future

        def __await__(self) -> Any:
            try:
                yield from self.future.__await__()
            except ValueError as error:
                yield from asyncio.sleep(0).__await__()
                return f"caught {error}"

    async def main() -> list[object]:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, ValueError("x"))
        return await start_steps(steps_over(Careful(future)))

    assert asyncio.run(main()) == ["caught x"]


def test_a_finished_future_does_not_suspend() -> None:
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        future.set_result(1)
        assert start_steps(steps_over(future)).done()

    asyncio.run(main())


def test_a_coroutine_without_a_loop_is_an_error_and_leaves_no_warning() -> None:
    async def coroutine() -> None:
        raise AssertionError("it must not run")

    with pytest.raises(RuntimeError, match="no running event loop"):
        start_steps(steps_over(coroutine())).result()


def test_it_can_be_awaited_twice_before_and_after() -> None:
    async def main() -> list[int]:
        gate: Completion[int] = Completion()

        async def wait() -> int:
            return await gate

        waiting = [asyncio.create_task(wait()) for _ in range(2)]
        await asyncio.sleep(0)
        gate.set_result(3)
        return [*await asyncio.gather(*waiting), await gate]

    assert asyncio.run(main()) == [3, 3, 3]


def test_a_waiter_that_is_cancelled_does_not_stop_the_work() -> None:
    async def main() -> int:
        gate: Completion[int] = Completion()

        async def wait() -> int:
            return await gate

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        assert task.cancelled()
        gate.set_result(4)
        return await gate

    assert asyncio.run(main()) == 4


def test_cancelled_work_reaches_the_steps() -> None:
    seen = []

    def steps(future: asyncio.Future[None]) -> Steps[None]:
        try:
            yield future
        finally:
            seen.append("finally")

    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        completion = start_steps(steps(future))
        future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await completion

    asyncio.run(main())
    assert seen == ["finally"]
