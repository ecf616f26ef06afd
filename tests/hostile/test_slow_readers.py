"""Clients that do not read, or ask more than they read: memory is bounded, and the others go on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from e2e._server import Server
from hostile._peer import (
    CELL_DIFF,
    DIFF,
    HASHES,
    TABLE_DIFF,
    VALUE_DIFF,
    Peer,
    message,
    text,
    values_diff,
)
from hostile._process import memory_mib
from hostile._project import write_project
from hostile._wire import PING, frame

MIB = 1 << 20
LIMIT_MIB = 16  # of what may wait for one client


def fill(peer: Peer, megabytes: int) -> None:
    """Put so much into the server's store, in values that can be stored."""
    for number in range(megabytes * 16):
        peer.broadcast(values_diff({f"v{number}": "x" * (MIB // 16)}))
    peer.hashes()


def test_who_does_not_read_is_closed_and_the_others_go_on(server: Server, room: str) -> None:
    with (
        Peer(server.port, room, small=True) as deaf,
        Peer(server.port, room) as reader,
        Peer(server.port, room) as sender,
    ):
        deaf.hear_from("S", 1)
        sender.hashes()
        before = memory_mib(server.pid)
        peak = before
        said = message(HASHES, [0, 0], "x" * MIB)
        for _ in range(60):
            sender.say(f"{reader.key}\n{said}")
            sender.say(f"{deaf.key}\n{said}")
            assert reader.hear_from(sender.key, HASHES)[2] == [0, 0]
            peak = max(peak, memory_mib(server.pid))
        assert deaf.receive_close()[0] == 1013
        print(f"one deaf client, 60 MiB sent to it: {peak - before:.0f} MiB more at most")
        assert peak - before < 3 * LIMIT_MIB
        sender.broadcast([1, 1], HASHES)
        reader.hear_from(sender.key, HASHES)


def test_many_small_messages_are_bounded_too(server: Server, room: str) -> None:
    with Peer(server.port, room, small=True) as deaf, Peer(server.port, room) as sender:
        deaf.hear_from("S", 1)
        sender.hashes()
        before = memory_mib(server.pid)
        for _ in range(40):
            sender.send(
                b"".join([sender.as_frame(f"{deaf.key}\n{message(HASHES, [0, 0], 'x' * 150)}")] * 1000)
            )
        sender.hashes()
        assert memory_mib(server.pid) - before < LIMIT_MIB
        assert deaf.receive_close()[0] == 1013


def test_who_asks_and_does_not_read_is_closed(server: Server, room: str) -> None:
    with Peer(server.port, room, small=True) as greedy, Peer(server.port, room) as other:
        fill(other, 4)
        before = memory_mib(server.pid)
        peak = before
        question = greedy.as_frame(f"S\n{message(VALUE_DIFF, {}, 'q.1')}")
        greedy.send(question * 100)
        for _ in range(20):
            other.hashes()
            peak = max(peak, memory_mib(server.pid))
        print(f"100 questions with answers of 4 MiB: {peak - before:.0f} MiB more at most")
        assert peak - before < 5 * LIMIT_MIB
        assert greedy.receive_close()[0] == 1013


def test_who_edits_asks_and_does_not_read_is_closed(server: Server, room: str) -> None:
    """Answers that wait for the disk count as well."""
    with Peer(server.port, room, small=True) as greedy, Peer(server.port, room) as other:
        fill(other, 4)
        before = memory_mib(server.pid)
        peak = before
        burst = b""
        for number in range(60):
            burst += greedy.as_frame(f"\n{text(['x', DIFF, values_diff({'mine': number})])}")
            burst += greedy.as_frame(f"S\n{message(VALUE_DIFF, {}, 'q.1')}")
        greedy.send(burst)
        for _ in range(20):
            other.hashes()
            peak = max(peak, memory_mib(server.pid))
        print(f"60 edits, each with a question for 4 MiB: {peak - before:.0f} MiB more at most")
        assert peak - before < 5 * LIMIT_MIB
        assert greedy.receive_close()[0] == 1013


def test_requests_with_endless_ids_are_bounded(server: Server, room: str) -> None:
    """The store asks back under the id of the message that told it hashes."""
    with Peer(server.port, room) as sender:
        sender.hashes()
        before = memory_mib(server.pid)
        peak = before
        told = f"\n{message(HASHES, [1, 1], 'x' * 8 * MIB)}"
        for _ in range(12):
            sender.say(told)
            sender.hashes()
            peak = max(peak, memory_mib(server.pid))
        print(f"12 hashes under ids of 8 MiB: {peak - before:.0f} MiB more at most")
        assert peak - before < 5 * LIMIT_MIB


@pytest.mark.parametrize("number", [TABLE_DIFF, CELL_DIFF])
def test_questions_that_are_as_large_as_they_may_be_do_no_harm(
    server: Server, room: str, number: int
) -> None:
    hashes = {f"t{n}": 1 for n in range(100_000)}
    body = hashes if number == TABLE_DIFF else {"t": {"r": hashes}}
    with Peer(server.port, room) as sender, Peer(server.port, room) as other:
        started = time.monotonic()
        assert sender.ask(number, body) is not None
        other.hashes()
        assert time.monotonic() - started < 2
        assert Path(f"/proc/{server.pid}").exists()


def test_pings_of_one_who_does_not_read_are_bounded(server: Server, room: str) -> None:
    with Peer(server.port, room, small=True) as deaf, Peer(server.port, room) as other:
        deaf.hear_from("S", 1)
        before = memory_mib(server.pid)
        pings = frame("x" * 125, PING) * 1000
        try:
            for _ in range(200):
                deaf.send(pings)
        except TimeoutError:
            pass  # the server has stopped reading: it may
        other.hashes()
        assert memory_mib(server.pid) - before < LIMIT_MIB


def test_a_server_with_somebody_who_does_not_read_stops_in_time(tmp_path: Path) -> None:
    server = Server(tmp_path, "serve", str(write_project(tmp_path))).start()
    with Peer(server.port, small=True) as deaf, Peer(server.port) as sender:
        said = message(HASHES, [0, 0], "x" * MIB)
        for _ in range(12):
            sender.say(f"{deaf.key}\n{said}")
        sender.hashes()
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 9
        assert "Traceback" not in server.log
