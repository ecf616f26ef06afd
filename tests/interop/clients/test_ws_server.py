"""Our WsServer and TinyBase's clients; channels, with the server and with the client on the other side."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from durabase import MergeableStore
from durabase.persisters import FilePersister
from durabase.server import Server
from durabase.sync_server import WsServer, WsServerSimple
from durabase.synchronizers import WsChannels
from interop.clients._node import MAJORS, NEWEST, NodeHost
from interop.clients.test_python_client import in_step, run
from interop.clients.test_their_servers import their_server


@contextmanager
def served(make: Any) -> Iterator[str]:
    """The address of our server of the packages, in a thread with a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[Any, Server]:
        ws_server = make()
        return ws_server, await Server(ws_server.fetch, port=0).__aenter__()

    async def stop() -> None:
        await ws_server.destroy()
        await server.__aexit__(None, None, None)

    ws_server, server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"ws://127.0.0.1:{server.port}"
        asyncio.run_coroutine_threadsafe(stop(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.parametrize("major", MAJORS)
def test_clients_of_all_majors(node: NodeHost, major: int, tmp_path: Path) -> None:
    def persister(path_id: str) -> FilePersister:
        return FilePersister(MergeableStore(), tmp_path / f"{path_id}.json")

    with served(lambda: WsServer(persister)) as url:
        first, second = (node.client(f"ws-server-{major}-{name}", major) for name in "ab")
        first.connect(f"{url}/pets").call("setRow", "pets", "fido", {"species": "dog", "age": 5})
        second.connect(f"{url}/pets").call("setValue", "open", True)
        content = node.converge([first, second])
        second.call("delCell", "pets", "fido", "age")
        content = node.converge([first, second])
        assert content == [{"pets": {"fido": {"species": "dog"}}}, {"open": True}]
        first.disconnect()
        second.disconnect()
    with served(lambda: WsServer(persister)) as url:
        late = node.client(f"ws-server-{major}-late", major)
        late.connect(f"{url}/pets").wait_for(content)
        late.disconnect()


def test_clients_of_all_majors_on_a_server_that_only_relays(node: NodeHost) -> None:
    with served(WsServerSimple) as url:
        clients = [node.client(f"relayed-{major}", major).connect(f"{url}/r") for major in MAJORS]
        for client in clients:
            client.call("setValue", client.name, client.name)
        assert node.converge(clients)[1] == {client.name: client.name for client in clients}
        for client in clients:
            client.disconnect()


@pytest.mark.parametrize("major", [9, 10])
def test_their_channels_on_our_server(node: NodeHost, major: int) -> None:
    with served(WsServer) as url:
        names = ("files", "people")
        over_one = [
            node.client(f"channel-{major}-{name}", major).connect_channel(f"one-{major}", f"{url}/base", name)
            for name in names
        ]
        direct = [
            node.client(f"direct-{major}-{name}", major).connect(f"{url}/base/{name}") for name in names
        ]
        for client in over_one:
            client.call("setValue", "from", client.name)
        for client in direct:
            client.call("setValue", "also", client.name)
        for pair in zip(over_one, direct, strict=True):
            assert node.converge(pair)[1] == {"from": pair[0].name, "also": pair[1].name}
        for client in [*over_one, *direct]:
            client.disconnect()


@pytest.mark.parametrize("major", [9, 10])
def test_our_channels_on_their_server(node: NodeHost, major: int) -> None:
    async def story(url: str) -> None:
        files, people = MergeableStore(), MergeableStore()
        client = node.client(f"beside-our-channel-{major}", NEWEST)
        await asyncio.to_thread(client.connect, f"{url}/base/files")
        async with (
            WsChannels.connect(f"{url}/base") as channels,
            channels.synchronizer(files, "files") as first,
            channels.synchronizer(people, "people") as second,
        ):
            await first.start_sync()
            await second.start_sync()
            files.set_row("t", "r", {"a": {"b": [1, None]}})
            people.set_value("only", "here")
            client.call("setValue", "from", "them")
            await in_step(files, client)
            assert people.get_content() == [{}, {"only": "here"}]
        client.disconnect()

    with their_server(major) as url:
        run(story(url))
