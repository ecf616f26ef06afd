"""Letting a running server's clients go."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from durabase.errors import ServerError
from durabase.server import Server
from durabase.testing import FakeClock
from unit.server.live import Client, Hub, serving, until, upgrade_request
from unit.server.wire import CLOSE, Frame


@pytest.mark.feature("S-OB-5")
def test_requests_are_refused_and_sockets_closed_slowly_until_it_is_taken_back() -> None:
    async def main() -> None:
        hub, clock = Hub(), FakeClock()
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(serving(hub.fetch, clock=clock, ping_seconds=None))
            clients = [
                await stack.enter_async_context(Client.connected(server.port, "/room")) for _ in range(4)
            ]
            server.start_draining(1)
            assert await answer(server) == b"HTTP/1.1 503 Service Unavailable\r\n"
            reads = [asyncio.create_task(client.read_frame()) for client in clients]
            for closed in range(1, 5):
                await until(lambda closed=closed: sum(read.done() for read in reads) >= closed)
                assert sum(read.done() for read in reads) == closed
                clock.advance(250)
            assert {read.result() for read in reads} == {Frame(CLOSE, b"\x03\xf4the server restarts")}
            server.stop_draining()
            assert await answer(server) == b"HTTP/1.1 101 Switching Protocols\r\n"

    asyncio.run(main())


async def answer(server: Server) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(upgrade_request())
        return await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()


def test_a_server_that_does_not_run_has_no_clients() -> None:
    server = Server(Hub().fetch)
    server.stop_draining()
    with pytest.raises(ServerError, match="does not run"):
        server.start_draining(1)
