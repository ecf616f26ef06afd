"""A path's room takes large messages over slice by slice; other rooms have their turn in between."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.sync_server._waiting import MAX_WAITING
from durabase.synchronizers.protocol.messages import parse_message
from durabase.testing import FakeClock
from unit.sync_server._fakes import MemoryPersister, settle
from unit.sync_server.test_slices import CELLS, SLICES, content, diff, hashes
from unit.sync_server.test_ws_server import ASK_HASHES, NOW, Bench, answers, run
from unit.sync_server.test_ws_server import diff as small_diff


class Sliced(Bench):
    """Two clients in one room, which is asked what it has, and one in another, all at rest."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client, self.port = self.connect("A")
        self.other, self.other_port = self.connect("B")
        self.quiet, self.quiet_port = self.connect("Q", "/quiet")
        self.clock.advance(1000)  # nobody answers what the server asks
        for port in (self.port, self.other_port, self.quiet_port):
            port.take()

    def slice(self) -> bool:
        """Let the next slice be done, if there is one."""
        return self.clock.run_next(self.clock.now_ms())

    @property
    def persister(self) -> MemoryPersister:
        return self.persisters[0]

    @property
    def store(self) -> MergeableStore:
        store = self.persister.get_store()
        assert isinstance(store, MergeableStore)
        return store


def later_content() -> MergeableStore:
    """A client's store, whose clock is the server's."""
    store = MergeableStore("client", clock=FakeClock(NOW + 1000))
    return store._set_encoded_mergeable_content(content()._get_encoded_mergeable_content())


@pytest.mark.parametrize("options", [{}, {"authoritative": True}])
def test_other_rooms_are_served_between_slices(options: dict[str, Any]) -> None:
    async def test() -> None:
        bench, store = Sliced(**options), later_content()
        saves = bench.persister.saves
        bench.client.on_text(diff(store))
        bench.client.on_text(ASK_HASHES)
        slices = 0
        while bench.slice():
            slices += 1
            if slices < SLICES:
                bench.quiet.on_text(ASK_HASHES)
                assert len(bench.quiet_port.take()) == 1
                assert (answers(bench.port), bench.persister.saves) == ([], saves)
        assert slices > SLICES
        assert bench.persister.saves == saves + 1
        assert answers(bench.port) == [store.get_mergeable_content_hashes()]
        assert json.dumps(bench.place["p"]) == json.dumps(bench.store._get_encoded_mergeable_content())

    run(test)


def test_it_is_passed_on_at_once_and_what_comes_meanwhile_waits_in_order() -> None:
    async def test() -> None:
        bench, store = Sliced(), later_content()
        bench.client.on_text(diff(store))
        bench.client.on_text(small_diff(7, "w"))
        bench.client.on_text(diff(content(), "another"))
        bench.other.on_text(ASK_HASHES)
        assert len(bench.other_port.sent) == 3
        bench.client.on_close(1000, "", True)  # what it has sent counts
        while bench.slice():
            pass
        assert bench.store.get_value("w") == 7
        assert answers(bench.other_port) == [bench.store.get_mergeable_content_hashes()]

    run(test)


def test_whoever_sends_too_much_meanwhile_is_closed_and_others_are_not() -> None:
    async def test() -> None:
        bench = Sliced()
        bench.client.on_text(diff(content()))
        bench.other.on_text(ASK_HASHES)
        for number in range(MAX_WAITING):
            bench.client.on_text(small_diff(number))
        assert bench.port.closed == (1013, "tinybase:15:server")
        while bench.slice():
            pass
        assert len(answers(bench.other_port)) == 1
        assert bench.other_port.closed is None

    run(test)


def test_a_room_that_everybody_leaves_meanwhile_ends_when_all_is_saved() -> None:
    async def test() -> None:
        bench, store = Sliced(), later_content()
        bench.client.on_text(diff(store))
        bench.slice()
        for connection in (bench.client, bench.other):
            connection.on_close(1000, "", True)
        assert "p" in bench.server.get_path_ids()
        while bench.slice():
            pass
        assert "p" not in bench.server.get_path_ids()
        assert [bench.place["p"][0][2], bench.place["p"][1][2]] == store.get_mergeable_content_hashes()

    run(test)


def test_a_room_that_is_opened_for_edits_meanwhile_waits_and_then_nothing_is_sliced() -> None:
    async def test() -> None:
        bench, store = Sliced(), later_content()
        bench.client.on_text(diff(store))
        bench.slice()
        opening = asyncio.ensure_future(bench.server.room("p").__aenter__())
        await settle()
        assert not opening.done()
        while bench.slice():
            pass
        room = await opening
        assert hashes(room.store) == hashes(store)
        bench.client.on_text(diff(store.set_table("u", store.get_table("t"))))
        assert hashes(room.store) == hashes(store)
        await room.close()
        bench.client.on_text(diff(store.set_table("x", store.get_table("t"))))
        assert hashes(bench.store) != hashes(store)
        while bench.slice():
            pass
        assert hashes(bench.store) == hashes(store)

    run(test)


def test_what_is_loaded_meanwhile_takes_nothing_away() -> None:
    async def test() -> None:
        bench, store = Sliced(), later_content()
        other = MergeableStore("elsewhere", clock=bench.clock).set_value("w", 1)
        bench.client.on_text(diff(store))
        for _ in range(SLICES // 2):
            bench.slice()
        bench.place["p"] = other._get_encoded_mergeable_content()
        await bench.persister.load()
        while bench.slice():
            pass
        store._apply_encoded_mergeable_changes(bench.place["p"])
        assert store.get_value("w") == 1
        assert hashes(bench.store) == hashes(store)
        assert [bench.place["p"][0][2], bench.place["p"][1][2]] == store.get_mergeable_content_hashes()

    run(test)


def test_judged_bit_by_bit_all_copies_come_to_the_same() -> None:
    async def test() -> None:
        def validate(path_id: str, proposal: Any) -> None:
            assert len(proposal.edits) == CELLS + 1
            for edit in proposal.edits[::2]:
                proposal.refuse(edit)

        bench, store = Sliced(authoritative=True, validate=validate), later_content()
        bench.client.on_text(diff(store))
        while bench.slice():
            pass
        other = MergeableStore("B", clock=bench.clock)
        for copy, port in ((store, bench.port), (other, bench.other_port)):
            for told in port.take():
                copy._apply_encoded_mergeable_changes(parse_message(told.removeprefix("S\n")).body)
            assert hashes(copy) == hashes(bench.store)
        assert len(other.get_table("t")["r0"]) == 4

    run(test)
