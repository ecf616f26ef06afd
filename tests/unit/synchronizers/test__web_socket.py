"""Connections of real WebSockets, plain and over TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect as connect_web_socket
from websockets.asyncio.server import serve
from websockets.typing import Subprotocol

from durabase.errors import SyncClosedError, SyncError
from durabase.mergeable import MergeableStore
from durabase.sync_server import WsServer
from durabase.synchronizers._reconnecting import Backoff
from durabase.synchronizers._web_socket import WebSocketTransport, open_web_socket
from durabase.synchronizers.blocking import connect_blocking
from durabase.synchronizers.ws_channels import WsChannels
from durabase.synchronizers.ws_client import WsSynchronizer
from durabase.testing import FakeClock
from unit.synchronizers.certificates import Authority


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


def test_texts_go_both_ways_in_order_and_the_close_code_arrives() -> None:
    async def test() -> None:
        got: list[str] = []

        async def handle(connection: Any) -> None:
            transport = WebSocketTransport(connection)
            async for text in transport:
                got.append(text)
                transport.send_text(text.upper())
                if text == "c":
                    transport.close(1013, "tinybase:15:socket")
                    transport.close(1007, "again")
                    transport.send_text("too late")
            await transport.wait_closed()

        async with serve(handle, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            transport = await open_web_socket(f"ws://127.0.0.1:{port}/x")
            for text in "abc":
                transport.send_text(text)
            assert transport.buffered_amount() > 0
            assert [text async for text in transport] == ["A", "B", "C"]
            assert got == ["a", "b", "c"]
            assert transport._connection.close_code == 1013
            assert transport._connection.close_reason == "tinybase:15:socket"
            transport.send_text("into nothing")
            await settle()
            assert transport.buffered_amount() == 0

    run(test)


def test_bytes_are_read_as_text_and_what_was_sent_is_out_before_the_close() -> None:
    async def test() -> None:
        got: list[str] = []

        async def handle(connection: Any) -> None:
            got.extend([text async for text in WebSocketTransport(connection)])

        async with serve(handle, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with connect_web_socket(f"ws://127.0.0.1:{port}/") as connection:
                await connection.send("é".encode())
            transport = await open_web_socket(f"ws://127.0.0.1:{port}/", headers={"X-A": "b"})
            for number in range(100):
                transport.send_text(str(number))
            transport.close(None, "")
            await transport.wait_closed()
        assert got == ["é", *map(str, range(100))]

    run(test)


async def echo(connection: Any) -> None:
    async for text in connection:
        await connection.send(text)


@pytest.mark.parametrize("is_wanted", [False, True])
def test_compression_is_offered_if_that_is_wanted(is_wanted: bool) -> None:
    async def test() -> None:
        async with serve(echo, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
            transport = await open_web_socket(url, compression=is_wanted)
            names = [extension.name for extension in transport._connection.protocol.extensions]
            assert names == (["permessage-deflate"] if is_wanted else [])
            transport.send_text("x" * 100_000)
            assert await anext(aiter(transport)) == "x" * 100_000
            transport.close(None, "")
            await transport.wait_closed()

    run(test)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "127.0.0.1:8787/x",
        "ws:///x",
        "ws://127.0.0.1:99999/",
        "ws://[::1",
        "",
        "ws://h:x/",
    ],
)
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(SyncError, match="expected a URL like ws://host/path"):
        WsSynchronizer.connect(MergeableStore(), url)
    with pytest.raises(SyncError, match="expected a URL like ws://host/path"):
        WsChannels.connect(url)


def test_settings_for_tls_are_not_forgotten_where_there_is_none() -> None:
    with pytest.raises(SyncError, match="settings for TLS, but"):
        WsSynchronizer.connect(MergeableStore(), "ws://127.0.0.1/x", ssl=ssl.create_default_context())


class Room:
    """A server with one path, which notes the headers of every client."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers: list[Any] = []
        self.connections: list[Any] = []


