"""One object as a document, and back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, DurableObjectId, ObjectClass, ObjectHost
from durabase.errors import ObjectResetError, StorageError
from durabase.operations.objects import ObjectOperations
from durabase.testing.fake_clock import FakeClock

STATEMENTS = (
    "CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)",
    "CREATE TABLE log (n)",
    "CREATE INDEX i ON t (v)",
    "CREATE TRIGGER counted AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.k); END",
    "INSERT INTO t VALUES (1, x'00ff'), (2, 'two')",
)


class Room(DurableObject):
    def fill(self) -> None:
        for statement in STATEMENTS:
            self.ctx.storage.sql.exec(statement)
        self.ctx.storage.put({"a": {1, 2}, "b": b"x"})
        self.ctx.storage.set_alarm(1_900_000_000_000)

    def virtual(self) -> None:
        self.ctx.storage.sql.exec("CREATE VIRTUAL TABLE f USING fts5(text)")

    async def kept(self) -> Any:
        sql = self.ctx.storage.sql
        tables = [[list(row) for row in sql.exec(f"SELECT * FROM {name}").raw()] for name in ("t", "log")]  # noqa: S608
        return tables, await self.ctx.storage.list(), await self.ctx.storage.get_alarm()

    def alarm(self) -> None: ...


def run(folder: Path, scenario: Any) -> None:
    async def main() -> None:
        async with ObjectHost(folder, clock=FakeClock()) as host:
            host.register(ObjectClass("Room", "app-Room", Room, "sqlite"))
            async with asyncio.timeout(30):
                await scenario(host, ObjectOperations(host))

    asyncio.run(main())


def id_of(host: ObjectHost, name: str) -> DurableObjectId:
    return host.namespace("Room").id_from_name(name)


@pytest.mark.feature("S-OB-5")
def test_an_object_is_the_same_elsewhere(tmp_path: Path) -> None:
    async def scenario(host: ObjectHost, operations: ObjectOperations) -> None:
        rooms = host.namespace("Room")
        await rooms.get_by_name("a").fill()
        document = json.loads(json.dumps(await operations.export("Room", id_of(host, "a"))))
        await operations.take_in("Room", id_of(host, "b"), document)
        assert await rooms.get_by_name("b").kept() == await rooms.get_by_name("a").kept()
        again = await operations.export("Room", id_of(host, "b"))
        assert again["schema"] == document["schema"]

    run(tmp_path, scenario)


@pytest.mark.feature("S-OB-5")
def test_a_document_that_can_not_be_taken_in_changes_nothing(tmp_path: Path) -> None:
    async def scenario(host: ObjectHost, operations: ObjectOperations) -> None:
        room = host.namespace("Room").get_by_name("a")
        await room.fill()
        document = await operations.export("Room", id_of(host, "a"))
        document["tables"]["t"]["rows"].append([1, "twice"])
        with pytest.raises(ObjectResetError, match="can't be taken in: UNIQUE constraint failed"):
            await operations.take_in("Room", id_of(host, "a"), document, replace=True)
        (rows, _), entries, alarm = await host.namespace("Room").get_by_name("a").kept()
        assert len(rows) == 2
        assert entries == {"a": {1, 2}, "b": b"x"}
        assert alarm == 1_900_000_000_000

    run(tmp_path, scenario)


@pytest.mark.parametrize("without", ["entries", "alarm"])
def test_a_document_that_is_not_whole_is_refused(tmp_path: Path, without: str) -> None:
    async def scenario(host: ObjectHost, operations: ObjectOperations) -> None:
        await host.namespace("Room").get_by_name("a").fill()
        document = await operations.export("Room", id_of(host, "a"))
        del document[without]
        with pytest.raises(StorageError, match="not whole"):
            await operations.take_in("Room", id_of(host, "a"), document, replace=True)
        assert (await operations.export("Room", id_of(host, "a")))["entries"]

    run(tmp_path, scenario)


def test_virtual_tables_are_refused(tmp_path: Path) -> None:
    async def scenario(host: ObjectHost, operations: ObjectOperations) -> None:
        await host.namespace("Room").get_by_name("a").virtual()
        with pytest.raises(StorageError, match="virtual tables"):
            await operations.export("Room", id_of(host, "a"))

    run(tmp_path, scenario)
