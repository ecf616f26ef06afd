"""What there is of objects, and ending their lives from outside."""

from __future__ import annotations

import asyncio

import pytest

from durabase.durable_objects import ObjectKey
from durabase.durable_objects.inspection import ClassCensus, ObjectStatus, census, known_ids, status_of
from durabase.errors import ObjectError, ObjectResetError
from unit.durable_objects.rig import Accepting, Rig, run


class Room(Accepting):
    async def keep(self, alarm: int | None = None) -> None:
        await self.ctx.storage.put("k", 1)
        if alarm is not None:
            await self.ctx.storage.set_alarm(alarm)

    async def linger(self) -> None:
        await asyncio.Event().wait()

    def alarm(self) -> None: ...


def key(rig: Rig, name: str = "x") -> ObjectKey:
    return ObjectKey("Room", rig.namespace.id_from_name(name))


def found(rig: Rig) -> dict[str | None, ObjectStatus]:
    hosted = rig.host.classes["Room"]
    statuses = [status_of(hosted, id) for id in known_ids(hosted)]
    return {status.id.name: status for status in statuses if status is not None}


@pytest.mark.feature("S-OB-4")
def test_statuses() -> None:
    async def scenario(rig: Rig) -> None:
        later = rig.clock.now_ms() + 60_000
        await rig.stub("a").keep(later)
        await rig.pass_time(11)
        await rig.connect(rig.stub("b"))
        lingering = asyncio.ensure_future(rig.stub("b").linger())
        await rig.settle()
        assert found(rig) == {
            "a": ObjectStatus(rig.namespace.id_from_name("a"), "asleep", 0, 0, later, True),
            "b": ObjectStatus(rig.namespace.id_from_name("b"), "awake", 1, 1, None, False),
        }
        first, second = known_ids(rig.host.classes["Room"])
        assert first < second
        assert status_of(rig.host.classes["Room"], rig.namespace.id_from_name("nobody")) is None
        rig.host.abort(key(rig, "b"), ObjectResetError("over"))
        with pytest.raises(ObjectResetError):
            await lingering

    run(scenario, Room)


@pytest.mark.feature("S-OB-3")
def test_a_census() -> None:
    async def scenario(rig: Rig) -> None:
        now = rig.clock.now_ms()
        await rig.connect(rig.stub("a"))
        await rig.pass_time(11)
        await rig.stub("b").keep(now + 60_000)
        assert census(rig.host.classes["Room"], now) == ClassCensus(
            live=1, sleeping=1, sockets=1, asleep=1, standard=0, waiting=0, alarms=1, alarms_due=0
        )
        assert census(rig.host.classes["Room"], now + 60_000).alarms_due == 1

    run(scenario, Room)


@pytest.mark.feature("S-OB-5")
def test_eviction_waits_for_events_and_keeps_sockets_or_closes_them() -> None:
    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        assert await rig.host.evict(key(rig))
        assert (found(rig)["x"].state, found(rig)["x"].sockets) == ("asleep", 1)
        assert not await rig.host.evict(key(rig), close_sockets=True)
        assert wire.sent == [("close", 1001, "")]
        assert not rig.host.classes["Room"].slots
        assert not await rig.host.evict(key(rig, "nobody"))
        with pytest.raises(ObjectError, match="no class Other is hosted"):
            await rig.host.evict(ObjectKey("Other", key(rig).id))

    run(scenario, Room)


@pytest.mark.feature("S-OB-5")
def test_aborting_fails_what_is_under_way() -> None:
    async def scenario(rig: Rig) -> None:
        lingering = asyncio.ensure_future(rig.stub().linger())
        await rig.settle()
        error = ObjectResetError("over")
        assert rig.host.abort(key(rig), error)
        with pytest.raises(ObjectResetError, match="over"):
            await lingering
        assert not rig.host.abort(key(rig, "nobody"), error)

    run(scenario, Room)