def choose(_connection: object, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return next(iter(offered), None)


@asynccontextmanager
async def room(context: ssl.SSLContext | None = None) -> AsyncIterator[Room]:
    scheme = "ws" if context is None else "wss"

    async def handle(connection: Any) -> None:
        made.headers.append(connection.request.headers)
        made.connections.append(connection)
        await ws_server.handle(connection)

    listening = serve(handle, "127.0.0.1", 0, ssl=context, select_subprotocol=choose)
    async with WsServer() as ws_server, listening as server:
        made = Room(f"{scheme}://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/room")
        yield made


def test_headers_of_ones_own_are_sent_each_time() -> None:
    async def test() -> None:
        headers = {"Authorization": "Bearer abc", "X-Room-Key": "1, 2"}
        async with room() as made:
            synchronizer = WsSynchronizer.connect(
                MergeableStore(), made.url, headers=headers, backoff=Backoff(0.001, 0.001)
            )
            async with synchronizer:
                await synchronizer.connected()
                await made.connections[0].close()
                while len(made.headers) < 2:  # noqa: ASYNC110 - it is the other side that has to get there
                    await asyncio.sleep(0.001)
            for got in made.headers:
                assert {name: got[name] for name in headers} == headers

    run(test)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "strange")


class TestTls:
    def test_two_stores_meet_at_a_server_that_an_authority_of_ones_own_vouches_for(
        self, authority: Authority
    ) -> None:
        async def test() -> None:
            one, other = MergeableStore(), MergeableStore()
            one.set_cell("t", "r", "c", "x" * 100_000)
            async with room(authority.server_context()) as made:
                options: dict[str, Any] = {"ssl": authority.client_context(), "request_timeout": 0.2}
                async with (
                    WsSynchronizer.connect(one, made.url, fragment_size=1000, **options) as first,
                    WsSynchronizer.connect(other, made.url, **options) as second,
                ):
                    for synchronizer in (first, second):
                        await synchronizer.connected()
                        await synchronizer.start_sync()
                    assert other.get_mergeable_content() == one.get_mergeable_content()
                    assert other.has_tables()

        run(test)

    def test_channels_go_over_it_too_with_headers_of_ones_own(self, authority: Authority) -> None:
        async def test() -> None:
            async with (
                room(authority.server_context()) as made,
                WsChannels.connect(
                    made.url, ssl=authority.client_context(), headers={"X-Key": "1"}
                ) as sockets,
                sockets.synchronizer(MergeableStore(), "pets") as synchronizer,
            ):
                await synchronizer.connected()
                assert made.headers[0]["X-Key"] == "1"
                assert made.connections[0].subprotocol == "tinybase"

        run(test)

    def test_so_does_a_program_without_an_event_loop(self, authority: Authority) -> None:
        def program(url: str) -> None:
            context = authority.client_context()
            with connect_blocking(MergeableStore(), url, ssl=context, headers={"X-Key": "2"}) as synchronizer:
                assert synchronizer.wait_connected(10)

        async def test() -> None:
            async with room(authority.server_context()) as made:
                await asyncio.to_thread(program, made.url)
                assert made.headers[0]["X-Key"] == "2"

        run(test)

    @pytest.mark.parametrize(
        ("names", "trusts", "found"),
        [
            ("IP:127.0.0.1", "stranger", "unable to get local issuer certificate"),
            ("IP:127.0.0.1", "default", "unable to get local issuer certificate"),
            ("DNS:elsewhere.test", "authority", "IP address mismatch"),
        ],
    )
    def test_a_server_that_cannot_be_trusted_is_refused_and_said_why(
        self, authority: Authority, stranger: Authority, names: str, trusts: str, found: str
    ) -> None:
        contexts = {"authority": authority.client_context(), "stranger": stranger.client_context()}

        async def test() -> None:
            errors: list[Exception] = []
            store, clock, reported = MergeableStore(), FakeClock(), asyncio.Event()

            def report(error: Exception) -> None:
                if not isinstance(error, SyncClosedError):  # nobody was there to be asked yet
                    errors.append(error)
                    reported.set()

            async with room(authority.server_context(names)) as made:
                synchronizer = WsSynchronizer.connect(
                    store, made.url, ssl=contexts.get(trusts), on_ignored_error=report, clock=clock
                )
                async with synchronizer:
                    await synchronizer.start_sync([{}, {"v": 1}])
                    await reported.wait()
                    assert not synchronizer.is_connected()
                    store.set_value("w", 2)
                assert made.connections == []
            (error,) = errors
            assert isinstance(error, ssl.SSLCertVerificationError)
            assert "certificate verify failed" in str(error)
            assert found in str(error)
            assert store.get_values() == {"v": 1, "w": 2}

        run(test)
