"""The client's end of a socket: what arrives, what is sent, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durabase.testing import FakeClock, FlakyNetwork
from durabase.testing.client_socket import ClientSocket, SocketClosed, in_process
from durabase.web import WebSocketPair


class End:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def send(self, message: str | bytes) -> None:
        self.told.append(message)

    def close(self, code: int | None, reason: str) -> None:
        self.told.append((code, reason))

    def drop(self) -> None:
        self.told.append("dropped")


class Scene:
    """A client, its other end, and the network between them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.network = FlakyNetwork(self.clock)
        self.end = End()
        self.client = ClientSocket(self.end, self.network)


def run(scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario(Scene())

    asyncio.run(asyncio.wait_for(main(), 10))


def test_messages_in_both_directions() -> None:
    async def scenario(scene: Scene) -> None:
        scene.client.send("a")
        scene.client.send(b"b")
        scene.client.close()
        scene.client.close(4000, "enough")
        assert scene.end.told == ["a", b"b", (None, ""), (4000, "enough")]
        scene.client.arrived("c")
        scene.client.arrived(b"d")
        assert (await scene.client.receive(), await scene.client.receive()) == ("c", b"d")
        assert scene.client.is_open

    run(scenario)


def test_whoever_waits_is_told() -> None:
    async def scenario(scene: Scene) -> None:
        waiting = asyncio.ensure_future(scene.client.receive())
        await asyncio.sleep(0)
        scene.client.arrived("a")
        assert await waiting == "a"
        closed = asyncio.ensure_future(scene.client.closed())
        await asyncio.sleep(0)
        scene.client.ended(1000, "bye", True)
        assert await closed == SocketClosed(1000, "bye", True)

    run(scenario)


def test_nothing_that_comes() -> None:
    async def scenario(scene: Scene) -> None:
        with pytest.raises(TimeoutError, match=r"^no message within 0 seconds$"):
            await scene.client.receive(0)
        with pytest.raises(TimeoutError, match=r"^the socket is open after 0 seconds$"):
            await scene.client.closed(0)
        scene.client.ended(1000, "", True)
        assert (await scene.client.closed(0)).code == 1000

    run(scenario)


def test_what_came_before_the_end_can_be_read_after_it() -> None:
    async def scenario(scene: Scene) -> None:
        scene.client.arrived("a")
        scene.client.ended(4000, "enough", True)
        scene.client.arrived("late")
        scene.client.ended(1006, "", False)
        assert not scene.client.is_open
        assert await scene.client.receive() == "a"
        for _ in range(2):
            with pytest.raises(ConnectionError, match=r"the socket was closed: SocketClosed\(code=4000, "):
                await scene.client.receive()
        assert await scene.client.closed() == (4000, "enough", True)

    run(scenario)


def test_what_waits_can_be_taken_at_once() -> None:
    async def scenario(scene: Scene) -> None:
        assert scene.client.waiting() == []
        scene.client.arrived("a")
        scene.client.arrived(b"b")
        assert scene.client.waiting() == ["a", b"b"]
        assert scene.client.waiting() == []
        scene.client.arrived("c")
        scene.client.ended(1000, "", True)
        assert (scene.client.waiting(), scene.client.waiting()) == (["c"], [])
        with pytest.raises(ConnectionError):
            await scene.client.receive()

    run(scenario)


def test_a_connection_that_is_lost_is_lost_once() -> None:
    async def scenario(scene: Scene) -> None:
        assert scene.network.connection_count == 1
        scene.client.drop()
        scene.client.drop()
        assert scene.end.told == ["dropped"]
        assert await scene.client.closed() == SocketClosed(1006, "", False)
        assert scene.network.connection_count == 0

    run(scenario)


def test_the_network_decides_when_it_arrives() -> None:
    async def scenario(scene: Scene) -> None:
        scene.network.latency = 1.0
        scene.client.send("there")
        scene.client.arrived("back")
        scene.client.ended(1000, "", True)
        scene.clock.advance(999)
        assert (scene.end.told, scene.client.waiting(), scene.client.is_open) == ([], [], True)
        scene.clock.advance(1)
        assert (scene.end.told, scene.client.waiting(), scene.client.is_open) == (["there"], ["back"], False)
        other = ClientSocket(End(), scene.network)
        scene.network.cut()
        assert not other.is_open

    run(scenario)


def test_the_socket_of_a_response() -> None:
    async def main() -> None:
        ours, theirs = WebSocketPair()
        heard: list[Any] = []
        theirs.add_event_listener("message", lambda event: heard.append(event.data))
        theirs.add_event_listener("close", lambda event: heard.append((event.code, event.reason)))
        theirs.accept()
        client = in_process(ours, FlakyNetwork(FakeClock()))
        theirs.send("hello")
        assert await client.receive() == "hello"
        client.send(b"x")
        client.close(4001, "bye")
        assert (await client.closed()).code == 4001
        assert heard == [b"x", (4001, "bye")]

    asyncio.run(asyncio.wait_for(main(), 10))
