"""Clients that come and go, an object that sleeps and wakes: in the end everybody has everything."""

from __future__ import annotations

import asyncio
import random

import pytest

from durabase.errors import SyncClosedError
from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import WsServerDurableObject
from durabase.synchronizers.base import Synchronizer
from durabase.synchronizers.protocol.messages import Message, message_text
from durabase.synchronizers.protocol.payloads import PayloadDecoder, encode_payloads
from durabase.testing import FakeClock
from durabase.types import Id
from unit.sync_server._fakes import FakeContext, FakePort, ObjectSockets, settle

URL = "https://h.example/room"


class Client:
    """A store with a synchronizer that connects as a client of the object."""

    def __init__(self, world: World, name: str) -> None:
        self.store = MergeableStore(clock=world.clock)
        self.name = name
        self.port: FakePort | None = None
        self.connections = 0
        self._world = world
        self._synchronizer = Synchronizer(
            self.store, self._send, clock=world.clock, on_ignored_error=lambda _: None
        )
        self._synchronizer.start_sync()

    @property
    def client_id(self) -> str:
        return f"{self.name}{self.connections}"

    def connect(self) -> None:
        self.connections += 1
        self.port = self._world.sockets.connect(self.client_id, URL, FakePort())
        self._decoder = PayloadDecoder()
        self._synchronizer.load().add_done_callback(lambda _: self._synchronizer.save())

    def disconnect(self) -> None:
        self.port = None
        self._world.sockets.close(self.client_id)
        self._synchronizer.fail_pending_requests(SyncClosedError())

    def read(self) -> bool:
        """Take what has come, in order; whether something had."""
        texts = [] if self.port is None else self.port.take()
        for text in texts:
            payload = self._decoder.receive(text, self._world.clock.now_ms())
            if payload is not None:
                self._synchronizer.receive_message(payload.address, payload.message)
        return bool(texts)

    def _send(self, to_client: Id | None, message: Message) -> None:
        if self.port is not None:
            for text in encode_payloads(to_client or "", message_text(message), self._world.fragment_size):
                self._world.outbox.append((self, text))


class World:
    """One object and its clients, with all messages under way."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.clock = FakeClock(1_708_981_571_441)
        self.fragment_size = self.random.choice([None, 30])
        self.ctx = FakeContext()
        self.sockets = ObjectSockets(self.ctx)
        self.outbox: list[tuple[Client, str]] = []
        self.clients: list[Client] = []
        world = self

        class Room(WsServerDurableObject):
            clock = world.clock

            def create_persister(self) -> DurableObjectStoragePersister:
                world.store = MergeableStore(clock=world.clock)
                return DurableObjectStoragePersister(world.store, self.ctx.storage)

            def on_ignored_error(self, error: Exception) -> None:
                raise AssertionError(error)

        self.store: MergeableStore
        self.room = Room

    async def deliver(self) -> None:
        """Carry everything, in both directions, until nothing is under way."""
        is_busy = True
        while is_busy:
            sent, self.outbox = self.outbox, []
            for client, text in sent:
                if client.port is not None:
                    self.sockets.send(client.client_id, text)
            await settle(3)
            reads = [client.read() for client in self.clients]
            is_busy = any(reads) or bool(self.outbox)

    async def step(self) -> None:
        match self.random.randrange(10):
            case 0 | 1 | 2 | 3:
                self.edit(self.random.choice(self.clients))
            case 4:
                client = self.random.choice(self.clients)
                if client.port is None:
                    client.connect()
                else:
                    client.disconnect()
            case 5:
                await self.deliver()
                await self.sockets.construct(self.room)
            case 6:
                self.clock.advance(self.random.choice([0, 10, 1000]))
            case _:
                await self.deliver()

    def edit(self, client: Client) -> None:
        self.clock.advance(1)
        row, cell = f"r{self.random.randrange(3)}", f"c{self.random.randrange(2)}"
        if self.random.random() < 0.25:
            client.store.del_cell("t", row, cell, force_del=True)
        else:
            client.store.set_cell(
                "t", row, cell, self.random.choice([1, "x" * 50, True, None, [1, {"a": 2}]])
            )


async def simulate(seed: int) -> None:
    world = World(seed)
    await world.sockets.construct(world.room)
    world.clients = [Client(world, name) for name in "ABC"]
    world.clock.advance(2000)
    for _ in range(60):
        await world.step()
    for client in world.clients:
        if client.port is None:
            client.connect()
    for _ in range(6):
        await world.deliver()
        world.clock.advance(1000)
    await world.deliver()
    contents = [client.store.get_mergeable_content() for client in world.clients]
    assert contents[0] == contents[1] == contents[2] == world.store.get_mergeable_content()
    before = world.store.get_mergeable_content()
    await world.sockets.construct(world.room)
    assert world.store.get_mergeable_content() == before


@pytest.mark.parametrize("seed", range(15))
def test_in_the_end_everybody_has_everything(seed: int) -> None:
    asyncio.run(asyncio.wait_for(simulate(seed), 20))
