"""Our client on TinyBase's own Node servers, in one room with their client."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from durabase import MergeableStore
from durabase.synchronizers.ws_client import WsSynchronizer
from interop.clients._node import FOLDER, NEWEST, NodeHost
from interop.clients.test_python_client import in_step, run

SERVER_MAJORS = (5, 6, 7, 8, 9, 10)


@contextmanager
def their_server(major: int) -> Iterator[str]:
    """The WebSocket address of TinyBase's server of this major."""
    process = subprocess.Popen(
        ["node", "their_server.mjs", str(major)], cwd=FOLDER, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"ws://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


@pytest.mark.parametrize("major", SERVER_MAJORS)
def test_edits_go_both_ways_through_their_server(node: NodeHost, major: int) -> None:
    async def story(url: str) -> None:
        store = MergeableStore()
        client = node.client(f"on-their-server-{major}", major)
        store.set_row("pets", "fido", {"species": "dog", "age": 5})
        client.connect(url).call("setRow", "pets", "felix", {"species": "cat", "age": 3})
        async with WsSynchronizer.connect(store, url) as synchronizer:
            await synchronizer.start_sync()
            await in_step(store, client)
            store.set_value("open", True).del_cell("pets", "felix", "age")
            await in_step(store, client)
            client.call("setCell", "pets", "fido", "age", 6)
            await in_step(store, client)
        client.disconnect()

    with their_server(major) as url:
        run(story(f"{url}/room"))


def test_fragments_and_a_reconnection_through_their_newest_server(node: NodeHost) -> None:
    async def story(url: str) -> None:
        store, client = MergeableStore(), node.client("fragments-there", NEWEST)
        client.connect(url, fragment_size=100)
        async with WsSynchronizer.connect(store, url, fragment_size=100) as synchronizer:
            await synchronizer.start_sync()
            for number in range(300):
                store.set_row("rows", str(number), {"text": "😀" * 20, "number": number})
            client.call("setValue", "long", "x" * 5000)
            await in_step(store, client)
            client.disconnect()
            store.set_value("while", "away")
            client.connect(url, fragment_size=100)
            await in_step(store, client)
        await asyncio.sleep(0)

    with their_server(NEWEST) as url:
        run(story(f"{url}/room"))
