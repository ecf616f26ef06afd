"""Copies of single objects: made while they run, and put back."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.durable_objects.hosted import ClassHost
from durabase.durable_objects.storage.object_copy import CopyLabel, read_label
from durabase.errors import ObjectError, ObjectResetError, StorageError, StorageFileError
from durabase.testing.faulty_disk import FaultyDisk
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.storage.test_kv import both_kinds

pytestmark = [pytest.mark.feature("S-SX-4")]


class Keeping(DurableObject):
    def alarm(self) -> None: ...


def hosted(rig: Rig) -> ClassHost:
    (found,) = rig.host.classes.values()
    return found


def id_of(rig: Rig, name: str = "x") -> Any:
    return rig.namespace.id_from_name(name)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy"


async def keep(rig: Rig, number: int, name: str = "x") -> None:
    def write(instance: Any, ctx: Any) -> None:
        ctx.storage.put({"number": number, "big": "x" * 50_000})
        ctx.storage.set_alarm(1_900_000_000_000 + number)
        if rig.options["storage"] == "sqlite":
            ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS t (n)")
            ctx.storage.sql.exec("INSERT INTO t VALUES (?)", number)
            ctx.storage.sql.exec("CREATE VIRTUAL TABLE IF NOT EXISTS docs USING fts5(text)")

    await rig.run_in(write, name)


async def kept(rig: Rig, name: str = "x") -> tuple[Any, ...]:
    async def read(instance: Any, ctx: Any) -> tuple[Any, ...]:
        rows = ()
        if rig.options["storage"] == "sqlite":
            rows = tuple(row.n for row in ctx.storage.sql.exec("SELECT n FROM t ORDER BY n"))
        return await ctx.storage.get("number"), (await ctx.storage.get_alarm()) - 1_900_000_000_000, rows

    return tuple(await rig.run_in(read, name))


def rows(rig: Rig, *numbers: int) -> tuple[int, ...]:
    return numbers if rig.options["storage"] == "sqlite" else ()


@both_kinds
@pytest.mark.parametrize("asleep", [False, True])
def test_an_object_is_copied_and_put_back(kind: str, asleep: bool, copy: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await keep(rig, 1)
        await hosted(rig).copy(id_of(rig), copy)
        label = CopyLabel("Keeping", rig.clock.now_ms(), id_of(rig).key, "x", kind == "sqlite")
        assert read_label(copy) == label
        await keep(rig, 2)
        assert await kept(rig) == (2, 2, rows(rig, 1, 2))
        if asleep:
            await rig.pass_time(20)
        await hosted(rig).restore(id_of(rig), copy)
        assert [alarm.scheduled for _, alarm in hosted(rig).due(1 << 60)] == [1_900_000_000_001]
        assert await kept(rig) == (1, 1, rows(rig, 1))
        await keep(rig, 3)
        await rig.restart()
        assert await kept(rig) == (3, 3, rows(rig, 1, 3))
        assert [id.name for id in rig.host.ids("Keeping")] == ["x"]

    run(scenario, Keeping, storage=kind)


@both_kinds
def test_a_copy_is_of_turns_that_are_committed(kind: str, copy: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await keep(rig, 1)

        async def half(instance: Any, ctx: Any) -> None:
            async def closure(txn: Any) -> None:
                await txn.put("number", 2)
                await hosted(rig).copy(id_of(rig), copy)
                await txn.set_alarm(1_900_000_000_002)

            await ctx.storage.transaction(closure)

        await rig.run_in(half)
        await hosted(rig).restore(id_of(rig), copy)
        assert await kept(rig) == (1, 1, rows(rig, 1))

    run(scenario, Keeping, storage=kind)


@both_kinds
def test_a_copy_may_become_another_object(kind: str, copy: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await keep(rig, 1)
        await hosted(rig).copy(id_of(rig), copy)
        await hosted(rig).restore(id_of(rig, "y"), copy)
        await keep(rig, 2)
        assert await kept(rig, "y") == (1, 1, rows(rig, 1))
        await rig.restart()
        assert sorted(id.name or "" for id in rig.host.ids("Keeping")) == ["x", "y"]
        assert await kept(rig) == (2, 2, rows(rig, 1, 2))
        assert await rig.run_in(lambda instance, ctx: ctx.id.name, "y") == "y"

    run(scenario, Keeping, storage=kind)


@both_kinds
def test_restoring_resets_and_events_wait_for_the_end(kind: str, copy: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await keep(rig, 1)
        await hosted(rig).copy(id_of(rig), copy)
        await keep(rig, 2)
        waiting = asyncio.Event()
        under_way = asyncio.ensure_future(rig.run_in(lambda instance, ctx: waiting.wait()))
        await rig.settle()
        restoring = asyncio.ensure_future(hosted(rig).restore(id_of(rig), copy))
        await asyncio.sleep(0)
        with pytest.raises(ObjectError, match="is being restored already"):
            await hosted(rig).restore(id_of(rig), copy)
        read = asyncio.ensure_future(kept(rig))
        with pytest.raises(ObjectResetError, match="restored from a copy"):
            await under_way
        await restoring
        assert await read == (1, 1, rows(rig, 1))

    run(scenario, Keeping, storage=kind)


@both_kinds
def test_an_object_that_keeps_nothing(kind: str, copy: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await keep(rig, 1)
        await hosted(rig).copy(id_of(rig), copy)
        await rig.run_in(lambda instance, ctx: ctx.storage.delete_all())
        await rig.pass_time(20)
        await hosted(rig).restore(id_of(rig), copy)
        assert await kept(rig) == (1, 1, rows(rig, 1))

    run(scenario, Keeping, storage=kind)


@both_kinds
def test_a_restore_that_fails_changes_nothing(kind: str, copy: Path) -> None:
    disk = FaultyDisk(Rig("", ()).clock)

    async def scenario(rig: Rig) -> None:
        await keep(rig, 1)
        await hosted(rig).copy(id_of(rig), copy)
        await keep(rig, 2)
        await rig.settle()
        os.truncate(copy, 8192)
        with pytest.raises(StorageError):
            await hosted(rig).restore(id_of(rig), copy)
        assert await kept(rig) == (2, 2, rows(rig, 1, 2))

    run(scenario, Keeping, storage=kind, disk=disk)


def test_a_damaged_file_is_put_aside(copy: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await keep(rig, 1)
        await hosted(rig).copy(id_of(rig), copy)
        await rig.host.__aexit__(None, None, None)
        file = hosted(rig).folder / f"{id_of(rig)}.sqlite"
        await asyncio.to_thread(file.write_bytes, b"this is no database" * 1000)
        rig.host = rig._made()
        await rig.host.__aenter__()
        with pytest.raises(StorageFileError):
            await kept(rig)
        with pytest.raises(StorageFileError, match="can't be copied"):
            await hosted(rig).copy(id_of(rig), copy.with_name("other"))
        await hosted(rig).restore(id_of(rig), copy)
        assert await kept(rig) == (1, 1, (1,))
        assert file.with_suffix(".damaged").read_bytes().startswith(b"this is no")

    run(scenario, Keeping, storage="sqlite")


@pytest.fixture
def good(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "good"

    async def scenario(rig: Rig) -> None:
        await keep(rig, 1)
        await hosted(rig).copy(id_of(rig), path)

    run(scenario, Keeping, storage="sqlite")
    return path


def test_what_is_no_copy(good: Path, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("x" * 5000)
    other = tmp_path / "other"
    sqlite3.connect(other).execute("CREATE TABLE t (a)")
    for path in (text, other):
        with pytest.raises(StorageFileError, match="is no copy of an object"):
            read_label(path)
    damaged = Path(shutil.copy(good, tmp_path / "damaged"))
    with damaged.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(StorageFileError, match="damaged"):
        read_label(damaged)
    later = Path(shutil.copy(good, tmp_path / "later"))
    connection = sqlite3.connect(later)
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()
    with pytest.raises(StorageFileError, match="has the format 99"):
        read_label(later)
