"""Hibernatable sockets: acceptance, order, events, closing, automatic answers, sleep."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.hibernation import SocketRecord, SocketRegistry
from durabase.durable_objects.tally import Tally
from durabase.errors import ObjectError
from durabase.testing import FakeClock
from durabase.web import Response, WebSocket, WebSocketPair, WebSocketRequestResponsePair
from unit.durable_objects.rig import Accepting, Rig, Wire, run

LOST = "WebSocket disconnected without sending Close frame."


class Echo(Accepting):
    def web_socket_message(self, ws: WebSocket, message: str | bytes) -> None:
        ws.send(message)


def test_messages_of_both_kinds_are_handled_within_the_call() -> None:
    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("text")
        wire.sink.on_binary(b"bytes")
        assert wire.sent == ["text", b"bytes"]

    run(scenario, Echo)


def test_an_asynchronous_handler_that_does_not_wait_runs_within_the_call() -> None:
    class Async(Accepting):
        async def webSocketMessage(self, ws: WebSocket, message: str) -> None:
            await self.ctx.storage.get("nothing")
            ws.send(message)

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("text")
        assert wire.sent == ["text"]

    run(scenario, Async)


@pytest.mark.feature("M-GT-4")
def test_what_is_sent_waits_for_what_was_written_before_and_keeps_its_order() -> None:
    class Saving(Accepting):
        def web_socket_message(self, ws: WebSocket, message: str) -> None:
            ws.send("before")
            self.ctx.storage.put("k", message)
            ws.send("after")
            ws.close(1000, "bye")

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("m")
        assert wire.sent == ["before"]
        await rig.settle()
        assert wire.sent == ["before", "after", ("close", 1000, "bye")]

    run(scenario, Saving)


@pytest.mark.feature("M-GT-4", "S-GT-1")
def test_a_send_waits_for_the_writes_before_it_but_not_for_an_unconfirmed_one() -> None:
    class Saving(Accepting):
        def web_socket_message(self, ws: WebSocket, message: str) -> None:
            self.ctx.storage.put("k", message, allowUnconfirmed=True)
            ws.send("at once")

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("m")
        assert wire.sent == ["at once"]

    run(scenario, Saving)


@pytest.mark.feature("M-LC-7", "M-GT-4")
def test_what_was_sent_after_a_lost_write_never_leaves() -> None:
    class Aborting(Accepting):
        def web_socket_message(self, ws: WebSocket, message: str) -> None:
            self.ctx.storage.put("k", 1)
            ws.send("never")
            self.ctx.abort()

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        other = await rig.connect()
        wire.sink.on_text("m")
        await rig.settle()
        assert wire.sent == ["abort"]
        assert other.sent == ["abort"]
        assert rig.host.stats().sockets == 0

    run(scenario, Aborting)


@pytest.mark.feature("M-WS-1")
def test_messages_sent_before_the_handshake_come_right_after_it() -> None:
    class Greeting(DurableObject):
        def fetch(self, request: Any) -> Response:
            client, server = WebSocketPair()
            self.ctx.acceptWebSocket(server)
            server.send("hello")
            return Response(None, status=101, web_socket=client)

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        assert wire.sent == ["hello"]

    run(scenario, Greeting)


class Listing(Accepting):
    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        self.at_start = len(ctx.getWebSockets())
        self.seen: list[Any] = []

    def web_socket_message(self, ws: WebSocket, message: str) -> None:
        assert ws in self.ctx.get_web_sockets()
        ws.serialize_attachment(message)

    async def web_socket_close(self, ws: WebSocket, code: int, reason: str, was_clean: bool) -> None:
        during = len(self.ctx.get_web_sockets())
        state = ws.ready_state
        await asyncio.sleep(0)
        after = len(self.ctx.get_web_sockets())
        self.seen.append((code, reason, was_clean, state, during, after, self.ctx.get_tags(ws)))


class _Before:
    """What somebody puts before the sink of a socket that an object has accepted."""

    def __init__(self, sink: Any) -> None:
        self.sink = sink

    def on_text(self, text: str) -> None: ...
    def on_binary(self, data: bytes) -> None: ...
    def on_close(self, code: int, reason: str, was_clean: bool) -> None: ...
    def on_error(self, error: Exception) -> None: ...


@pytest.mark.feature("M-WS-2", "M-WS-3")
def test_order_tags_and_identity() -> None:
    async def scenario(rig: Rig) -> None:
        wires = [await rig.connect() for _ in range(3)]
        for number, wire in enumerate(wires):
            wire.sink.on_text(str(number))

        def look(instance: Any, ctx: Any) -> Any:
            everyone = ctx.get_web_sockets()
            assert everyone == ctx.get_web_sockets()
            assert [socket.deserialize_attachment() for socket in everyone] == ["2", "1", "0"]
            tagged = WebSocketPair()
            ctx.accept_web_socket(tagged[0], ["b", "a", "b", ""])
            later = WebSocketPair()
            ctx.accept_web_socket(later[0], iter(["a"]))
            assert ctx.get_tags(tagged[0]) == ["b", "a", ""]
            assert ctx.get_web_sockets("a") == [tagged[0], later[0]]
            assert ctx.get_web_sockets("unknown") == []
            tagged[0].connection.sink = _Before(tagged[0].connection.sink)
            assert ctx.get_tags(tagged[0]) == ["b", "a", ""]

        await rig.run_in(look)

    run(scenario, Listing)


@pytest.mark.feature("M-WS-4")
def test_the_closing_socket_is_listed_while_its_handler_begins() -> None:
    async def scenario(rig: Rig) -> None:
        one, other, lost = [await rig.connect() for _ in range(3)]
        one.sink.on_close(4000, "bye", True)
        await rig.settle()
        other.sink.on_close(1005, "", True)
        await rig.settle()
        lost.sink.on_close(1006, LOST, False)
        await rig.settle()
        seen = await rig.run_in(lambda instance, ctx: list(instance.seen))
        assert seen == [
            (4000, "bye", True, 3, 3, 2, []),
            (1005, "", True, 3, 2, 1, []),
            (1006, LOST, False, 3, 1, 0, []),
        ]
        assert rig.host.stats().sockets == 0

    run(scenario, Listing)


@pytest.mark.feature("M-LC-4", "M-WS-6")
def test_sleep_drops_the_instance_and_keeps_sockets_tags_and_attachments() -> None:
    lives: list[weakref.ref[Any]] = []

    class Sleeping(Listing):
        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            lives.append(weakref.ref(self))
            ctx.block_concurrency_while(self.load)

        async def load(self) -> None:
            self.loaded = await self.ctx.storage.get("k")

        def web_socket_message(self, ws: WebSocket, message: str) -> None:
            ws.send(f"{message} {self.at_start} {ws.deserialize_attachment()} {self.loaded}")
            ws.serialize_attachment({"said": message})
            self.ctx.storage.put("k", message)

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("one")
        await rig.pass_time(9.999)
        assert rig.host.stats().live == 1
        await rig.pass_time(0.001)
        stats = rig.host.stats()
        assert (stats.live, stats.sleeping, stats.sockets) == (0, 1, 1)
        gc.collect()
        assert lives[0]() is None
        wire.sink.on_text("two")
        await rig.settle()
        assert wire.sent == ["one 0 None None", "two 1 {'said': 'one'} one"]
        await rig.pass_time(10)
        wire.sink.on_close(1001, "", True)
        await rig.settle()
        seen = await rig.run_in(lambda instance, ctx: list(instance.seen))
        assert seen == [(1001, "", True, 3, 1, 0, [])]
        assert len(lives) == 3

    run(scenario, Sleeping)


def test_a_sleeping_object_has_no_timer_no_task_and_little_memory() -> None:
    async def scenario(rig: Rig) -> None:
        wires = [await rig.connect() for _ in range(20)]
        for wire in wires:
            wire.sink.on_text("hello")
        await rig.pass_time(10)
        assert rig.clock.run_next(float("inf")) is False
        assert len(asyncio.all_tasks()) == 1
        assert rig.host.stats().sleeping == 1

    run(scenario, Echo)


def test_every_message_puts_sleep_off() -> None:
    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        for _ in range(5):
            await rig.pass_time(6)
            wire.sink.on_text("hello")
        await rig.pass_time(9)
        assert rig.host.stats().live == 1
        await rig.pass_time(1)
        assert rig.host.stats().live == 0

    run(scenario, Echo)


@pytest.mark.feature("M-LC-5")
def test_an_unfinished_handler_keeps_the_object_awake() -> None:
    class Slow(Accepting):
        async def web_socket_message(self, ws: WebSocket, message: str) -> None:
            await GO[-1].wait()
            ws.send("done")

    async def scenario(rig: Rig) -> None:
        GO.append(asyncio.Event())
        wire = await rig.connect()
        wire.sink.on_text("m")
        await rig.pass_time(60)
        assert rig.host.stats().live == 1
        GO[-1].set()
        await rig.pass_time(10)
        assert wire.sent == ["done"]
        assert rig.host.stats().live == 0

    run(scenario, Slow)


GO: list[asyncio.Event] = []


@pytest.mark.feature("M-WS-5")
def test_handlers_of_one_socket_start_in_order_and_are_not_serialised() -> None:
    order: list[str] = []

    class Slow(Accepting):
        async def web_socket_message(self, ws: WebSocket, message: str) -> None:
            order.append(f"start {message}")
            await asyncio.sleep(0.01 if message == "a" else 0)
            order.append(f"end {message}")

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("a")
        wire.sink.on_text("b")
        await asyncio.sleep(0.03)
        assert order == ["start a", "start b", "end b", "end a"]

    run(scenario, Slow)


def test_a_section_holds_messages_back() -> None:
    order: list[str] = []

    class Blocking(Accepting):
        async def web_socket_message(self, ws: WebSocket, message: str) -> None:
            if message == "a":
                await self.ctx.block_concurrency_while(lambda: asyncio.sleep(0.005))
            order.append(message)

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("a")
        wire.sink.on_text("b")
        assert order == []
        await asyncio.sleep(0.02)
        assert order == ["a", "b"]

    run(scenario, Blocking)


@pytest.mark.feature("M-LC-9", "M-WS-5")
def test_an_exception_is_logged_and_the_socket_stays(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Accepting):
        def web_socket_message(self, ws: WebSocket, message: str) -> None:
            ws.send("sent before")
            if message == "fail":
                raise ValueError("in the handler")

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("fail")
        wire.sink.on_text("fine")
        assert wire.sent == ["sent before", "sent before"]

    run(scenario, Failing)
    assert "in the handler" in caplog.text
    assert "web_socket_message of Failing(x) failed" in caplog.text


@pytest.mark.feature("M-WS-7")
def test_the_automatic_answer_wakes_nobody_and_is_ordered_with_other_sends() -> None:
    class Answering(Accepting):
        made = 0

        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            Answering.made += 1
            if ctx.get_web_socket_auto_response() is None:
                ctx.setWebSocketAutoResponse(WebSocketRequestResponsePair("ping", "pong"))

        def web_socket_message(self, ws: WebSocket, message: str | bytes) -> None:
            self.ctx.storage.put("k", message)
            ws.send("saved")

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("ping")
        assert wire.sent == ["pong"]
        wire.sink.on_text("save")
        wire.sink.on_text("ping")
        assert wire.sent == ["pong"]
        await rig.settle()
        assert wire.sent == ["pong", "saved", "pong"]
        await rig.pass_time(10)
        wire.sink.on_text("ping")
        assert wire.sent[-2:] == ["pong", "pong"]
        assert rig.host.stats().live == 0
        assert Answering.made == 1
        wire.sink.on_binary(b"ping")
        await rig.settle()
        assert Answering.made == 2

        def look(instance: Any, ctx: Any) -> None:
            (socket,) = ctx.get_web_sockets()
            answered = ctx.getWebSocketAutoResponseTimestamp(socket)
            assert int(answered.timestamp() * 1000) == rig.clock.now_ms()
            assert ctx.get_web_socket_auto_response().response == "pong"
            ctx.set_web_socket_auto_response(None)
            with pytest.raises(ValueError, match="Request cannot be larger than 2048 bytes"):
                ctx.set_web_socket_auto_response(WebSocketRequestResponsePair("x" * 2049, ""))

        await rig.run_in(look)
        wire.sink.on_text("ping")
        await rig.settle()
        assert wire.sent[-1] == "saved"

    run(scenario, Answering)


@pytest.mark.feature("M-WS-2")
def test_what_can_not_be_accepted() -> None:
    def look(instance: Any, ctx: Any) -> None:
        with pytest.raises(TypeError, match="more than 10 tags"):
            ctx.accept_web_socket(WebSocketPair()[1], [str(number) for number in range(11)])
        with pytest.raises(TypeError, match="longer than the max tag length"):
            ctx.accept_web_socket(WebSocketPair()[1], ["é" * 129])
        with pytest.raises(TypeError, match="list of strings"):
            ctx.accept_web_socket(WebSocketPair()[1], "tag")
        standard = WebSocketPair()
        standard[1].accept()
        with pytest.raises(TypeError, match="already accepted via accept"):
            ctx.accept_web_socket(standard[1])
        with pytest.raises(TypeError, match="its pair has already been accepted"):
            ctx.accept_web_socket(standard[0])
        with pytest.raises(TypeError, match="only hibernatable"):
            ctx.get_tags(standard[1])
        with pytest.raises(TypeError, match="you must call 'acceptWebSocket"):
            ctx.get_tags(WebSocketPair()[1])
        accepted = WebSocketPair()
        ctx.accept_web_socket(accepted[1])
        with pytest.raises(TypeError, match=r"Can't accept\(\) WebSocket after enabling hibernation"):
            accepted[1].accept()
        standard[1].close()

    async def scenario(rig: Rig) -> None:
        await rig.run_in(look)

    run(scenario, Echo)


@pytest.mark.feature("M-WS-5")
def test_an_error_of_the_peer_is_told_and_no_close_follows() -> None:
    class Erring(Accepting):
        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            self.seen: list[Any] = []

        def web_socket_error(self, ws: WebSocket, error: Exception) -> None:
            self.seen.append(str(error))

        def web_socket_close(self, *arguments: Any) -> None:
            self.seen.append(arguments)

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_error(ValueError("too big"))
        wire.sink.on_close(1006, LOST, False)
        await rig.settle()
        assert await rig.run_in(lambda instance, ctx: instance.seen) == ["too big"]
        assert rig.host.stats().sockets == 0

    run(scenario, Erring)


@pytest.mark.feature("M-WS-9")
def test_the_close_round_trip_of_the_server() -> None:
    class Closing(Listing):
        def web_socket_message(self, ws: WebSocket, message: str) -> None:
            ws.close(4001, "go")
            assert ws.ready_state == WebSocket.CLOSING
            assert len(self.ctx.get_web_sockets()) == 1
            with pytest.raises(TypeError, match="after close"):
                ws.send("late")
            ws.close(4002, "again")

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("close")
        assert wire.sent == [("close", 4001, "go")]
        wire.sink.on_close(4001, "go", True)
        await rig.settle()
        assert await rig.run_in(lambda instance, ctx: instance.seen) == [(4001, "go", True, 3, 1, 0, [])]

    run(scenario, Closing)


def test_without_handlers_nothing_wakes() -> None:
    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        await rig.pass_time(10)
        wire.sink.on_text("nobody hears this")
        wire.sink.on_close(1000, "", True)
        await rig.settle()
        stats = rig.host.stats()
        assert (stats.live, stats.sleeping, stats.sockets) == (0, 0, 0)

    run(scenario, Accepting)


@pytest.mark.feature("S-WS-4")
def test_an_object_takes_32768_sockets() -> None:
    async def scenario(rig: Rig) -> None:
        def fill(instance: Any, ctx: Any) -> Any:
            ends = [WebSocketPair()[1] for _ in range(32_769)]
            for end in ends[:-1]:
                ctx.accept_web_socket(end)
            with pytest.raises(ObjectError) as refused:
                ctx.accept_web_socket(ends[-1])
            assert str(refused.value) == (
                "only 32768 websockets can be accepted on a single Durable Object instance"
            )
            return ends

        ends = await rig.run_in(fill)
        assert rig.host.stats().sockets == 32_768
        ends[0].connection.on_close(1000, "", True)
        await rig.settle()
        await rig.run_in(lambda instance, ctx: ctx.accept_web_socket(ends[-1]))
        assert rig.host.stats().sockets == 32_768

    run(scenario, Accepting)


@pytest.mark.feature("S-WS-3")
def test_an_event_that_takes_too_long_resets_the_object() -> None:
    class Slow(Accepting):
        async def web_socket_message(self, ws: WebSocket, message: str) -> None:
            await asyncio.Event().wait()

    async def scenario(rig: Rig) -> None:
        def limit(instance: Any, ctx: Any) -> None:
            assert ctx.getHibernatableWebSocketEventTimeout() is None
            with pytest.raises(ValueError, match="604800000"):
                ctx.setHibernatableWebSocketEventTimeout(604_800_001)
            ctx.setHibernatableWebSocketEventTimeout(500)

        wire = await rig.connect()
        await rig.run_in(limit)
        wire.sink.on_text("m")
        await rig.pass_time(0.4)
        assert wire.sent == []
        await rig.pass_time(0.1)
        assert wire.sent == ["abort"]

    run(scenario, Slow)


@pytest.mark.feature("M-WS-12", "M-LC-5")
def test_a_standard_socket_gets_events_and_keeps_the_object_awake() -> None:
    class Standard(DurableObject):
        def fetch(self, request: Any) -> Response:
            client, server = WebSocketPair()
            server.accept()
            server.add_event_listener("message", self.on_message)
            server.onclose = self.on_close
            self.server = server
            return Response(None, status=101, web_socket=client)

        async def on_message(self, event: Any) -> None:
            await self.ctx.storage.put("k", event.data)
            self.server.send(f"got {event.data}")

        def on_close(self, event: Any) -> None:
            self.ctx.storage.put("closed", [event.code, event.reason, event.wasClean])

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        wire.sink.on_text("m")
        assert wire.sent == []
        await rig.settle()
        assert wire.sent == ["got m"]
        await rig.pass_time(60)
        assert rig.host.stats().live == 1
        wire.sink.on_close(1000, "bye", True)
        await rig.pass_time(20)
        assert rig.host.stats().live == 0
        assert await rig.run_in(lambda instance, ctx: ctx.storage.get("closed")) == [1000, "bye", True]

    run(scenario, Standard)


def test_a_worker_s_end_of_the_pair_talks_to_the_object_in_process() -> None:
    async def scenario(rig: Rig) -> None:
        response = await rig.stub().fetch("http://x/")
        client = response.web_socket
        assert client is not None
        got: list[Any] = []
        client.add_event_listener("message", lambda event: got.append(event.data))
        client.add_event_listener("close", lambda event: got.append((event.code, event.was_clean)))
        client.accept()
        client.send("hello")
        await rig.settle()
        assert got == ["hello"]
        client.close(4000, "done")
        await rig.settle()
        assert got == ["hello", (4000, True)]
        assert client.ready_state == WebSocket.CLOSED

    run(scenario, Echo)


@pytest.mark.feature("M-LC-10")
def test_sockets_are_closed_with_1001_when_the_host_stops() -> None:
    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        sleeping = await rig.connect(rig.stub("y"))
        await rig.restart()
        assert wire.sent == sleeping.sent == [("close", 1001, "")]
        wire.sink.on_close(1001, "", True)
        assert rig.host.stats().live == 0

    run(scenario, Echo)


def test_a_socket_whose_other_end_is_in_use_can_not_be_accepted() -> None:
    registry = SocketRegistry(Nobody(), FakeClock(), Tally())
    client, server = WebSocketPair()
    client.accept()
    with pytest.raises(TypeError, match="its pair has already been accepted or used in a Response"):
        registry.accept(server, None)
    _, server = WebSocketPair()
    registry.accept(server, None)
    with pytest.raises(TypeError, match="that is already in use"):
        registry.accept(server, None)
    assert len(registry) == 1


class Nobody:
    """Is told of sockets, and does not care."""

    def socket_message(self, record: SocketRecord, message: str | bytes) -> None: ...
    def socket_close(self, record: SocketRecord, code: int, reason: str, was_clean: bool) -> None: ...
    def socket_error(self, record: SocketRecord, error: Exception) -> None: ...


def test_closing_all_says_it_once_to_those_who_are_still_there() -> None:
    registry = SocketRegistry(Nobody(), FakeClock(), Tally())
    closed: list[Any] = []
    for _ in range(2):
        client, server = WebSocketPair()
        registry.accept(server, ["a"])
        client.accept()
        client.add_event_listener("close", lambda event: closed.append((event.code, event.reason)))
    sockets = registry.sockets("a")
    sockets[0].close(4000, "before")
    registry.close_all(1001, "the server stops")
    registry.close_all(1001, "again")
    assert sorted(closed) == [(1001, "the server stops"), (4000, "before")]
    assert [socket.connection.sendable for socket in sockets] == [False, False]
    assert len(registry) == 0


def test_those_that_are_closed_are_found_no_more_although_they_have_not_answered_yet() -> None:
    registry, far = SocketRegistry(Nobody(), FakeClock(), Tally()), Wire()
    client, server = WebSocketPair()
    registry.accept(server, ["a"])
    client.connect(far)
    assert registry.sockets("a") == [server]
    registry.close_all(1001, "the server stops")
    assert far.sent == [("close", 1001, "the server stops")]
    assert registry.sockets("a") == registry.sockets() == []


def test_a_life_that_ends_leaves_records_only() -> None:
    registry, gate = SocketRegistry(Nobody(), FakeClock(), Tally()), OutputGate()
    _, server = WebSocketPair()
    record = registry.accept(server, ["a"])
    registry.wake(gate)
    assert registry.output is gate
    assert registry.sockets("a") == registry.sockets() == [server]
    registry.fold()
    assert (record.socket, registry.output is gate, len(registry)) == (None, False, 1)
    (revived,) = registry.sockets("a")
    assert revived is not server
    assert revived is registry.revive(record)
    assert registry.record_of(revived) is registry.record_of(server) is record
    registry.remove(record)
    registry.remove(record)
    assert registry.sockets("a") == registry.sockets() == []
