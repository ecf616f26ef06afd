"""What was observed of Durable Objects and is no part's own matter: the rest is in docs/conformance.md."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import ObjectResetError
from unit.durable_objects.rig import Rig, run


@pytest.mark.feature("M-LC-2", "M-GT-5")
def test_a_constructor_that_writes_and_fails_leaves_nothing() -> None:
    class Failing(DurableObject):
        fails = True

        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            if type(self).fails:
                type(self).fails = False
                ctx.storage.put("k", 1)
                raise ValueError("not yet")

        async def read(self) -> Any:
            return await self.ctx.storage.list()

    async def scenario(rig: Rig) -> None:
        with pytest.raises(ValueError, match="not yet"):
            await rig.stub().read()
        assert await rig.stub().read() == {}

    run(scenario, Failing)


@pytest.mark.feature("M-GT-5")
def test_awaiting_what_is_there_does_not_end_the_turn() -> None:
    class Writer(DurableObject):
        async def put_abort(self) -> None:
            self.ctx.storage.put("k", 1)
            for _ in range(2):
                await self._nothing()
            self.ctx.abort()

        async def _nothing(self) -> None: ...

        async def read(self) -> Any:
            return await self.ctx.storage.get("k")

    async def scenario(rig: Rig) -> None:
        with pytest.raises(ObjectResetError):
            await rig.stub().put_abort()
        assert await rig.stub().read() is None

    run(scenario, Writer)


@pytest.mark.feature("M-GT-1", "M-GT-3")
def test_who_comes_in_at_which_wait() -> None:
    order: list[str] = []

    class Storing(DurableObject):
        async def a(self) -> None:
            order.append("a1")
            await self.ctx.storage.get("k")
            order.append("a2")
            await self.ctx.storage.put("k", 1)
            order.append("a3")
            await self.ctx.storage.sync()
            order.append("a4")

        def b(self) -> None:
            order.append("b")

    async def scenario(rig: Rig) -> None:
        await asyncio.gather(rig.stub().a(), rig.stub().b(), rig.stub().b())
        assert order == ["a1", "a2", "a3", "b", "b", "a4"]

    run(scenario, Storing)


@pytest.mark.feature("M-LC-8")
def test_work_that_is_not_registered_goes_on_after_the_answer() -> None:
    class Working(DurableObject):
        async def start(self) -> str:
            self.task = asyncio.create_task(self._work())
            return "answered"

        async def _work(self) -> None:
            for _ in range(5):
                await asyncio.sleep(0)
            await self.ctx.storage.put("worked", True)

        async def read(self) -> Any:
            return await self.ctx.storage.get("worked")

    async def scenario(rig: Rig) -> None:
        assert await rig.stub().start() == "answered"
        await rig.settle()
        assert await rig.stub().read() is True

    run(scenario, Working)
