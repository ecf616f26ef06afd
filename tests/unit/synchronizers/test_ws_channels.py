"""Several stores over one socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from websockets.asyncio.server import serve

from durabase.errors import ChannelError
from durabase.mergeable import MergeableStore
from durabase.sync_server import WsServer
from durabase.synchronizers._reconnecting import Backoff
from durabase.synchronizers._web_socket import open_web_socket
from durabase.synchronizers.ws_channels import WsChannels
from durabase.synchronizers.ws_client import WsSynchronizer
from durabase.testing import FakeClock
from unit.synchronizers.test_ws_client import FakeTransport, run, settle

NOW = 1_708_981_571_441
HLC = "NrbEJxl---0dmwzH"


class Bench:
    """Channels over fake sockets, of which the test is the server."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.sockets: list[FakeTransport] = []
        self.errors: list[Exception] = []
        self.channels = WsChannels(self._open, clock=self.clock)

    async def _open(self) -> FakeTransport:
        self.sockets.append(FakeTransport())
        return self.sockets[-1]

    def synchronizer(self, store: MergeableStore, channel_id: str) -> WsSynchronizer:
        return self.channels.synchronizer(
            store, channel_id, on_ignored_error=self.errors.append, backoff=Backoff(1, 1, lambda: 0.0)
        )

    @property
    def error_texts(self) -> list[str]:
        return [str(error) for error in self.errors]


async def confirm(socket: FakeTransport) -> list[Any]:
    """Confirm the controls that were sent; the controls."""
    controls = []
    await settle()
    for text in [text for text in socket.sent if text.startswith("S\n")]:
        socket.sent.remove(text)
        request_id, _, control = json.loads(text[2:])
        controls.append(control)
        if request_id is not None:
            socket.bring(text)
    await settle()
    return controls


