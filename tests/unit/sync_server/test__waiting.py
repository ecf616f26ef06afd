"""Messages that wait for a store: in which order, how many, how long."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from durabase.sync_server import _waiting as module
from durabase.sync_server._waiting import WaitingMessages
from durabase.synchronizers.protocol.messages import parse_message
from durabase.synchronizers.protocol.payloads import Payload
from durabase.testing import FakeClock
from unit.sync_server._fakes import settle
from unit.sync_server.test_ws_server import ASK_HASHES, HLC, Bench, diff, run

HASHES, ASKS = '["q.0001",2,[1,2]]', '["q.0002",1,""]'


class Connection:
    """Notes what it fails with."""

    def __init__(self) -> None:
        self.waiting_count = self.waiting_size = 0
        self.failed: list[Exception] = []
        self.fail = self.failed.append


def member(*others: Any) -> Any:
    """A client, on a connection of its own or that of another."""
    return SimpleNamespace(connection=others[0].connection if others else Connection())


def payload(text: str, address: str = "", pieces: int = 1) -> Payload:
    return Payload(address, [text] * pieces, parse_message(text))


class Rig:
    def __init__(self, timeout: float | None = 1.0) -> None:
        self.clock = FakeClock()
        self.waiting = WaitingMessages(self.clock, timeout)

    def add(self, who: Any, text: str = ASKS, address: str = "", pieces: int = 1) -> Payload:
        made = payload(text, address, pieces)
        self.waiting.add(who, made)
        return made

    def taken(self) -> list[Any]:
        found = []
        while (first := self.waiting.take_first()) is not None:
            found.append(first)
        return found


def counts(who: Any) -> tuple[int, int]:
    return who.connection.waiting_count, who.connection.waiting_size


def test_first_come_first_served() -> None:
    rig, a, b = Rig(), member(), member()
    made = [rig.add(who) for who in (a, b, a)]
    assert rig.taken() == list(zip((a, b, a), made, strict=True))
    assert rig.waiting.take_first() is None


def test_each_connection_counts_its_pieces_and_bytes_with_the_address_of_each() -> None:
    rig, a = Rig(), member()
    other = member(a)
    rig.add(a, ASKS, "é", pieces=3)
    assert counts(a) == (3, 3 * (3 + len(ASKS)))
    rig.add(other, ASKS)
    assert counts(a) == (4, 3 * (3 + len(ASKS)) + 1 + len(ASKS))
    rig.taken()
    assert counts(a) == (0, 0)


def test_hashes_replace_those_of_the_same_client_to_the_same_address_in_their_place() -> None:
    rig, a, b = Rig(), member(), member()
    rig.add(a, HASHES)
    rest = [rig.add(a), rig.add(b, HASHES), rig.add(a, HASHES, "S")]
    last = rig.add(a, '["q.0003",2,[3,4]]', pieces=2)
    assert counts(a) == (4, 2 * (1 + len(HASHES)) + 1 + len(ASKS) + 2 + len(HASHES))
    assert [made for _, made in rig.taken()] == [last, *rest]
    assert counts(a) == counts(b) == (0, 0)


def test_who_brings_too_many_loses_all_of_its_own_and_others_nothing() -> None:
    rig, a, b = Rig(), member(), member()
    kept = rig.add(b, pieces=module.MAX_WAITING - 2)
    rig.add(a)
    rig.add(a)
    assert a.connection.failed == b.connection.failed == []
    rig.add(a)
    assert [str(error) for error in a.connection.failed] == ["tinybase:15:server"]
    assert b.connection.failed == []
    assert rig.taken() == [(b, kept)]
    assert counts(a) == (0, 0)


def test_what_would_be_too_much_in_place_of_earlier_hashes_leaves_neither() -> None:
    rig, a = Rig(), member()
    rig.add(a, HASHES)
    rig.add(a, HASHES, pieces=module.MAX_WAITING + 1)
    assert len(a.connection.failed) == 1
    assert (rig.taken(), counts(a)) == ([], (0, 0))


def test_what_waits_in_other_rooms_of_a_connection_counts_too() -> None:
    one, other, a = Rig(), Rig(), member()
    one.add(a, pieces=module.MAX_WAITING)
    other.add(member(a))
    assert len(a.connection.failed) == 1
    assert counts(a) == (module.MAX_WAITING, module.MAX_WAITING * (1 + len(ASKS)))


def test_dropping_one_client_and_clearing() -> None:
    rig, a, b = Rig(), member(), member()
    rig.add(a)
    kept = rig.add(b)
    rig.waiting.drop(a)
    assert counts(a) == (0, 0)
    assert rig.waiting.take_first() == (b, kept)
    rig.add(b)
    rig.waiting.clear()
    assert (rig.waiting.take_first(), counts(b)) == (None, (0, 0))


def test_ten_timeouts_after_the_first_all_are_dropped_and_each_sender_closed_once() -> None:
    rig, a, b = Rig(2), member(), member()
    rig.add(a)
    rig.clock.advance(19_999)
    rig.add(b)
    rig.add(a)
    assert a.connection.failed == []
    rig.clock.advance(1)
    for who in (a, b):
        assert [str(error) for error in who.connection.failed] == ["tinybase:15:server"]
        assert counts(who) == (0, 0)
    assert rig.waiting.take_first() is None


@pytest.mark.parametrize("way", ["taken", "dropped", "cleared"])
def test_the_time_begins_anew_when_nothing_waited(way: str) -> None:
    rig, a = Rig(1), member()
    rig.add(a)
    rig.clock.advance(9000)
    {"taken": rig.taken, "dropped": lambda: rig.waiting.drop(a), "cleared": rig.waiting.clear}[way]()
    rig.add(a)
    rig.clock.advance(9999)
    assert a.connection.failed == []
    rig.clock.advance(1)
    assert len(a.connection.failed) == 1


def test_without_a_timeout_it_waits_for_ever() -> None:
    rig, a = Rig(None), member()
    made = rig.add(a)
    rig.clock.advance(10**9)
    assert rig.taken() == [(a, made)]


def test_waiting_content_hashes_are_replaced_by_later_ones() -> None:
    async def test() -> None:
        gate = asyncio.get_running_loop().create_future()
        bench = Bench(lambda persister: setattr(persister, "load_gate", gate))
        a, port = bench.connect("A")
        a.on_text('\n["t1xxxxxxxxx",2,[1,2]]')
        a.on_text('\n["t2xxxxxxxxx",2,[3,0]]')
        gate.set_result(None)
        await settle()
        pulls = [json.loads(text[2:])[0] for text in port.sent if ",4," in text]
        assert [request_id.split(".")[0] for request_id in pulls] == ["t2xxxxxxxxx"]

    run(test)


@pytest.mark.parametrize("count", [1000, 1001])
def test_a_thousand_messages_may_wait(count: int) -> None:
    async def test() -> None:
        gate = asyncio.get_running_loop().create_future()
        bench = Bench(lambda persister: setattr(persister, "load_gate", gate))
        a, port = bench.connect("A")
        for number in range(count):
            a.on_text(diff(number, f"v{number}"))
        assert port.closed == (None if count == 1000 else (1013, "tinybase:15:server"))
        assert [str(error) for error in bench.errors] == ([] if count == 1000 else ["tinybase:15:server"])
        gate.set_result(None)
        await settle()

    run(test)


def test_the_bytes_that_wait_are_bounded_over_all_rooms_of_a_socket() -> None:
    async def test() -> None:
        gate = asyncio.get_running_loop().create_future()
        bench = Bench(lambda persister: setattr(persister, "load_gate", gate))
        a, port = bench.connect("A", "/base", "tinybase")
        a.on_text('S\n["q",-1,[0,1]]')
        big = "x" * 9_000_000
        for channel in "ab":
            a.on_text(f'S\n["q",-1,[1,"{channel}"]]')
            assert port.closed is None
            a.on_text(f'M\n{channel}\n\n["abcdefghijk",3,[[{{}}],[{{"v":["{big}","{HLC}"]}}],1]]')
        assert port.closed == (1013, "tinybase:15:server")
        gate.set_result(None)
        await settle()

    run(test)


def test_what_waits_too_long_is_dropped_and_its_senders_closed() -> None:
    async def test() -> None:
        gate = asyncio.get_running_loop().create_future()
        bench = Bench(lambda persister: setattr(persister, "load_gate", gate))
        a, port_a = bench.connect("A")
        _, port_b = bench.connect("B")
        a.on_text(ASK_HASHES)
        bench.clock.advance(9_999)
        assert port_a.closed is None
        bench.clock.advance(1)
        assert port_a.closed == (1013, "tinybase:15:server")
        assert port_b.closed is None
        gate.set_result(None)
        await settle()

    run(test)
