"""Two hosts on one state directory, each with half of the objects, joined by Unix sockets in one process."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM
from socket import socket as Socket  # noqa: N812 - a class

from durabase.cluster.router import ClusterRouter, door
from durabase.durable_objects import DurableObjectStub, ObjectClass, ObjectHost
from durabase.durable_objects.partition import Partition, partition_of
from durabase.testing import FakeClock


class Pair:
    """``hosts``, ``routers`` and ``clocks`` of both; ``names`` are names of objects that live in either."""

    def __init__(self, folder: Path, *classes: type) -> None:
        self.hosts: list[ObjectHost] = []
        self.routers: list[ClusterRouter] = []
        self.clocks = [FakeClock(), FakeClock()]
        for index in range(2):
            listener = Socket(AF_UNIX, SOCK_STREAM)
            listener.bind(str(door(folder, index)))
            listener.listen()
            host = ObjectHost(folder / "state", clock=self.clocks[index], partition=Partition(index, 2))
            host.router = ClusterRouter(host, folder, listener)
            for cls in classes:
                host.register(ObjectClass(cls.__name__, f"test-{cls.__name__}", cls), env=self)
            self.hosts.append(host)
            self.routers.append(host.router)
        mint = self.hosts[0].namespace(classes[0].__name__).id_from_name
        by_owner = {partition_of(mint(name).key, 2): name for name in map(str, range(20))}
        self.names = (by_owner[0], by_owner[1])
        self.class_name = classes[0].__name__

    def stub(self, caller: int, owner: int) -> DurableObjectStub:
        """What ``caller`` calls the object of ``owner`` by."""
        return self.hosts[caller].namespace(self.class_name).get_by_name(self.names[owner])

    async def pass_time(self, seconds: int) -> None:
        """Let time pass in both, a second at a time."""
        for _ in range(seconds):
            for clock in self.clocks:
                await clock.advance_and_settle(1000)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the event loop turn until it is so."""
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - what is waited for is outside, in the operating system
                await asyncio.sleep(0)


def run(scenario: Callable[[Pair], Awaitable[None]], *classes: type) -> None:
    """Run ``scenario`` with a fresh pair."""

    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            pair = Pair(Path(folder), *classes)
            async with asyncio.timeout(20), pair.hosts[0], pair.hosts[1]:
                with ExitStack() as stack:
                    for router in pair.routers:
                        router.open()
                        stack.callback(router.close)
                    await scenario(pair)

    asyncio.run(main())
