"""``ctx.run_blocking``: in a thread, with the caller's context, while others come in."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import ObjectError

from .rig import Rig, run

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


class Blocking(DurableObject):
    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        self.go = threading.Event()

    async def read(self) -> Any:
        variable.set("the caller's")
        return await self.ctx.run_blocking(self._read, 1, more=2)

    def _read(self, number: int, *, more: int) -> Any:
        here = threading.current_thread() is threading.main_thread()
        return [here, variable.get(), number, more, self.go.wait(10)]

    async def fail(self) -> None:
        def failing() -> None:
            raise ValueError("in the thread")

        await self.ctx.run_blocking(failing)

    async def leave(self) -> None:
        self.ctx.runBlocking(self.go.wait, 10)

    def release(self) -> str:
        self.go.set()
        return "released"

    def end(self) -> None:
        self.go.set()
        self.ctx.abort("enough")


@pytest.mark.feature("S-LC-6")
def test_others_come_in_while_a_thread_works() -> None:
    async def scenario(rig: Rig) -> None:
        reading = asyncio.ensure_future(rig.stub().read())
        await rig.settle()
        assert await rig.stub().release() == "released"
        assert await reading == [False, "the caller's", 1, 2, True]
        with pytest.raises(ValueError, match="in the thread"):
            await rig.stub().fail()

    run(scenario, Blocking)


@pytest.mark.feature("S-LC-6")
def test_the_object_is_awake_until_the_thread_is_done_although_nobody_waits() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().leave()
        await rig.pass_time(300)
        assert rig.host.stats().live == 1
        await rig.stub().release()
        while rig.host.classes["Blocking"].slots and rig.host.stats().live:
            await rig.pass_time(10)

    run(scenario, Blocking)


@pytest.mark.feature("S-LC-6")
def test_a_reset_ends_the_wait() -> None:
    async def scenario(rig: Rig) -> None:
        reading = asyncio.ensure_future(rig.stub().read())
        await rig.settle()
        with pytest.raises(ObjectError, match="enough"):
            await rig.stub().end()
        with pytest.raises(ObjectError, match="enough"):
            await reading

    run(scenario, Blocking)
