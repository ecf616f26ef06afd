"""After quiet seconds nothing of an object is left but its sockets; waking costs no writes and no time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e._server import Server
from hostile._peer import DIFF, Peer, values_diff
from hostile._process import memory_mib
from hostile._project import write_project
from hostile._wire import PING, PONG, ask, frame

PROGRAM = """
import weakref

from durabase import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import WsServerDurableObject, ws_server_fetch
from durabase.web import Response, WebSocketRequestResponsePair
from durabase.workers import WorkerEntrypoint

LIVING = weakref.WeakSet()
CONSTRUCTED = []


class TinyBaseDurableObject(WsServerDurableObject):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        CONSTRUCTED.append(1)
        LIVING.add(self)
        LIVING.add(ctx.storage)
        ctx.set_web_socket_auto_response(WebSocketRequestResponsePair("ping", "pong"))

    def create_persister(self):
        store = MergeableStore()
        persister = DurableObjectStoragePersister(store, self.ctx.storage)
        LIVING.add(store)
        LIVING.add(persister)
        return persister


class Default(WorkerEntrypoint):
    fetch_room = ws_server_fetch("TinyBaseDurableObjects")

    async def fetch(self, request):
        if request.url.endswith("/living"):
            return Response(f"{len(LIVING)} {len(CONSTRUCTED)}")
        return await self.fetch_room(request)
"""
KINDS = 4  # what is counted of one object: itself, its storage, its store, its persister


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    project = write_project(tmp_path, PROGRAM)
    server = Server(tmp_path, "dev", "--idle-seconds", "0.3", str(project)).start()
    yield server
    assert "Traceback" not in server.log
    server.kill()


def living(server: Server) -> tuple[int, int]:
    """How many objects of the program are in memory, and how many rooms were ever constructed."""
    answer = ask(server.port, b"GET /living HTTP/1.1\r\nHost: localhost\r\n\r\n")
    left, constructed = map(int, answer.body.split())
    return left, constructed


def wait_until_gone(server: Server) -> int:
    """Wait until nothing of the object is in memory; how many rooms were ever constructed."""
    server.wait_until_asleep()
    end = time.monotonic() + 10
    while (found := living(server))[0]:
        assert time.monotonic() < end, f"{found[0]} objects are in memory still"
        time.sleep(0.05)
    return found[1]


def files_written(server: Server) -> list[tuple[int, int]]:
    """Size and time of change of the files that the state is in."""
    files = sorted(path for path in server.state.rglob("*") if path.is_file())
    return [
        (file.stat().st_size, file.stat().st_mtime_ns)
        for file in files
        if not file.name.endswith("-shm")  # memory that readers share
    ]


def test_instance_store_persister_and_storage_are_gone_and_the_sockets_stay(server: Server) -> None:
    with Peer(server.port) as peer:
        peer.broadcast(values_diff({"a": 1}))
        peer.hashes()
        assert living(server) == (KINDS, 1)
        assert wait_until_gone(server) == 1
        assert peer.values().keys() == {"a"}
        assert living(server) == (KINDS, 2)


def test_what_a_large_room_took_is_there_for_the_next(server: Server) -> None:
    """CPython gives little back to the system, but what one room has left, others can have."""
    memory = [memory_mib(server.pid)]
    for room in range(3):
        with Peer(server.port, f"/large{room}") as peer:
            for number in range(0, 6_000, 500):
                peer.broadcast(values_diff({f"v{n}": f"some text {n}" for n in range(number, number + 500)}))
            peer.hashes()
            wait_until_gone(server)
        memory.append(memory_mib(server.pid))
    print("three rooms of 6,000 values, one after another:", ", ".join(f"{mib:.0f} MiB" for mib in memory))
    assert memory[-1] - memory[2] < (memory[1] - memory[0]) / 2


def test_pings_and_automatic_answers_wake_nobody(server: Server) -> None:
    with Peer(server.port) as peer:
        peer.hashes()
        assert wait_until_gone(server) == 1
        for _ in range(3):
            peer.send(frame("hi", PING))
            while peer.receive() != (PONG, b"hi"):
                pass
            peer.say("ping")
            assert peer.receive_text() == "pong"
        peer.send(frame("hi", PONG))
        time.sleep(0.1)
        assert living(server) == (0, 1)


def test_waking_writes_nothing(server: Server) -> None:
    with Peer(server.port) as peer:
        peer.broadcast(values_diff({f"v{number}": number for number in range(100)}))
        peer.broadcast(values_diff({"large": "x" * 140_000}))
        peer.hashes()
        for _ in range(3):
            server.wait_until_asleep()
            before = files_written(server)
            database = next(server.state.rglob("*.sqlite"))
            with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as reader:
                version = reader.execute("PRAGMA data_version").fetchone()
                woken = server.log.count("started (")
                assert len(peer.values()) >= 100
                assert server.log.count("started (") == woken + 1
                server.wait_until_asleep()
                assert reader.execute("PRAGMA data_version").fetchone() == version
            reader.close()
            assert files_written(server) == before


def test_all_who_slept_hear_what_wakes_the_room(server: Server) -> None:
    sleepers = [Peer(server.port) for _ in range(5)]
    try:
        for peer in sleepers:
            peer.hashes()
        server.wait_until_asleep()
        started = time.monotonic()
        sleepers[2].broadcast(values_diff({"woke": 1}))
        for peer in sleepers[:2] + sleepers[3:]:
            assert peer.hear_from(sleepers[2].key, DIFF)[2][1][0].keys() == {"woke"}
        assert sleepers[4].values().keys() == {"woke"}
        assert time.monotonic() - started < 0.9
    finally:
        for peer in sleepers:
            peer.hang_up()


def test_one_who_is_addressed_in_sleep_gets_it(server: Server) -> None:
    with Peer(server.port) as first, Peer(server.port) as second:
        first.hashes()
        second.hashes()
        server.wait_until_asleep()
        first.say(f'{second.key}\n["x",2,[7,7]]')
        assert second.hear_from(first.key, 2)[2] == [7, 7]


def test_one_who_leaves_and_one_who_joins_a_sleeping_room(server: Server) -> None:
    with Peer(server.port) as first, Peer(server.port) as second:
        first.broadcast(values_diff({"a": 1}))
        first.hashes()
        server.wait_until_asleep()
        second.hang_up()
        server.wait_until_asleep()
        with Peer(server.port) as third:
            assert third.values().keys() == {"a"}
            third.broadcast(values_diff({"b": 1}))
            assert first.hear_from(third.key, DIFF)


def test_bad_input_that_wakes_a_room_closes_its_sender_only(server: Server) -> None:
    with Peer(server.port) as good, Peer(server.port) as bad, Peer(server.port) as worse:
        good.broadcast(values_diff({"a": 1}))
        before = good.hashes()
        server.wait_until_asleep()
        bad.say("rubbish")
        assert bad.receive_close() == (1007, "tinybase:14")
        server.wait_until_asleep()
        worse.send(frame(b"\xff"))
        assert worse.receive_close()[0] == 1007
        server.wait_until_asleep()
        assert good.hashes() == before
