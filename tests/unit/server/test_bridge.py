"""A network socket joined to a WebSocket of an object, over real connections."""

from __future__ import annotations

import asyncio
import socket as socket_module
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from websockets.asyncio.client import connect

from durabase.server import ServerLimits
from durabase.server.bridge import SocketConnection, start_socket
from durabase.server.context import ServerContext
from durabase.testing import FakeClock
from durabase.web import WebSocketPair
from unit.server.codec import FakeTransport
from unit.server.live import (
    Client,
    Hub,
    LoopFactory,
    echo_server,
    on_each_loop,
    run_on,
    serving,
    until,
    upgrade_request,
)
from unit.server.wire import CLOSE, CONTINUATION, NO_MASK, PING, PONG, TEXT, Frame, close, frame, read_frames

LOST = ("close", 1006, "WebSocket disconnected without sending Close frame.", False)


@on_each_loop
def test_messages_go_both_ways(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch) as server, Client.connected(server.port, "/room") as client:
            await client.send(frame(TEXT, "héllo"))
            assert await client.read_frame() == Frame(TEXT, "héllo".encode())
            await client.send(close(4000, b"bye"))
            assert await client.read_to_end() == [Frame(CLOSE, b"\x0f\xa0bye")]
            assert hub.sinks[0].events == [("text", "héllo"), ("close", 4000, "bye", True)]
            await until(lambda: server.socket_count == 0)

    run_on(loop_factory, main())


@pytest.mark.feature("M-WS-5")
@on_each_loop
def test_a_lost_connection_is_told_once(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch) as server:
            async with Client.connected(server.port):
                pass
            await hub.sinks[0].closed.wait()
            hub.sinks[0].port.send_text("nobody")
            hub.sinks[0].port.close(1000, "")
            await asyncio.sleep(0)
            assert hub.sinks[0].events == [LOST]

    run_on(loop_factory, main())


@on_each_loop
def test_a_half_closed_connection_is_lost(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch) as server, Client.connected(server.port) as client:
            client.writer.write_eof()
            assert await client.read_to_end() == []
            assert hub.sinks[0].events == [LOST]

    run_on(loop_factory, main())


@on_each_loop
def test_what_was_sent_before_the_handshake_follows_it(
    loop_factory: LoopFactory,
) -> None:
    async def main() -> None:
        hub = Hub()
        hub.first_words = ["one", "two"]
        async with serving(hub.fetch) as server, Client.opened(server.port) as client:
            await client.send(upgrade_request() + frame(TEXT, "early"))
            await client.reader.readuntil(b"\r\n\r\n")
            words = [(await client.read_frame()).payload for _ in range(3)]
            assert words == [b"one", b"two", b"early"]

    run_on(loop_factory, main())


@pytest.mark.feature("M-WS-9")
class HandshakeTransport(FakeTransport):
    """Still keeps the answer to the handshake."""

    def __init__(self) -> None:
        super().__init__(room=0)
        self.kept = b"101"

    def get_extra_info(self, name: str) -> None: ...

    def set_write_buffer_limits(self, high: int, low: int) -> None: ...

    def set_protocol(self, protocol: object) -> None: ...


def test_what_is_left_of_the_handshake_goes_first_and_counts_as_unsent() -> None:
    async def main() -> None:
        transport, ends = HandshakeTransport(), WebSocketPair()
        ends[1].accept()
        context = ServerContext(
            Hub().fetch, asyncio.get_running_loop(), FakeClock(), ServerLimits(), False, None, (1012, "")
        )
        connection = start_socket(cast(Any, transport), context, ends[0], "", b"")
        ends[1].send("x")
        await asyncio.sleep(0)
        assert transport.writes == 0
        assert connection.buffered_amount() == len(b"101\x81\x01x")
        transport.take()
        connection.resume_writing()
        assert transport.sent == b"101\x81\x01x"

    asyncio.run(main())


@on_each_loop
def test_the_objects_close_waits_for_its_answer(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch) as server, Client.connected(server.port) as client:
            hub.sinks[0].port.send_text("last")
            hub.sinks[0].port.close(4002, "done")
            hub.sinks[0].port.send_text("late")
            assert await client.read_frame() == Frame(TEXT, b"last")
            assert await client.read_frame() == Frame(CLOSE, b"\x0f\xa2done")
            assert hub.sinks[0].events == []
            await client.send(close(4002))
            assert await client.read_to_end() == []
            assert hub.sinks[0].events == [("close", 4002, "", True)]

    run_on(loop_factory, main())


