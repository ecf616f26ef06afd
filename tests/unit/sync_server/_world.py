"""One object with clients that come and go, and everything that is under way between them."""

from __future__ import annotations

import random

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

__all__ = ["Client", "World"]

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
        self.store: MergeableStore
        self.room = self.make_room()

    def make_room(self) -> type[WsServerDurableObject]:
        world = self

        class Room(WsServerDurableObject):
            clock = world.clock

            def create_persister(self) -> DurableObjectStoragePersister:
                world.store = world.make_store()
                return DurableObjectStoragePersister(world.store, self.ctx.storage)

            def on_ignored_error(self, error: Exception) -> None:
                raise AssertionError(error)

        return Room

    def make_store(self) -> MergeableStore:
        return MergeableStore(clock=self.clock)

    async def start(self) -> None:
        await self.sockets.construct(self.room)
        self.clients = [Client(self, name) for name in "ABC"]
        self.clock.advance(2000)

    async def come_to_rest(self) -> None:
        """Connect everybody, and carry everything, also what is asked for when something was not answered."""
        for client in self.clients:
            if client.port is None:
                client.connect()
        for _ in range(6):
            await self.deliver()
            self.clock.advance(1000)
        await self.deliver()

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
                await self.pass_time()
            case _:
                await self.deliver()

    async def pass_time(self) -> None:
        self.clock.advance(self.random.choice([0, 10, 1000]))

    def edit(self, client: Client) -> None:
        self.clock.advance(1)
        row, cell = f"r{self.random.randrange(3)}", f"c{self.random.randrange(2)}"
        if self.random.random() < 0.25:
            client.store.del_cell("t", row, cell, force_del=True)
        else:
            client.store.set_cell(
                "t", row, cell, self.random.choice([1, "x" * 50, True, None, [1, {"a": 2}]])
            )
