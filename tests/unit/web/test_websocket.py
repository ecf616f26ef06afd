from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from durabase.web import (
    Connection,
    ReadyState,
    WebSocket,
    WebSocketPair,
    WebSocketRequestResponsePair,
    socket_owner,
)
from unit.durable_objects.rig import Wire


class Hold:
    """An owner and its gate, worked by hand."""

    def __init__(self) -> None:
        self.is_open = True
        self.held: list[Callable[[], object]] = []
        self.deferred: list[Callable[[], object]] = []
        self.adopted: set[Connection] = set()

    @property
    def output(self) -> Hold:
        return self

    def hold(self, action: Callable[[], object]) -> None:
        self.held.append(action)

    def enter(self, event: Callable[[], Any]) -> None:
        event()

    def defer(self, action: Callable[[], object]) -> None:
        self.deferred.append(action)

    def adopt(self, connection: Connection) -> None:
        self.adopted.add(connection)

    def release(self, connection: Connection) -> None:
        self.adopted.discard(connection)


def carried(**options: str) -> tuple[WebSocket, Wire]:
    """A server's end that was accepted and whose client is connected."""
    client, server = WebSocketPair()
    server.accept()
    wire = Wire()
    wire.sink = client.connect(wire, **options)
    return server, wire


@pytest.mark.feature("M-WS-1")
def test_pairs() -> None:
    pair = WebSocketPair.new()
    client, server = pair
    assert pair.object_values() == [client, server] == [pair[0], pair["1"]]
    assert len(pair) == 2
    answer = WebSocketRequestResponsePair.new("ping", "pong")
    assert (answer.request, answer.response) == ("ping", "pong")


@pytest.mark.feature("M-WS-8")
def test_constants() -> None:
    assert (WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED) == (0, 1, 2, 3)
    assert WebSocket.READY_STATE_CLOSED == 3


@pytest.mark.feature("M-WS-1")
def test_sends_before_the_carrier_come_first() -> None:
    client, server = WebSocketPair()
    server.accept()
    server.send("one")
    server.send(b"two")
    wire = Wire()
    client.connect(wire, protocol="chat", extensions="deflate")
    server.send(memoryview(b"three"))
    server.send(4)  # type: ignore[arg-type]
    assert wire.sent == ["one", b"two", b"three", "4"]
    assert (server.protocol, server.extensions, server.url) == ("chat", "deflate", None)


def test_a_close_or_an_abort_before_the_carrier() -> None:
    client, server = WebSocketPair()
    server.accept()
    server.send("bye")
    server.close(4000, "why")
    wire = Wire()
    sink = client.connect(wire)
    assert wire.sent == ["bye", ("close", 4000, "why")]
    assert server.ready_state == WebSocket.CLOSING
    sink.on_close(4000, "why", True)
    assert server.readyState == WebSocket.CLOSED  # type: ignore[attr-defined]
    client, server = WebSocketPair()
    server.accept()
    server.connection.abort()
    client.connect(wire)
    assert wire.sent[-1] == "abort"


@pytest.mark.feature("M-WS-8")
def test_an_end_that_is_not_accepted_can_not_send() -> None:
    _, server = WebSocketPair()
    with pytest.raises(TypeError, match=r"You must call one of accept\(\)"):
        server.send("x")
    with pytest.raises(TypeError, match=r"You must call one of accept\(\)"):
        server.close()


def test_messages_that_come_before_accept_are_kept() -> None:
    client, server = WebSocketPair()
    wire = Wire()
    sink = client.connect(wire)
    sink.on_text("early")
    sink.on_close(1000, "", True)
    got: list[Any] = []
    server.onmessage = lambda event: got.append(event.data)
    server.onclose = lambda event: got.append(event.code)
    server.accept()
    assert got == ["early", 1000]
    server.send("nobody is there")
    server.close(1000)
    assert wire.sent == []


@pytest.mark.feature("M-WS-12")
def test_events() -> None:
    server, wire = carried()
    events: list[Any] = []
    server.addEventListener("message", events.append)  # type: ignore[attr-defined]
    server.addEventListener("message", lambda event: events.append("once"), {"once": True})  # type: ignore[attr-defined]
    server.add_event_listener("close", events.append)
    server.add_event_listener("error", events.append)
    wire.sink.on_text("text")
    wire.sink.on_binary(b"bytes")
    wire.sink.on_error(ValueError("bad"))
    wire.sink.on_close(1006, "lost", False)
    wire.sink.on_close(1006, "twice", False)
    text, once, binary, error, close = events
    assert (text.type, text.data, text.target, once) == ("message", "text", server, "once")
    assert binary.data == b"bytes"
    assert (error.type, error.message) == ("error", "bad")
    assert (close.type, close.code, close.reason, close.wasClean) == ("close", 1006, "lost", False)
    server.remove_event_listener("message", events.append)
    assert server.listeners_of("message") == []


