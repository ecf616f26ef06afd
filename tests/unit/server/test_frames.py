"""Frames in any segmentation, and the earliest moment of each refusal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durabase.server.frames import (
    Close,
    Fragment,
    FrameError,
    FrameReader,
    Ping,
    Pong,
    binary_frame,
    close_frame,
    ping_frame,
    pong_frame,
    text_frame,
)
from unit.server.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame, read_frames

LIMIT = 1 << 20


def events_of(pieces: list[bytes], limit: int = LIMIT) -> list[object]:
    reader = FrameReader(limit)
    events: list[object] = []
    for piece in pieces:
        reader.feed(piece)
        events += whole_events(reader)
    return events


def whole_events(reader: FrameReader) -> Iterator[object]:
    while (event := reader.next_event()) is not None:
        if not isinstance(event, Fragment):
            yield event


def refusal(data: bytes, limit: int = LIMIT) -> FrameError:
    """The refusal of exactly these bytes: one less is not refused."""
    assert None not in events_of([data[:-1]], limit)
    with pytest.raises(FrameError) as caught:
        events_of([data], limit)
    return caught.value


masks = st.binary(min_size=4, max_size=4)
messages = st.one_of(
    st.text(max_size=40).map(lambda text: (TEXT, text.encode(), text)),
    st.binary(max_size=300).map(lambda data: (BINARY, data, data)),
    st.binary(max_size=125).map(lambda data: (PING, data, Ping(data))),
    st.binary(max_size=125).map(lambda data: (PONG, data, Pong(data))),
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[object]]:
    """A client's stream of messages, fragmented, with control frames in between, and the events it means."""
    stream = b""
    expected: list[object] = []
    for opcode, payload, event in draw(st.lists(messages, max_size=8)):
        if opcode >= CLOSE:
            stream += frame(opcode, payload, mask=draw(masks))
            expected.append(event)
            continue
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        for index, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(payload)], strict=True)):
            if index and draw(st.booleans()):
                stream += frame(PING, b"between")
                expected.append(Ping(b"between"))
            stream += frame(
                opcode if index == 0 else CONTINUATION,
                payload[start:end],
                fin=index == len(cuts),
                mask=draw(masks),
            )
        expected.append(event)
    return stream, expected


@settings(max_examples=200, deadline=None)
@given(streams(), st.data())
def test_any_segmentation_gives_the_same_events(
    stream: tuple[bytes, list[object]], data: st.DataObject
) -> None:
    wire, expected = stream
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert events_of(pieces) == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=5))
def test_any_bytes_are_taken_or_refused(pieces: list[bytes]) -> None:
    refused = None
    events: list[object] = []
    try:
        events = events_of(pieces)
    except FrameError as error:
        refused = error
    assert refused is None or refused.close_code in (1002, 1007, 1009)
    assert all(isinstance(event, str | bytes | Ping | Pong | Close) for event in events)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200_000), masks)
def test_masking_is_undone(payload: bytes, mask: bytes) -> None:
    assert events_of([frame(BINARY, payload, mask=mask)]) == [payload]


def test_a_large_payload_is_unmasked() -> None:
    payload = bytes(range(251)) * 1000
    assert events_of([frame(BINARY, payload, mask=b"\x01\x02\x03\x04")]) == [payload]


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"\xc1\x80", "reserved bit"),
        (b"\x83\x80", "opcode 3"),
        (b"\x8b\x80", "opcode 11"),
        (b"\x81\x05", "not masked"),
        (b"\x09\x80", "fragmented"),
        (b"\x89\xfe", "longer than 125"),
        (b"\x80\x80", "no message to continue"),
    ],
)
def test_two_bytes_are_enough_to_refuse_a_head(head: bytes, says: str) -> None:
    error = refusal(head)
    assert error.close_code == 1002
    assert says in error.details


def test_a_new_message_inside_a_fragmented_one_is_refused_with_its_head() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(frame(TEXT, "a", fin=False) + b"\x81\x80")
    with pytest.raises(FrameError, match="inside a fragmented one"):
        list(whole_events(reader))


