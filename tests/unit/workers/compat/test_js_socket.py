"""Outgoing sockets of programs: what they refuse of what comes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from durabase.workers.compat.js_socket import OutgoingWebSocket

MIB = 1 << 20


@pytest.mark.feature("M-WS-11")
@pytest.mark.parametrize(
    ("size", "events"),
    [
        (32 * MIB, [("message", 32 * MIB), ("close", 1000)]),
        (32 * MIB + 1, [("error", 1009), ("close", 1006)]),
    ],
    ids=["the largest", "larger"],
)
def test_a_message_of_32_mib_is_taken_and_a_larger_one_is_an_error(
    size: int, events: list[tuple[str, int]]
) -> None:
    async def answer(connection: ServerConnection) -> None:
        await connection.send(bytes(size))

    async def main() -> list[tuple[str, Any]]:
        heard: list[tuple[str, Any]] = []
        over = asyncio.Event()

        def close(event: Any) -> None:
            heard.append(("close", event.code))
            over.set()

        async with serve(answer, "127.0.0.1", 0, compression=None) as server:
            socket = OutgoingWebSocket().new(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            socket.onmessage = lambda event: heard.append(("message", len(event.data)))
            socket.onerror = lambda event: heard.append(("error", event.error.sent.code))
            socket.onclose = close
            await asyncio.wait_for(over.wait(), 30)
        return heard

    assert asyncio.run(main()) == events
