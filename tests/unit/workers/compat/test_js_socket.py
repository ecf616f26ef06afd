"""Outgoing sockets of programs: when they connect, and what they refuse of what comes."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from websockets.asyncio.server import ServerConnection, serve

from durabase.durable_objects.gates import OutputGate
from durabase.web import socket_owner
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


def test_an_object_connects_when_its_writes_are_safe() -> None:
    async def main() -> list[str]:
        paths: asyncio.Queue[str] = asyncio.Queue()

        async def accept(connection: ServerConnection) -> None:
            assert connection.request is not None
            paths.put_nowait(connection.request.path)

        gate = OutputGate()
        gate.wrote()
        owner: Any = SimpleNamespace(output=gate, adopt=Mock(), release=Mock(), enter=Mock())
        async with serve(accept, "127.0.0.1", 0) as server, asyncio.timeout(5):
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            token = socket_owner.set(owner)
            OutgoingWebSocket().new(f"{url}/of-an-object")
            socket_owner.reset(token)
            OutgoingWebSocket().new(f"{url}/of-nobody")
            first = await paths.get()
            gate.safe(gate.written)
            return [first, await paths.get()]

    assert asyncio.run(main()) == ["/of-nobody", "/of-an-object"]