@pytest.mark.feature("M-WS-8")
def test_closing() -> None:
    server, wire = carried()
    for code in (999, 1004, 1005, 1006, 1015, 5000):
        with pytest.raises(ValueError, match=f"Invalid WebSocket close code: {code}"):
            server.close(code)
    with pytest.raises(TypeError, match="must also specify a code"):
        server.close(reason="why")
    with pytest.raises(ValueError, match="longer than 123 bytes"):
        server.close(1000, "é" * 62)
    assert server.ready_state == ReadyState.OPEN
    server.close()
    server.close(1000)
    with pytest.raises(TypeError, match=r"Can't call WebSocket send\(\) after close\(\)"):
        server.send("x")
    assert wire.sent == [("close", None, "")]


def test_in_process_both_ends_learn_of_the_close() -> None:
    client, server = WebSocketPair()
    got: list[Any] = []
    server.onclose = lambda event: got.append(("server", event.code, event.reason))
    server.accept()
    server.close(4001, "x")
    client.onclose = lambda event: got.append(("client", event.code, event.reason))
    client.accept()
    assert sorted(got) == [("client", 4001, "x"), ("server", 4001, "x")]
    assert client.ready_state == server.ready_state == WebSocket.CLOSED


def test_an_end_is_used_once() -> None:
    server, wire = carried()
    server.accept()
    client, other = WebSocketPair()
    client.connect(wire)
    with pytest.raises(TypeError, match="already in use"):
        client.connect(wire)
    with pytest.raises(TypeError, match="already used in a response"):
        client.accept()
    other.accept()
    with pytest.raises(TypeError, match="already in use"):
        other.connect(wire)


@pytest.mark.feature("M-WS-6")
def test_attachments() -> None:
    _, server = WebSocketPair()
    assert server.deserializeAttachment() is None  # type: ignore[attr-defined]
    value = {"a": [1]}
    server.serialize_attachment(value)
    value["a"].append(2)
    assert server.deserialize_attachment() == {"a": [1]}
    assert server.deserialize_attachment() is not server.deserialize_attachment()
    server.serialize_attachment("x" * 16_000)
    with pytest.raises(ValueError, match="cannot be larger than 16384 bytes"):
        server.serialize_attachment("x" * 17_000)
    with pytest.raises(TypeError):
        server.serialize_attachment(object())
    assert len(server.deserialize_attachment()) == 16_000


def test_an_owner_holds_defers_and_is_told() -> None:
    owner = Hold()
    token = socket_owner.set(owner)
    try:
        client, server = WebSocketPair()
        server.accept()
        assert owner.adopted == {server.connection}
        wire = Wire()
        sink = client.connect(wire)
        owner.is_open = False
        server.send("held")
        server.send(b"as well")
        server.close(1000, "bye")
        assert wire.sent == []
        for action in owner.held:
            action()
        assert wire.sent == ["held", b"as well", ("close", 1000, "bye")]
        sink.on_close(1000, "bye", True)
        assert owner.adopted == set()
        one, other = WebSocketPair()
        got: list[Any] = []
        other.onmessage = lambda event: got.append(event.data)
        other.accept()
        owner.is_open = True
        one.accept()
        one.send("later")
        assert got == []
        owner.deferred.pop()()
        assert got == ["later"]
    finally:
        socket_owner.reset(token)


@pytest.mark.feature("S-WS-2")
def test_outgoing() -> None:
    got: list[Any] = []
    socket = WebSocket.outgoing("ws://x/")
    socket.onopen = lambda event: got.append(event.type)
    socket.onmessage = lambda event: got.append(event.data)
    assert (socket.ready_state, socket.url) == (WebSocket.CONNECTING, "ws://x/")
    with pytest.raises(TypeError, match="still connecting"):
        socket.send("x")
    wire = Wire()
    sink = socket.opened(wire, protocol="p")
    sink.on_text("hello")
    socket.send("x")
    assert got == ["open", "hello"]
    assert wire.sent == ["x"]
    assert socket.protocol == "p"


@pytest.mark.feature("S-WS-2")
def test_an_outgoing_socket_that_fails() -> None:
    got: list[Any] = []
    socket = WebSocket.outgoing("ws://x/")
    socket.onerror = lambda event: got.append(event.message)
    socket.onclose = lambda event: got.append((event.code, event.reason))
    socket.failed(OSError("refused"))
    assert got == ["refused", (1006, "Failed to establish websocket connection")]


def test_an_asynchronous_listener_needs_somebody_who_runs_it() -> None:
    server, wire = carried()

    async def listener(event: Any) -> None: ...

    made = []
    server.onmessage = lambda event: made.append(listener(event)) or made[-1]  # type: ignore[func-returns-value]
    with pytest.raises(RuntimeError, match="nothing runs here that could await it"):
        wire.sink.on_text("x")
    made[0].close()


def test_the_end_that_is_carried_waits_for_no_collector() -> None:
    def connections() -> int:
        return sum(type(found) is Connection for found in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = connections()
        server, _ = carried()
        assert connections() == before + 1
        assert server.ready_state == WebSocket.OPEN
    finally:
        gc.enable()
