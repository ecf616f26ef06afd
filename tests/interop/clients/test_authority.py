"""Unmodified TinyBase clients in authoritative rooms: what the server refuses, they take back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durabase import MergeableStore
from durabase.persisters import FilePersister
from durabase.sync_server import Proposal, WsServer
from e2e._server import Server
from hostile._project import write_project
from interop.clients._node import NodeClient, NodeHost
from interop.clients.test_ws_server import served

MAJORS = (5, 8, 10)
PETS = {"fido": {"species": "dog", "age": 5}}
ROOM = """
from durabase import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import WsServerDurableObject, ws_server_fetch
from durabase.workers import WorkerEntrypoint

class Room(WsServerDurableObject):
    authoritative = True

    def create_persister(self):
        store = MergeableStore()
        store.set_tables_schema({
            "pets": {"species": {"type": "string"}, "age": {"type": "number"}},
            "rules": {"text": {"type": "string"}},
        })
        return DurableObjectStoragePersister(store, self.ctx.storage)

    def validate(self, proposal):
        for edit in proposal.edits:
            if edit.table_id == "rules":
                proposal.refuse(edit, "nobody writes rules")
            if edit.table_id == "pets" and edit.is_deletion:
                proposal.refuse(edit, "pets stay")

class Default(WorkerEntrypoint):
    fetch = ws_server_fetch("Rooms")
