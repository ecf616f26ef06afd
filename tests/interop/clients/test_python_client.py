"""Our own client and TinyBase's newest, in one room of our server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from durabase import MergeableStore
from durabase.persisters import FilePersister
from durabase.synchronizers.ws_client import WsSynchronizer
from e2e._server import Server
from interop.clients._node import NodeClient, NodeHost

SECONDS = 20.0


async def until(is_so: Callable[[], bool], what: Callable[[], Any]) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end, what()
        await asyncio.sleep(0.01)


async def in_step(store: MergeableStore, client: NodeClient) -> None:
    """Wait until both hold the same hashes; then the contents are the same, too."""

    def is_same() -> bool:
        return bool(list(store.get_mergeable_content_hashes()) == client.hashes())

    await until(is_same, lambda: (store.get_content(), client.content()))
    assert list(store.get_content()) == client.content()


def run(story: Awaitable[None]) -> None:
    async def told() -> None:
        await asyncio.wait_for(story, 100)

    asyncio.run(told())


def test_edits_go_both_ways(node: NodeHost, room: str) -> None:
    async def story() -> None:
        store, client = MergeableStore(), node.client("both-ways")
        store.set_row("pets", "fido", {"species": "dog", "tags": ["good", None], "owner": {"name": "ann"}})
        client.connect(room).call("setRow", "pets", "felix", {"species": "cat", "tags": [1], "owner": None})
        async with WsSynchronizer.connect(store, room) as synchronizer:
            await synchronizer.start_sync()
            await in_step(store, client)
            store.set_value("counter", 1)
            store.del_cell("pets", "felix", "species")
            await in_step(store, client)
            client.call("setValue", "counter", 2)
            client.call("delRow", "pets", "fido")
            await in_step(store, client)
        assert store.get_content() == [
            {"pets": {"felix": {"tags": [1], "owner": None}}},
            {"counter": 2},
        ]

    run(story())


def test_edits_made_apart_merge_on_reconnect(node: NodeHost, server: Server) -> None:
    room = f"{server.ws_url}/apart"

    async def story() -> None:
        store, client = MergeableStore(), node.client("apart-from-python").connect(room)
        async with WsSynchronizer.connect(store, room) as synchronizer:
            await synchronizer.start_sync()
            store.set_cell("species", "dog", "price", 5)
            await in_step(store, client)
            await asyncio.to_thread(server.stop)
            store.set_cell("species", "dog", "price", 6)
            client.call("setCell", "species", "cat", "price", 4)
            await asyncio.to_thread(server.start)
            client.connect(room)
            await in_step(store, client)
        assert store.get_tables() == {"species": {"dog": {"price": 6}, "cat": {"price": 4}}}

    run(story())


def test_what_python_kept_in_a_file_comes_back(node: NodeHost, room: str, tmp_path: Path) -> None:
    async def write() -> None:
        store = MergeableStore()
        async with FilePersister(store, tmp_path / "store.json") as persister:
            await persister.start_auto_save()
            store.set_row("pets", "fido", {"species": "dog", "tags": [1, "two"]})
            store.set_cell("pets", "gone", "species", "cat")
            store.del_row("pets", "gone")

    async def read() -> None:
        store, client = MergeableStore(), node.client("from-a-file").connect(room)
        async with (
            FilePersister(store, tmp_path / "store.json") as persister,
            WsSynchronizer.connect(store, room) as synchronizer,
        ):
            await persister.load()
            await synchronizer.start_sync()
            await in_step(store, client)
        assert client.content() == [{"pets": {"fido": {"species": "dog", "tags": [1, "two"]}}}, {}]

    run(write())
    run(read())


def test_ten_thousand_rows_from_python_to_javascript_in_fragments(node: NodeHost, room: str) -> None:
    async def story() -> None:
        store = MergeableStore()
        store.set_table("pets", {f"row{index}": {"price": index} for index in range(10_000)})
        async with WsSynchronizer.connect(
            store, room, request_timeout=SECONDS, fragment_size=4096
        ) as synchronizer:
            await synchronizer.start_sync()
            client = node.client("many-rows")
            await asyncio.to_thread(client.connect, room, request_timeout_seconds=SECONDS)
            await in_step(store, client)

    run(story())
