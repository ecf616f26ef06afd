"""Rooms of objects for edits from outside of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from durabase.errors import ServerError
from durabase.sync_server import object_room
from durabase.testing import WorkerHarness
from unit.workers.programs import write_program

TOML = """
name = "rooms"
main = "index.py"
compatibility_date = "2026-11-01"
[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"
[[durable_objects.bindings]]
name = "RELAY"
class_name = "Relay"
[[durable_objects.bindings]]
name = "OTHER"
class_name = "Other"
[[migrations]]
tag = "v1"
new_classes = ["Room", "Relay", "Other"]
"""
PROGRAM = """
    from durabase import MergeableStore
    from durabase.persisters import DurableObjectStoragePersister
    from durabase.sync_server import WsServerDurableObject, ws_server_fetch
    from durabase.workers import DurableObject, WorkerEntrypoint

    class Room(WsServerDurableObject):
        def create_persister(self):
            return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)

        async def stored(self):
            return len(await self.ctx.storage.list())

        def abort(self):
            self.ctx.abort("enough")

    class Relay(WsServerDurableObject):
        pass

    class Other(DurableObject):
        pass

    class Default(WorkerEntrypoint):
        fetch = ws_server_fetch("ROOM")
"""


def run(tmp_path: Path, test: Callable[[WorkerHarness], Awaitable[None]]) -> None:
    worker = WorkerHarness(write_program(tmp_path, PROGRAM, TOML), leak_check=True)

    async def use() -> None:
        await test(worker)

    worker.run(use)


async def values(worker: WorkerHarness, path_id: str) -> Any:
    async with object_room(worker.env.ROOM, path_id) as room:
        return room.store.get_values()


def test_an_edit_with_nobody_there_outlives_the_process(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        room = await object_room(worker.env.ROOM, "a%20b")
        room.store.set_value("v", 1)
        await room.saved()
        await worker.crash()
        assert not room.is_open
        with pytest.raises(ServerError, match="'a%20b' has ended"):
            _ = room.store
        await room.close()
        assert await values(worker, "a%20b") == {"v": 1}
        assert await worker.env.ROOM.get_by_name("a%20b").stored() > 0

    run(tmp_path, test)


def test_clients_get_it_when_it_is_safe(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        client = await worker.connect("/p", headers={"sec-websocket-key": "A"})
        async with object_room(worker.env.ROOM, "p") as room:
            await worker.advance(2)
            client.waiting()
            worker.disk.hold()
            room.store.set_value("v", 1)
            await worker.settle()
            assert client.waiting() == []
            worker.disk.release()
            assert '",3,[[{}],[{"v":[1,' in str(await client.receive())
        client.close()
        await client.closed()

    run(tmp_path, test)


def test_the_object_does_not_hibernate_while_its_room_is_open(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        room = await object_room(worker.env.ROOM, "p")
        await worker.advance(600)
        assert room.is_open
        room.store.set_value("v", 1)
        await room.close()
        await worker.advance(60)
        assert worker.runtime.stats().live == 0
        assert await values(worker, "p") == {"v": 1}

    run(tmp_path, test)


def test_the_end_of_the_object_is_the_end_of_the_room(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        room = await object_room(worker.env.ROOM, "p")
        with pytest.raises(Exception, match="enough"):
            await worker.env.ROOM.get_by_name("p").abort()
        assert not room.is_open
        await room.close()
        assert await values(worker, "p") == {}
        room = await object_room(worker.env.ROOM, "p")
        room.store.set_value("v", 1)
        await worker.evict(worker.env.ROOM.get_by_name("p"))
        assert not room.is_open
        assert await values(worker, "p") == {"v": 1}

    run(tmp_path, test)


def test_whoever_gives_up_waiting_keeps_nothing_awake(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        async with object_room(worker.env.ROOM, "p") as room:
            worker.disk.hold()
            room.store.set_value("v", 1)
            opening = asyncio.ensure_future(object_room(worker.env.ROOM, "p")._opens())
            await worker.settle()
            assert not opening.done()  # what an object says waits for the disk
            opening.cancel()
            worker.disk.release()
        await worker.advance(60)
        assert worker.runtime.stats().live == 0

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("binding", "reason"),
    [("RELAY", "create_persister of Relay gives none"), ("OTHER", "Other is no WsServerDurableObject")],
)
def test_not_every_object_has_a_store(binding: str, reason: str, tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        with pytest.raises(ServerError, match=f"'p' has no store: {reason}"):
            await object_room(getattr(worker.env, binding), "p")

    run(tmp_path, test)
