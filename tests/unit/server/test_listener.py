"""Listening and stopping."""

from __future__ import annotations

import asyncio
import socket as socket_module

import pytest

from durabase.errors import ServerError
from durabase.server import Server, run
from durabase.testing import FakeClock
from durabase.web import Request, Response
from unit.server.live import Client, Hub, LoopFactory, on_each_loop, run_on, serving, until, upgrade_request
from unit.server.wire import CLOSE, Frame, close


async def hello(request: Request) -> Response:
    return Response("hello")


def has_loopback_6() -> bool:
    try:
        with socket_module.socket(socket_module.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_busy_port_is_told_in_one_line() -> None:
    async def main() -> None:
        async with serving(hello) as first:
            with pytest.raises(ServerError) as caught:
                await Server(hello, port=first.port).__aenter__()
            message = str(caught.value)
            assert f"port {first.port} of 127.0.0.1 is in use" in message
            assert "--port" in message
            assert "\n" not in message

    asyncio.run(main())


def test_an_unknown_host_is_told() -> None:
    async def main() -> None:
        with pytest.raises(ServerError, match=r"can't listen on port 0 of 203\.0\.113\.1"):
            await Server(hello, host="203.0.113.1", port=0).__aenter__()

    asyncio.run(main())


@pytest.mark.skipif(not has_loopback_6(), reason="this machine has no IPv6")
def test_several_addresses_share_one_port() -> None:
    async def main() -> None:
        async with serving(hello, host=["127.0.0.1", "::1", "127.0.0.1"]) as server:
            for host in ("127.0.0.1", "::1"):
                reader, writer = await asyncio.open_connection(host, server.port)
                writer.write(b"GET / HTTP/1.0\r\n\r\n")
                assert (await reader.read()).endswith(b"hello")
                writer.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")],  # noqa: S104
)
def test_the_url_is_one_that_can_be_opened(host: str, shown: str) -> None:
    async def main() -> None:
        async with serving(hello, host=host) as server:
            assert server.url == f"http://{shown}:{server.port}"

    asyncio.run(main())


@on_each_loop
def test_stopping_says_goodbye_to_sockets(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch) as server:
            client = await asyncio.open_connection("127.0.0.1", server.port)
            client[1].write(upgrade_request())
            await client[0].readuntil(b"\r\n\r\n")
            reading = asyncio.create_task(client[0].readexactly(2 + 2 + 19))
            reading.add_done_callback(lambda _: client[1].write(close(1012)))
        assert await reading == b"\x88\x15\x03\xf4the server restarts"
        assert hub.sinks[0].events == [("close", 1012, "", True)]
        client[1].close()

    run_on(loop_factory, main())


@on_each_loop
def test_stopping_takes_a_bounded_time(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub, clock = Hub(), FakeClock()
        server = Server(hub.fetch, port=0, clock=clock, farewell=(1001, "bye"))
        await server.__aenter__()
        async with Client.connected(server.port) as client:
            stopping = asyncio.create_task(server.__aexit__(None, None, None))
            assert await client.read_frame() == Frame(CLOSE, b"\x03\xe9bye")
            assert not stopping.done()
            clock.advance(5_000)
            await stopping
            assert hub.sinks[0].events[-1][:2] == ("close", 1006)

    run_on(loop_factory, main())


@on_each_loop
def test_stopping_lets_a_request_end_and_takes_no_new_one(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        entered, go_on = asyncio.Event(), asyncio.Event()

        async def fetch(request: Request) -> Response:
            entered.set()
            await go_on.wait()
            return Response("done")

        server = Server(fetch, port=0)
        await server.__aenter__()
        async with Client.opened(server.port) as client, Client.opened(server.port) as idle:
            await client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await entered.wait()
            stopping = asyncio.create_task(server.__aexit__(None, None, None))
            assert await idle.reader.read() == b""
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", server.port)
            go_on.set()
            status, headers, body = await client.read_response()
            assert (status, headers["connection"], body) == (200, "close", b"done")
            await stopping

    run_on(loop_factory, main())


@on_each_loop
def test_an_upgrade_while_stopping_is_followed_by_the_goodbye(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        hub, entered, go_on = Hub(), asyncio.Event(), asyncio.Event()

        async def fetch(request: Request) -> Response:
            entered.set()
            await go_on.wait()
            return await hub.fetch(request)

        server = Server(fetch, port=0)
        await server.__aenter__()
        async with Client.opened(server.port) as client:
            await client.send(upgrade_request())
            await entered.wait()
            stopping = asyncio.create_task(server.__aexit__(None, None, None))
            await asyncio.sleep(0)
            go_on.set()
            await client.reader.readuntil(b"\r\n\r\n")
            assert (await client.read_frame()).close_code == 1012
            await client.send(close(1012))
            await stopping
            assert hub.sinks[0].events == [("close", 1012, "", True)]

    run_on(loop_factory, main())


@on_each_loop
def test_a_request_that_does_not_end_is_given_up(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        entered, cancelled, clock = asyncio.Event(), asyncio.Event(), FakeClock()

        async def fetch(request: Request) -> Response:
            entered.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                cancelled.set()
            return Response("never")

        server = Server(fetch, port=0, clock=clock)
        await server.__aenter__()
        async with Client.opened(server.port) as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await entered.wait()
            stopping = asyncio.create_task(server.__aexit__(None, None, None))
            await until(lambda: server._context is not None and server._context.on_empty is not None)
            clock.advance(5_000)
            await stopping
            assert cancelled.is_set()

    run_on(loop_factory, main())


def test_serve_forever_ends_when_cancelled() -> None:
    async def main() -> int:
        async with serving(hello) as server:
            serving_task = asyncio.create_task(server.serve_forever())
            await asyncio.sleep(0)
            serving_task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await serving_task
            return server.socket_count

    assert asyncio.run(main()) == 0


def test_run_gives_the_result() -> None:
    async def main() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run(main()).split(".")[0] in ("uvloop", "asyncio")
