"""One write per turn, and bounds that count only what the operating system has not taken."""

from __future__ import annotations

import pytest

from durabase.server.frames import binary_frame
from durabase.server.outbox import Outbox, Turn, text_bytes
from unit.server.codec import FakeTransport, TurnEnds


class Rig:
    def __init__(self, max_bytes: int = 1 << 24, max_frames: int = 1000, room: int | None = None) -> None:
        self.ends = TurnEnds()
        self.turn = Turn(self.ends.call_soon, 1)
        self.transport = FakeTransport(room)
        self.outbox = Outbox(self.transport, self.turn, max_bytes, max_frames)
        self.transport.outbox = self.outbox


def test_a_turn_is_one_write_in_order() -> None:
    rig = Rig()
    for word in (b"a", b"b", b"c"):
        assert rig.outbox.put(word)
    assert rig.transport.sent == b""
    rig.ends.end()
    assert rig.transport.sent == b"abc"
    assert rig.transport.writes == 1
    assert rig.outbox.is_empty


def test_all_sockets_share_one_end_of_the_turn() -> None:
    rig = Rig()
    transports = [FakeTransport() for _ in range(3)]
    for transport in transports:
        Outbox(transport, rig.turn, 1000, 1000).put(b"x")
    assert len(rig.ends.callbacks) == 1
    rig.ends.end()
    assert [transport.sent for transport in transports] == [b"x"] * 3


def test_the_next_turn_is_scheduled_again() -> None:
    rig = Rig()
    rig.outbox.put(b"a")
    rig.ends.end()
    rig.outbox.put(b"b")
    rig.ends.end()
    assert rig.transport.sent == b"ab"
    assert rig.transport.writes == 2


def test_a_broadcast_is_framed_once() -> None:
    rig = Rig()
    text = "".join(["he", "llo"])
    assert rig.turn.text_frame(text) is rig.turn.text_frame(text)
    assert rig.turn.text_frame("other") == b"\x81\x05other"


def test_a_framed_text_is_kept_for_one_turn_only() -> None:
    rig = Rig()
    frame = rig.turn.text_frame("hello")
    rig.ends.end()
    assert rig.turn._text is None
    assert rig.turn.text_frame("hello") is not frame


def test_what_is_not_taken_blocks_the_rest() -> None:
    rig = Rig(room=3)
    rig.outbox.put(b"abcde")
    rig.ends.end()
    rig.outbox.put(b"fg")
    rig.ends.end()
    assert (rig.transport.sent, rig.transport.kept) == (b"abc", b"de")
    assert not rig.outbox.is_empty
    assert rig.outbox.unsent_bytes() == 4
    rig.transport.take()
    assert rig.transport.sent == b"abcdefg"
    assert rig.outbox.unsent_bytes() == 0


def test_many_messages_of_one_turn_do_not_count_if_they_are_taken() -> None:
    rig = Rig(max_bytes=1000, max_frames=10)
    assert all(rig.outbox.put(b"x" * 100) for _ in range(1000))
    rig.ends.end()
    assert len(rig.transport.sent) == 100_000


def test_too_many_unsent_messages_are_told() -> None:
    rig = Rig(max_frames=10, room=0)
    assert [rig.outbox.put(b"x") for _ in range(11)] == [True] * 10 + [False]
    assert rig.outbox.unsent_frames() == 11


def test_too_many_unsent_bytes_are_told() -> None:
    rig = Rig(max_bytes=1000, room=0)
    rig.outbox.put(b"x" * 600)
    rig.ends.end()
    assert rig.outbox.put(b"x" * 400)
    assert not rig.outbox.put(b"x")


def test_a_slow_reader_that_reads_is_within_its_bounds() -> None:
    rig = Rig(max_frames=10, room=0)
    for _ in range(10):
        assert rig.outbox.put(b"abcd")
    rig.ends.end()
    rig.transport.take(4 * 5 + 1)  # five frames are gone, the sixth has begun
    assert rig.outbox.unsent_frames() == 5
    assert [rig.outbox.put(b"abcd") for _ in range(6)] == [True] * 5 + [False]
    rig.transport.take(4)
    assert rig.outbox.unsent_frames() == 10
    rig.transport.take()
    assert rig.outbox.unsent_frames() == 0


def test_a_large_backlog_is_handed_over_in_parts() -> None:
    rig = Rig(room=0)
    for _ in range(8):
        rig.outbox.put(b"x" * (1 << 17))
    assert len(rig.transport.kept) == 1 << 18
    rig.outbox.discard()
    assert rig.outbox.is_empty
    assert rig.outbox.unsent_bytes() == 1 << 18


def test_a_frame_is_never_cut() -> None:
    rig = Rig(room=100)
    rig.outbox.put(binary_frame(b"a" * 1000))
    rig.ends.end()
    rig.outbox.put(binary_frame(b"b"))
    rig.outbox.discard()
    rig.outbox.put(binary_frame(b"c"))
    rig.transport.take()
    assert [frame.payload for frame in rig.transport.frames()] == [b"a" * 1000, b"c"]


@pytest.mark.parametrize(
    ("text", "data"),
    [("é😀", "é😀".encode()), ("a\ud800b", "a\ufffdb".encode()), ("\ud83d\ude00", "😀".encode())],
)
def test_text_is_sent_as_javascript_would(text: str, data: bytes) -> None:
    assert text_bytes(text) == data


def test_sockets_that_came_short_share_the_next_turn() -> None:
    ends, now = TurnEnds(), [0.0]
    turn = Turn(ends.call_soon, 0.8, lambda: now[0])
    came: list[int] = []

    def is_past_after(seconds: float) -> bool:
        end, now[0] = turn.share_end(), now[0] + seconds
        return turn.is_past(end)

    assert (is_past_after(0.7), is_past_after(0.9)) == (False, True)
    for number in range(4):
        turn.go_on_later(lambda number=number: came.append(number))  # type: ignore[misc]
    assert not is_past_after(0.7)
    ends.end()
    assert came == [0, 1, 2, 3]
    assert (is_past_after(0.1), is_past_after(0.3)) == (False, True)
    turn.go_on_later(lambda: None)
    ends.end()
    assert not is_past_after(0.7)
