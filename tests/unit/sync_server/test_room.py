"""Rooms of a WsServer for edits by the program around it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from durabase.errors import PersisterError, ServerError, SyncClosedError, SyncError, SyncTimeoutError
from durabase.mergeable import MergeableStore
from durabase.sync_server import BlockingRoom, Room, WsServer
from durabase.testing import FakeClock
from unit.sync_server._fakes import FakePort, MemoryPersister, settle


class Bench:
    """A server whose stores are kept in dicts."""

    def __init__(self) -> None:
        self.place: dict[str, Any] = {}
        self.errors: list[Exception] = []
        self.persisters: list[MemoryPersister] = []
        self.prepare: Callable[[MemoryPersister], object] = lambda persister: None
        self.clock = FakeClock()
        self.server = WsServer(self._persister, self.errors.append, clock=self.clock)

    def _persister(self, path_id: str) -> MemoryPersister | None:
        if path_id == "relay":
            return None
        store = MergeableStore(clock=self.clock)
        made = MemoryPersister(store, self.place, path_id, on_ignored_error=self.errors.append)
        self.persisters.append(made)
        self.prepare(made)
        return made

    def kept(self, path_id: str) -> Any:
        """What is saved at a path."""
        store = MergeableStore(clock=self.clock)
        MemoryPersister(store, self.place, path_id).load()
        return store.get_values()


def run(test: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test(Bench()))


def test_an_edit_with_nobody_there_is_saved() -> None:
    async def test(bench: Bench) -> None:
        async with bench.server.room("a%20b") as room:
            assert (room.path_id, room.is_open) == ("a%20b", True)
            room.store.set_value("v", 1)
            assert bench.server.get_path_ids() == ["a%20b"]
            await room.saved()
            assert bench.kept("a%20b") == {"v": 1}
        assert not room.is_open
        assert bench.server.get_path_ids() == []
        assert bench.errors == []

    run(test)


def test_clients_get_it_like_any_edit_and_keep_the_room() -> None:
    async def test(bench: Bench) -> None:
        port = FakePort()
        client = bench.server.connect(port, "/p", "A")
        room = await bench.server.room("p")
        bench.clock.advance(1_000)  # the client does not say what it has
        port.take()
        room.store.set_value("v", 1)
        (text,) = port.take()
        assert '",3,[[{}],[{"v":[1,' in text
        client.on_close(1000, "", True)
        assert bench.server.get_path_ids() == ["p"]  # it is open
        room.store.set_value("v", 2)
        bench.server.connect(port, "/p", "B")
        await room.close()
        await room.close()
        assert bench.server.get_path_ids() == ["p"]  # it has a client
        assert len(bench.persisters) == 1
        assert bench.kept("p") == {"v": 2}

    run(test)


def test_several_may_have_it_open() -> None:
    async def test(bench: Bench) -> None:
        first, second = await asyncio.gather(*(_opened(bench, "p") for _ in range(2)))
        assert first.store is second.store
        await first.close()
        second.store.set_value("v", 1)
        assert bench.kept("p") == {"v": 1}
        await second.close()
        with pytest.raises(ServerError, match="'p' is closed"):
            _ = second.store
        async with bench.server.room("p") as again:
            assert again.store.get_values() == {"v": 1}

    run(test)


async def _opened(bench: Bench, path_id: str) -> Room:
    return await bench.server.room(path_id)


def test_saved_waits_for_the_place() -> None:
    async def test(bench: Bench) -> None:
        room = await bench.server.room("p")
        gate = bench.persisters[0].save_gate = asyncio.get_running_loop().create_future()
        room.store.set_value("v", 1)
        saving = asyncio.create_task(room.saved())
        await settle()
        assert not saving.done()
        gate.set_result(None)
        await saving
        assert bench.kept("p") == {"v": 1}
        await room.close()

    run(test)


def test_saved_waits_for_a_load_that_comes_between() -> None:
    async def test(bench: Bench) -> None:
        room = await bench.server.room("p")
        persister = bench.persisters[0]
        gate = persister.load_gate = asyncio.get_running_loop().create_future()
        persister.load()
        room.store.set_value("v", 1)
        saving = asyncio.create_task(room.saved())
        await settle()
        assert not saving.done()
        gate.set_result(None)
        await saving
        assert bench.kept("p") == {"v": 1}
        await room.close()

    run(test)


def test_saved_says_that_it_is_not() -> None:
    async def test(bench: Bench) -> None:
        room = await bench.server.room("p")
        gate = bench.persisters[0].save_gate = asyncio.get_running_loop().create_future()
        room.store.set_value("v", 1)
        gate.set_exception(OSError("full"))
        with pytest.raises(PersisterError, match="could not be saved"):
            await room.saved()
        bench.persisters[0].save_gate = None
        room.store.set_value("w", 2)
        await room.saved()
        assert bench.kept("p") == {"v": 1, "w": 2}
        with pytest.raises(LookupError):
            async with room:
                raise LookupError
        assert not room.is_open

    run(test)


def test_a_path_without_a_store_can_not_be_opened() -> None:
    async def test(bench: Bench) -> None:
        with pytest.raises(ServerError, match="'relay' has no store"):
            await bench.server.room("relay")
        assert bench.server.get_path_ids() == []

    run(test)


def test_a_store_that_can_not_be_made_can_not_be_opened() -> None:
    async def test(bench: Bench) -> None:
        def fail(persister: MemoryPersister) -> None:
            raise OSError("no disk")

        bench.prepare = fail
        for _ in range(2):
            with pytest.raises(OSError, match="no disk"):
                await bench.server.room("p")
        bench.prepare = lambda persister: None
        assert (await bench.server.room("p")).is_open

    run(test)


def test_the_end_of_the_server_is_the_end_of_its_rooms() -> None:
    async def test(bench: Bench) -> None:
        room = await bench.server.room("p")
        room.store.set_value("v", 1)
        await bench.server.destroy()
        assert bench.kept("p") == {"v": 1}
        assert not room.is_open
        with pytest.raises(ServerError, match="'p' has ended"):
            _ = room.store
        await room.close()
        with pytest.raises(ServerError, match="destroyed"):
            await bench.server.room("p")

    run(test)


def in_thread(test: Callable[[Bench, BlockingRoom], object]) -> None:
    """Run a test in a thread, while the loop runs in this one."""

    async def main(bench: Bench) -> None:
        room = await bench.server.room("p")
        await asyncio.to_thread(test, bench, room.blocking())

    run(main)


def test_threads_take_turns() -> None:
    def test(bench: Bench, room: BlockingRoom) -> None:
        listeners: list[str] = []
        room.call(
            room.store.add_values_listener, lambda *_: listeners.append(threading.current_thread().name)
        )
        with room, room.transaction():
            room.store.set_value("v", 1)
            room.store.set_value("w", 2)
            assert listeners == []
        assert listeners == ["MainThread"]
        assert bench.kept("p") == {"v": 1, "w": 2}
        with pytest.raises(ServerError, match="closed"):
            room.transaction()

    in_thread(test)


def test_a_transaction_that_fails_is_undone() -> None:
    def test(bench: Bench, room: BlockingRoom) -> None:
        with suppress(LookupError), room.transaction():
            room.store.set_value("v", 1)
            raise LookupError
        assert room.call(room.store.get_values) == {}
        with room.transaction(), pytest.raises(SyncError, match="can't wait"):
            room.saved()
        room.saved()
        room.close()
        room.close()

    in_thread(test)


def test_the_loops_own_thread_does_not_wait_for_itself() -> None:
    async def test(bench: Bench) -> None:
        room = (await bench.server.room("p")).blocking()
        with pytest.raises(SyncError, match="with await"):
            room.saved()

    run(test)


def test_a_loop_that_has_ended_takes_no_turns() -> None:
    rooms: list[BlockingRoom] = []

    async def test(bench: Bench) -> None:
        rooms.append((await bench.server.room("p")).blocking())

    thread = threading.Thread(target=run, args=(test,))
    thread.start()
    thread.join()
    with pytest.raises(SyncClosedError):
        rooms[0].call(rooms[0].store.get_values)


class TestEnforcingASchema:
    """Content that is older than the schema of its store."""

    @staticmethod
    def make_strict(persister: MemoryPersister) -> None:
        persister.get_store().set_values_schema({"v": {"type": "number"}})

    @pytest.mark.parametrize("authoritative", [False, True])
    def test_it_is_deleted_in_all_copies_and_where_it_is_kept(self, authoritative: bool) -> None:
        async def test(bench: Bench) -> None:
            async with bench.server.room("p") as room:
                room.store.set_values({"v": 1, "old": 2, "older": 3})
            bench.server = WsServer(
                bench._persister, bench.errors.append, clock=bench.clock, authoritative=authoritative
            )
            bench.prepare = self.make_strict
            port = FakePort()
            bench.server.connect(port, "/p", "A")
            async with bench.server.room("p") as room:
                bench.clock.advance(1000)
                port.take()
                assert room.enforce_schema() == 2
                (told,) = port.take()
                assert ('"old"' in told, '"older"' in told, '"v"' in told) == (True, True, False)
                assert await asyncio.to_thread(room.blocking().enforce_schema) == 0
                assert port.take() == []
            bench.prepare = lambda persister: None
            assert bench.kept("p") == {"v": 1}
            with pytest.raises(ServerError):
                room.enforce_schema()
            assert all(
                isinstance(error, SyncTimeoutError) for error in bench.errors
            )  # the client says nothing

        run(test)
