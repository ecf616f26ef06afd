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


def touch_and_leave(server: Server, numbers: range) -> None:
    """Touch rooms and leave them, until all of them sleep."""
    for start in range(numbers.start, numbers.stop, BATCH):
        for peer in touch(server, range(start, start + BATCH)):
            peer.hang_up()
    wait_until_all_sleep(server)


def memory_below(server: Server, bound_mib: float) -> float:
    """Wait until the server takes less than this: what lives leave is collected a while after they end."""
    end = time.monotonic() + 30
    while (memory := memory_mib(server.pid)) >= bound_mib:
        assert time.monotonic() < end, f"{memory:.1f} MiB, not below {bound_mib:.1f}"
        time.sleep(0.1)
    return memory


def wait_until_all_sleep(server: Server) -> None:
    end = time.monotonic() + 20
    while (log := server.log).count("hibernated") < log.count("started ("):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_rooms_that_were_left_take_nothing(server: Server) -> None:
    before = memory_mib(server.pid)
    touch_and_leave(server, range(300))
    first = memory_below(server, before + 25)
    touch_and_leave(server, range(300, 600))
    memory_below(server, max(first, before + 15) + 8)
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
        memory_below(server, before + SLEEPERS * 40 / 1024)
        assert peers[123].values().keys() == {"a", "b"}
    finally:
        for peer in peers:
            peer.hang_up()
