"""Clients that connect with TLS to one server and are served by another, which gets their bytes decrypted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import websockets

from durabase.server import ServerLimits
from durabase.server.tls import Certificate
from unit.server.live import Client, Hub, LoopFactory, on_each_loop, run_on, until, upgrade_request
from unit.server.test_handover import House, house
from unit.server.wire import TEXT, Frame, frame
from unit.synchronizers.certificates import Authority

LARGE = "".join(f"{number:x}" for number in range(2_000_000))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("pump") / "authority")
    made.sign()
    return made


async def connect(both: House, authority: Authority, **options: Any) -> websockets.ClientConnection:
    url = both.front.url.replace("https", "wss")
    client = await websockets.connect(url, ssl=authority.client_context(), max_size=None, **options)
    await until(lambda: both.back.socket_count == 1)
    assert both.front.socket_count == 0
    return client


@on_each_loop
def test_nothing_that_is_said_meanwhile_is_lost(loop_factory: LoopFactory, authority: Authority) -> None:
    async def main() -> None:
        hub = Hub()
        hub.first_words = ["hello"]
        certificate = Certificate(*authority.server_files)
        async with (
            house(hub, certificate) as both,
            Client.opened(both.front.port, ssl=authority.client_context()) as client,
        ):
            await client.send(upgrade_request("/") + frame(TEXT, b"early"))
            await client.reader.readuntil(b"\r\n\r\n")
            await client.send(frame(TEXT, b"late"))
            frames = [await client.read_frame() for _ in range(3)]
            assert frames == [Frame(TEXT, b"hello"), Frame(TEXT, b"early"), Frame(TEXT, b"late")]

    run_on(loop_factory, main())


@on_each_loop
@pytest.mark.parametrize("compression", ["deflate", None])
def test_large_messages_pass_both_ways(
    loop_factory: LoopFactory, authority: Authority, compression: Any
) -> None:
    async def main() -> None:
        async with house(Hub(), Certificate(*authority.server_files), compression=True) as both:
            client = await connect(both, authority, compression=compression)
            for message in (LARGE, LARGE.encode(), "short"):
                await client.send(message)
                assert await client.recv() == message
            await client.close()
            await until(lambda: both.back.socket_count == 0)

    run_on(loop_factory, main())


@on_each_loop
def test_who_does_not_read_holds_up_no_more_than_the_limits(
    loop_factory: LoopFactory, authority: Authority
) -> None:
    async def main() -> None:
        hub = Hub(echo=False)
        limits = ServerLimits(unsent_bytes=1 << 20, close_seconds=1)
        certificate = Certificate(*authority.server_files)
        async with (
            house(hub, certificate, limits=limits) as both,
            Client.connected(both.front.port, ssl=authority.client_context()) as client,
        ):
            await until(lambda: both.back.socket_count == 1)
            client.stop_reading()
            sent = 0
            while not hub.sinks[0].closed.is_set():
                hub.sinks[0].port.send_binary(bytes(1 << 16))
                sent += 1
                assert sent < 1000, "it takes any number of messages"
                await asyncio.sleep(0)
            client.go_on_reading()
            await until(lambda: both.back.socket_count == 0)

    run_on(loop_factory, main())


@on_each_loop
@pytest.mark.parametrize("is_polite", [True, False])
def test_a_client_that_goes_is_gone_in_both(
    loop_factory: LoopFactory, authority: Authority, is_polite: bool
) -> None:
    async def main() -> None:
        hub = Hub()
        async with house(hub, Certificate(*authority.server_files)) as both:
            client = await connect(both, authority)
            if is_polite:
                await client.close(1000)
            else:
                client.transport.abort()
            await hub.sinks[0].closed.wait()
            assert hub.sinks[0].events[-1][1] == (1000 if is_polite else 1006)

    run_on(loop_factory, main())


@on_each_loop
def test_the_one_that_serves_says_goodbye(loop_factory: LoopFactory, authority: Authority) -> None:
    async def main() -> None:
        async with house(Hub(), Certificate(*authority.server_files)) as both:
            client = await connect(both, authority)
            await both.back.__aexit__(None, None, None)
            await client.wait_closed()
            assert client.close_code == 1012

    run_on(loop_factory, main())


@on_each_loop
def test_so_does_it_when_the_one_between_stops(loop_factory: LoopFactory, authority: Authority) -> None:
    async def main() -> None:
        hub = Hub()
        async with house(hub, Certificate(*authority.server_files)) as both:
            client = await connect(both, authority)
            await both.front.__aexit__(None, None, None)
            await client.wait_closed()
            assert client.close_code == 1012
            await hub.sinks[0].closed.wait()
            assert both.back.socket_count == 0

    run_on(loop_factory, main())
