"""Transactions and durability of what they and others write."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.durable_objects.storage.disk import Disk, Durability
from durabase.testing.faulty_disk import FaultyDisk
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.storage.test_kv import WithAlarm, both_kinds, in_object


@pytest.mark.feature("M-GT-7")
@in_object(WithAlarm)
async def test_a_synchronous_transaction_covers_the_alarm(storage: Any) -> None:
    def fails() -> None:
        storage.set_alarm(1_900_000_000_000)
        storage.delete_alarm()
        storage.put("k", 1)
        raise ValueError("undo")

    for before in (None, 1_800_000_000_000):
        if before is not None:
            await storage.set_alarm(before)
        await storage.sync()
        with pytest.raises(ValueError, match="undo"):
            storage.transaction_sync(fails)
        assert await storage.get_alarm() == before
        assert await storage.list() == {}


@pytest.mark.feature("M-GT-7")
@in_object()
async def test_an_asynchronous_closure_of_a_synchronous_transaction_is_not_part_of_it(storage: Any) -> None:
    async def later() -> None:
        await storage.put("k", 1)
        raise ValueError("later")

    under_way = storage.transaction_sync(later)
    with pytest.raises(ValueError, match="later"):
        await under_way
    assert await storage.get("k") == 1


@pytest.mark.feature("M-GT-7", "M-GT-8")
@both_kinds
def test_the_object_lives_on_after_a_transaction_that_failed(kind: str) -> None:
    async def scenario(rig: Rig) -> None:
        async def fail(instance: Any, ctx: Any) -> None:
            async def closure(txn: Any) -> None:
                await txn.put("k", 1)
                raise ValueError

            for transaction in (ctx.storage.transaction, lambda closure: ctx.storage.transaction_sync(bad)):
                with pytest.raises(ValueError):
                    await transaction(closure)
            instance.seen = "the same instance"

        def bad() -> None:
            raise ValueError

        await rig.run_in(fail)
        assert await rig.run_in(lambda instance, ctx: instance.seen) == "the same instance"
        assert await rig.run_in(lambda instance, ctx: ctx.storage.list()) == {}

    run(scenario, storage=kind)


@pytest.mark.feature("M-GT-8")
@both_kinds
def test_nobody_comes_in_while_a_transaction_runs(kind: str) -> None:
    async def scenario(rig: Rig) -> None:
        async def count(instance: Any, ctx: Any) -> int:
            async def closure(txn: Any) -> int:
                number = (await txn.get("n") or 0) + 1
                await asyncio.sleep(0.001)
                await txn.put("n", number)
                return number

            return await ctx.storage.transaction(closure)

        counts = await asyncio.gather(*(rig.run_in(count) for _ in range(5)))
        assert counts == [1, 2, 3, 4, 5]

    run(scenario, storage=kind)


@pytest.mark.feature("M-GT-8")
@in_object(WithAlarm)
async def test_what_is_written_after_a_rollback_within_the_transaction_is_kept(storage: Any) -> None:
    async def closure(txn: Any) -> None:
        await txn.setAlarm(1_900_000_000_000)
        await txn.put("undone", 1)
        txn.rollback()
        txn.rollback()
        await storage.put("kept", 1)

    await storage.transaction(closure)
    assert await storage.list() == {"kept": 1}
    assert await storage.get_alarm() is None


@pytest.mark.feature("M-GT-9")
@pytest.mark.parametrize("options", [{}, {"allow_unconfirmed": True}])
@both_kinds
def test_sync_waits_until_what_was_written_is_durable(options: dict[str, Any], kind: str) -> None:
    order: list[str] = []

    async def scenario(rig: Rig) -> None:
        disk: FaultyDisk = rig.options["disk"]

        async def write(instance: Any, ctx: Any) -> None:
            ctx.storage.put("k", 1, **options)
            await ctx.storage.sync()
            order.append("synced")

        disk.hold()
        event = asyncio.ensure_future(rig.run_in(write))
        for _ in range(40):
            await asyncio.sleep(0)
        order.append("released")
        disk.release()
        await event
        assert order == ["released", "synced"]

    run(scenario, storage=kind, disk=FaultyDisk(Rig("", ()).clock))


class Counted(Disk):
    """Counts what is asked of the operating system."""

    def __init__(self, durability: Durability) -> None:
        self.durability = durability
        self.commits = 0

    def commit(self, connection: sqlite3.Connection) -> None:
        self.commits += 1
        super().commit(connection)


@pytest.mark.feature("S-SX-2")
@pytest.mark.parametrize(
    ("durability", "syncs", "mode"), [("full", True, 1), ("normal", False, 1), ("off", False, 0)]
)
@both_kinds
def test_how_durable_commits_are(
    durability: Durability, syncs: bool, mode: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fdatasync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(file) or fdatasync(file))

    async def scenario(rig: Rig) -> None:
        await rig.run_in(lambda instance, ctx: ctx.storage.put("k", 1))
        assert bool(synced) is syncs
        (hosted,) = rig.host.classes.values()
        (synchronous,) = hosted._open_database().connection.execute("PRAGMA synchronous").fetchone()
        assert synchronous == mode
        await rig.restart()
        assert await rig.run_in(lambda instance, ctx: ctx.storage.get("k")) == 1

    run(scenario, storage=kind, disk=Counted(durability))


@pytest.mark.feature("S-SX-2")
def test_commits_of_many_objects_are_made_together() -> None:
    disk = Counted("full")

    async def scenario(rig: Rig) -> None:
        stubs = [rig.stub(f"o{number}") for number in range(50)]
        await asyncio.gather(*(stub.save() for stub in stubs))
        assert disk.commits <= 3
        assert len(rig.host.ids("Saving")) == 50

    run(scenario, Saving, disk=disk)


class Saving(DurableObject):
    async def save(self) -> None:
        await self.ctx.storage.put("k", 1)
