"""What works with the wheel and what it depends on, and nothing else installed; run by ``test_wheel``."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from websockets.asyncio.server import serve

from durabase import MergeableStore, Store
from durabase.persisters import FilePersister, JsonMode, SqlitePersister, TabularMode
from durabase.sync_server import WsServer
from durabase.synchronizers import LocalSynchronizer, WsSynchronizer
from durabase.synchronizers.blocking import connect_blocking

PETS = {"fido": {"species": "dog", "tags": ["good"]}}
PATIENCE_SECONDS = 20


def filled(store: Store) -> Store:
    return store.set_table("pets", PETS).set_value("open", True)


def files(folder: Path) -> None:
    for store, again in ((Store(), Store()), (MergeableStore(), MergeableStore())):
        path = folder / f"{type(store).__name__}.json"
        FilePersister(filled(store), path).save()
        FilePersister(again, path).load()
        assert again.get_content() == [{"pets": PETS}, {"open": True}]
    assert again.get_mergeable_content() == store.get_mergeable_content()


def databases(folder: Path) -> None:
    tabular = TabularMode({"pets": "pets"}, {"pets": "pets"}, values_load=True, values_save=True)
    for config in (JsonMode(), tabular):
        path = folder / f"{type(config).__name__}.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            SqlitePersister(filled(Store()), db, config).save()
            again = Store()
            SqlitePersister(again, db, config).load()
            assert again.get_content() == [{"pets": PETS}, {"open": True}]


async def local() -> None:
    one, other = MergeableStore(), MergeableStore()
    filled(one)
    async with LocalSynchronizer(one) as first, LocalSynchronizer(other) as second:
        first.start_sync()
        await second.start_sync()
        assert other.get_mergeable_content() == one.get_mergeable_content()


async def web_sockets(folder: Path) -> None:
    room = WsServer(lambda path_id: FilePersister(MergeableStore(), folder / f"{path_id}.json"))
    async with room, serve(room.handle, "127.0.0.1", 0) as listening:
        url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/pets"
        store, seen = MergeableStore(), MergeableStore()
        async with WsSynchronizer.connect(store, url) as synchronizer:
            await synchronizer.connected()
            await synchronizer.start_sync()
            filled(store)
            await asyncio.to_thread(look_from_a_thread, url, seen)
        assert seen.get_content() == store.get_content()


def look_from_a_thread(url: str, store: MergeableStore) -> None:
    with connect_blocking(store, url) as synchronizer:
        synchronizer.start_sync()
        assert synchronizer.wait_until(lambda: store.get_value("open") is True, PATIENCE_SECONDS)


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files(folder)
        databases(folder)
        await local()
        await asyncio.wait_for(web_sockets(folder), PATIENCE_SECONDS)


asyncio.run(main())
print("all of it works")
