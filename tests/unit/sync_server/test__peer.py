"""The seat of a store among its clients: what it asks, takes over and tells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from durabase.errors import PersisterError
from durabase.mergeable import MergeableStore
from durabase.sync_server import WsServer
from durabase.sync_server._peer import ServerSeat
from durabase.synchronizers.protocol.messages import parse_message
from durabase.testing import FakeClock
from unit.sync_server._fakes import FakePort, MemoryPersister
from unit.sync_server.test_ws_server import HLC, NOW, Bench, diff


def test_it_asks_takes_over_and_tells() -> None:
    bench = Bench()
    a, port = bench.connect("A")
    (ask,) = port.take()
    request_id = json.loads(ask[2:])[0]
    a.on_text(f'S\n["{request_id}",0,[0,123]]')
    (pull,) = port.take()
    pull_id, number, hashes = json.loads(pull[2:])
    assert (number, hashes) == (7, {})
    a.on_text(f'S\n["{pull_id}",0,[{{"v":[5,"{HLC}"]}}]]')
    assert bench.store.get_value("v") == 5
    (told,) = port.take()
    assert json.loads(told[2:])[1:] == [2, list(bench.store.get_mergeable_content_hashes())]
    assert bench.errors == []


def test_who_came_while_it_pulled_is_told() -> None:
    bench = Bench()
    a, port_a = bench.connect("A")
    bench.clock.advance(1000)
    port_a.take()
    a.on_text('\n["t1xxxxxxxxx",2,[0,123]]')
    pull_id = json.loads(port_a.take()[0][2:])[0]
    _, port_b = bench.connect("B")
    a.on_text(f'S\n["{pull_id}",0,[{{"v":[5,"{HLC}"]}}]]')
    (told,) = port_b.take()
    assert json.loads(told[2:])[1:] == [2, list(bench.store.get_mergeable_content_hashes())]


def test_many_that_come_back_at_once_are_all_pulled_from_and_told_once() -> None:
    bench = Bench()
    clients = {f"C{number}": bench.connect(f"C{number}") for number in range(120)}
    bench.clock.advance(1000)
    for connection, port in clients.values():
        port.take()
        connection.on_text('\n["t1xxxxxxxxx",2,[0,123]]')
    pulled = 0
    while asked := [name for name in clients if any(",7," in text for text in clients[name][1].sent)]:
        assert len(asked) <= 50
        for name in asked:
            connection, port = clients[name]
            pull_id = json.loads(next(text for text in port.take() if ",7," in text)[2:])[0]
            connection.on_text(f'S\n["{pull_id}",0,[{{"v{name}":[5,"{HLC}"]}}]]')
            pulled += 1
    assert pulled == 120
    assert len(bench.store.get_values()) == 120
    told = [text for text in clients["C119"][1].sent if text.startswith("S\n")]
    assert [json.loads(text[2:])[1:] for text in told] == [
        [2, list(bench.store.get_mergeable_content_hashes())]
    ]
    assert [str(error)[:10] for error in bench.errors] == ["tinybase:3"]


def test_when_pulls_fail_everybody_is_asked_once() -> None:
    bench = Bench()
    clients = [bench.connect(f"C{number}") for number in range(3)]
    bench.clock.advance(1000)
    for connection, port in clients:
        port.take()
        connection.on_text('\n["t1xxxxxxxxx",2,[0,123]]')
    bench.clock.advance(1000)
    numbers = [json.loads(text[2:])[1] for text in clients[0][1].take() if text.startswith("S\n")]
    assert numbers == [7, 1]


def test_edits_of_the_server_are_told_and_saved() -> None:
    bench = Bench(fragment_size=40)
    _, port = bench.connect("A")
    bench.clock.advance(1000)
    port.take()
    bench.store.set_value("long", "x" * 100)
    pieces = [text.split("\n", 4) for text in port.take()]
    assert len(pieces) > 1
    assert json.loads("".join(piece[4] for piece in pieces))[1] == 3
    assert bench.place["p"][1][0]["long"][0] == "x" * 100


def test_what_could_not_be_loaded_is_not_overwritten() -> None:
    bench = Bench(lambda persister: setattr(persister, "load_error", OSError("unreadable")))
    bench.place["p"] = "precious"
    a, _ = bench.connect("A")
    _, port_b = bench.connect("B")
    a.on_text(diff(7))
    assert bench.place["p"] == "precious"
    assert bench.store.get_value("v") == 7
    assert "A" + diff(7) in port_b.sent
    assert "unreadable" in str(bench.persister_errors[0])


def test_a_stamp_too_far_ahead_is_not_taken_over() -> None:
    bench = Bench()
    a, port = bench.connect("A")
    a.on_text(diff(7, hlc="zzzzzzzz---dmwzH"))
    assert not bench.store.has_value("v")
    assert port.closed is None


def test_a_store_that_can_not_merge_is_refused() -> None:
    from durabase.persisters import CustomPersister
    from durabase.store import Store

    errors: list[Exception] = []
    server = WsServer(
        lambda _: CustomPersister(Store(), lambda: None, lambda *_: None, lambda _: None, lambda _: None),
        errors.append,
        clock=FakeClock(NOW),
    )
    server.connect(FakePort(), "/p", "A")
    assert [str(error) for error in errors] == [
        "tinybase:0:a room needs a persister of a MergeableStore, not of a Store"
    ]
    assert server.get_stats() == {"paths": 0, "clients": 0}


class Seat:
    """A seat by itself, and what it has sent: to whom, and what."""

    def __init__(self, prepare: Any = lambda persister: None, **options: Any) -> None:
        self.clock = FakeClock(NOW)
        self.store = MergeableStore("server", clock=self.clock)
        self.place: dict[str, Any] = {}
        self.errors: list[Exception] = []
        self.persister = MemoryPersister(self.store, self.place, on_ignored_error=self.errors.append)
        prepare(self)
        self.sent: list[tuple[str, Any]] = []
        self.several = False
        self.seat = ServerSeat(
            self.persister,
            send=lambda to_client, text: self.sent.append((to_client, json.loads(text))),
            has_several_clients=lambda: self.several,
            clock=self.clock,
            request_timeout_seconds=1.0,
            on_ignored_error=self.errors.append,
            **options,
        )
        self.seat.load()

    def receive(self, text: str, client_id: str = "A") -> None:
        self.seat.receive(client_id, parse_message(text))

    def take(self) -> list[tuple[str, Any]]:
        sent, self.sent = self.sent, []
        return sent


ASKS = '["q.0001",1,""]'


def change(value: Any, name: str = "v") -> str:
    return diff(value, name)[1:]


def test_it_answers_when_it_is_loaded_and_asks_nobody_before_it_is_told_to() -> None:
    seat = Seat()
    assert seat.sent == []
    seat.receive(ASKS)
    assert seat.take() == [("A", ["q.0001", 0, list(seat.store.get_mergeable_content_hashes())])]
    syncing = seat.seat.start_sync()
    assert [(to_client, message[1]) for to_client, message in seat.take()] == [("", 1)]
    assert seat.seat.start_sync() is syncing
    assert seat.take() == []
    seat.clock.advance(1000)
    assert syncing.done()
    assert [message[1] for _, message in seat.take()] == [2]


def test_what_comes_is_merged_and_saved_while_it_still_asks() -> None:
    seat = Seat()
    seat.seat.start_sync()
    seat.receive(change(5))
    assert seat.place[""][1][0]["v"][0] == 5
    assert seat.seat.store.get_value("v") == 5


def test_who_asks_for_everything_gets_it() -> None:
    seat = Seat()
    seat.store.set_cell("t", "r", "c", 1)
    seat.take()
    seat.receive('["q.0001",4,{}]')
    ((to_client, (request_id, number, body)),) = seat.take()
    assert (to_client, request_id, number) == ("A", "q.0001", 0)
    assert list(body[0][0]) == ["t"]


def test_a_client_s_change_is_not_told_again_and_the_server_s_is_once() -> None:
    seat = Seat()
    seat.receive(change(5))
    assert seat.take() == []
    with seat.store.transaction():
        seat.store.set_value("w", 1).set_value("x", 2)
    ((to_client, (_, number, body)),) = seat.take()
    assert (to_client, number, list(body[1][0])) == ("", 3, ["w", "x"])


def test_what_mutators_add_to_a_client_s_change_is_told() -> None:
    seat = Seat()
    seat.store.add_value_listener("v", lambda store, *_: store.set_value("double", 2), mutator=True)
    seat.receive(change(5))
    assert [(to_client, message[1]) for to_client, message in seat.take()] == [("", 2)]


@pytest.mark.parametrize("several", [True, False])
def test_what_a_pull_brought_is_told_if_there_are_others(several: bool) -> None:
    seat = Seat()
    seat.several = several
    seat.receive('["t1xxxxxxxxx",2,[0,123]]')
    ((_, (pull_id, number, _)),) = seat.take()
    assert number == 7
    seat.receive(f'["{pull_id}",0,[{{"v":[5,"{HLC}"]}}]]')
    assert [(to_client, message[1]) for to_client, message in seat.take()] == ([("", 2)] if several else [])


def test_what_a_pull_brought_is_told_no_more_when_changes_were_gathered_since() -> None:
    deferred: list[Any] = []
    seat = Seat(lambda seat: setattr(seat.persister, "_saves_only_changes", True), defer=deferred.append)
    seat.receive('["t1xxxxxxxxx",2,[0,123]]')
    ((_, (pull_id, _, _)),) = seat.take()
    seat.receive(f'["{pull_id}",0,[{{"v":[5,"{HLC}"]}}]]')
    seat.several = True
    seat.receive(change(6, "w"))
    seat.receive(ASKS, "B")
    assert [(to_client, message[1]) for to_client, message in seat.take()] == [("B", 0)]


def test_deadlines_are_those_of_its_requests() -> None:
    seat = Seat()
    assert seat.seat.next_deadline() is None
    seat.seat.start_sync()
    assert seat.seat.next_deadline() == NOW + 1000
    seat.seat.expire(NOW + 1000)
    assert seat.seat.next_deadline() is None
    assert [str(error)[:10] for error in seat.errors] == ["tinybase:3"]


def test_deferred_changes_are_merged_together_before_anybody_looks() -> None:
    deferred: list[Any] = []
    seat = Seat(lambda seat: setattr(seat.persister, "_saves_only_changes", True), defer=deferred.append)
    transactions: list[str] = []
    seat.receive(change(5))
    seat.receive(change(6, "w"))
    assert len(deferred) == 1
    assert seat.store.get_values() == {}
    assert seat.seat.store.get_values() == {"v": 5, "w": 6}
    deferred[0]()
    seat.seat.holders = 1  # from now on somebody may look at any time
    seat.store.add_did_finish_transaction_listener(lambda _: transactions.append("finished"))
    seat.receive(change(7, "x"))
    assert (len(deferred), seat.store.get_value("x"), transactions) == (1, 7, ["finished"])


def test_enforcing_a_schema_tells_everybody_what_is_otherwise_now() -> None:
    seat = Seat()
    seat.store.set_values_schema({"v": {"type": "number", "default": 0}, "w": {"type": "number"}})
    seat.receive(change('"text"'))
    seat.receive(change(1, "w"))
    seat.take()
    assert seat.seat.enforce_schema() == 1
    ((to_client, (_, number, body)),) = seat.take()
    assert (to_client, number, list(body[1][0]), body[1][0]["v"][0]) == ("", 3, ["v"], 0)
    assert seat.seat.enforce_schema() == 0
    assert seat.take() == []


def test_saved_says_that_it_is_not() -> None:
    import asyncio

    async def main() -> None:
        seat = Seat()
        seat.store.set_value("v", 1)
        await seat.seat.saved()
        assert seat.place[""][1][0]["v"][0] == 1

        def full(*_: Any) -> None:
            raise OSError("full")

        seat.persister.set_persisted = full  # type: ignore[method-assign]
        seat.store.set_value("v", 2)
        with pytest.raises(PersisterError, match="the last edits could not be saved"):
            await seat.seat.saved()

    asyncio.run(main())


def test_after_its_end_nothing_is_heard_or_told() -> None:
    seat = Seat()
    seat.seat.start_sync()
    seat.take()
    assert seat.seat.destroy().done()
    seat.clock.advance(5000)
    seat.receive(ASKS)
    seat.receive(change(5))
    seat.store.set_value("w", 1)
    assert (seat.take(), seat.store.has_value("v")) == ([], False)
    assert [str(error) for error in seat.errors] == []
