"""The state of one end of a socket: what arrives is kept, told in order, and ends once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durabase.web import socket_owner
from durabase.web.connection import ALWAYS_OPEN, Connection, PortSink, ReadyState, Use, join


class Told:
    """A port and a sink that remember what they are told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def send_text(self, text: str) -> None:
        self.told.append(("send", text))

    def send_binary(self, data: bytes) -> None:
        self.told.append(("send", data))

    def close(self, code: int | None, reason: str) -> None:
        self.told.append(("close", code, reason))

    def abort(self) -> None:
        self.told.append("abort")

    def buffered_amount(self) -> int:
        return 7

    def on_text(self, text: str) -> None:
        self.told.append(text)

    def on_binary(self, data: bytes) -> None:
        self.told.append(data)

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        self.told.append((code, reason, was_clean))

    def on_error(self, error: Exception) -> None:
        self.told.append(str(error))


class Hold:
    """Keeps back what it is given until it is told to let it go."""

    is_open = False

    def __init__(self) -> None:
        self.held: list[Callable[[], object]] = []

    def hold(self, action: Callable[[], object]) -> None:
        self.held.append(action)


class Far:
    """The other end, in another process."""

    def __init__(self) -> None:
        self.port = Told()
        self.sinks: list[Any] = []

    def relay(self, sink: Any) -> Told:
        self.sinks.append(sink)
        return self.port


def pair() -> tuple[Connection, Connection]:
    one, other = Connection(), Connection()
    join(one, other)
    return one, other


def test_an_end_that_is_joined_to_nothing_sends_nowhere() -> None:
    end = Connection()
    end.send_text("x")
    end.send_binary(b"x")
    end.send_close(1000, "")
    assert (end.buffered_amount(), end.is_paired, end.ready_state) == (0, False, ReadyState.OPEN)
    with pytest.raises(TypeError, match="only an end of a WebSocketPair can be handed to a carrier"):
        end.carry(Told(), "", "")


def test_what_arrives_before_somebody_accepts_is_told_first() -> None:
    end, sink = Connection(), Told()
    end.on_text("a")
    end.on_binary(b"b")
    end.on_error(ValueError("no"))
    end.on_close(1006, "", False)
    end.accept(Use.STANDARD, sink)
    assert sink.told == ["a", b"b", "no", (1006, "", False)]
    assert (end.use, end.accepted_by, end.sendable) == (Use.STANDARD, sink, False)


def test_what_arrives_is_told_to_whoever_receives_now() -> None:
    end, first, second = Connection(), Told(), Told()
    end.accept(Use.HIBERNATABLE, first)
    assert end.sendable
    end.on_text("a")
    end.receive_with(second)
    end.on_text("b")
    assert (first.told, second.told, end.accepted_by) == (["a"], ["b"], first)


def test_it_ends_once() -> None:
    end, sink = Connection(), Told()
    end.accept(Use.STANDARD, sink)
    end.on_close(4000, "why", True)
    end.on_close(1006, "", False)
    end.on_error(ValueError("late"))
    assert sink.told == [(4000, "why", True)]
    assert (end.ready_state, end.sendable) == (ReadyState.CLOSED, False)


def test_states() -> None:
    end = Connection()
    end.connecting = True
    assert end.ready_state is ReadyState.CONNECTING
    end.accept(Use.STANDARD, Told())
    assert not end.sendable
    end.connecting = False
    end.sent_close = True
    assert end.ready_state is ReadyState.CLOSING
    end.abort()
    assert end.ready_state is ReadyState.CLOSED


def test_what_one_end_of_a_pair_sends_arrives_at_the_other() -> None:
    one, other = pair()
    sink = Told()
    other.accept(Use.STANDARD, sink)
    assert one.is_paired
    one.send_text("a")
    one.send_binary(b"b")
    assert sink.told == ["a", b"b"]
    assert one.buffered_amount() == 0