"""


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("court")
    server = Server(folder, "serve", str(write_project(folder, ROOM, ["Room"]))).start()
    yield server
    assert server.stop() == 0, server.log


def clients_of(node: NodeHost, name: str) -> list[NodeClient]:
    return [node.client(f"authority-{name}-{major}", major) for major in MAJORS]


def settled(node: NodeHost, clients: list[NodeClient], url: str, expected: Any) -> None:
    """All clients, and one that comes later and so has what the server has, come to hold this."""
    late = node.client(f"{clients[0].name}-late-{time.monotonic_ns()}").connect(url)
    for client in clients:
        client.wait_for(expected)
    assert node.converge([*clients, late]) == expected
    late.disconnect()


@pytest.mark.parametrize("which", range(len(MAJORS)))
def test_what_is_refused_is_taken_back_by_its_sender_and_reaches_nobody(
    node: NodeHost, court: Server, which: int
) -> None:
    url = f"{court.ws_url}/refused-{which}"
    clients = clients_of(node, f"refused{which}")
    writer = clients[which]
    for client in clients:
        client.connect(url, fragment_size=100)  # heeded since major 9
    writer.call("setTable", "pets", PETS)
    settled(node, clients, url, [{"pets": PETS}, {}])

    writer.call("setCell", "pets", "fido", "age", "old")  # the schema
    settled(node, clients, url, [{"pets": PETS}, {}])
    writer.call("delRow", "pets", "fido")  # a rule against deletions
    settled(node, clients, url, [{"pets": PETS}, {}])
    writer.call("setTable", "rules", {"1": {"text": "x" * 500}})  # a rule for a whole table; in fragments
    writer.call("setTable", "unknown", {"1": {"text": "x"}})
    settled(node, clients, url, [{"pets": PETS}, {}])
    writer.edit(["setCell", "pets", "fido", "age", 6], ["setCell", "pets", "fido", "species", 1])
    settled(node, clients, url, [{"pets": {"fido": {"species": "dog", "age": 6}}}, {}])

    for client in clients:
        if client is not writer:
            payloads = [payload for direction, payload in client.transcript() if direction == "<"]
            assert not [payload for payload in payloads if '"old"' in payload]


def test_offline_edits_are_judged_when_their_client_comes(node: NodeHost, court: Server) -> None:
    url = f"{court.ws_url}/offline"
    clients = clients_of(node, "offline")
    for client in clients:
        client.call("setRow", "pets", client.name, {"species": "cat", "age": "none"})
        client.call("setCell", "rules", client.name, "text", "mine")
    for client in clients:
        client.connect(url)

    pets = {client.name: {"species": "cat"} for client in clients}
    settled(node, clients, url, [{"pets": pets}, {}])

    for client in clients:
        client.cut()
        client.call("delRow", "pets", clients[0].name)
        client.call("setCell", "pets", client.name, "age", 3)
    for client in clients:
        client.connect(url)
    pets = {client.name: {"species": "cat", "age": 3} for client in clients}
    settled(node, clients, url, [{"pets": pets}, {}])


def test_the_object_goes_on_judging_after_a_restart(node: NodeHost, tmp_path: Path) -> None:
    server = Server(tmp_path, "serve", str(write_project(tmp_path, ROOM, ["Room"]))).start()
    try:
        url = f"{server.ws_url}/again"
        clients = [client.connect(url) for client in clients_of(node, "again")]
        clients[0].call("setTable", "pets", PETS)
        clients[1].call("setCell", "rules", "1", "text", "mine")
        settled(node, clients, url, [{"pets": PETS}, {}])
        hashes = clients[0].hashes()
        for client in clients:
            client.disconnect()
        assert server.stop() == 0
        server.start()
        late = node.client("authority-again-late").connect(url)
        late.wait_for_hashes(hashes)
        late.call("delRow", "pets", "fido")
        for client in clients:
            client.connect(url)
        settled(node, [*clients, late], url, [{"pets": PETS}, {}])
    finally:
        server.kill()


@pytest.mark.parametrize("major", [8, 10])
def test_stamps_ahead_of_time(node: NodeHost, court: Server, major: int) -> None:
    url = f"{court.ws_url}/ahead-{major}"
    now = time.time_ns() // 1_000_000
    clients = [client.connect(url) for client in clients_of(node, f"ahead-{major}")]
    clients[0].call("setTable", "pets", PETS)
    settled(node, clients, url, [{"pets": PETS}, {}])

    some_minutes = node.client(f"authority-minutes-{major}", major, now=now + 240_000).connect(url)
    some_minutes.wait_for([{"pets": PETS}, {}])
    some_minutes.call("setCell", "pets", "fido", "age", "bad")
    some_minutes.call("setCell", "pets", "rex", "age", 1)
    settled(node, [*clients, some_minutes], url, [{"pets": {**PETS, "rex": {"age": 1}}}, {}])

    days = node.client(f"authority-days-{major}", major, now=now + 200_000_000).connect(url)
    days.wait_for([{"pets": {**PETS, "rex": {"age": 1}}}, {}])
    days.call("setCell", "pets", "fido", "age", 7)
    days.call("setCell", "pets", "rex", "species", "dog")
    days.wait_for([{"pets": {**PETS, "rex": {"age": 1}}}, {}])
    days.cut()
    days.call("delTables")
    days.connect(url).wait_for([{"pets": {**PETS, "rex": {"age": 1}}}, {}])
    settled(node, [*clients, some_minutes], url, [{"pets": {**PETS, "rex": {"age": 1}}}, {}])


def test_rooms_of_a_ws_server_over_channels(node: NodeHost, tmp_path: Path) -> None:
    refused: list[tuple[str, str, list[str]]] = []

    def persister(path_id: str) -> FilePersister:
        return FilePersister(MergeableStore(), tmp_path / f"{path_id.replace('/', '-')}.json")

    def validate(path_id: str, proposal: Proposal) -> None:
        for edit in proposal.edits:
            if edit.value_id == "owner" and path_id.endswith("one"):
                proposal.refuse(edit, "it has none")

    def on_refused(path_id: str, proposal: Proposal) -> None:
        refused.append((path_id, proposal.client_id, list(proposal.refused.values())))

    with served(
        lambda: WsServer(persister, authoritative=True, validate=validate, on_refused=on_refused)
    ) as url:
        stores = {}
        for socket in "ab":
            for channel in ("one", "two"):
                client = node.client(f"court-{socket}-{channel}", 10)
                stores[socket, channel] = client.connect_channel(f"court-{socket}", f"{url}/base", channel)
        for channel in ("one", "two"):
            stores["a", channel].call("setValues", {"owner": "ada", "open": True})
        node.converge([stores["a", "two"], stores["b", "two"]])
        stores["b", "two"].wait_for([{}, {"owner": "ada", "open": True}])
        for socket in "ab":
            stores[socket, "one"].wait_for([{}, {"open": True}])
        assert node.converge([stores["a", "one"], stores["b", "one"]]) == [{}, {"open": True}]
    assert [(path_id, reasons) for path_id, _, reasons in refused] == [("base/one", ["it has none"])]


READERS = ROOM.replace("import WsServerDurableObject", "import Access, WsServerDurableObject").replace(
    "    def create_persister",
    """    def authorize(self, request, path_id):
        return Access("read" if "as=reader" in request.url else "write")

    def create_persister""",
    1,
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("library")
    server = Server(folder, "serve", str(write_project(folder, READERS, ["Room"]))).start()
    yield server
    assert server.stop() == 0, server.log


@pytest.mark.parametrize("major", MAJORS)
def test_who_only_reads_takes_back_what_it_writes_and_leaves_no_trace(
    node: NodeHost, library: Server, major: int
) -> None:
    url = f"{library.ws_url}/reading-{major}"
    writer = node.client(f"library-writer-{major}").connect(url)
    writer.call("setTables", {"pets": PETS})
    reader = node.client(f"library-reader-{major}", major).connect(f"{url}?as=reader")
    reader.wait_for([{"pets": PETS}, {}])
    reader.call("setCell", "pets", "fido", "age", 99)
    reader.call("setRow", "pets", "rex", {"age": 1})
    reader.wait_for([{"pets": PETS}, {}])
    writer.call("setCell", "pets", "fido", "age", 6)  # the reader sees what happens where it has written
    now = [{"pets": {"fido": {"species": "dog", "age": 6}}}, {}]
    reader.wait_for(now)

    reader.disconnect()
    reader.call("setRow", "pets", "tom", {"age": 2})
    reader.connect(f"{url}?as=reader")
    reader.wait_for(now)
    late = node.client(f"library-late-{major}").connect(url)
    late.wait_for(now)
    assert node.converge([writer, late]) == now
    assert "rex" not in str(late.call("getMergeableContent"))
    assert "tom" not in str(late.call("getMergeableContent"))

    reader.disconnect()
    reader.connect(url)  # now it may write, and what was taken back does not come again
    reader.call("setCell", "pets", "fido", "age", 7)
    settled(node, [writer, reader, late], url, [{"pets": {"fido": {"species": "dog", "age": 7}}}, {}])
