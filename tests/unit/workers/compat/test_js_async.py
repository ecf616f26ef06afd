"""Timers and promises on asyncio."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.workers.compat.js_async import (
    AbortSignalFunctions,
    Promise,
    clearInterval,
    clearTimeout,
    queueMicrotask,
    scheduler,
    setInterval,
    setTimeout,
)


def test_timers_and_promises() -> None:
    async def main() -> tuple[list[str], Any, Any, Any]:
        calls: list[str] = []
        done = asyncio.Event()

        async def last(text: str) -> None:
            calls.append(text)
            done.set()

        ticks: list[int] = []

        def tick() -> None:
            ticks.append(1)
            if len(ticks) == 3:
                clearInterval(interval)
                setTimeout(last, 1, "last")

        clearTimeout(setTimeout(calls.append, 0, "never"))
        queueMicrotask(lambda: calls.append("soon"))
        interval = setInterval(tick, 0)
        async with asyncio.timeout(5):
            await done.wait()
            await scheduler.wait(0)
        assert len(ticks) == 3
        every = await Promise.all([Promise.resolve(1), Promise.resolve(Promise.resolve(2))])
        first = await Promise.race([Promise.resolve(3)])
        return calls, every, first, await Promise.resolve()

    assert asyncio.run(main()) == (["soon", "last"], [1, 2], 3, None)


def test_an_interval_goes_on_after_a_failure_that_is_reported() -> None:
    async def main() -> tuple[list[str], int]:
        reported: list[str] = []
        second = asyncio.Event()
        calls: list[int] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: reported.append(str(context["exception"]))
        )

        def fail() -> None:
            calls.append(1)
            if len(calls) == 2:
                clearInterval(interval)
                second.set()
            raise ValueError(f"call {len(calls)}")

        interval = setInterval(fail, 0)
        async with asyncio.timeout(5):
            await second.wait()
            await scheduler.wait(0)
        return reported, len(calls)

    assert asyncio.run(main()) == (["call 1", "call 2"], 2)


def test_more_of_promises() -> None:
    async def main() -> None:
        assert await Promise.new(lambda resolve, reject: [resolve(1), resolve(2), reject("late")]) == 1
        with pytest.raises(KeyError, match="no"):
            await Promise.reject(KeyError("no"))
        with pytest.raises(RuntimeError, match="text"):
            await Promise.new(lambda resolve, reject: reject("text"))
        one, other = await Promise.allSettled([Promise.resolve(1), Promise.reject("no")])
        assert (one.status, one.value, other.status) == ("fulfilled", 1, "rejected")
        assert await Promise.any([Promise.reject("no"), Promise.resolve(2)]) == 2
        with pytest.raises(ExceptionGroup, match="All promises were rejected"):
            await Promise.any([Promise.reject("no")])

    asyncio.run(main())


def test_arguments_are_passed_and_timers_told_apart() -> None:
    async def main() -> list[Any]:
        calls: list[Any] = []
        done = asyncio.Event()
        first = setTimeout(lambda *arguments: calls.append(arguments), 0, 1, "a")
        second = setTimeout(done.set)
        assert first != second
        await asyncio.wait_for(done.wait(), 5)
        for number in (first, None, 10**9):
            clearTimeout(number)
        return calls

    assert asyncio.run(main()) == [(1, "a")]


def test_timers_end_in_the_order_of_their_times() -> None:
    async def main() -> list[str]:
        calls: list[str] = []
        done = asyncio.Event()
        setTimeout(lambda: (calls.append("later"), done.set()), 5)
        setTimeout(calls.append, 0, "soon")
        await asyncio.wait_for(done.wait(), 5)
        return calls

    assert asyncio.run(main()) == ["soon", "later"]


def test_a_timer_may_be_stopped_by_itself() -> None:
    async def main() -> int:
        ticks: list[int] = []
        over = asyncio.Event()

        def tick() -> None:
            ticks.append(1)
            clearInterval(number)
            over.set()

        number = setInterval(tick, 0)
        await asyncio.wait_for(over.wait(), 5)
        for _ in range(5):
            await scheduler.wait(0)
        return len(ticks)

    assert asyncio.run(main()) == 1


def test_a_signal_that_aborts_itself() -> None:
    async def main() -> None:
        signal = AbortSignalFunctions.timeout(0)
        assert not signal.aborted
        over = asyncio.Event()
        signal.add_event_listener("abort", lambda event: over.set())
        await asyncio.wait_for(over.wait(), 5)
        assert isinstance(signal.reason, TimeoutError)
        assert str(signal.reason) == "The operation was aborted due to timeout"

    asyncio.run(main())


def test_a_promise_is_decided_once_and_what_is_awaitable_is_one() -> None:
    async def main() -> None:
        promise = Promise.resolve(1)
        assert Promise.resolve(promise) is promise
        kept: list[Any] = []
        later = Promise.new(lambda resolve, reject: kept.extend((resolve, reject)))
        assert not later.done()
        kept[1](ValueError("no"))
        kept[0]("late")
        with pytest.raises(ValueError, match="no"):
            await later

    asyncio.run(main())


def test_several_promises() -> None:
    async def main() -> None:
        with pytest.raises(KeyError):
            await Promise.all([Promise.resolve(1), Promise.reject(KeyError("a"))])
        assert await Promise.all([]) == await Promise.allSettled([]) == []
        with pytest.raises(ExceptionGroup) as caught:
            await Promise.any([])
        assert str(caught.value.exceptions[0]) == "there are none"
        with pytest.raises(ExceptionGroup) as caught:
            await Promise.any([Promise.reject("one"), Promise.reject("two")])
        assert sorted(map(str, caught.value.exceptions)) == ["one", "two"]
        with pytest.raises(KeyError):
            await Promise.race([Promise.reject(KeyError("a"))])
        never = asyncio.get_running_loop().create_future()
        assert await Promise.race([never, Promise.resolve(2)]) == 2
        (told,) = await Promise.allSettled([Promise.reject("no")])
        assert str(told.reason) == "no"

    asyncio.run(main())