@pytest.mark.parametrize("code", [None, 4000])
def test_a_close_is_answered_when_the_other_end_has_been_told(code: int | None) -> None:
    one, other = pair()
    mine, theirs = Told(), Told()
    one.accept(Use.STANDARD, mine)
    one.send_close(code, "why")
    assert (mine.told, one.closed, other.closed) == ([], False, True)
    other.accept(Use.STANDARD, theirs)
    ended = (1005 if code is None else code, "why", True)
    assert (mine.told, theirs.told) == ([ended], [ended])
    assert one.closed


def test_a_dropped_pair_sees_1006() -> None:
    one, other = pair()
    sink = Told()
    other.accept(Use.STANDARD, sink)
    one.abort()
    assert sink.told == [(1006, "WebSocket disconnected without sending Close frame.", False)]
    assert (one.closed, one.sent_close, one.sendable) == (True, True, False)


def test_arrival_waits_until_code_that_runs_has_come_to_a_stop() -> None:
    class Owner:
        def __init__(self) -> None:
            self.deferred: list[Callable[[], object]] = []

        def defer(self, action: Callable[[], object]) -> None:
            self.deferred.append(action)

    one, other = pair()
    sink, owner = Told(), Owner()
    other.accept(Use.STANDARD, sink)
    token = socket_owner.set(owner)  # type: ignore[arg-type]
    try:
        one.send_text("a")
        one.send_close(None, "")
    finally:
        socket_owner.reset(token)
    assert sink.told == []
    for action in owner.deferred:
        action()
    assert sink.told == ["a", (1005, "", True)]


def test_a_carrier_takes_the_place_of_the_other_end() -> None:
    client, server = pair()
    server.accept(Use.STANDARD, Told())
    server.send_text("early")
    port = Told()
    entry = client.carry(port, "chat", "deflate")
    assert entry is server
    assert (server.protocol, server.extensions, server.is_paired, client.is_paired) == (
        *("chat", "deflate"),
        *(False, False),
    )
    server.send_text("late")
    assert port.told == [("send", "early"), ("send", "late")]
    assert server.buffered_amount() == 7
    client.send_text("nowhere")
    assert len(port.told) == 2


def test_messages_that_are_held_back_count_as_buffered() -> None:
    client, server = pair()
    hold, port = Hold(), Told()
    client.carry(port, "", "")
    server.send_held_text("ä\ud800", hold)
    server.send_held_text("b", hold)
    assert (server.held_bytes, server.buffered_amount(), port.told) == (6, 13, [])
    hold.held[0]()
    assert (server.held_bytes, port.told) == (1, [("send", "ä\ud800")])
    server.send_held_text("c", ALWAYS_OPEN)
    assert port.told[-1] == ("send", "c")
    assert ALWAYS_OPEN.is_open


def test_an_end_whose_other_is_in_another_process() -> None:
    far, sink = Far(), Told()
    end = Connection()
    end.far = far
    assert end.is_paired
    end.accept(Use.STANDARD, sink)
    end.send_text("a")
    assert (far.sinks, far.port.told) == ([end], [("send", "a")])
    carried, port = Connection(), Told()
    carried.far = far
    entry = carried.carry(port, "", "")
    entry.on_text("in")
    far.sinks[-1].on_text("out")
    assert (far.port.told[-1], port.told) == (("send", "in"), [("send", "out")])


@pytest.mark.parametrize(
    ("close", "told"),
    [
        ((1000, "bye", True), ("close", 1000, "bye")),
        ((1005, "", True), ("close", None, "")),
        ((1006, "", False), "abort"),
    ],
)
def test_what_a_port_is_told_of_an_end(close: tuple[int, str, bool], told: Any) -> None:
    port = Told()
    sink = PortSink(port)
    sink.on_text("a")
    sink.on_binary(b"b")
    sink.on_close(*close)
    sink.on_error(ValueError("no"))
    assert port.told == [("send", "a"), ("send", b"b"), told, "abort"]
