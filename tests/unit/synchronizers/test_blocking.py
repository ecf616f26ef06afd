"""Synchronizing without an event loop, over a real server in another thread."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import Server, serve

from durabase.errors import StoreTypeError, SyncClosedError, SyncError, SyncTimeoutError
from durabase.mergeable import MergeableStore
from durabase.persisters import CustomPersister, FilePersister, Persists
from durabase.store import Store
from durabase.sync_server import WsServer
from durabase.synchronizers import WsSynchronizer
from durabase.synchronizers._loop_thread import LoopThread
from durabase.synchronizers._reconnecting import Backoff
from durabase.synchronizers.blocking import BlockingSynchronizer, connect_blocking
from durabase.testing import FakeClock
from durabase.types import UNDEFINED

PATIENCE = 20.0
NAME = "durabase-synchronizer"


def ignore(*arguments: object) -> None:
    """Keep nothing."""


class Room:
    """A server with a store of its own in memory, in a thread."""

    def __init__(self) -> None:
        self._loop_thread = LoopThread("test-server")
        self._rooms = WsServer(
            lambda path_id: CustomPersister(
                MergeableStore("S"), lambda: UNDEFINED, ignore, persists=Persists.MERGEABLE_STORE_ONLY
            )
        )
        self.port = 0

    def start(self) -> None:
        if not self._loop_thread.is_open():
            self._loop_thread.start()
        self._server: Server = self._loop_thread.call(self._listen)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._loop_thread.call(self._stop_listening)

    def close(self) -> None:
        self.stop()
        self._loop_thread.call(self._rooms.destroy)
        self._loop_thread.close()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/room"

    def clients(self) -> int:
        count: int = self._loop_thread.call(self._rooms.get_stats)["clients"]
        return count

    async def _listen(self) -> Server:
        return await serve(self._rooms.handle, "127.0.0.1", self.port)

    async def _stop_listening(self) -> None:
        self._server.close()
        await self._server.wait_closed()


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    room.start()
    yield room
    room.close()


def connect(store: MergeableStore, room: Room, **options: Any) -> BlockingSynchronizer:
    return connect_blocking(store, room.url, backoff=Backoff(0.01, 0.05), **options)


def test_two_stores_in_one_room(room: Room) -> None:
    one, two = MergeableStore("1"), MergeableStore("2")
    with connect(one, room) as first, connect(two, room) as second:
        first.start_sync()
        with first.transaction():
            one.set_row("pets", "felix", {"species": "cat"}).set_value("open", True)
        second.start_sync()
        assert second.call(two.get_row, "pets", "felix") == {"species": "cat"}
        second.call(two.set_cell, "pets", "felix", "species", "lion")
        assert first.wait_until(lambda: one.get_cell("pets", "felix", "species") == "lion", PATIENCE)
        assert first.call(one.get_mergeable_content_hashes) == second.call(two.get_mergeable_content_hashes)
        assert first.is_connected()
        assert room.clients() == 2


def test_both_edit_at_once_from_many_threads(room: Room) -> None:
    one, two = MergeableStore("1"), MergeableStore("2")
    with connect(one, room) as first, connect(two, room) as second:
        first.start_sync()
        second.start_sync()

        def work(sync: BlockingSynchronizer, store: MergeableStore, name: str) -> None:
            for number in range(30):
                with sync.transaction():
                    store.set_cell("t", f"{name}{number}", "n", number)
                    count = store.get_value("count", 0)
                    assert isinstance(count, int)
                    store.set_value("count", count + 1)

        threads = [
            threading.Thread(target=work, args=(sync, store, name))
            for sync, store, name in [
                (first, one, "a"),
                (first, one, "b"),
                (second, two, "c"),
                (second, two, "d"),
            ]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        for sync, store in ((first, one), (second, two)):
            assert sync.wait_until(lambda store=store: len(store.get_row_ids("t")) == 120, PATIENCE)
        hashes = first.call(one.get_mergeable_content_hashes)
        assert second.wait_until(lambda: two.get_mergeable_content_hashes() == hashes, PATIENCE)


def test_leaving_sends_what_is_still_to_be_sent(room: Room) -> None:
    one, two = MergeableStore("1"), MergeableStore("2")
    with connect(two, room) as second:
        second.start_sync()
        with connect(one, room) as first:
            first.start_sync()
            with first.transaction():
                for number in range(500):
                    one.set_cell("t", str(number), "text", "x" * 1000)
        assert second.wait_until(lambda: len(two.get_row_ids("t")) == 500, PATIENCE)


def test_what_was_edited_before_has_reached_the_server_once_it_is_saved(room: Room) -> None:
    one, two = MergeableStore("1"), MergeableStore("2")
    one.set_tables({"t": {str(number): {"c": number} for number in range(100)}}).set_value("v", 1)
    with connect(one, room) as first:
        first.start_sync()
        assert first.wait_saved(PATIENCE)
        first.stop_sync()
        first.call(one.set_value, "v", 2)
        assert not first.wait_saved(0.05)
        with connect(two, room) as second:
            second.start_sync()
            assert second.call(two.get_content) == [one.get_tables(), {"v": 1}]


def test_listeners_run_on_the_synchronizers_thread(room: Room) -> None:
    store = MergeableStore("1")
    names: list[str] = []
    with connect(store, room) as sync:
        sync.call(store.add_values_listener, lambda *_: names.append(threading.current_thread().name))
        with sync.transaction():
            store.set_value("v", 1)
            assert names == []
        assert names == [NAME]
        sync.call(store.set_value, "v", 2)
        assert names == [NAME, NAME]


def test_a_transaction_that_fails_is_undone(room: Room) -> None:
    store = MergeableStore("1")
    with connect(store, room) as sync:
        with pytest.raises(ZeroDivisionError), sync.transaction():
            store.set_value("v", 1).set_value("w", 1 // int("0"))
        assert sync.call(store.get_values) == {}
        with sync.transaction(lambda store: store.get_value("v") == 2):
            store.set_value("v", 2)
        assert sync.call(store.get_values) == {}
        with sync.transaction(), sync.transaction():
            store.set_value("v", 3)
        assert sync.call(store.get_values) == {"v": 3}


def test_a_persister_beside_it(room: Room, tmp_path: Path) -> None:
    store, path = MergeableStore("1"), tmp_path / "store.json"
    with connect(store, room) as sync:
        persister = FilePersister(store, path)
        assert sync.call(persister.start_auto_persisting) is persister
        with sync.transaction():
            store.set_value("v", 1)
        assert '"v":[1,' in path.read_text("utf-8")
        sync.call(persister.destroy)


def test_it_works_beside_a_loop_that_runs(room: Room) -> None:
    async def cell_of_a_notebook() -> None:
        store = MergeableStore("1")
        with connect(store, room) as sync:
            sync.start_sync([{}, {"v": 1}])
            assert sync.call(store.get_values) == {"v": 1}
            with sync.transaction():
                store.set_value("v", 2)
            assert sync.call(store.get_values) == {"v": 2}

    asyncio.run(cell_of_a_notebook())


def test_a_server_that_comes_later(room: Room) -> None:
    store, other = MergeableStore("1"), MergeableStore("2")
    room.stop()
    with connect(store, room, on_ignored_error=lambda error: None) as sync:
        with pytest.raises(SyncTimeoutError, match="no connection within"):
            sync.start_sync(timeout=0.01)
        assert not sync.is_connected()
        sync.start_sync(timeout=0)
        with sync.transaction():
            store.set_value("v", 1)
        room.start()
        assert sync.wait_connected(PATIENCE)
        with connect(other, room) as second:
            second.start_sync()
            assert second.wait_until(lambda: other.get_values() == {"v": 1}, PATIENCE)


def test_a_connection_that_is_lost(room: Room) -> None:
    states: list[bool] = []
    store, other = MergeableStore("1"), MergeableStore("2")
    options = {"on_connection": states.append, "on_ignored_error": lambda error: None}
    with connect(store, room, **options) as sync:
        sync.start_sync()
        room.stop()
        with sync.transaction():
            store.set_value("v", 1)
        room.start()
        with connect(other, room) as second:
            second.start_sync()
            assert second.wait_until(lambda: other.get_values() == {"v": 1}, PATIENCE)
    assert states[:3] == [True, False, True]


def test_waiting_for_what_does_not_come(room: Room) -> None:
    store = MergeableStore("1")
    with connect(store, room) as sync:
        assert not sync.wait_until(lambda: False, 0.01)
        assert sync.wait_until(lambda: True)
        with pytest.raises(ZeroDivisionError):
            sync.wait_until(lambda: 1 // int("0"))
        assert sync.call(store.get_listener_stats)["transaction"] == 0


def test_who_may_not_wait(room: Room) -> None:
    store = MergeableStore("1")
    with connect(store, room) as sync:
        with sync.transaction():
            for wait in (sync.close, sync.wait_connected, sync.start_sync, lambda: sync.wait_until(bool)):
                with pytest.raises(SyncError, match="listener or within"):
                    wait()
            store.set_value("v", 1)
        errors: list[Exception] = []

        def listener(*_: Any) -> None:
            with pytest.raises(SyncError, match="by a listener") as caught:
                sync.close()
            errors.append(caught.value)
            assert sync.call(store.get_value, "v") == 2

        sync.call(store.add_values_listener, listener)
        sync.call(store.set_value, "v", 2)
        assert len(errors) == 1


def test_stopping(room: Room) -> None:
    store, other = MergeableStore("1"), MergeableStore("2")
    with connect(store, room) as sync, connect(other, room) as second:
        second.start_sync()
        assert sync.start_sync().stop_sync() is sync
        with sync.transaction():
            store.set_value("v", 1)
        sync.start_sync()
        assert second.wait_until(lambda: other.get_values() == {"v": 1}, PATIENCE)
        assert sync.get_store() is store
        assert sync.call(sync.get_synchronizer().get_synchronizer_stats)["sends"] > 0


def test_before_and_after(room: Room) -> None:
    store = MergeableStore("1")
    sync = connect(store, room)
    with pytest.raises(SyncClosedError):
        sync.call(store.get_values)
    sync.close()
    with sync.open() as entered:
        assert entered is sync
        with pytest.raises(SyncError, match="opened before"):
            sync.open()
    sync.close()
    for use in (sync.start_sync, sync.stop_sync, sync.wait_connected):
        with pytest.raises(SyncClosedError):
            use()
    with pytest.raises(SyncClosedError), sync.transaction():
        raise AssertionError("the body must not run")
    with pytest.raises(SyncError, match="opened before"):
        sync.open()
    assert NAME not in {thread.name for thread in threading.enumerate()}


def test_only_mergeable_stores_and_synchronizers_that_live() -> None:
    with pytest.raises(StoreTypeError):
        connect_blocking(Store(), "ws://127.0.0.1:1/")  # type: ignore[arg-type]

    async def destroyed() -> WsSynchronizer:
        synchronizer = WsSynchronizer.connect(MergeableStore("1", clock=FakeClock()), "ws://127.0.0.1:1/")
        await synchronizer.destroy()
        return synchronizer

    sync = BlockingSynchronizer(asyncio.run(destroyed()))
    with pytest.raises(Exception, match="has been destroyed"):
        sync.open()
    assert NAME not in {thread.name for thread in threading.enumerate()}


def test_a_program_that_forgets_to_close_ends(room: Room) -> None:
    program = (
        "from durabase import MergeableStore\n"
        "from durabase.synchronizers.blocking import connect_blocking\n"
        f"sync = connect_blocking(MergeableStore(), {room.url!r}).open().start_sync()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_it_loads_no_loop() -> None:
    program = "import sys, durabase.synchronizers.blocking; print('asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
