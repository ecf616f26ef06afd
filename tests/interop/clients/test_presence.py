"""Unmodified TinyBase clients in rooms of presence: their rows are there for as long as they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durabase import MergeableStore
from durabase.persisters import FilePersister
from durabase.sync_server import WsServer
from e2e._server import Server
from hostile._project import write_project
from interop.clients._node import NodeClient, NodeHost
from interop.clients.test_ws_server import served

PROGRAM = """
from durabase.sync_server import PresenceDurableObject, WsServerDurableObject, presence_fetch, ws_server_fetch
from durabase.workers import WorkerEntrypoint

class Room(WsServerDurableObject):
    pass

class Presence(PresenceDurableObject):
    grace_seconds = 0.3

class Default(WorkerEntrypoint):
    fetch = presence_fetch("Presences", ws_server_fetch("Rooms"))
"""


@pytest.fixture
def lobby(tmp_path: Path) -> Iterator[Server]:
    project = write_project(tmp_path, PROGRAM, ["Room", "Presence"])
    server = Server(tmp_path, "dev", "--no-client-dev", "--idle-seconds", "0.5", str(project)).start()
    yield server
    server.kill()


def comes(node: NodeHost, name: str, id_: str, url: str, major: int = 10) -> NodeClient:
    client = node.client(name, major).connect(f"{url}?id={id_}")
    client.call("setRow", "who", id_, {"name": id_.title(), "x": 0})
    return client


def rows(*ids: str) -> Any:
    return [{"who": {id_: {"name": id_.title(), "x": 0} for id_ in ids}} if ids else {}, {}]


def test_rows_stay_for_as_long_as_their_clients(node: NodeHost, lobby: Server) -> None:
    url = f"{lobby.ws_url}/room/presence"
    ada, bob, eve = (
        comes(node, f"stay-{id_}", id_, url, major) for id_, major in [("ada", 5), ("bob", 8), ("eve", 10)]
    )
    node.converge([ada, bob, eve])
    ada.wait_for(rows("ada", "bob", "eve"))
    bob.call("setCell", "who", "bob", "x", 9)
    ada.wait_for([{"who": {**rows("ada", "eve")[0]["who"], "bob": {"name": "Bob", "x": 9}}}, {}])
    bob.cut()
    ada.wait_for(rows("ada", "eve"))
    eve.wait_for(rows("ada", "eve"))
    node.converge([ada, eve])
    bob.call("setCell", "who", "bob", "x", 0)
    bob.connect(f"{url}?id=bob")
    bob.call("setRow", "who", "bob", {"name": "Bob", "x": 0})
    ada.wait_for(rows("ada", "eve", "bob"))
    node.converge([ada, bob, eve])


def test_nobody_writes_rows_of_others_who_are_there(node: NodeHost, lobby: Server) -> None:
    url = f"{lobby.ws_url}/room/presence"
    ada, bob = comes(node, "own-ada", "ada", url), comes(node, "own-bob", "bob", url)
    guest = node.client("own-guest").connect(url)
    guest.wait_for(rows("ada", "bob"))
    bob.call("setCell", "who", "ada", "name", "Not Ada")
    bob.call("delRow", "who", "ada")
    bob.call("setValue", "topic", "mine")
    guest.call("setRow", "who", "guest", {"name": "Guest"})
    for client in (ada, bob, guest):
        client.wait_for(rows("ada", "bob"))
    node.converge([ada, bob, guest])


def test_sleep_loses_nobody_who_is_there_and_keeps_nobody_who_has_gone(node: NodeHost, lobby: Server) -> None:
    url = f"{lobby.ws_url}/room/presence"
    ada, bob, eve = (comes(node, f"sleep-{id_}", id_, url) for id_ in ("ada", "bob", "eve"))
    ada.wait_for(rows("ada", "bob", "eve"))
    lobby.wait_until_asleep()
    eve.cut()
    for client in (ada, bob):
        client.wait_for(rows("ada", "bob"))
    node.converge([ada, bob])


def test_a_restart_loses_nobody_who_comes_back_and_nothing_is_on_the_disk(
    node: NodeHost, lobby: Server, tmp_path: Path
) -> None:
    url = f"{lobby.ws_url}/room/presence"
    clients = {id_: comes(node, f"restart-{id_}", id_, url) for id_ in ("ada", "bob", "eve")}
    clients["ada"].wait_for(rows("ada", "bob", "eve"))
    node.converge(clients.values())
    assert lobby.stop() == 0
    for client in clients.values():
        client.disconnect()
    lobby.start()
    clients["ada"].connect(f"{url}?id=ada")
    clients["bob"].connect(f"{url}?id=bob")
    for id_ in ("ada", "bob"):
        clients[id_].wait_for(rows("ada", "bob"))
    node.converge([clients["ada"], clients["bob"]])
    for file in tmp_path.rglob("*.sqlite"):
        text = "".join(sqlite3.connect(file).iterdump())
        assert "Ada" not in text


def test_presence_of_a_ws_server_over_channels(node: NodeHost, tmp_path: Path) -> None:
    def persister(path_id: str) -> FilePersister:
        return FilePersister(MergeableStore(), tmp_path / f"{path_id.replace('/', '-')}.json")

    with served(lambda: WsServer(persister, presence=True)) as url:
        stores = {}
        for id_ in ("ada", "bob"):
            for channel in ("doc", "doc/presence"):
                client = node.client(f"channel-{id_}-{channel}")
                stores[id_, channel] = client.connect_channel(
                    f"channel-{id_}", f"{url}/base?id={id_}", channel
                )
        stores["ada", "doc"].call("setValue", "title", "Ours")
        for id_ in ("ada", "bob"):
            stores[id_, "doc/presence"].call("setRow", "who", id_, {"name": id_.title(), "x": 0})
        for id_ in ("ada", "bob"):
            stores[id_, "doc"].wait_for([{}, {"title": "Ours"}])
            stores[id_, "doc/presence"].wait_for(rows("ada", "bob"))
        node.converge([stores["ada", "doc/presence"], stores["bob", "doc/presence"]])
        stores["bob", "doc/presence"].disconnect()
        stores["ada", "doc/presence"].wait_for(rows("ada"))
    assert [file.name for file in tmp_path.iterdir()] == ["base-doc.json"]
