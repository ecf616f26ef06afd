"""Large messages are taken over slice by slice: others have their turn meanwhile, and nobody can tell."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from durabase.clock import TimerClock
from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectSqlStoragePersister, DurableObjectStoragePersister
from durabase.persisters.base import Persister
from durabase.persisters.durable_object_sql_storage import FragmentedMode
from durabase.sync_server import Proposal, WsServerDurableObject
from durabase.sync_server._peer import LARGE, SLICE
from durabase.synchronizers.protocol.messages import parse_message
from durabase.testing import FakeClock
from durabase.types import UNDEFINED
from unit.durable_objects.rig import Rig, Wire
from unit.durable_objects.rig import run as run_rig

CELLS = 4 * LARGE
SLICES = CELLS // SLICE
ASK_HASHES = '\n["abcdefghijk.0001",1,""]'
CLOCK = FakeClock(1_700_000_000_000)


class Room(WsServerDurableObject):
    """The program of the guide; what its stores tell is in ``heard``."""

    clock: ClassVar[TimerClock] = CLOCK
    heard: ClassVar[list[str]] = []
    listens: ClassVar[bool] = False

    def create_persister(self) -> Persister:
        self.store = MergeableStore("server", clock=CLOCK)
        if self.listens:
            self.store.add_did_finish_transaction_listener(lambda _: self.heard.append("transaction"))
        return self.make_persister()

    def make_persister(self) -> Persister:
        return DurableObjectStoragePersister(self.store, self.ctx.storage)


class Fragmented(Room):
    def make_persister(self) -> Persister:
        return DurableObjectSqlStoragePersister(self.store, self.ctx.storage.sql, FragmentedMode())


class AsOneText(Room):
    def make_persister(self) -> Persister:
        return DurableObjectSqlStoragePersister(self.store, self.ctx.storage.sql)


class Listening(Room):
    listens = True


class DurableFirst(Room):
    durable_before_visible = True


class Judging(Room):
    """Refuses what ``refuses`` says of one message; how many edits that had is in ``proposed``."""

    authoritative = True
    proposed: ClassVar[list[int]] = []
    refused: ClassVar[list[int]] = []

    def validate(self, proposal: Proposal) -> None:
        self.proposed.append(len(proposal.edits))
        for edit in proposal.edits[::3]:
            proposal.refuse(edit)

    def on_refused(self, proposal: Proposal) -> None:
        self.refused.append(len(proposal.refused))


class JudgingListening(Judging):
    listens = True


def content(cells: int = CELLS) -> MergeableStore:
    """A client's store with so many cells."""
    store = MergeableStore("client", clock=CLOCK)
    rows = {f"r{row}": {f"c{cell}": row * cell for cell in range(8)} for row in range(cells // 8)}
    return store.set_tables({"t": rows}).set_values({"v": 1})


def diff(store: MergeableStore, transaction_id: str = "abcdefghijk") -> str:
    """What its client sends of it."""
    tables, values = store._get_encoded_mergeable_content()
    body = [_without_hashes(tables, 3), _without_hashes(values, 1), 1]
    return f"\n{json.dumps([transaction_id, 3, body])}"


def _without_hashes(stamp: Any, depth: int) -> list[Any]:
    if not depth:
        return stamp[:2]
    return [{id_: _without_hashes(child, depth - 1) for id_, child in stamp[0].items()}]


def hashes(store: MergeableStore) -> str:
    return json.dumps(store.get_mergeable_content_hashes(), separators=(",", ":"))


async def enter(rig: Rig, client: str, room: str = "x") -> Wire:
    wire = Wire()
    headers = {"upgrade": "websocket", "sec-websocket-key": client}
    response = await rig.stub(room).fetch("http://host/room", headers=headers)
    assert response.web_socket is not None
    wire.sink = response.web_socket.connect(wire)
    await rig.settle()
    wire.sent.clear()
    return wire


def run(scenario: Callable[[Rig], Awaitable[None]], room: type[Room] = Room) -> None:
    room.heard = []
    storage = "sqlite" if issubclass(room, (Fragmented, AsOneText)) else "kv"
    run_rig(scenario, room, storage=storage)


async def turns_until(condition: Callable[[], bool]) -> int:
    """How many visits of the loop that takes."""
    turns = 0
    while not condition():
        turns += 1
        await asyncio.sleep(0)
    return turns


@pytest.mark.parametrize("room", [Room, Fragmented, AsOneText])
def test_others_have_their_turn_between_slices(room: type[Room]) -> None:
    async def scenario(rig: Rig) -> None:
        client, quiet = await enter(rig, "a"), await enter(rig, "b", "quiet")
        store = content()
        client.sink.on_text(diff(store))
        for turn in range(SLICES):
            quiet.sent.clear()
            quiet.sink.on_text(ASK_HASHES)
            assert len(quiet.sent) == 1, turn
            await asyncio.sleep(0)
            assert client.sent == []
        client.sink.on_text(ASK_HASHES)
        await turns_until(lambda: bool(client.sent))
        assert client.sent == [f'S\n["abcdefghijk.0001",0,{hashes(store)}]']

    run(scenario, room)


@pytest.mark.parametrize("room", [Room, Fragmented, AsOneText, Listening, DurableFirst])
def test_it_is_there_after_a_restart_whole_and_with_its_hashes(room: type[Room]) -> None:
    async def scenario(rig: Rig) -> None:
        client, other = await enter(rig, "a"), await enter(rig, "b")
        store = content()
        message = diff(store)
        client.sink.on_text(message)
        await rig.settle()
        await turns_until(lambda: bool(other.sent))
        assert other.sent == [f"a{message}"]
        await rig.restart()
        client = await enter(rig, "a")
        client.sink.on_text(ASK_HASHES)
        await rig.settle()
        assert client.sent == [f'S\n["abcdefghijk.0001",0,{hashes(store)}]']

    run(scenario, room)


def test_it_is_passed_on_at_once_and_what_comes_meanwhile_waits_in_order() -> None:
    async def scenario(rig: Rig) -> None:
        client, other = await enter(rig, "a"), await enter(rig, "b")
        store = content()
        client.sink.on_text(diff(store))
        assert len(other.sent) == 1
        await asyncio.sleep(0)
        store.set_cell("t", "r0", "c0", "later")
        later = store.get_mergeable_content()[0][0]["t"][0]["r0"][0]["c0"][:2]
        client.sink.on_text("\n" + json.dumps(["b", 3, [[{"t": [{"r0": [{"c0": later}]}]}], [{}], 1]]))
        client.sink.on_text(ASK_HASHES)
        assert (len(other.sent), client.sent) == (1, [])
        await turns_until(lambda: bool(client.sent))
        assert len(other.sent) == 3
        assert client.sent == [f'S\n["abcdefghijk.0001",0,{hashes(store)}]']

    run(scenario)


@pytest.mark.parametrize("room", [Room, Listening])
def test_a_large_pull_is_taken_over_slice_by_slice_and_told_to_others_once(room: type[Room]) -> None:
    async def scenario(rig: Rig) -> None:
        client, other = await enter(rig, "a"), await enter(rig, "b")
        store = content()
        client.sink.on_text(f'\n["abcdefghijk",2,{hashes(store)}]')
        answered = 0
        while True:
            asked = [json.loads(text.partition("\n")[2]) for text in client.sent[answered:]]
            answered = len(client.sent)
            for request_id, number, body in asked:
                if number == 4:
                    answer: Any = store.get_mergeable_table_diff(body)
                elif number == 7:
                    answer = store.get_mergeable_value_diff(body)
                else:
                    continue
                client.sink.on_text(f"S\n{json.dumps([request_id, 0, answer])}")
            if not asked:
                break
        await turns_until(lambda: bool(other.sent[1:]))
        (told,) = (text for text in other.sent if text.startswith("S\n"))
        assert json.loads(told[2:])[1:] == [2, store.get_mergeable_content_hashes()]

    run(scenario, room)


def test_in_storage_there_is_nothing_of_it_before_there_is_all(tmp_path: Path) -> None:
    def stored(rig: Rig) -> int:
        (file,) = (path for path in Path(rig.folder).rglob("*.sqlite") if path.stat().st_size)
        with sqlite3.connect(file) as other:
            (count,) = other.execute("SELECT count(*) FROM kv WHERE instr(key, 'r')").fetchone()
        other.close()
        return int(count)

    async def scenario(rig: Rig) -> None:
        client, quiet = await enter(rig, "a"), await enter(rig, "b", "quiet")
        client.sink.on_text(diff(content()))
        counts = set()
        for turn in range(3 * SLICES):
            quiet.sink.on_text(f"\n{json.dumps([None, 3, [[{}], [{'v': [turn, _hlc(turn)]}], 1]])}")
            await asyncio.sleep(0)
            counts.add(stored(rig))
        await rig.settle()
        assert stored(rig) == CELLS + CELLS // 8
        assert {0} <= counts <= {0, stored(rig)}

    run(scenario)


def _hlc(number: int) -> str:
    return f"NjEtLV{number // 60:02d}--{number % 60:02d}JQY8"


def test_nothing_of_it_remains_when_the_object_is_reset_meanwhile() -> None:
    async def scenario(rig: Rig) -> None:
        client = await enter(rig, "a")
        client.sink.on_text(diff(content()))
        for _ in range(SLICES // 2):
            await asyncio.sleep(0)
        slot = next(iter(rig.host._classes["Room"].slots.values()))
        slot.life.end_with(RuntimeError("reset"))
        await rig.settle()
        assert client.sent == ["abort"]
        client = await enter(rig, "a")
        client.sink.on_text(ASK_HASHES)
        await rig.settle()
        assert client.sent == ['S\n["abcdefghijk.0001",0,[0,0]]']

    run(scenario)


def test_listeners_see_one_transaction() -> None:
    async def scenario(rig: Rig) -> None:
        client = await enter(rig, "a")
        Listening.heard.clear()
        client.sink.on_text(diff(content()))
        assert Listening.heard == ["transaction"]
        await rig.settle()

    run(scenario, Listening)


def test_one_bad_stamp_refuses_all_of_it() -> None:
    async def scenario(rig: Rig) -> None:
        client = await enter(rig, "a")
        request_id, number, body = json.loads(diff(content()))
        body[0][0]["t"][0][f"r{CELLS // 8 - 1}"][0]["c7"][1] = "z" * 16
        client.sink.on_text("\n" + json.dumps([request_id, number, body]))
        client.sink.on_text(ASK_HASHES)
        await rig.settle()
        assert client.sent == ['S\n["abcdefghijk.0001",0,[0,0]]']

    run(scenario)


@pytest.mark.parametrize("room", [Judging, JudgingListening])
def test_judged_at_once_or_bit_by_bit_comes_to_the_same(room: type[Judging]) -> None:
    async def scenario(rig: Rig) -> None:
        room.proposed, room.refused = [], []
        client, other = await enter(rig, "a"), await enter(rig, "b")
        store, copy = content(), MergeableStore("copy", clock=CLOCK)
        client.sink.on_text(diff(store))
        await turns_until(lambda: bool(client.sent))
        (told,), (corrected,) = bodies(other), bodies(client)
        copy._apply_encoded_mergeable_changes(told)
        store._apply_encoded_mergeable_changes(corrected)
        assert room.proposed == [CELLS + 1]
        assert room.refused == [-(-(CELLS + 1) // 3)]
        assert cells_of(copy) == CELLS - -(-CELLS // 3)
        assert copy.get_mergeable_content_hashes() == store.get_mergeable_content_hashes()
        client.sink.on_text(ASK_HASHES)
        await rig.settle()
        assert client.sent[-1] == f'S\n["abcdefghijk.0001",0,{hashes(store)}]'

    run(scenario, room)


def bodies(wire: Wire) -> list[Any]:
    return [parse_message(text.removeprefix("S\n")).body for text in wire.sent]


def cells_of(store: MergeableStore) -> int:
    return sum(len(row) for row in store.get_table("t").values())


def test_others_have_their_turn_while_much_is_judged() -> None:
    async def scenario(rig: Rig) -> None:
        client, quiet = await enter(rig, "a"), await enter(rig, "b", "quiet")
        client.sink.on_text(diff(content()))
        for turn in range(2 * SLICES):
            quiet.sent.clear()
            quiet.sink.on_text(ASK_HASHES)
            assert len(quiet.sent) == 1, turn
            await asyncio.sleep(0)
            assert client.sent == []
        await turns_until(lambda: bool(client.sent))

    run(scenario, Judging)


def test_what_is_too_far_ahead_is_answered_also_bit_by_bit() -> None:
    async def scenario(rig: Rig) -> None:
        Judging.proposed = []
        client, other = await enter(rig, "a"), await enter(rig, "b")
        request_id, number, body = json.loads(diff(content()))
        body[0][0]["t"][0][f"r{CELLS // 8 - 1}"][0]["c7"][1] = "y" * 16
        client.sink.on_text("\n" + json.dumps([request_id, number, body]))
        await turns_until(lambda: len(client.sent) == 2)
        ahead, _ = bodies(client)
        ((cell_id, stamp),) = ahead[0][0]["t"][0][f"r{CELLS // 8 - 1}"][0].items()
        assert (cell_id, stamp[0]) == ("c7", UNDEFINED)
        assert Judging.proposed == [CELLS]
        assert len(other.sent) == 1

    run(scenario, Judging)


def test_who_has_nothing_gets_all_of_what_came_before_and_nothing_of_what_came_after() -> None:
    async def scenario(rig: Rig) -> None:
        client, other = await enter(rig, "a"), await enter(rig, "b")
        store = content(8)
        client.sink.on_text(diff(store))
        for _ in range(2):
            other.sent.clear()
            other.sink.on_text('S\n["abcdefghijk.0001",4,{}]')
            await rig.settle()
            (answer,) = other.sent
            assert json.loads(answer[2:]) == ["abcdefghijk.0001", 0, store.get_mergeable_table_diff({})]
        store.set_cell("t", "r0", "c0", "later")
        client.sink.on_text(diff(store))
        other.sent.clear()
        other.sink.on_text('S\n["abcdefghijk.0001",4,{}]')
        await rig.settle()
        assert json.loads(other.sent[-1][2:])[2] == store.get_mergeable_table_diff({})

    run(scenario)