def with_bench(test: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    async def set_up() -> None:
        bench = Bench()
        async with bench.channels:
            await test(bench)

    run(set_up)


def test_hello_then_each_store_has_its_channel() -> None:
    async def test(bench: Bench) -> None:
        one, two = MergeableStore("s1", clock=FakeClock(NOW)), MergeableStore("s2", clock=FakeClock(NOW))
        async with bench.synchronizer(one, "a") as first, bench.synchronizer(two, "b/c") as second:
            await settle()
            (socket,) = bench.sockets
            assert await confirm(socket) == [[0, 1]]
            assert await confirm(socket) == [[1, "a"], [1, "b/c"]]
            assert first.is_connected()
            assert second.is_connected()
            first.start_sync()
            assert [text.split("\n")[:3] for text in socket.sent] == [["M", "a", ""]]
            second.start_sync()
            socket.bring(f'M\nb/c\nB\n["x",3,[[{{}}],[{{"v":[5,"{HLC}"]}}],1]]')
            bench.clock.advance(1000)
            await settle()
            assert two.get_value("v") == 5
            assert not one.has_value("v")
        assert (await confirm(socket))[-1][0] == 2
        assert socket.closed is None

    with_bench(test)


def test_when_the_socket_is_lost_every_channel_is_joined_again_over_the_next_one() -> None:
    async def test(bench: Bench) -> None:
        stores = [MergeableStore(), MergeableStore()]
        async with bench.synchronizer(stores[0], "a") as first, bench.synchronizer(stores[1], "b") as second:
            await settle()
            await confirm(bench.sockets[0])
            await confirm(bench.sockets[0])
            bench.sockets[0].break_off()
            await settle()
            assert not (first.is_connected())
            assert not (second.is_connected())
            await bench.clock.advance_and_settle(1000)
            assert len(bench.sockets) == 2
            assert await confirm(bench.sockets[1]) == [[0, 1]]
            assert await confirm(bench.sockets[1]) == [[1, "a"], [1, "b"]]
            assert first.is_connected()
            assert second.is_connected()

    with_bench(test)


def test_a_server_that_does_not_confirm_is_tried_again() -> None:
    async def test(bench: Bench) -> None:
        async with bench.synchronizer(MergeableStore(), "a"):
            await settle()
            await bench.clock.advance_and_settle(1000)
            assert bench.error_texts == ["tinybase:4:0"]
            assert bench.sockets[0].closed == (None, "")
            await bench.clock.advance_and_settle(1000)
            await confirm(bench.sockets[1])
            await bench.clock.advance_and_settle(1000)
            assert bench.error_texts == ["tinybase:4:0", "tinybase:4:1"]

    with_bench(test)


@pytest.mark.parametrize(
    ("text", "close"),
    [
        ("bad", (1007, "tinybase:14")),
        ("M\nunknown\nB\n[]", (1007, "tinybase:14")),
        ("M\na\nB\nbad", (1007, "tinybase:14")),
        ("M\n" + "x" * 1025 + "\nB\n[]", (1013, "tinybase:15:channels")),
    ],
)
def test_what_is_invalid_closes_the_socket(text: str, close: tuple[int, str]) -> None:
    async def test(bench: Bench) -> None:
        async with bench.synchronizer(MergeableStore(), "a") as synchronizer:
            await settle()
            await confirm(bench.sockets[0])
            await confirm(bench.sockets[0])
            bench.sockets[0].bring(text)
            await settle()
            assert bench.sockets[0].closed == close
            assert not synchronizer.is_connected()

    with_bench(test)


def test_what_comes_for_a_channel_that_was_left_is_ignored() -> None:
    async def test(bench: Bench) -> None:
        async with bench.synchronizer(MergeableStore(), "b"):
            async with bench.synchronizer(MergeableStore(), "a"):
                await settle()
                await confirm(bench.sockets[0])
                await confirm(bench.sockets[0])
            bench.sockets[0].bring('M\na\nB\n["x",1,""]')
            await settle()
            assert bench.sockets[0].closed is None

    with_bench(test)


def test_ids_are_checked_and_free_again_afterwards() -> None:
    async def test(bench: Bench) -> None:
        with pytest.raises(ChannelError, match="tinybase:6:a//b"):
            bench.synchronizer(MergeableStore(), "a//b")
        async with bench.synchronizer(MergeableStore(), "a"):
            with pytest.raises(ChannelError, match="tinybase:7:a"):
                bench.synchronizer(MergeableStore(), "a")
        async with bench.synchronizer(MergeableStore(), "a"):
            pass

    with_bench(test)


def test_with_a_server_beside_an_ordinary_client() -> None:
    async def test() -> None:
        def choose(_connection: Any, offered: Any) -> Any:
            return offered[0] if offered else None

        server = WsServer(on_ignored_error=lambda _: None, request_timeout_seconds=0.1)
        async with server, serve(server.handle, "127.0.0.1", 0, select_subprotocol=choose) as listening:
            url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}/base"
            stores = [MergeableStore() for _ in range(3)]
            done = asyncio.Event()

            def look(*_: Any) -> None:
                if stores[0].get_values() == stores[2].get_values() == {"v": 1, "w": 2}:
                    done.set()

            for store in stores:
                store.add_did_finish_transaction_listener(look)
            stores[0].set_value("v", 1)
            quiet: dict[str, Any] = {"request_timeout": 0.1, "on_ignored_error": lambda _: None}
            async with (
                WsChannels.connect(url) as channels,
                channels.synchronizer(stores[0], "files", **quiet) as one,
                channels.synchronizer(stores[1], "people", **quiet) as two,
                WsSynchronizer.connect(stores[2], f"{url}/files", **quiet) as three,
            ):
                for synchronizer in (one, two, three):
                    await synchronizer.connected()
                    await synchronizer.start_sync()
                assert server.get_stats() == {"paths": 2, "clients": 3}
                stores[2].set_value("w", 2)
                await done.wait()
                assert stores[1].get_values() == {}

    run(test)


def test_a_server_without_channels_is_refused() -> None:
    async def test() -> None:
        async def handle(connection: Any) -> None:
            await connection.wait_closed()

        async with serve(handle, "127.0.0.1", 0) as listening:
            url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}/"
            with pytest.raises(ChannelError, match="does not speak"):
                await open_web_socket(url, subprotocol="tinybase")

    run(test)
