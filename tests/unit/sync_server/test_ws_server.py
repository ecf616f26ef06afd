"""Rooms of WsServer: ready at once, nothing lost, everything bounded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from durabase.errors import ServerError, SyncTimeoutError
from durabase.mergeable import MergeableStore
from durabase.sync_server import WsServer
from durabase.testing import FakeClock
from unit.sync_server._fakes import FakePort, MemoryPersister, settle

NOW = 1_708_981_571_441
HLC = "NrbEJxl---0dmwzH"
ASK_HASHES = '\n["abcdefghijk.0001",1,""]'


def diff(thing: int, value_id: str = "v", hlc: str = HLC) -> str:
    return f'\n["abcdefghijk",3,[[{{}}],[{{"{value_id}":[{thing},"{hlc}"]}}],1]]'


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


class Bench:
    """A server with persisters in memory, and its clients."""

    def __init__(self, prepare: Callable[[MemoryPersister], object] = lambda _: None, **options: Any) -> None:
        self.clock = FakeClock(NOW)
        self.place: dict[str, Any] = {}
        self.persisters: list[MemoryPersister] = []
        self.errors: list[Exception] = []
        self.persister_errors: list[Exception] = []
        self._prepare = prepare
        self.server = WsServer(self.make_persister, self.errors.append, clock=self.clock, **options)

    def make_persister(self, path_id: str) -> Any:
        store = MergeableStore("server", clock=FakeClock(NOW))
        persister = MemoryPersister(store, self.place, path_id, on_ignored_error=self.persister_errors.append)
        self._prepare(persister)
        self.persisters.append(persister)
        return persister

    def connect(
        self, client_id: str, path: str = "/p", subprotocol: str | None = None
    ) -> tuple[Any, FakePort]:
        port = FakePort()
        return self.server.connect(port, path, client_id, subprotocol), port

    @property
    def store(self) -> MergeableStore:
        store = self.persisters[-1].get_store()
        assert isinstance(store, MergeableStore)
        return store


def answers(port: FakePort) -> list[Any]:
    """The bodies of the responses of the server."""
    messages = [json.loads(text[2:]) for text in port.sent if text.startswith("S\n")]
    return [message[2] for message in messages if message[1] == 0]


class TestReadiness:
    def test_a_room_answers_and_saves_within_the_call(self) -> None:
        bench = Bench()
        connection, port = bench.connect("A")
        connection.on_text(diff(7))
        connection.on_text(ASK_HASHES)
        assert bench.store.get_value("v") == 7
        assert bench.place["p"][1][0]["v"][:2] == [7, HLC]
        assert answers(port) == [list(bench.store.get_mergeable_content_hashes())]

    def test_while_it_loads_others_are_served_and_the_store_gets_its_share_afterwards(self) -> None:
        async def test() -> None:
            gate = asyncio.get_running_loop().create_future()
            bench = Bench(lambda persister: setattr(persister, "load_gate", gate))
            a, port_a = bench.connect("A")
            _, port_b = bench.connect("B")
            a.on_text(diff(7))
            a.on_text(ASK_HASHES)
            assert port_b.take() == ["A" + diff(7), "A" + ASK_HASHES]
            await settle()
            assert answers(port_a) == []
            gate.set_result(None)
            await settle()
            assert bench.store.get_value("v") == 7
            assert answers(port_a) == [list(bench.store.get_mergeable_content_hashes())]
            assert bench.clock.now_ms() == NOW

        run(test)

    def test_waiting_content_hashes_are_replaced_by_later_ones(self) -> None:
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
    def test_a_thousand_messages_may_wait(self, count: int) -> None:
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

    def test_the_bytes_that_wait_are_bounded_over_all_rooms_of_a_socket(self) -> None:
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

    def test_what_waits_too_long_is_dropped_and_its_senders_closed(self) -> None:
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


class TestStore:
    def test_it_asks_takes_over_and_tells(self) -> None:
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

    def test_who_came_while_it_pulled_is_told(self) -> None:
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

    def test_many_that_come_back_at_once_are_all_pulled_from_and_told_once(self) -> None:
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

    def test_when_pulls_fail_everybody_is_asked_once(self) -> None:
        bench = Bench()
        clients = [bench.connect(f"C{number}") for number in range(3)]
        bench.clock.advance(1000)
        for connection, port in clients:
            port.take()
            connection.on_text('\n["t1xxxxxxxxx",2,[0,123]]')
        bench.clock.advance(1000)
        numbers = [json.loads(text[2:])[1] for text in clients[0][1].take() if text.startswith("S\n")]
        assert numbers == [7, 1]

    def test_edits_of_the_server_are_told_and_saved(self) -> None:
        bench = Bench(fragment_size=40)
        _, port = bench.connect("A")
        bench.clock.advance(1000)
        port.take()
        bench.store.set_value("long", "x" * 100)
        pieces = [text.split("\n", 4) for text in port.take()]
        assert len(pieces) > 1
        assert json.loads("".join(piece[4] for piece in pieces))[1] == 3
        assert bench.place["p"][1][0]["long"][0] == "x" * 100

    def test_what_could_not_be_loaded_is_not_overwritten(self) -> None:
        bench = Bench(lambda persister: setattr(persister, "load_error", OSError("unreadable")))
        bench.place["p"] = "precious"
        a, _ = bench.connect("A")
        _, port_b = bench.connect("B")
        a.on_text(diff(7))
        assert bench.place["p"] == "precious"
        assert bench.store.get_value("v") == 7
        assert "A" + diff(7) in port_b.sent
        assert "unreadable" in str(bench.persister_errors[0])

    def test_a_stamp_too_far_ahead_is_not_taken_over(self) -> None:
        bench = Bench()
        a, port = bench.connect("A")
        a.on_text(diff(7, hlc="zzzzzzzz---dmwzH"))
        assert not bench.store.has_value("v")
        assert port.closed is None

    def test_a_store_that_can_not_merge_is_refused(self) -> None:
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


class TestLives:
    def test_a_room_that_can_not_be_made_leaves_its_clients_deaf_and_the_next_one_tries_again(self) -> None:
        fails = [True]

        def make(path_id: str) -> Any:
            if fails.pop():
                fails.append(False)
                raise OSError("no persister")

        errors: list[Exception] = []
        server = WsServer(make, errors.append, clock=FakeClock(NOW))
        port_a = FakePort()
        a = server.connect(port_a, "/p", "A")
        assert [str(error) for error in errors] == ["no persister"]
        assert server.get_path_ids() == []
        a.on_text(ASK_HASHES)
        port_b = FakePort()
        server.connect(port_b, "/p", "B")
        a.on_text(ASK_HASHES)
        assert (port_a.closed, port_b.sent) == (None, [])

    def test_a_channel_that_can_not_be_made_is_invalid_afterwards(self) -> None:
        def make(path_id: str) -> Any:
            raise OSError("no persister")

        server = WsServer(make, lambda _: None, clock=FakeClock(NOW))
        port = FakePort()
        a = server.connect(port, "/base", "A", "tinybase")
        a.on_text('S\n["q",-1,[0,1]]')
        a.on_text('S\n["q",-1,[1,"c"]]')
        assert port.closed is None
        a.on_text("M\nc\n" + ASK_HASHES)
        assert port.closed == (1007, "tinybase:14")

    def test_who_comes_back_while_the_room_still_writes_finds_what_it_wrote(self) -> None:
        async def test() -> None:
            gate = asyncio.get_running_loop().create_future()
            changes: list[Any] = []
            bench = Bench()
            bench.server.add_path_ids_listener(
                lambda _server, path_id, change: changes.append((path_id, change))
            )
            a, _ = bench.connect("A")
            bench.persisters[0].save_gate = gate
            a.on_text(diff(7))
            a.on_close(1005, "", True)
            b, port = bench.connect("B")
            b.on_text(ASK_HASHES)
            await settle()
            assert (len(bench.persisters), answers(port)) == (1, [])
            gate.set_result(None)
            await settle()
            assert len(bench.persisters) == 2
            assert bench.store.get_value("v") == 7
            assert answers(port) == [list(bench.store.get_mergeable_content_hashes())]
            assert changes == [("p", 1)]

        run(test)

    def test_a_room_left_while_it_loads_ends_when_that_is_done(self) -> None:
        async def test() -> None:
            gate = asyncio.get_running_loop().create_future()
            bench = Bench(lambda persister: setattr(persister, "load_gate", gate))
            a, port = bench.connect("A")
            a.on_close(1006, "", False)
            assert bench.server.get_stats() == {"paths": 1, "clients": 0}
            gate.set_result(None)
            await settle()
            assert bench.server.get_stats() == {"paths": 0, "clients": 0}
            assert port.sent == []

        run(test)

    def test_a_message_after_the_close_is_not_read(self) -> None:
        bench = Bench()
        a, port_a = bench.connect("A")
        _, port_b = bench.connect("B")
        port_b.take()
        a.on_text("bad")
        assert port_a.closed == (1007, "tinybase:14")
        a.on_text(ASK_HASHES)
        a.on_close(1006, "", False)
        assert port_b.take() == []
        assert [str(error) for error in bench.errors] == ["tinybase:14"]

    def test_then_is_called_once_the_room_has_asked(self) -> None:
        stores: list[Any] = []
        bench = Bench()
        server = WsServer(lambda path_id: (bench.make_persister(path_id), stores.append), clock=bench.clock)
        server.connect(FakePort(), "/p", "A")
        assert stores == []
        bench.clock.advance(1000)
        assert stores == [bench.store]

    def test_destroy_closes_and_waits_for_what_is_being_written(self) -> None:
        async def test() -> None:
            gate = asyncio.get_running_loop().create_future()
            bench = Bench()
            a, port = bench.connect("A")
            bench.persisters[0].save_gate = gate
            a.on_text(diff(7))
            ending = asyncio.ensure_future(bench.server.destroy())
            await settle()
            assert port.closed == (None, "")
            assert not ending.done()
            gate.set_result(None)
            await ending
            await bench.server.destroy()
            assert bench.place["p"][1][0]["v"][0] == 7
            with pytest.raises(ServerError):
                bench.connect("B")

        run(test)


class TestInterface:
    @pytest.mark.parametrize("client_id", ["S", "", "a\nb"])
    def test_ids_that_mean_something_else_are_refused(self, client_id: str) -> None:
        with pytest.raises(ValueError, match="can't be the id"):
            Bench().connect(client_id)

    def test_listeners_and_their_failures(self) -> None:
        bench, calls = Bench(), []

        def failing(*_: Any) -> None:
            raise RuntimeError("listener")

        server = bench.server
        ids = [
            server.add_path_ids_listener(failing),
            server.add_client_ids_listener(
                "p", lambda _s, path_id, client_id, change: calls.append((client_id, change))
            ),
            server.add_client_ids_listener("other", failing),
        ]
        a, _ = bench.connect("A")
        assert calls == [("A", 1)]
        assert [str(error) for error in bench.errors] == ["listener"]
        for listener_id in ids:
            server.del_listener(listener_id)
        a.on_close(1005, "", True)
        assert calls == [("A", 1)]

    def test_a_client_that_does_not_read_is_closed(self) -> None:
        bench = Bench()
        a, _ = bench.connect("A")
        _, port = bench.connect("B")
        port.buffered = 16_777_216
        a.on_text(ASK_HASHES)
        assert port.closed == (1013, "tinybase:15:socket")
        assert bench.server.get_client_ids("p") == ["A"]

    def test_binary_messages_are_read_as_text(self) -> None:
        bench = Bench()
        a, port = bench.connect("A")
        a.on_binary(ASK_HASHES.encode())
        assert len(answers(port)) == 1
        a.on_error(RuntimeError("frames"))
        assert [str(error) for error in bench.errors] == ["frames"]

    def test_serving_a_transport_until_it_ends(self) -> None:
        class Transport(FakePort):
            async def __aiter__(self) -> AsyncIterator[str]:
                for text in (ASK_HASHES, diff(7)):
                    yield text

            async def wait_closed(self) -> None: ...

        async def test() -> None:
            bench, transport = Bench(), Transport()
            await bench.server.serve(transport, "/p?x")
            assert len(answers(transport)) == 1
            assert bench.place["p"][1][0]["v"][0] == 7
            assert bench.server.get_stats() == {"paths": 0, "clients": 0}
            await bench.server.destroy()
            late = Transport()
            await bench.server.serve(late)
            assert late.closed == (None, "")

        run(test)

    def test_unanswered_requests_are_reported(self) -> None:
        bench = Bench()
        bench.connect("A")
        bench.clock.advance(1000)
        assert isinstance(bench.errors[0], SyncTimeoutError)
