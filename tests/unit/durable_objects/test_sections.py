"""A critical section that waits for itself is reported with both sides."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import ObjectOverloadedError

from .rig import Rig, run

NAMESPACES: list[Any] = []


class Knotted(DurableObject):
    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        self.go = asyncio.Event()

    async def wait_for_a_task_from_before(self) -> None:
        self.task = asyncio.create_task(self._work())
        await asyncio.sleep(0)
        await self.ctx.block_concurrency_while(self._wait_for_it)

    async def _work(self) -> None:
        await self.go.wait()

    async def _wait_for_it(self) -> None:
        self.go.set()
        await self.task

    async def call_itself(self) -> None:
        await self.ctx.block_concurrency_while(self._ask)

    async def _ask(self) -> None:
        await NAMESPACES[-1].get_by_name("x").hello()

    async def wait_for_a_call(self) -> None:
        await self.ctx.block_concurrency_while(lambda: NAMESPACES[-1].get_by_name("x").hello())

    def hello(self) -> str:
        return "hello"


@pytest.mark.feature("S-GT-2")
@pytest.mark.parametrize(
    ("method", "waits_in", "holds_back"),
    [
        ("wait_for_a_task_from_before", r"_wait_for_it \(test_sections.py:\d+\)", r"Knotted._work \(.*\)"),
        ("call_itself", r"Knotted._ask \(test_sections.py:\d+\)", "the event hello"),
        ("wait_for_a_call", r"Knotted.wait_for_a_call.<locals>.<lambda>", "the event hello"),
    ],
)
def test_the_error_names_both_sides(method: str, waits_in: str, holds_back: str) -> None:
    async def scenario(rig: Rig) -> None:
        NAMESPACES.append(rig.namespace)
        call = asyncio.ensure_future(getattr(rig.stub(), method)())
        await rig.pass_time(30)
        expected = f"waited for too long.*waiting in .*{waits_in}; waiting for its end: {holds_back}\\.$"
        with pytest.raises(ObjectOverloadedError, match=expected):
            await call

    run(scenario, Knotted)


@pytest.mark.feature("S-GT-2")
def test_many_that_wait_are_counted_and_none_is_said() -> None:
    async def scenario(rig: Rig) -> None:
        for others, said in ((0, "nobody."), (8, "3 more.")):
            never = asyncio.Event()
            call = asyncio.ensure_future(
                rig.run_in(lambda _, ctx, never=never: ctx.block_concurrency_while(never.wait))
            )
            await rig.settle()
            waiting = [rig.stub().hello() for _ in range(others)]
            await rig.pass_time(30)
            with pytest.raises(ObjectOverloadedError) as caught:
                await call
            assert str(caught.value).endswith(said)
            assert all([isinstance(await _failure(each), ObjectOverloadedError) for each in waiting])

    run(scenario, Knotted)


async def _failure(call: Any) -> BaseException | None:
    try:
        await call
    except BaseException as error:
        return error
    return None


@pytest.mark.feature("M-LC-3")
def test_a_section_that_is_nested_too_deeply_leaves_nothing_behind() -> None:
    class Deep(DurableObject):
        async def nest(self, depth: int = 0) -> None:
            await self.ctx.block_concurrency_while(lambda: self.nest_caught(depth + 1))

        async def nest_caught(self, depth: int) -> None:
            try:
                await self.nest(depth)
            except RuntimeError:
                self.depth = depth

        def reached(self) -> int:
            return self.depth

    async def scenario(rig: Rig) -> None:
        await rig.stub().nest()
        await rig.pass_time(9)
        assert await rig.stub().reached() == 64
        await rig.pass_time(10)
        assert rig.host.stats().live == 0

    run(scenario, Deep)


class Unopened(DurableObject):
    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        ctx.block_concurrency_while(self._open)

    async def _open(self) -> None:
        raise ValueError("no such table")

    def hello(self) -> str:
        return "hello"


def test_a_section_that_fails_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(rig: Rig) -> None:
        with pytest.raises(ValueError, match="no such table"):
            await rig.stub().hello()

    run(scenario, Unopened)
    gc.collect()
    assert "never retrieved" not in caplog.text
