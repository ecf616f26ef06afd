"""Rooms of WsServer: ready at once, nothing lost, everything bounded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
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

    def test_unanswered_requests_are_reported(self) -> None:
        bench = Bench()
        bench.connect("A")
        bench.clock.advance(1000)
        assert isinstance(bench.errors[0], SyncTimeoutError)
