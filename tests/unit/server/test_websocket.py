"""The closing handshake, and what ends a connection."""

from __future__ import annotations

import pytest

from durabase.server.frames import CLOSE_TRY_AGAIN_LATER, Close, Ping, text_frame
from unit.server.codec import Echo
from unit.server.wire import CLOSE, PING, TEXT, Frame, close, frame


def sent(echo: Echo) -> list[Frame]:
    echo.ends.end()
    return echo.transport.frames()


@pytest.mark.feature("M-WS-9")
def test_a_close_is_answered_with_its_code_and_reason() -> None:
    echo = Echo()
    echo.receive(close(4001, b"bye"))
    assert echo.endpoint.peer_close == Close(4001, "bye")
    assert sent(echo) == [Frame(CLOSE, b"\x0f\xa1bye")]


@pytest.mark.feature("M-WS-9")
def test_an_empty_close_is_answered_with_an_empty_one() -> None:
    echo = Echo()
    echo.receive(close())
    assert sent(echo) == [Frame(CLOSE, b"")]


def test_a_close_of_ours_is_not_answered_twice() -> None:
    echo = Echo()
    echo.endpoint.close(1012, "restart")
    echo.endpoint.close(1000, "again")
    echo.receive(close(1012))
    assert sent(echo) == [Frame(CLOSE, b"\x03\xf4restart")]
    assert echo.endpoint.peer_close == Close(1012, "")


def test_nothing_is_sent_after_a_close() -> None:
    echo = Echo()
    echo.endpoint.close(1000, "")
    assert echo.endpoint.send(text_frame(b"late"))
    echo.receive(frame(PING, "late"))
    assert [each.opcode for each in sent(echo)] == [CLOSE]


def test_messages_still_arrive_while_a_close_waits_for_its_answer() -> None:
    echo = Echo()
    echo.endpoint.close(1000, "")
    echo.endpoint.receive(frame(TEXT, "crossing"))
    assert echo.endpoint.next_event() == "crossing"


def test_nothing_is_read_after_the_peers_close() -> None:
    echo = Echo()
    echo.endpoint.receive(close(1000) + frame(TEXT, "late"))
    assert echo.endpoint.next_event() == Close(1000, "")
    assert echo.endpoint.next_event() is None
    assert not echo.endpoint.has_unread


def test_a_fault_is_told_in_the_close() -> None:
    echo = Echo()
    echo.receive(frame(TEXT, "x", mask=None) + frame(TEXT, "late"))
    (last,) = sent(echo)
    assert last.close_code == 1002
    assert last.payload[2:] == b"the frame is not masked"
    assert echo.endpoint.failure is not None


def test_a_peer_that_does_not_read_loses_what_waited() -> None:
    echo = Echo()
    echo.transport.room = 0
    echo.endpoint.send(text_frame(b"in flight"))
    echo.ends.end()
    echo.endpoint.send(text_frame(b"waiting"))
    echo.endpoint.overflow()
    echo.transport.take()
    assert [frame.payload[:9] for frame in sent(echo)] == [b"in flight", b"\x03\xf5the pee"]
    assert echo.endpoint.failure is not None
    assert echo.endpoint.failure.close_code == CLOSE_TRY_AGAIN_LATER


def test_a_flood_of_pings_from_a_peer_that_does_not_read_ends_it() -> None:
    echo = Echo()
    echo.transport.room = 0
    echo.receive(frame(PING, "x") * 2000)
    assert echo.endpoint.failure is not None
    assert echo.endpoint.failure.close_code == CLOSE_TRY_AGAIN_LATER


def test_control_frames_are_told_for_counting() -> None:
    echo = Echo()
    echo.endpoint.receive(frame(PING, "x"))
    assert echo.endpoint.next_event() == Ping(b"x")


def test_has_unread_tells_whole_frames_from_beginnings() -> None:
    echo = Echo()
    echo.endpoint.receive(frame(TEXT, "a") + frame(TEXT, "b")[:3])
    assert echo.endpoint.next_event() == "a"
    assert echo.endpoint.has_unread
    assert echo.endpoint.next_event() is None
    assert not echo.endpoint.has_unread


def test_after_whole_frames_nothing_is_unread() -> None:
    echo = Echo()
    echo.endpoint.receive(frame(TEXT, "a"))
    assert echo.endpoint.next_event() == "a"
    assert not echo.endpoint.has_unread


def test_a_stopped_endpoint_is_silent() -> None:
    echo = Echo()
    echo.endpoint.stop()
    echo.receive(frame(TEXT, "x"))
    echo.endpoint.close(1000, "")
    assert sent(echo) == []
