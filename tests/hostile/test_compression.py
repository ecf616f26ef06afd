"""Compressed messages that are up to no good cost their sender its connection, and nobody else anything."""

from __future__ import annotations

import zlib

import pytest

from e2e._server import Server
from hostile._peer import DIFF, Peer, message, values_diff
from hostile._process import memory_mib
from hostile._wire import CONTINUATION, TEXT, frame

MIB = 1 << 20
OFFER = "permessage-deflate; client_max_window_bits"
MARKED = 4


def deflated(data: bytes, times: int = 1) -> bytes:
    deflate = zlib.compressobj(9, wbits=-15)
    pieces = [deflate.compress(data) for _ in range(times)]
    return (b"".join(pieces) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


BOMB = deflated(b" " * MIB, 512)


@pytest.mark.feature("S-WS-1")
def test_compressed_messages_are_read_like_others(server: Server, room: str) -> None:
    with Peer(server.port, room, extensions=OFFER) as sender, Peer(server.port, room) as other:
        other.hear_from("S", 1)
        data = deflated(f"\n{message(DIFF, values_diff({'kept': 'x' * 5000}))}".encode())
        sender.send(frame(data[:9], TEXT, fin=False, reserved=MARKED))
        sender.send(frame(data[9:], CONTINUATION))
        assert other.values()["kept"][0] == "x" * 5000


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize("fragmented", [False, True], ids=["at once", "in fragments"])
def test_bombs_are_not_expanded(server: Server, room: str, fragmented: bool) -> None:
    before = memory_mib(server.pid)
    assert len(BOMB) < MIB
    for _ in range(20):
        with Peer(server.port, room, extensions=OFFER) as sender:
            if fragmented:
                sender.send(frame(BOMB[:9], TEXT, fin=False, reserved=MARKED))
                sender.send(frame(BOMB[9:], CONTINUATION))
            else:
                sender.send(frame(BOMB, TEXT, reserved=MARKED))
            assert sender.receive_close()[0] == 1009
    assert memory_mib(server.pid) - before < 128  # some times the largest message; a bomb is 512
    with Peer(server.port, room) as other:
        other.hashes()


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b"\xff\xff\xff\xff", TEXT, reserved=MARKED), 1007),
        (frame(deflated(b"\n\xff"), TEXT, reserved=MARKED), 1007),
        (frame(deflated(b"\n"), TEXT, reserved=MARKED + 2), 1002),
        (frame("x", TEXT, fin=False) + frame("y", CONTINUATION, reserved=MARKED), 1002),
    ],
    ids=["no compressed data", "no UTF-8", "another reserved bit", "a marked continuation"],
)
def test_what_is_no_compressed_message_closes_its_sender(
    server: Server, room: str, data: bytes, code: int
) -> None:
    with Peer(server.port, room, extensions=OFFER) as sender:
        sender.send(data)
        assert sender.receive_close()[0] == code
    with Peer(server.port, room) as other:
        other.hashes()
