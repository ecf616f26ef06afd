"""Rooms whose object lives in another process."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, ClassVar

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import PersisterError, ServerError
from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import Proposal, Room, WsServerDurableObject, object_room
from durabase.types import UNDEFINED
from unit.cluster.pair import Pair, run


class Kept(WsServerDurableObject):
    """The program of the guide."""

    def create_persister(self) -> DurableObjectStoragePersister:
        store = MergeableStore().set_values_schema(
            {"count": {"type": "number", "default": 0}, "v": {"type": "string"}}
        )
        return DurableObjectStoragePersister(store, self.ctx.storage)

    def write(self, value: str) -> None:
        assert self._passing.seat is not None
        self._passing.seat.store.set_value("v", value)

    def values(self) -> Any:
        assert self._passing.seat is not None
        return self._passing.seat.store.get_values()

    def loosen(self) -> None:
        assert self._passing.seat is not None
        self._passing.seat.store.del_schema()

    def stamps(self) -> Any:
        assert self._passing.seat is not None
        return {
            id_: stamp[0] is UNDEFINED
            for id_, stamp in self._passing.seat.store.get_mergeable_content()[1][0].items()
        }

    def holders(self) -> int:
        assert self._passing.seat is not None
        return self._passing.seat.holders

    def break_disk(self) -> None:
        def fail(*_: object) -> None:
            raise PersisterError("no room left")

        assert self._passing.seat is not None
        self._passing.seat._persister.schedule = fail  # type: ignore[method-assign, assignment]

    def abort(self) -> None:
        self.ctx.abort("enough")


class Relaying(WsServerDurableObject):
    pass


class Plain(DurableObject):
    pass


class Strict(Kept):
    """Refuses whatever clients do; a room is no client."""

    authoritative = True
    asked: ClassVar[list[Proposal]] = []

    def validate(self, proposal: Proposal) -> None:
        self.asked.append(proposal)
        proposal.refuse_all()


async def opened(pair: Pair, process: int = 0) -> Room:
    return await object_room(pair.hosts[process].namespace(pair.class_name), pair.names[1])


def hang_up(pair: Pair, process: int) -> None:
    """As if the process had gone."""
    router = pair.routers[process]
    for peer in [*router._callers, *router._called.values()]:
        peer.close()


@pytest.mark.parametrize("room_class", [Kept, Strict])
def test_edits_go_both_ways_and_are_durable_when_saved(room_class: type) -> None:
    async def scenario(pair: Pair) -> None:
        stub = pair.stub(0, 1)
        await stub.write("before")
        async with object_room(pair.hosts[0].namespace(pair.class_name), pair.names[1]) as room:
            assert room.store.get_values() == {"count": 0, "v": "before"}
            room.store.set_value("v", "from afar").set_cell("t", "r", "c", [1])
            await room.saved()
            assert await stub.values() == {"count": 0, "v": "from afar"}
            await stub.write("from here")
            await pair.until(lambda: room.store.get_value("v") == "from here")
            room.store.set_value("count", 2)
        assert await stub.values() == {"count": 2, "v": "from here"}
        assert Strict.asked == []
        async with object_room(pair.hosts[1].namespace(pair.class_name), pair.names[1]) as room:
            assert room.store.get_cell("t", "r", "c") == [1]

    run(scenario, room_class)


def test_rooms_in_both_processes_see_each_others_edits() -> None:
    async def scenario(pair: Pair) -> None:
        far, here, third = await opened(pair), await opened(pair, 1), await opened(pair)
        far.store.set_value("v", "far")
        await pair.until(lambda: here.store.get_value("v") == third.store.get_value("v") == "far")
        here.store.set_value("v", "here")
        await pair.until(lambda: far.store.get_value("v") == third.store.get_value("v") == "here")
        far.store.set_value("v", 5)  # the schema is the same
        assert far.store.get_value("v") == "here"
        for room in (far, here, third):
            await room.close()

    run(scenario, Kept)


def test_the_object_stays_awake_while_its_room_is_open_and_no_longer() -> None:
    async def scenario(pair: Pair) -> None:
        room = await opened(pair)
        await pair.pass_time(100)
        assert (room.is_open, pair.hosts[1].stats().live) == (True, 1)
        assert await pair.stub(0, 1).holders() == 1
        await room.close()
        with pytest.raises(ServerError, match="is closed"):
            _ = room.store
        await pair.pass_time(100)
        assert pair.hosts[1].stats().live == 0

    run(scenario, Kept)


def test_a_room_that_nobody_has_any_more_is_let_go() -> None:
    async def scenario(pair: Pair) -> None:
        room = await opened(pair)
        room.store.set_value("v", "x")
        await room.saved()
        del room
        gc.collect()
        await pair.pass_time(100)
        assert pair.hosts[1].stats().live == 0

    run(scenario, Kept)


def test_the_end_of_the_object_is_the_end_of_the_room() -> None:
    async def scenario(pair: Pair) -> None:
        room = await opened(pair)
        with pytest.raises(Exception, match="enough"):
            await pair.stub(0, 1).abort()
        await pair.until(lambda: not room.is_open)
        with pytest.raises(ServerError, match="open it again"):
            _ = room.store
        await room.close()
        async with object_room(pair.hosts[0].namespace("Kept"), pair.names[1]) as again:
            again.store.set_value("v", "again")
        assert await pair.stub(0, 1).values() == {"count": 0, "v": "again"}

    run(scenario, Kept)


def test_the_end_of_the_other_process_is_the_end_of_the_room() -> None:
    async def scenario(pair: Pair) -> None:
        room = await opened(pair)
        hang_up(pair, 1)
        await pair.until(lambda: not room.is_open)
        with pytest.raises(ServerError):
            await room.saved()
        await room.close()

    run(scenario, Kept)


def test_the_end_of_this_process_lets_go_of_the_object() -> None:
    async def scenario(pair: Pair) -> None:
        await opened(pair)
        hang_up(pair, 0)
        await pair.pass_time(100)
        assert pair.hosts[1].stats().live == 0

    run(scenario, Kept)


def test_what_can_not_be_written_is_not_saved() -> None:
    async def scenario(pair: Pair) -> None:
        room = await opened(pair)
        await pair.stub(0, 1).break_disk()
        with pytest.raises(PersisterError, match="no room left"):
            await room.saved()
        await room.close()

    run(scenario, Kept)


@pytest.mark.parametrize(
    ("cls", "fault"), [(Relaying, "has no store"), (Plain, "is no WsServerDurableObject")]
)
def test_what_is_no_room_can_not_be_opened(cls: type, fault: str) -> None:
    async def scenario(pair: Pair) -> None:
        with pytest.raises(ServerError, match=fault):
            await opened(pair)

    run(scenario, cls)


def test_much_is_opened_whole() -> None:
    async def scenario(pair: Pair) -> None:
        rows = {f"r{row}": {f"c{cell}": row for cell in range(10)} for row in range(2000)}
        async with object_room(pair.hosts[0].namespace("Kept"), pair.names[1]) as room:
            room.store.set_table("t", rows)
        async with object_room(pair.hosts[0].namespace("Kept"), pair.names[1]) as room:
            assert room.store.get_table("t") == rows

    run(scenario, Kept)


def test_opening_can_be_given_up() -> None:
    async def scenario(pair: Pair) -> None:
        opening = asyncio.ensure_future(object_room(pair.hosts[0].namespace("Kept"), pair.names[1])._opens())
        await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
        await pair.pass_time(100)
        assert pair.hosts[1].stats().live == 0

    run(scenario, Kept)


@pytest.mark.parametrize("process", [0, 1])
def test_a_stricter_schema_is_enforced_from_afar_as_from_here(process: int) -> None:
    async def scenario(pair: Pair) -> None:
        stub = pair.stub(0, 1)
        await stub.loosen()
        async with object_room(pair.hosts[0].namespace("Kept"), pair.names[1]) as room:
            room.store.set_values({"old": 1, "v": "kept"})
        await pair.hosts[1].evict(stub._rpc_key)
        async with object_room(pair.hosts[process].namespace("Kept"), pair.names[1]) as room:
            assert room.store.get_values() == {"v": "kept", "count": 0}
            assert [room.enforce_schema(), room.enforce_schema()] == [2, 0]
        assert await stub.stamps() == {"old": True, "v": False, "count": False}

    run(scenario, Kept)
