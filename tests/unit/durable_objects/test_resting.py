"""When an object that is quiet may sleep: as the host, the class or the configuration says."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, ObjectHost
from durabase.durable_objects.resting import checked_idle_seconds

from .rig import Rig, run


class Plain(DurableObject):
    async def write(self) -> None:
        await self.ctx.storage.put("k", 1)

    def read(self) -> None: ...


def with_idle(seconds: Any) -> type[Plain]:
    return type("Plain", (Plain,), {"idle_seconds": seconds})


@pytest.mark.feature("S-LC-2")
@pytest.mark.parametrize("method", ["write", "read"])
def test_an_object_may_sleep_at_once(method: str) -> None:
    async def scenario(rig: Rig) -> None:
        await getattr(rig.stub(), method)()
        await rig.pass_time(0)
        assert rig.host.stats().live == 0
        before = rig.clock.now_ms()
        await getattr(rig.stub(), method)()
        await rig.pass_time(0)
        assert (rig.host.stats().live, rig.clock.now_ms()) == (0, before)

    run(scenario, with_idle(0))


@pytest.mark.feature("S-LC-2")
def test_an_object_may_never_sleep() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().write()
        await rig.pass_time(1e7)
        assert rig.host.stats().live == 1
        await rig.host.replace([rig.definition(with_idle(5))])  # which ends the life that there is
        await rig.stub().write()
        await rig.pass_time(4)
        assert rig.host.stats().live == 1
        await rig.pass_time(1)
        assert rig.host.stats().live == 0

    run(scenario, with_idle(inf))


@pytest.mark.feature("S-LC-2")
def test_the_configuration_is_above_the_class_and_the_class_above_the_host() -> None:
    assert checked_idle_seconds(1, with_idle(2), 3) == 1
    assert checked_idle_seconds(None, with_idle(2), 3) == 2
    assert checked_idle_seconds(None, Plain, 3) == 3
    assert checked_idle_seconds(None, with_idle(lambda self: 9), 3) == 3  # a program's own name
    for wrong in (-1, nan):
        with pytest.raises(TypeError, match="0 or more"):
            checked_idle_seconds(None, with_idle(wrong), 3)


@pytest.mark.feature("S-LC-2")
def test_a_host_and_a_definition_say_how_long() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.host.__aexit__(None, None, None)
        rig.host = ObjectHost(rig.folder, clock=rig.clock, idle_seconds=3)
        rig.host.register(rig.definition(Plain))
        rig.host.register(replace(rig.definition(Plain, "Quick"), idle_seconds=1))
        await rig.host.__aenter__()
        await rig.stub().read()
        await rig.host.namespace("Quick").get_by_name("x").read()
        await rig.pass_time(1)
        assert rig.host.stats().live == 1
        await rig.pass_time(2)
        assert rig.host.stats().live == 0

    run(scenario, Plain)
