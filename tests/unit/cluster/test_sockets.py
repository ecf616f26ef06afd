"""Sockets that are relayed between two processes, or handed over."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.cluster.sockets import SocketRelays
from durabase.server.context import Answered
from durabase.web import WebSocket, WebSocketPair


class Sink:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def on_text(self, text: str) -> None:
        self.log.append(text)

    def on_binary(self, data: bytes) -> None:
        self.log.append(bytes(data))

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        self.log.append((code, reason, was_clean))

    def on_error(self, error: Exception) -> None:
        raise AssertionError(error)


class Sides:
    """The object's process, which exports, and another one."""

    def __init__(self) -> None:
        self.handed_over: list[Any] = []
        self.between: list[Any] = []
        self.object = SocketRelays(lambda message: self._carry(self.other, message), self._hand_over)
        self.other = SocketRelays(lambda message: self._carry(self.object, message), self._hand_over)

    def _carry(self, to: SocketRelays, message: list[Any]) -> None:
        kind, number, *details = message
        self.between.append(kind)
        to.receive(kind, number, details)

    def _hand_over(self, *what: Any) -> None:
        self.handed_over.append(what)

    def exported(self) -> tuple[WebSocket, WebSocket]:
        """The object's end of a pair, and what stands for the other in the other process."""
        client, server = WebSocketPair()
        number = self.object.export(client)
        server.accept()
        return server, self.other.socket(number)


def heard(socket: WebSocket) -> list[Any]:
    """What a program is told of its socket."""
    log: list[Any] = []
    socket.add_event_listener("message", lambda event: log.append(event.data))
    socket.add_event_listener("close", lambda event: log.append((event.code, event.reason, event.was_clean)))
    return log


def test_each_export_has_a_number_of_its_own() -> None:
    relays = Sides().object
    first, second = (WebSocketPair()[0] for _ in range(2))
    assert (relays.export(first), relays.export(second)) == (1, 2)
    assert relays.take(1) is first
    assert relays.take(1) is None
    assert relays.take(2) is second


def test_messages_are_relayed_both_ways_also_those_sent_before() -> None:
    sides = Sides()
    server, client = sides.exported()
    log = heard(server)
    server.send("before")
    sink = Sink()
    port = client.connection.far.relay(sink)  # type: ignore[union-attr]
    server.send(b"after")
    port.send_text("text")
    port.send_binary(b"bytes")
    assert sink.log == ["before", b"after"]
    assert log == ["text", b"bytes"]
    assert port.buffered_amount() == 0


@pytest.mark.parametrize(("code", "told"), [(4000, (4000, "bye", True)), (None, (1005, "", True))])
def test_a_close_is_answered_and_then_nothing_is_relayed_any_more(
    code: int | None, told: tuple[int, str, bool]
) -> None:
    sides = Sides()
    server, client = sides.exported()
    sink, log = Sink(), heard(server)
    port = client.connection.far.relay(sink)  # type: ignore[union-attr]
    port.close(code, told[1])
    assert log == [told]
    assert sink.log[-1] == told
    count = len(sides.between)
    sides.object.receive("text", -1, ["late"])
    sides.other.receive("text", 1, ["late"])
    assert (log, len(sides.between)) == ([told], count)


def test_one_that_is_dropped_is_lost_on_the_other_side() -> None:
    sides = Sides()
    server, client = sides.exported()
    sink, log = Sink(), heard(server)
    port = client.connection.far.relay(sink)  # type: ignore[union-attr]
    port.abort()
    lost = (1006, "WebSocket disconnected without sending Close frame.", False)
    assert log == [lost]


def test_the_end_of_the_other_process_is_the_end_of_all_of_its_sockets() -> None:
    sides = Sides()
    relayed, client = sides.exported()
    waiting, _ = sides.exported()
    taken, server = WebSocketPair()
    sides.object.take(sides.object.export(taken))
    server.accept()
    sink = Sink()
    client.connection.far.relay(sink)  # type: ignore[union-attr]
    logs = [heard(relayed), heard(waiting), heard(server)]
    lost = (1006, "WebSocket disconnected without sending Close frame.", False)
    for _ in range(2):
        sides.object.lose()
        sides.other.lose()
    assert logs == [[lost], [lost], []]
    assert sink.log == [lost]


def test_a_client_is_handed_over_under_the_number_that_its_socket_has_there() -> None:
    sides = Sides()
    sides.exported()
    _, client = sides.exported()
    answered = Answered(b"head", b"early", "p", "")
    client.connection.far.hand_over(9, answered)  # type: ignore[union-attr]
    assert sides.handed_over == [(2, 9, answered)]
    assert sides.between == []


def test_what_is_said_of_unknown_sockets_is_ignored() -> None:
    sides = Sides()
    for kind, details in (("relay", []), ("text", ["x"]), ("close", [1000, ""]), ("over", [1006, "", False])):
        sides.object.receive(kind, 5, details)
    assert sides.between == []
