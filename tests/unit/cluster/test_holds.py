"""Objects that are kept awake by stubs of another process."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, cast

from durabase.cluster.holds import Holds
from durabase.durable_objects import DurableObject
from durabase.durable_objects.ids import IdMint
from durabase.durable_objects.routing import Holder, ObjectKey, ObjectRouter
from unit.cluster.pair import Pair, run

KEY = ObjectKey("Room", IdMint("test-Room").from_name("x"))


class Stub:
    """A holder."""

    is_used = True

    def _rpc_in_use(self) -> bool:
        return self.is_used


class Objects:
    """The objects of the other process: who holds which of them."""

    def __init__(self) -> None:
        self.holders: list[tuple[ObjectKey, Holder]] = []

    def hold(self, key: ObjectKey, holder: Holder) -> None:
        self.holders.append((key, holder))


class Two:
    """Two processes: ``near`` has stubs, ``far`` has objects. What was said between them is in ``said``."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.said: list[str] = []
        nobody = cast(ObjectRouter, Objects())
        self.near = Holds(lambda message: self.say(self.far, message), nobody)
        self.far = Holds(lambda message: self.say(self.near, message), cast(ObjectRouter, self.objects))

    def say(self, to: Holds, message: list[Any]) -> None:
        kind, number, *details = message
        self.said.append(kind)
        to.receive(kind, number, details)


def test_a_stub_holds_as_long_as_it_is_in_use() -> None:
    two, stub = Two(), Stub()
    two.near.hold(KEY, stub)
    two.near.hold(KEY, stub)
    ((key, holder),) = two.objects.holders
    assert key == KEY
    assert [holder._rpc_in_use(), holder._rpc_in_use()] == [True, True]
    assert two.said == ["hold", "held?", "held", "held?", "held"]
    stub.is_used = False
    holder._rpc_in_use()
    assert two.said[-1] == "unhold"
    assert two.far._far == two.near._holders == {}
    stub.is_used = True
    two.near.hold(KEY, stub)
    assert len(two.objects.holders) == 2


def test_a_stub_that_is_gone_holds_nothing() -> None:
    two, stub = Two(), Stub()
    two.near.hold(KEY, stub)
    del stub
    gc.collect()
    assert two.said == ["hold", "unhold"]
    assert two.far._far == two.near._holders == {}


def test_a_process_that_is_gone_holds_nothing() -> None:
    two, stub = Two(), Stub()
    two.near.hold(KEY, stub)
    two.far.lose()
    assert two.far._far == {}
    two.near.lose()
    two.near.hold(KEY, stub)
    assert two.said == ["hold", "hold"]


class Asking(DurableObject):
    """Calls the other object, and waits until it is told to end."""

    async def use(self, stub: Any) -> None:
        self.over = asyncio.Event()
        await stub.touch()
        await self.over.wait()

    def touch(self) -> None:
        """It is in use from now on."""

    def end(self) -> None:
        self.over.set()


def test_an_object_elsewhere_does_not_sleep_while_what_used_its_stub_is_under_way() -> None:
    async def scenario(pair: Pair) -> None:
        user, used = pair.stub(0, 0), pair.stub(0, 1)
        using = asyncio.ensure_future(user.use(used))
        await pair.until(lambda: pair.hosts[1].stats().live == 1)
        await pair.pass_time(30)
        assert pair.hosts[1].stats().live == 1
        await user.end()
        await using
        await pair.pass_time(30)
        assert pair.hosts[1].stats().live == 0

    run(scenario, Asking)
