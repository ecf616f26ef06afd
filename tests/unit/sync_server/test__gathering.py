"""Small changes are merged together before they are committed, and nobody can tell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest

from durabase.clock import TimerClock
from durabase.errors import ObjectResetError
from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import WsServerDurableObject
from durabase.sync_server._gathering import MOST, SMALL
from durabase.testing import FakeClock, FaultyDisk
from unit.durable_objects.rig import Rig, Wire
from unit.durable_objects.rig import run as run_rig

ASK_HASHES = '\n["abcdefghijk.0001",1,""]'
CLOCK = FakeClock(1_700_000_000_000)


class Room(WsServerDurableObject):
    """The program of the guide, with its store and persister at hand."""

    clock: ClassVar[TimerClock] = CLOCK
    last: ClassVar[Any] = None

    def create_persister(self) -> DurableObjectStoragePersister:
        type(self).last = self
        self.store = MergeableStore("server", clock=CLOCK)
        self.persister = DurableObjectStoragePersister(self.store, self.ctx.storage)
        return self.persister


class Overriding(Room):
    def web_socket_message(self, ws: Any, message: str | bytes) -> None:
        super().web_socket_message(ws, message)


class OverridingAsInJavaScript(Room):
    def webSocketMessage(self, ws: Any, message: str | bytes) -> None:
        super().web_socket_message(ws, message)


class Told(Room):
    def on_message(self, from_client_id: str, to_client_id: str, remainder: str) -> None:
        """Reads what it likes."""


class DurableFirst(Room):
    durable_before_visible = True


def message(number: int, cells: int = 1, hlc: str | None = None) -> str:
    """A change of so many cells of the row ``r``."""
    stamp = [number, hlc or f"NjEtLV{number // 60:02d}--{number % 60:02d}JQY8"]
    row = {f"c{cell}": stamp for cell in range(cells)}
    return f"\n{json.dumps([None, 3, [[{'t': [{'r': [row]}]}], [{}], 1]])}"


async def enter(rig: Rig, client: str = "a") -> Wire:
    wire = Wire()
    headers = {"upgrade": "websocket", "sec-websocket-key": client}
    response = await rig.stub().fetch("http://host/room", headers=headers)
    assert response.web_socket is not None
    wire.sink = response.web_socket.connect(wire)
    await rig.settle()
    wire.sent.clear()
    return wire


def run(scenario: Callable[[Rig, Any], Awaitable[None]], room: type[Room] = Room) -> None:
    """Run ``scenario`` with the room awake."""

    async def main(rig: Rig) -> None:
        await enter(rig, "nobody")
        await scenario(rig, room.last)

    run_rig(main, room)


async def run_timers(rig: Rig) -> None:
    while CLOCK.run_next(CLOCK.now_ms()):
        await rig.settle()


def held(room: Any) -> Any:
    return room.store.get_cell("t", "r", "c0")


def test_they_are_passed_on_at_once_and_merged_and_saved_once_when_they_are_committed() -> None:
    async def scenario(rig: Rig, room: Any) -> None:
        client, other = await enter(rig), await enter(rig, "b")
        saves = room.persister.get_stats()["saves"]
        for number in range(4):
            client.sink.on_text(message(number))
        assert len(other.sent) == 4
        await turns()
        assert held(room) is None
        await rig.settle()
        assert held(room) == 3
        assert room.persister.get_stats()["saves"] == saves + 1

    run(scenario)


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run_while_a_sync_takes_long(scenario: Callable[[Rig, Any, Wire, FaultyDisk], Awaitable[None]]) -> None:
    """Run ``scenario`` with a first change stored, of which the sync goes on until the disk is released."""
    disk = FaultyDisk(CLOCK)

    async def main(rig: Rig) -> None:
        client = await enter(rig)
        disk.hold()
        client.sink.on_text(message(1))
        Room.last.ctx.storage.sync()
        await turns()
        assert held(Room.last) == 1
        try:
            await scenario(rig, Room.last, client, disk)
        finally:
            disk.release()

    run_rig(main, Room, disk=disk)


def test_those_of_several_turns_are_merged_together_while_a_sync_runs() -> None:
    async def scenario(rig: Rig, room: Any, client: Wire, disk: FaultyDisk) -> None:
        saves = room.persister.get_stats()["saves"]
        for number in range(2, 5):
            client.sink.on_text(message(number))
            await turns()
        assert (held(room), client.sent) == (1, [])
        client.sink.on_text(ASK_HASHES)
        await turns()
        assert (held(room), client.sent) == (4, [])
        disk.release()
        await rig.settle()
        assert len(client.sent) == 1
        assert room.persister.get_stats()["saves"] == saves + 1

    run_while_a_sync_takes_long(scenario)


def test_they_are_merged_when_they_are_many() -> None:
    async def scenario(rig: Rig, room: Any, client: Wire, disk: FaultyDisk) -> None:
        for number in range(2, MOST + 2):
            assert held(room) == 1
            client.sink.on_text(message(number))
        assert held(room) == MOST + 1

    run_while_a_sync_takes_long(scenario)


def test_those_of_turns_before_are_stored_if_the_object_is_reset() -> None:
    async def scenario(rig: Rig, room: Any, client: Wire, disk: FaultyDisk) -> None:
        client.sink.on_text(message(2))
        await turns()
        assert held(room) == 1
        (slot,) = rig.host.classes["Room"].slots.values()
        slot.reset(ObjectResetError("for a test"))
        disk.release()
        await rig.settle()
        await enter(rig)
        assert Room.last is not room
        assert held(Room.last) == 2

    run_while_a_sync_takes_long(scenario)


@pytest.mark.parametrize("room", [Overriding, OverridingAsInJavaScript, Told, DurableFirst])
def test_each_is_merged_at_once_where_the_program_may_look_between_them(room: type[Room]) -> None:
    async def scenario(rig: Rig, instance: Any) -> None:
        client = await enter(rig)
        client.sink.on_text(message(1))
        assert held(instance) == 1

    run(scenario, room)


def test_each_is_merged_at_once_while_somebody_listens() -> None:
    async def scenario(rig: Rig, room: Any) -> None:
        client = await enter(rig)
        heard: list[Any] = []
        room.store.add_cell_listener(None, None, None, lambda *given: heard.append(given[4]))
        client.sink.on_text(message(1))
        client.sink.on_text(message(2))
        assert heard == [1, 2]

    run(scenario)


@pytest.mark.parametrize("cells", [SMALL, SMALL + 1])
def test_what_is_not_small_is_merged_at_once_after_what_came_before(cells: int) -> None:
    async def scenario(rig: Rig, room: Any) -> None:
        client = await enter(rig)
        client.sink.on_text(message(1))
        client.sink.on_text(message(2, cells))
        assert held(room) == (None if cells == SMALL else 2)
        await rig.settle()
        assert held(room) == 2

    run(scenario)


def test_a_question_is_answered_with_what_came_before_it() -> None:
    async def scenario(rig: Rig, room: Any) -> None:
        client = await enter(rig)
        alone = MergeableStore("alone", clock=CLOCK)
        for number in range(3):
            text = message(number)
            client.sink.on_text(text)
            alone.apply_mergeable_changes(json.loads(text)[2])
        client.sink.on_text(ASK_HASHES)
        client.sink.on_text(message(9))
        await rig.settle()
        hashes = json.dumps(alone.get_mergeable_content_hashes(), separators=(",", ":"))
        assert client.sent == [f'S\n["abcdefghijk.0001",0,{hashes}]']
        assert held(room) == 9

    run(scenario)


def test_whoever_asks_the_seat_for_the_store_gets_all_of_it() -> None:
    async def scenario(rig: Rig, room: Any) -> None:
        client = await enter(rig)
        client.sink.on_text(message(1))
        assert room._passing.seat.store.get_cell("t", "r", "c0") == 1

    run(scenario)


def test_a_bad_one_takes_no_other_with_it() -> None:
    async def scenario(rig: Rig, room: Any) -> None:
        client = await enter(rig)
        client.sink.on_text(message(1))
        client.sink.on_text(message(2, hlc="z" * 16))
        await rig.settle()
        assert held(room) == 1
        client.sink.on_text(message(3))
        await rig.settle()
        assert held(room) == 3

    run(scenario)


def test_if_merging_them_together_fails_each_is_merged_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(rig: Rig, room: Any) -> None:
        client = await enter(rig)
        merge_one = MergeableStore._apply_encoded_mergeable_changes

        def merge(self: MergeableStore, changes: Any) -> Any:
            if changes[0][0]["t"][0]["r"][0]["c0"][0] == 2:
                raise ValueError("this one")
            return merge_one(self, changes)

        def merge_together(self: MergeableStore, several: Any) -> bool:
            raise ValueError("one of them")

        monkeypatch.setattr(MergeableStore, "_apply_encoded_mergeable_changes", merge)
        monkeypatch.setattr(MergeableStore, "_apply_encoded_mergeable_changes_together", merge_together)
        errors: list[Exception] = []
        room._passing.seat._on_ignored_error = errors.append
        for number in range(4):
            client.sink.on_text(message(number))
        await rig.settle()
        assert held(room) == 3
        assert [str(error) for error in errors] == ["this one"]

    run(scenario)


def test_what_can_not_be_merged_while_a_transaction_ends_is_merged_afterwards() -> None:
    async def scenario(rig: Rig, room: Any) -> None:
        client = await enter(rig)
        await run_timers(rig)
        client.sink.on_text(message(1))

        def look(_instance: Any, ctx: Any) -> None:
            room.store.add_did_finish_transaction_listener(lambda _: ctx.storage.get("x"))
            room.store.set_value("v", 1)

        await rig.run_in(look)
        assert held(room) is None
        await run_timers(rig)
        assert held(room) == 1

    run(scenario)


def test_they_are_there_after_a_restart_with_their_hashes() -> None:
    async def scenario(rig: Rig, room: Any) -> None:
        client = await enter(rig)
        for number in range(4):
            client.sink.on_text(message(number))
        await rig.restart()
        hashes = room.store.get_mergeable_content_hashes()
        client = await enter(rig)
        client.sink.on_text(ASK_HASHES)
        await rig.settle()
        answer = json.dumps(hashes, separators=(",", ":"))
        assert client.sent == [f'S\n["abcdefghijk.0001",0,{answer}]']
        assert hashes[0] != 0

    run(scenario)
