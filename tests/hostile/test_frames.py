"""What RFC 6455 forbids is refused as it says, at the earliest byte; the room goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from e2e._server import Server
from hostile._peer import DIFF, HASHES, Peer, message, values_diff
from hostile._process import memory_mib
from hostile._wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

MIB = 1 << 20
PROTOCOL, DATA, SIZE = 1002, 1007, 1009
HASHES_PAYLOAD = f"\n{message(HASHES, [0, 0])}"
EURO = "\u20ac".encode()


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(code.to_bytes(2, "big") + reason, CLOSE)


REFUSED = {
    "an unmasked frame": (frame(HASHES_PAYLOAD, masked=False), PROTOCOL),
    "an unmasked ping": (frame("", PING, masked=False), PROTOCOL),
    "reserved bit 1": (frame(HASHES_PAYLOAD, reserved=4), PROTOCOL),
    "reserved bit 2": (frame(HASHES_PAYLOAD, reserved=2), PROTOCOL),
    "reserved bit 3": (frame(HASHES_PAYLOAD, reserved=1), PROTOCOL),
    "a reserved bit in a ping": (frame("", PING, reserved=4), PROTOCOL),
    "opcode 3": (frame("", 3), PROTOCOL),
    "opcode 7": (frame("", 7), PROTOCOL),
    "opcode 11": (frame("", 11), PROTOCOL),
    "opcode 15": (frame("", 15), PROTOCOL),
    "a continuation of nothing": (frame("x", CONTINUATION), PROTOCOL),
    "a text in a text": (frame("x", fin=False) + frame("y"), PROTOCOL),
    "a ping of 126 bytes": (frame("x" * 126, PING), PROTOCOL),
    "a ping of 64 KiB": (frame("x" * 65536, PING), PROTOCOL),
    "a pong of 126 bytes": (frame("x" * 126, PONG), PROTOCOL),
    "a Close of 126 bytes": (close(1000, b"x" * 124), PROTOCOL),
    "a ping in fragments": (frame("x", PING, fin=False), PROTOCOL),
    "half a close code": (frame("x", CLOSE), PROTOCOL),
    "close code 0": (close(0), PROTOCOL),
    "close code 999": (close(999), PROTOCOL),
    "close code 1004": (close(1004), PROTOCOL),
    "close code 1005": (close(1005), PROTOCOL),
    "close code 1006": (close(1006), PROTOCOL),
    "close code 1015": (close(1015), PROTOCOL),
    "close code 2999": (close(2999), PROTOCOL),
    "close code 5000": (close(5000), PROTOCOL),
    "close code 65535": (close(65535), PROTOCOL),
    "a close reason that is no UTF-8": (close(1000, b"\xff"), DATA),
    "a length not in its shortest form": (b"\x81\xfe\x00\x05\0\0\0\0hello", PROTOCOL),
    "a length of 64 bits not in its shortest form": (b"\x81\xff" + bytes(7) + b"\x05\0\0\0\0hello", PROTOCOL),
    "a length with its highest bit": (b"\x81\xff\x80" + bytes(7), PROTOCOL),
    "no UTF-8": (frame(b"\n\xff"), DATA),
    "an overlong form": (frame(b"\n\xc0\xaf"), DATA),
    "half a surrogate pair as UTF-8": (frame("\n\ud800"), DATA),
    "beyond Unicode": (frame(b"\n\xf4\x90\x80\x80"), DATA),
    "half a letter": (frame(b"\n" + EURO[:2]), DATA),
    "half a letter at the end of fragments": (frame("\n", fin=False) + frame(EURO[:2], CONTINUATION), DATA),
    "no UTF-8 in a first fragment": (frame(b"\n\xff", fin=False), DATA),
    "no UTF-8 across fragments": (
        frame(b"\n" + EURO[:2], fin=False) + frame(b"\x41", CONTINUATION, fin=False),
        DATA,
    ),
}


@pytest.fixture
def witness(server: Server, room: str) -> Iterator[Peer]:
    with Peer(server.port, room) as witness:
        witness.broadcast(values_diff({"kept": 1}))
        witness.hashes()
        yield witness


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("segmented", [False, True], ids=["at once", "byte by byte"])
def test_a_broken_frame_closes_its_sender(
    server: Server, room: str, data: bytes, code: int, segmented: bool
) -> None:
    with Peer(server.port, room) as sender:
        sender.hear_from("S", 1)
        if segmented and len(data) < 200:
            for at in range(len(data)):
                sender.send(data[at : at + 1])
        else:
            sender.send(data)
        assert sender.receive_close()[0] == code
        sender.receive_end()


def test_the_others_go_on_and_hear_nothing(server: Server, witness: Peer, room: str) -> None:
    before = witness.hashes()
    for data, code in REFUSED.values():
        with Peer(server.port, room) as sender:
            sender.send(data)
            assert sender.receive_close()[0] == code
    assert witness.hashes() == before
    with Peer(server.port, room) as sender:
        sender.broadcast(values_diff({"kept": 2}))
        witness.hear_from(sender.key, DIFF)


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5])
def test_letters_may_be_cut_by_fragments(server: Server, room: str, cut: int) -> None:
    data = f'\n["x\u20ac\U0001f600",3,{message(0, values_diff({"a": 1}))[8:]}'.encode()
    at = data.index(EURO) + cut
    with Peer(server.port, room) as sender:
        sender.send(frame(data[:at], fin=False))
        sender.send(frame("ping", PING) + frame(b"", CONTINUATION, fin=False))
        sender.send(frame(data[at:], CONTINUATION))
        assert sender.values().keys() == {"a"}


@pytest.mark.parametrize(
    ("payload", "echoed"),
    [
        (b"", None),
        ((1000).to_bytes(2, "big"), 1000),
        ((1001).to_bytes(2, "big") + b"going away", 1001),
        ((3000).to_bytes(2, "big"), 3000),
        ((4999).to_bytes(2, "big") + b"x" * 123, 4999),
    ],
)
def test_a_close_is_answered_with_its_code(
    server: Server, room: str, payload: bytes, echoed: int | None
) -> None:
    with Peer(server.port, room) as sender:
        sender.send(frame(payload, CLOSE))
        assert sender.receive_close()[0] == echoed
        sender.receive_end()


def test_pings_are_answered_also_in_the_middle_of_a_message(server: Server, room: str) -> None:
    with Peer(server.port, room) as sender:
        sender.send(frame(f"\n{message(HASHES, [0, 0])}"[:5], fin=False))
        for payload in (b"", b"hello", b"x" * 125):
            sender.send(frame(payload, PING))
            while (heard := sender.receive())[0] != PONG:
                pass
            assert heard[1] == payload
        sender.send(frame(f"\n{message(HASHES, [0, 0])}"[5:], CONTINUATION))
        sender.hashes()


def test_pongs_that_nobody_asked_for_are_ignored(server: Server, room: str) -> None:
    with Peer(server.port, room) as sender:
        sender.send(frame("hello", PONG) * 100)
        sender.hashes()


@pytest.mark.parametrize("size", [17 * MIB, 1 << 33, (1 << 63) - 1])
def test_a_frame_that_is_too_large_is_refused_at_its_head(server: Server, room: str, size: int) -> None:
    with Peer(server.port, room) as sender:
        sender.hear()
        started = time.monotonic()
        sender.send(frame("", TEXT, length=size))
        assert sender.receive_close()[0] == SIZE
        assert time.monotonic() - started < 1


def test_a_message_that_is_too_large_in_fragments_is_refused_at_the_head_of_the_last(
    server: Server, room: str
) -> None:
    before = memory_mib(server.pid)
    with Peer(server.port, room) as sender:
        sender.send(frame("x" * 10 * MIB, BINARY, fin=False))
        sender.send(frame("", CONTINUATION, length=7 * MIB))
        assert sender.receive_close()[0] == SIZE
    assert memory_mib(server.pid) - before < 60


def test_a_payload_just_over_the_protocol_s_limit_is_refused_by_the_protocol(
    server: Server, room: str
) -> None:
    with Peer(server.port, room) as sender:
        sender.send_text("\n" + "x" * 16 * MIB)
        assert sender.receive_close() == (1013, "tinybase:15:socket")


def test_who_does_not_stop_sending_is_told_why_nevertheless(server: Server, room: str) -> None:
    with Peer(server.port, room) as sender:
        sender.send(frame("", TEXT, length=64 * MIB))
        for _ in range(64):
            sender.send(b"x" * MIB)
        assert sender.receive_close()[0] == SIZE
