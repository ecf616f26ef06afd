"""Hooks that make stores, persisters and synchronizers, and what is left when their component has gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import reacton
import reacton.ipywidgets as w

from durabase import ui
from durabase.mergeable import MergeableStore
from durabase.persisters import CustomPersister, FilePersister
from durabase.store import Store
from durabase.synchronizers import LocalBus, LocalSynchronizer, WsSynchronizer
from durabase.synchronizers._reconnecting import Backoff
from durabase.synchronizers.blocking import BlockingSynchronizer
from durabase.types import UNDEFINED

from ._pages import drawings, home_of, page, seen, wait_until


def test_a_store_is_made_once() -> None:
    made: list[Store] = []

    @reacton.component
    def Making(text: str, dep: int) -> Any:
        made.append(ui.use_create_store(Store, [dep]))
        return w.Label(value=text)

    with page(Making("a", 1)) as shown:
        shown.show(Making("b", 1))
        shown.show(Making("b", 2))
    assert made[0] is made[1]
    assert made[1] is not made[2]


def test_a_persister_loads_follows_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "pets.json"
    path.write_text('[{}, {"open": true}]')
    ended: list[Any] = []

    def use() -> Any:
        store = ui.use_create_mergeable_store(lambda: MergeableStore("s"))
        stores[:] = [store]
        persister = ui.use_create_persister(
            store,
            lambda store: FilePersister(store, path),
            then=lambda persister: (persister.load([{}, {"count": 1}]), persister.start_auto_save())[1],
            destroy=ended.append,
        )
        return type(persister).__name__, ui.use_persister_status(persister).name, ui.use_value("count", store)

    stores: list[MergeableStore] = []
    path.unlink()
    with seen(use) as shown:
        assert shown.texts() == ["('FilePersister', 'IDLE', 1)"]
        stores[0].set_value("count", 2)
        assert '"count":[2' in path.read_text()
    assert len(ended) == 1
    stores[0].set_value("count", 3)
    assert '"count":[2' in path.read_text()


def test_nothing_is_made_without_a_store() -> None:
    with seen(
        lambda: (ui.use_create_persister(None, never), ui.use_create_synchronizer(None, never))
    ) as shown:
        assert shown.texts() == ["(None, None)"]


def never(_store: object) -> Any:
    raise AssertionError("called")


def test_a_persister_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_store: Store) -> Any:
        raise OSError("no place")

    store = Store()
    with caplog.at_level(logging.ERROR), seen(lambda: ui.use_create_persister(store, fail)) as shown:
        assert shown.texts() == ["None"]
    assert "no place" in caplog.text


def test_a_persister_that_fails_on_another_thread_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_store: Store) -> Any:
        raise OSError("no place")

    store = Store()
    with caplog.at_level(logging.ERROR), home_of(store) as home:

        def use() -> Any:
            ui.use_tables(home)
            return ui.use_create_persister(store, fail)

        with seen(use) as shown:
            assert shown.texts() == ["None"]
    assert "no place" in caplog.text


def test_a_persister_lives_on_the_thread_of_its_store() -> None:
    store = Store()
    turns: list[bool] = []
    with home_of(store) as home:

        def create(store: Store) -> CustomPersister:
            turns.append(home.thread.has_turn())
            return CustomPersister(store, lambda: UNDEFINED, lambda *_: turns.append(home.thread.has_turn()))

        def use() -> Any:
            ui.use_tables(home)
            return type(ui.use_create_persister(store, create, then=lambda it: it.start_auto_save())).__name__

        with seen(use) as shown:
            wait_until(lambda: shown.texts() == ["'CustomPersister'"])
            home.call(store.set_value, "a", 1)
    assert turns == [True, True, True]


async def turns_until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError(f"it did not come about: {is_so}")


def test_two_stores_in_step_on_the_event_loop_of_a_notebook() -> None:
    ended: list[Any] = []

    async def main() -> None:
        bus = LocalBus()
        other = MergeableStore("other")
        other.set_value("open", True)
        LocalSynchronizer(other, bus=bus).start_sync()

        async def create(store: MergeableStore) -> LocalSynchronizer:
            return await LocalSynchronizer(store, bus=bus).start_sync()

        def use() -> Any:
            store = ui.use_create_mergeable_store(lambda: MergeableStore("mine"))
            synchronizer = ui.use_create_synchronizer(store, create, destroy=ended.append)
            status = ui.use_synchronizer_status(synchronizer)
            return type(synchronizer).__name__, status.name, ui.use_value("open", store)

        with seen(use) as shown:
            await turns_until(lambda: shown.texts() == ["('LocalSynchronizer', 'IDLE', True)"])

    asyncio.run(main())
    assert len(ended) == 1
    assert ended[0]._is_destroyed()


def test_a_synchronizer_that_comes_too_late_ends_at_once() -> None:
    ended: list[Any] = []

    async def main() -> None:
        may_come = asyncio.Event()

        async def create(store: MergeableStore) -> LocalSynchronizer:
            await may_come.wait()
            return LocalSynchronizer(store, bus=LocalBus())

        store = MergeableStore("mine")
        with seen(lambda: ui.use_create_synchronizer(store, create, destroy=ended.append)) as shown:
            await asyncio.sleep(0)
            assert shown.texts() == ["None"]
        may_come.set()
        await turns_until(lambda: bool(ended))

    asyncio.run(main())
    assert ended[0]._is_destroyed()


class Peers:
    """A connection on which peers send, and what was sent to them."""

    def __init__(self) -> None:
        self.opened = 0
        self.sent: list[str] = []

    async def open(self) -> Any:
        self.opened += 1
        return self

    def send_text(self, text: str) -> None:
        self.sent.append(text)

    def buffered_amount(self) -> int:
        return 0

    def __aiter__(self) -> Peers:
        return self

    async def __anext__(self) -> str:
        await asyncio.Event().wait()
        raise StopAsyncIteration

    def close(self, code: int | None = None, reason: str = "") -> None:
        self.sent.append("closed")

    async def wait_closed(self) -> None:
        pass


def test_a_synchronizer_with_a_thread_of_its_own() -> None:
    peers = Peers()

    def connect(store: MergeableStore) -> BlockingSynchronizer:
        return BlockingSynchronizer(
            WsSynchronizer.connect(store, "ws://peers", open_transport=peers.open, backoff=Backoff())
        )

    setters: list[Any] = []

    def use() -> Any:
        store = ui.use_create_mergeable_store(lambda: MergeableStore("mine"))
        synchronizer = ui.use_create_synchronizer(store, connect)
        mine, set_mine = ui.use_value_state("mine", store)
        setters[:] = [set_mine, store, synchronizer]
        return type(synchronizer).__name__, ui.use_synchronizer_status(synchronizer).name, mine

    with seen(use) as shown:
        set_mine, store, synchronizer = setters
        assert synchronizer.wait_connected(20)
        set_mine(1)
        wait_until(lambda: "'mine'" not in shown.texts()[0] and shown.texts()[0].endswith(" 1)"))
        assert ui._homes.has_home(store)
        assert any('"mine"' in text for text in peers.sent)
        synchronizer.call(store.set_value, "mine", 2)
        wait_until(lambda: shown.texts() == ["('BlockingSynchronizer', 'IDLE', 2)"])
    assert (peers.opened, peers.sent[-1]) == (1, "closed")
    assert not ui._homes.has_home(store)
    assert drawings["it"] < 12
