"""Many rooms that are touched and left: what they took is free again, and sleeping ones take little."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e._server import Server
from hostile._peer import GET_HASHES, Peer, message, text, values_diff
from hostile._process import memory_mib
from hostile._project import write_project

BATCH = 100
SLEEPERS = 200


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, "dev", "--idle-seconds", "0.3", str(write_project(tmp_path))).start()
    yield server
    assert "Traceback" not in server.log
    server.kill()


def touch(server: Server, numbers: range) -> list[Peer]:
    """Put something into a room of each number; the clients are still there."""
    peers = [Peer(server.port, f"/room{number}") for number in numbers]
    for peer in peers:
        edit = text(["x", 3, values_diff({"a": 1, "b": "some text"})])
        peer.send(peer.as_frame(f"\n{edit}") + peer.as_frame(f"S\n{message(GET_HASHES, '', 'saved.1')}"))
    for peer in peers:
        while peer.hear()[1][:2] != ["saved.1", 0]:
            pass
    return peers


def touch_and_leave(server: Server, numbers: range) -> float:
    """Memory after rooms were touched, and left, and time went by."""
    for start in range(numbers.start, numbers.stop, BATCH):
        for peer in touch(server, range(start, start + BATCH)):
            peer.hang_up()
    wait_until_all_sleep(server)
    return memory_mib(server.pid)


def wait_until_all_sleep(server: Server) -> None:
    end = time.monotonic() + 20
    while (log := server.log).count("hibernated") < log.count("started ("):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_rooms_that_were_left_take_nothing(server: Server) -> None:
    before = memory_mib(server.pid)
    first = touch_and_leave(server, range(300))
    second = touch_and_leave(server, range(300, 600))
    print(f"300 rooms: {first - before:.1f} MiB, 300 more: {second - first:.1f} MiB more")
    assert first - before < 25
    assert second - first < 6
    with Peer(server.port, "/room7") as peer:
        assert peer.values().keys() == {"a", "b"}


def test_sleeping_rooms_with_sockets_take_little(server: Server) -> None:
    for peer in touch(server, range(BATCH)):
        peer.hang_up()
    wait_until_all_sleep(server)
    before = memory_mib(server.pid)
    peers: list[Peer] = []
    try:
        for start in range(0, SLEEPERS, BATCH):
            peers += touch(server, range(start, start + BATCH))
        wait_until_all_sleep(server)
        taken = (memory_mib(server.pid) - before) * 1024 / SLEEPERS
        print(f"{taken:.1f} KiB for a sleeping room with its socket")
        assert taken < 40
        assert peers[123].values().keys() == {"a", "b"}
    finally:
        for peer in peers:
            peer.hang_up()