def test_an_oversized_frame_is_refused_when_its_length_is_there() -> None:
    assert refusal(b"\x82\xff" + (LIMIT + 1).to_bytes(8, "big")).close_code == 1009
    assert refusal(b"\x82\xfe" + (1001).to_bytes(2, "big"), 1000).close_code == 1009


def test_a_message_of_exactly_the_limit_is_taken() -> None:
    assert events_of([frame(BINARY, b"x" * 1000)], 1000) == [b"x" * 1000]


def test_fragments_count_together_towards_the_limit() -> None:
    first, second = frame(BINARY, b"x" * 600, fin=False), frame(CONTINUATION, b"x" * 400, fin=False)
    assert events_of([first, second, frame(CONTINUATION)], 1000) == [b"x" * 1000]
    with pytest.raises(FrameError) as caught:
        events_of([first, second, frame(CONTINUATION, b"x")[:6]], 1000)
    assert caught.value.close_code == 1009


def test_the_limit_counts_each_message_anew() -> None:
    pieces = [
        frame(BINARY, b"x" * 600, fin=False),
        frame(CONTINUATION, b"x" * 400),
        frame(BINARY, b"y" * 1000),
    ]
    assert events_of(pieces, 1000) == [b"x" * 1000, b"y" * 1000]


def test_a_control_frame_fits_beside_a_message_of_the_limit() -> None:
    pieces = [frame(BINARY, b"x" * 1000, fin=False), frame(PING, b"p" * 125), frame(CONTINUATION)]
    assert events_of(pieces, 1000) == [Ping(b"p" * 125), b"x" * 1000]


@pytest.mark.parametrize("length", [b"\xfe" + (125).to_bytes(2, "big"), b"\xff" + (65535).to_bytes(8, "big")])
def test_a_length_that_is_not_in_the_shortest_form_is_refused(length: bytes) -> None:
    assert refusal(b"\x82" + length).close_code == 1002


def test_a_negative_length_is_refused() -> None:
    assert refusal(b"\x82\xff\x80" + bytes(7)).close_code == 1002


def test_bad_utf8_of_a_fragment_is_refused_before_the_last() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(frame(TEXT, b"\xce", fin=False))
    assert list(whole_events(reader)) == []
    reader.feed(frame(CONTINUATION, b"\x20", fin=False))
    with pytest.raises(FrameError) as caught:
        reader.next_event()
    assert caught.value.close_code == 1007


def test_binary_fragments_are_not_checked_for_utf8() -> None:
    assert events_of([frame(BINARY, b"\xff", fin=False), frame(CONTINUATION, b"\xfe")]) == [b"\xff\xfe"]


def test_each_fragment_is_told_so_that_work_can_be_counted() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(
        frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b", fin=False) + frame(CONTINUATION, b"c")
    )
    assert [reader.next_event() for _ in range(4)] == [Fragment(), Fragment(), "abc", None]


def test_empty_fragments_cost_nothing() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"", fin=False) * 10_000)
    assert list(whole_events(reader)) == []
    assert reader._message == bytearray(b"a")


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 70_000])
def test_server_frames_are_whole_and_unmasked(size: int) -> None:
    payload = b"x" * size
    frames, rest = read_frames(text_frame(payload) + binary_frame(payload))
    assert [(each.opcode, each.payload) for each in frames] == [(TEXT, payload), (BINARY, payload)]
    assert rest == b""


def test_control_frames_of_the_server() -> None:
    assert ping_frame() == b"\x89\x00"
    assert pong_frame(b"p") == b"\x8a\x01p"
    assert close_frame(None) == b"\x88\x00"
    assert close_frame(1001, "bye") == b"\x88\x05\x03\xe9bye"


def test_a_reason_is_cut_between_characters() -> None:
    assert close_frame(1000, "é" * 100) == b"\x88\x7c\x03\xe8" + "é".encode() * 61
    assert len(close_frame(1000, "x" * 200)) == 2 + 125