@pytest.mark.feature("M-WS-9")
@on_each_loop
def test_a_close_without_an_answer_is_cut_off(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub, clock = Hub(), FakeClock()
        async with serving(hub.fetch, clock=clock) as server, Client.connected(server.port) as client:
            hub.sinks[0].port.close(None, "")
            assert await client.read_frame() == Frame(CLOSE, b"")
            clock.advance(12_000)
            await hub.sinks[0].closed.wait()
            assert hub.sinks[0].events == [LOST]

    run_on(loop_factory, main())


@on_each_loop
def test_an_abort_drops_the_connection(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub(echo=False)
        async with serving(hub.fetch) as server, Client.connected(server.port) as client:
            hub.sinks[0].port.abort()
            await hub.sinks[0].closed.wait()
            assert await client.reader.read() == b""
            assert hub.sinks[0].events == [LOST]

    run_on(loop_factory, main())


@on_each_loop
def test_what_was_sent_in_the_turn_of_an_abort_never_leaves(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub(echo=False)
        async with serving(hub.fetch) as server, Client.connected(server.port) as client:
            hub.sinks[0].port.send_text("never")
            hub.sinks[0].port.abort()
            await hub.sinks[0].closed.wait()
            assert await client.reader.read() == b""

    run_on(loop_factory, main())


@on_each_loop
def test_a_broken_frame_is_an_error_and_then_a_close(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch) as server, Client.connected(server.port) as client:
            await client.send(frame(TEXT, b"\xff") + frame(TEXT, "late"))
            (last,) = await client.read_to_end()
            assert last.close_code == 1007
            error, end = hub.sinks[0].events
            assert error[1].close_code == 1007
            assert end[:2] == ("close", 1006)

    run_on(loop_factory, main())


@pytest.mark.feature("M-WS-11")
@on_each_loop
def test_an_oversized_frame_is_refused_while_its_sender_is_still_sending(loop_factory: LoopFactory) -> None:
    """The client sees 1009 although it has megabytes under way, and the server keeps none of them."""

    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch) as server, Client.connected(server.port) as client:
            sending = asyncio.create_task(client.send(frame(TEXT, b"x" * ((32 << 20) + 1), mask=NO_MASK)))
            assert (await client.read_frame()).close_code == 1009
            await sending
            client.writer.write_eof()
            assert await client.read_to_end() == []
            assert [event[0] for event in hub.sinks[0].events] == ["error", "close"]
            assert hub.sinks[0].events[0][1].close_code == 1009

    run_on(loop_factory, main())


@pytest.mark.feature("M-WS-11")
@on_each_loop
def test_a_message_of_32_mib_comes_and_goes(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        async with echo_server() as server, Client.connected(server.port) as client:
            size = 32 << 20
            await client.send(frame(TEXT, b"x" * size, mask=NO_MASK))
            answer = await client.reader.readexactly(10 + size)
            assert answer[:10] == b"\x81\x7f" + size.to_bytes(8, "big")

    run_on(loop_factory, main())


@pytest.mark.feature("M-WS-11")
@pytest.mark.parametrize(("server_takes", "program_takes"), [(1000, None), (None, 1000), (1000, 2000)])
def test_a_message_is_held_to_what_both_server_and_program_take(
    server_takes: int | None, program_takes: int | None
) -> None:
    async def main() -> None:
        hub = Hub(message_bytes=program_takes)
        limits = ServerLimits() if server_takes is None else ServerLimits(message_bytes=server_takes)
        async with serving(hub.fetch, limits=limits) as server:
            for size, opcode in ((1000, TEXT), (1001, CLOSE)):
                async with Client.connected(server.port) as client:
                    await client.send(frame(TEXT, "x" * size))
                    answer = await client.read_frame()
                    assert answer.opcode == opcode
            assert answer.close_code == 1009

    asyncio.run(main())


@pytest.mark.feature("S-WS-5")
@on_each_loop
def test_a_slow_reader_is_closed_and_holds_up_nobody(loop_factory: LoopFactory) -> None:
    """It costs a bounded amount of memory; when it reads on, it learns why it was closed."""

    async def main() -> None:
        hub = Hub(echo=False)
        async with (
            serving(hub.fetch) as server,
            Client.connected(server.port) as slow,
            Client.connected(server.port) as good,
        ):
            shrink(slow)
            slow_sink, good_sink = hub.sinks
            word, peak, sent = "x" * 10_000, 0, 0
            while not slow_sink.closed.is_set():
                slow_sink.port.send_text(word)
                good_sink.port.send_text(word)
                sent += 1
                assert await good.read_frame() == Frame(TEXT, word.encode())
                peak = max(peak, slow_sink.port.buffered_amount())
            assert sent > 1000
            assert peak <= 1001 * 10_004
            assert slow_sink.events[0][1].close_code == 1013
            assert server.traffic.slow_readers == 1
            assert slow_sink.port.buffered_amount() < 1 << 20
            frames, rest = read_frames(b"".join([chunk async for chunk in chunks_of(slow)]))
            assert rest == b""
            assert all(each.payload == word.encode() for each in frames[:-1])
            assert frames[-1].close_code == 1013

    run_on(loop_factory, main())


@pytest.mark.feature("S-WS-5")
@on_each_loop
def test_a_slow_reader_is_closed_at_16_mib_too(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub, clock = Hub(echo=False), FakeClock()
        async with serving(hub.fetch, clock=clock) as server, Client.connected(server.port) as slow:
            shrink(slow)
            word = "x" * (1 << 20)
            sent = 0
            while not hub.sinks[0].closed.is_set():
                hub.sinks[0].port.send_text(word)
                sent += 1
                await asyncio.sleep(0)
            assert 16 <= sent < 40
            clock.advance(12_000)
            await until(lambda: server.socket_count == 0)

    run_on(loop_factory, main())


def shrink(client: Client) -> None:
    """Stop reading, with little room in the operating system."""
    client.stop_reading()
    sock = client.writer.get_extra_info("socket")
    sock.setsockopt(socket_module.SOL_SOCKET, socket_module.SO_RCVBUF, 1 << 16)


async def chunks_of(client: Client) -> AsyncIterator[bytes]:
    client.go_on_reading()
    while data := await client.reader.read(1 << 20):
        yield data


@on_each_loop
def test_a_flood_leaves_others_their_turn(loop_factory: LoopFactory) -> None:
    """Between two slices of a flood, the messages of another socket are handled."""

    async def main() -> None:
        hub = Hub(echo=False)
        limits = ServerLimits(messages_per_turn=10)
        async with (
            serving(hub.fetch, limits=limits) as server,
            Client.connected(server.port) as flood,
            Client.connected(server.port) as other,
        ):
            flooded, quiet = hub.sinks
            await flood.send(frame(TEXT, "x") * 5000)
            await until(lambda: bool(flooded.events))
            await other.send(frame(TEXT, "me too"))
            await until(lambda: bool(quiet.events))
            assert len(flooded.events) < 5000
            await until(lambda: len(flooded.events) == 5000)

    run_on(loop_factory, main())


@on_each_loop
@pytest.mark.parametrize(
    "flood", [frame(CONTINUATION, "x", fin=False) * 3000, frame(PING, "") * 3000, frame(PONG, "") * 3000]
)
def test_frames_that_are_no_messages_count_as_well(loop_factory: LoopFactory, flood: bytes) -> None:
    """Another socket's message, sent after all of them, is handled before most of them."""

    async def main() -> None:
        hub = Hub(echo=False)
        limits = ServerLimits(messages_per_turn=10)
        async with (
            serving(hub.fetch, limits=limits) as server,
            Client.connected(server.port) as flooding,
            Client.connected(server.port) as other,
        ):
            flooded, quiet = hub.sinks
            begin = frame(TEXT, "a") + frame(TEXT, "x", fin=False)
            await flooding.send(begin + flood + frame(CONTINUATION, "x") + frame(TEXT, "all"))
            await until(lambda: bool(flooded.events))
            await other.send(frame(TEXT, "me too"))
            await until(lambda: bool(quiet.events))
            assert len(flooded.events) == 1
            await until(lambda: len(flooded.events) == 3)

    run_on(loop_factory, main())


@on_each_loop
def test_messages_that_take_their_time_leave_others_their_turn(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub(echo=False)
        async with (
            serving(hub.fetch, limits=ServerLimits(turn_seconds=0)) as server,
            Client.connected(server.port) as flood,
            Client.connected(server.port) as other,
        ):
            flooded, quiet = hub.sinks
            await flood.send(frame(TEXT, "x") * 500)
            await until(lambda: bool(flooded.events))
            await other.send(frame(TEXT, "me too"))
            await until(lambda: bool(quiet.events))
            assert len(flooded.events) < 500
            await until(lambda: len(flooded.events) == 500)

    run_on(loop_factory, main())


@on_each_loop
def test_after_a_flood_reading_goes_on(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        limits = ServerLimits(messages_per_turn=3)
        async with serving(Hub().fetch, limits=limits) as server, Client.connected(server.port) as client:
            for count in (7, 1, 3, 20):
                await client.send(frame(TEXT, "x") * count + frame(PING, "end"))
                frames = [await client.read_frame() for _ in range(count + 1)]
                assert frames[-1] == Frame(PONG, b"end")

    run_on(loop_factory, main())


@pytest.mark.feature("S-WS-6")
@on_each_loop
def test_a_dead_connection_is_found_by_pings(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub, clock = Hub(), FakeClock()
        async with (
            serving(hub.fetch, clock=clock) as server,
            Client.connected(server.port) as dead,
            Client.connected(server.port) as alive,
        ):
            clock.advance(20_000)
            assert await dead.read_frame() == Frame(PING, b"")
            assert await alive.read_frame() == Frame(PING, b"")
            await alive.send(frame(PONG))
            await alive.send(frame(TEXT, "x"))
            assert await alive.read_frame() == Frame(TEXT, b"x")
            clock.advance(20_000)
            await hub.sinks[0].closed.wait()
            assert hub.sinks[0].events == [LOST]
            assert await alive.read_frame() == Frame(PING, b"")

    run_on(loop_factory, main())


@pytest.mark.feature("S-WS-6")
@on_each_loop
def test_no_pings_if_they_are_off(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        clock = FakeClock()
        async with (
            serving(Hub().fetch, clock=clock, ping_seconds=None) as server,
            Client.connected(server.port) as client,
        ):
            clock.advance(100_000)
            await client.send(frame(TEXT, "x"))
            assert await client.read_frame() == Frame(TEXT, b"x")

    run_on(loop_factory, main())


def test_an_idle_socket_keeps_no_task_no_timer_and_no_dict() -> None:
    async def main() -> None:
        hub, clock = Hub(), FakeClock()
        async with serving(hub.fetch, clock=clock, ping_seconds=None) as server:
            before = len(asyncio.all_tasks())
            async with Client.connected(server.port):
                await until(lambda: server.socket_count == 1)
                await asyncio.sleep(0)
                assert len(asyncio.all_tasks()) == before
                clock.advance(2_000)
                assert not clock.run_next(clock.now_ms() + 1_000_000)
                port = hub.sinks[0].port
                assert isinstance(port, SocketConnection)
                assert not hasattr(port, "__dict__")

    asyncio.run(main())


@on_each_loop
def test_another_implementation_gets_along(loop_factory: LoopFactory) -> None:
    """The client of the ``websockets`` package, which offers compression, fragments, pings and closes."""

    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch) as server:
            async with connect(f"ws://127.0.0.1:{server.port}/room", max_size=1 << 22) as client:
                assert client.protocol.extensions == []
                await client.send("héllo")
                await client.send(["in ", "three ", "fragments"])
                await client.send(b"\x00\xff")
                await client.send("x" * (1 << 21))
                await (await client.ping())
                answers = [await client.recv() for _ in range(4)]
                assert answers == ["héllo", "in three fragments", b"\x00\xff", "x" * (1 << 21)]
                await client.close(4321, "done")
                assert (client.close_code, client.close_reason) == (4321, "done")
            assert hub.sinks[0].events[-1] == ("close", 4321, "done", True)

    run_on(loop_factory, main())
