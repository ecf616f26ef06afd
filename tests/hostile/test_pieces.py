"""Messages in pieces: too many, too long, never finished; what they take is bounded and given back."""

from __future__ import annotations

import time

import pytest

from durabase.synchronizers.protocol.payloads import encode_payloads
from e2e._server import Server
from hostile._peer import DIFF, Peer, message, values_diff
from hostile._process import memory_mib

MIB = 1 << 20
OVERFLOW = (1013, "tinybase:15:fragments")
INVALID = (1007, "tinybase:14")
GROUP = "0123456789abcdef"


def piece(index: int | str, total: int | str, text: str = "x", group: str = GROUP, address: str = "") -> str:
    return f"{address}\n{group}\n{index}\n{total}\n{text}"


def group(number: int) -> str:
    return f"{number:016d}"


@pytest.mark.parametrize(
    ("payloads", "close"),
    [
        ([piece(0, 1001)], OVERFLOW),
        ([piece(0, "9" * 5000)], OVERFLOW),
        ([piece(0, "0" * 4000 + "1001")], OVERFLOW),
        ([piece(0, 2), piece(0, 2)], INVALID),
        ([piece(0, 2), piece(1, 3)], INVALID),
        ([piece(0, 2), piece(1, 2)], INVALID),
        ([piece(0, 1, '["x",1]')], INVALID),
        ([piece(number, 1000, '["x",1,""]') for number in range(1000)], INVALID),
        ([piece(0, 2, group=group(number)) for number in range(101)], OVERFLOW),
        ([piece(0, 2, group=group(n), address=f"c{n}") for n in range(101)], OVERFLOW),
        ([piece(n, 4, "x" * 5 * MIB) for n in range(4)], OVERFLOW),
        ([piece(0, 2, "x" * 5 * MIB, group(n)) for n in range(4)], OVERFLOW),
        ([piece(0, 2, "\u20ac" * 2 * MIB, group(n)) for n in range(3)], OVERFLOW),
    ],
    ids=[
        "1001 pieces",
        "a total of 5,000 digits",
        "1001 with zeros in front",
        "a piece twice",
        "another total",
        "no JSON in the end",
        "no message in the end",
        "1,000 messages",
        "101 groups",
        "101 groups for others",
        "over 16 MiB in one group",
        "over 16 MiB in several",
        "over 16 MiB of UTF-8",
    ],
)
def test_pieces_that_can_not_be(
    server: Server, room: str, payloads: list[str], close: tuple[int, str]
) -> None:
    with Peer(server.port, room) as witness, Peer(server.port, room) as sender:
        witness.broadcast(values_diff({"kept": 1}))
        before = witness.hashes()
        for payload in payloads:
            sender.say(payload)
        assert sender.receive_close() == close
        assert witness.hashes() == before
        witness.broadcast(values_diff({"kept": 2}))
        assert witness.values().keys() == {"kept"}


def test_100_groups_and_1000_pieces_are_taken(server: Server, room: str) -> None:
    body = message(DIFF, values_diff({"long": "y" * 2000}))
    pieces = [piece(n, 1000, body[n] if n < 999 else body[999:]) for n in range(1000)]
    with Peer(server.port, room) as sender:
        for number in range(99):
            sender.say(piece(0, 2, group=group(number)))
        for payload in reversed(pieces):
            sender.say(payload)
        assert sender.values().keys() == {"long"}


def test_groups_that_are_never_finished_expire(server: Server, room: str) -> None:
    with Peer(server.port, room) as sender:
        for number in range(100):
            sender.say(piece(0, 2, "x" * 100_000, group(number)))
        sender.hashes()
        time.sleep(1.3)  # the request timeout is 1 s
        for number in range(100):
            sender.say(piece(0, 2, "x" * 100_000, group(number)))
        sender.hashes()


def test_endless_pieces_take_no_endless_memory(server: Server, room: str) -> None:
    before = memory_mib(server.pid)
    for _ in range(8):
        with Peer(server.port, room) as sender:
            for number in range(15):
                sender.say(piece(0, 2, "x" * MIB, group(number)))
    with Peer(server.port, room) as sender:
        for number in range(30):
            sender.say(piece(0, 2, "x" * MIB, group(number)))
            if number == 14:
                sender.hashes()
        assert sender.receive_close() == OVERFLOW
        sender.hang_up()
    grown = memory_mib(server.pid) - before
    print(f"pieces: {grown:.0f} MiB more")
    assert grown < 60


def test_pieces_of_one_who_left_are_dropped(server: Server, room: str) -> None:
    with Peer(server.port, room) as witness:
        first, second = encode_payloads("", message(DIFF, values_diff({"a": "y" * 40})), 40)[:2]
        with Peer(server.port, room) as sender:
            sender.say(first)
        with Peer(server.port, room) as sender:
            sender.say(second)
            sender.hashes()
        assert witness.values() == {}
