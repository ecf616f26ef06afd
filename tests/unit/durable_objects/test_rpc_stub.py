"""Functions and targets that cross, and calls on what they give."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, RpcStub, RpcTarget

from .rig import Rig, run

GONE = "RPC stub used after being disposed"


class Counter(RpcTarget):
    kind = "counter"

    def __init__(self, owner: Any = None) -> None:
        self.count = 0
        self.owner = owner

    def add(self, by: int = 1) -> int:
        self.count += by
        return self.count

    def alarm(self) -> str:
        return "a target has no handlers"

    async def slow(self) -> int:
        await asyncio.sleep(0)
        return self.count

    def fail(self) -> None:
        raise KeyError("inside")

    @property
    def total(self) -> int:
        return self.count

    def itself(self) -> Counter:
        return self


class Giving(DurableObject):
    version = 3

    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        self.counter = Counter(self)
        self.kept: Any = None

    def target(self) -> Counter:
        return self.counter

    def api(self) -> dict[str, Any]:
        return {"add": self.counter.add, "name": "api", "nested": {"counter": self.counter}}

    def maker(self) -> Callable[[int], Callable[[int], int]]:
        return lambda a: lambda b: a + b

    async def call(self, function: Any, *arguments: Any) -> Any:
        return await function(*arguments)

    async def call_method(self, target: Any) -> Any:
        return [await target.add(2), await target.total, await target.slow()]

    def keep(self, function: Any) -> None:
        self.kept = function

    def keep_another(self, function: Any) -> None:
        self.kept = function.dup()

    async def call_kept(self) -> Any:
        return await self.kept("kept")

    def give_kept(self) -> Any:
        return self.kept

    async def stop(self) -> None:
        self.ctx.abort("stopped")


@pytest.mark.feature("S-ST-2")
def test_a_function_is_called_back_where_it_is_from() -> None:
    heard: list[Any] = []

    def hear(value: Any) -> int:
        heard.append(value)
        return len(heard)

    async def answer(value: str) -> str:
        await asyncio.sleep(0)
        return value.upper()

    async def scenario(rig: Rig) -> None:
        assert await rig.stub().call(hear, {"a": 1}) == 1
        assert heard == [{"a": 1}]
        assert await rig.stub().call(answer, "text") == "TEXT"
        assert await rig.stub().call(Counter().add, 3) == 3

    run(scenario, Giving)


@pytest.mark.feature("S-ST-2")
def test_a_target_of_a_caller_and_one_of_an_object() -> None:
    async def scenario(rig: Rig) -> None:
        mine = Counter()
        assert await rig.stub().call_method(mine) == [2, 2, 2]
        assert mine.count == 2
        theirs = await rig.stub().target()
        assert isinstance(theirs, RpcStub)
        assert [await theirs.add(), await theirs.add(5)] == [1, 6]
        assert await rig.run_in(lambda instance, ctx: instance.counter.count) == 6
        assert await (await theirs.itself()).add(1) == 7

    run(scenario, Giving)


@pytest.mark.feature("S-ST-2")
def test_what_a_stub_lets_be_used() -> None:
    async def scenario(rig: Rig) -> None:
        counter = await rig.stub().target()
        assert await counter.total == 0
        assert await counter.kind == "counter"
        assert await (await counter.add)(4) == 4
        for name in ("count", "owner", "missing"):
            with pytest.raises(TypeError, match="does not implement the property"):
                await getattr(counter, name)
        with pytest.raises(TypeError, match="Method missing does not exist"):
            await counter.missing()
        with pytest.raises(TypeError, match="not a function"):
            await counter()
        with pytest.raises(TypeError, match="reserved") as refused:
            await rig.stub().alarm()
        assert refused.value.remote  # type: ignore[attr-defined]
        assert await counter.alarm() == "a target has no handlers"
        with pytest.raises(KeyError) as caught:
            await counter.fail()
        assert caught.value.remote  # type: ignore[attr-defined]
        function = (await rig.stub().api())["add"]
        with pytest.raises(TypeError, match="does not exist"):
            await function.real()
        assert await function(1) == 5

    run(scenario, Giving)


@pytest.mark.feature("S-ST-2")
def test_a_stub_that_came_as_an_argument_is_good_until_the_method_returns() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().keep(lambda value: value)
        with pytest.raises(RuntimeError, match=GONE):
            await rig.stub().call_kept()
        await rig.stub().keep_another(lambda value: [value])
        assert await rig.stub().call_kept() == ["kept"]

    run(scenario, Giving)


@pytest.mark.feature("S-ST-2")
def test_stubs_are_let_go() -> None:
    async def scenario(rig: Rig) -> None:
        lent = await rig.run_in(lambda instance, ctx: ctx._host.giver.lent)
        with await rig.stub().target() as counter:
            another = counter.dup()
            assert len(lent) == 1
        with pytest.raises(RuntimeError, match=GONE):
            counter.add()
        with pytest.raises(RuntimeError, match=GONE):
            counter.dup()
        assert await another.add() == 1
        another.destroy()
        another.destroy()
        assert not lent
        assert "let go" in repr(another)
        dropped = await rig.stub().api()
        assert len(lent) == 2
        del dropped
        await rig.settle()
        gc.collect()
        assert not lent

    run(scenario, Giving)


@pytest.mark.feature("S-ST-2")
def test_a_stub_can_be_handed_on_and_back() -> None:
    async def scenario(rig: Rig) -> None:
        counter = await rig.stub("a").target()
        assert await rig.stub("b").call_method(counter) == [2, 2, 2]
        await rig.stub("b").keep_another(counter)
        counter.destroy()
        back = await rig.stub("b").give_kept()
        assert await back.add() == 3
        assert await rig.stub("b").call(rig.stub("a").maker) is not None
        assert await rig.stub("b").call_through(rig.stub("a")) == 3

    class Through(Giving):
        async def call_through(self, stub: Any) -> Any:
            return await stub.version

    run(scenario, Through)


@pytest.mark.feature("S-ST-2")
def test_what_can_not_cross() -> None:
    async def scenario(rig: Rig) -> None:
        promise = rig.stub().target()
        for thing in (object(), Counter, promise, DurableObject(None, None)):
            with pytest.raises(TypeError, match="can't be stored or sent"):
                rig.stub().keep(thing)
        await promise

    run(scenario, Giving)
