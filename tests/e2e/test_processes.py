"""`durabase serve --processes`: each room is in one process, sockets go there, and one may be lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from e2e._rooms import write_rooms
from e2e._server import Server

NAMES = [f"room{number}" for number in range(12)]
PATIENCE = 30.0
STORES_TOML = """
name = "stores"
main = "index.py"
compatibility_date = "2026-11-01"
[[durable_objects.bindings]]
name = "ROOMS"
class_name = "Store"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Store"]
"""
STORES = """
import json, os
from durabase import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import WsServerDurableObject, object_room
from workers import Response, WorkerEntrypoint

class Store(WsServerDurableObject):
    def create_persister(self):
        return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)

    def look(self):
        return [os.getpid(), self._passing.seat.store.get_value("count")]

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        name = request.url.rpartition("/")[2]
        async with object_room(self.env.ROOMS, name) as room:
            room.store.set_value("count", room.store.get_value("count", 0) + 1)
        return Response(json.dumps([os.getpid(), *await self.env.ROOMS.get_by_name(name).look()]))
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    write_rooms(tmp_path)
    server = Server(tmp_path, "serve", str(tmp_path), "--processes", "2", "--admin", "0").start()
    yield server
    server.kill()


class Clients:
    def __init__(self, server: Server, stack: ExitStack) -> None:
        self._server = server
        self._stack = stack

    def join(self, name: str) -> tuple[ClientConnection, int, str]:
        """A client of the room, the process that serves it, and the last message that the room keeps."""
        opening = connect(f"{self._server.ws_url}/{name}", open_timeout=PATIENCE, close_timeout=1)
        client = self._stack.enter_context(opening)
        process, _, last = str(client.recv(PATIENCE)).partition(" ")
        return client, int(process), last


@pytest.fixture
def clients(server: Server) -> Iterator[Clients]:
    with ExitStack() as stack:
        yield Clients(server, stack)


@pytest.mark.feature("C-LC-1")
def test_rooms_are_shared_out_and_each_is_in_one_process(clients: Clients) -> None:
    processes = set()
    for name in NAMES:
        joined = [clients.join(name) for _ in range(4)]
        assert len({process for _, process, _ in joined}) == 1, "all clients are where the room is"
        joined[0][0].send(f"to all of {name}")
        assert [client.recv(PATIENCE) for client, _, _ in joined] == [f"to all of {name}"] * 4
        processes.add(joined[0][1])
    assert len(processes) == 2


def test_rooms_call_each_other_across_processes(server: Server) -> None:
    where = {}
    for name in NAMES:
        with urlopen(f"{server.url}/{name}/{NAMES[0]}", timeout=PATIENCE) as answer:  # noqa: S310 - ours
            _, where[name], first = json.load(answer)
            assert first == where[NAMES[0]]
    assert len(set(where.values())) == 2


def test_an_administrator_sees_the_objects_of_all_processes(server: Server, clients: Clients) -> None:
    for name in NAMES:
        client, _, _ = clients.join(name)
        client.send("kept")
        client.recv(PATIENCE)
    command = [sys.executable, "-m", "durabase", "objects", "list", "--json", "-c", str(server.state.parent)]
    done = subprocess.run(
        [*command, "--persist-to", str(server.state)], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert sorted(each["name"] for each in json.loads(done.stdout)["objects"]) == sorted(NAMES)


def test_a_program_edits_rooms_that_live_in_any_process(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(STORES_TOML)
    (tmp_path / "index.py").write_text(STORES)
    server = Server(tmp_path, "serve", str(tmp_path), "--processes", "2").start()
    try:
        is_copy = set()
        for count in (1, 2, 3):
            for name in NAMES:
                with urlopen(f"{server.url}/{name}", timeout=PATIENCE) as answer:  # noqa: S310 - ours
                    here, there, counted = json.load(answer)
                assert counted == count
                is_copy.add(here != there)
        assert is_copy == {True, False}
    finally:
        server.kill()


@pytest.mark.feature("C-LC-1")
def test_one_process_may_be_lost_and_comes_back_with_all_that_was_saved(
    server: Server, clients: Clients
) -> None:
    rooms = {name: clients.join(name) for name in NAMES}
    for name, (client, _, _) in rooms.items():
        client.send(f"saved in {name}")
        assert client.recv(PATIENCE) == f"saved in {name}"
    lost = rooms[NAMES[0]][1]
    os.kill(lost, signal.SIGKILL)
    for client, process, _ in rooms.values():
        if process == lost:
            with pytest.raises(ConnectionClosed):
                client.recv(PATIENCE)
        else:
            client.send("still here")
            assert client.recv(PATIENCE) == "still here"
    for name, (_, process, _) in rooms.items():
        _, now, last = clients.join(name)
        assert (now == process) == (process != lost)
        assert last == ("still here" if process != lost else f"saved in {name}")
    assert "it is started again" in server.log


def test_stopping_says_goodbye_to_all_and_leaves_nothing_behind(server: Server, clients: Clients) -> None:
    rooms = [clients.join(name) for name in NAMES]
    processes = {process for _, process, _ in rooms}
    assert server.stop() == 0, server.log
    for client, _, _ in rooms:
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(PATIENCE)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1012
    assert not any(Path(f"/proc/{process}").exists() for process in processes)


def test_processes_whose_supervisor_is_killed_stop_and_free_the_data(
    server: Server, clients: Clients
) -> None:
    rooms = [clients.join(name) for name in NAMES[:4]]
    os.kill(server.pid, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while any(Path(f"/proc/{process}").exists() for _, process, _ in rooms):
        assert time.monotonic() < deadline, "a process stayed"
        time.sleep(0.05)
    again = Server(server.state.parent, "serve", str(server.state.parent), port=server.port).start()
    assert again.stop() == 0
