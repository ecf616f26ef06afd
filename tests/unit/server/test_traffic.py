"""What a server's WebSockets have carried."""

from __future__ import annotations

import asyncio

import pytest

from durabase.server.traffic import Traffic
from unit.server.live import Client, Hub, serving, until
from unit.server.wire import BINARY, PING, TEXT, close, frame


@pytest.mark.feature("S-OB-3")
def test_messages_bytes_and_closes_are_counted() -> None:
    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch) as server:
            assert vars_of(server.traffic) == (0, 0, 0, 0, {})
            sent = [frame(TEXT, "hi"), frame(BINARY, b"abc"), frame(PING, b""), close(1000, b"")]
            async with Client.connected(server.port, "/room") as client:
                for piece in sent:
                    await client.send(piece)
                answers = await client.read_to_end()
            await until(lambda: server.socket_count == 0)
            async with Client.connected(server.port, "/room"):
                pass
            await until(lambda: len(hub.sinks) == 2 and bool(hub.sinks[1].closed.is_set()))
            assert [len(answer.payload) for answer in answers] == [2, 3, 0, 2]
            received = sum(map(len, sent))
            assert vars_of(server.traffic) == (received, 2, (2 + 2) + (2 + 3) + 2 + (2 + 2), 4, closes())
            assert server.traffic.slow_readers == 0
            assert server.unsent_bytes == 0

    asyncio.run(main())


def closes() -> dict[str, int]:
    return {"1000": 1, "1006": 1}


def vars_of(traffic: Traffic) -> tuple[int, int, int, int, dict[str, int]]:
    return (
        traffic.bytes_in,
        traffic.messages_in,
        traffic.bytes_out,
        traffic.frames_out,
        dict(traffic.closes),
    )


@pytest.mark.feature("S-OB-3")
def test_codes_that_peers_choose_are_counted_together() -> None:
    traffic = Traffic()
    for code in (1000, 1015, 3000, 3999, 4001, 4002):
        traffic.closed(code)
    assert traffic.closes == {"1000": 1, "1015": 1, "3xxx": 2, "4xxx": 2}
