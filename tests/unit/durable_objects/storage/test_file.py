"""An object's own file: its name and alarm are in it, the index follows, and is repaired after a crash."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import ObjectResetError, StorageError, StorageFileError
from unit.durable_objects.rig import Rig, run


class Ringing(DurableObject):
    async def alarm(self) -> None:
        rung.append(self.ctx.id.name)


rung: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_has_rung() -> None:
    rung.clear()


def fill(instance: Any, ctx: Any) -> None:
    ctx.storage.sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)")


def file_of(rig: Rig, name: str = "x") -> Path:
    (folder,) = (path for path in Path(rig.folder).iterdir() if path.is_dir())
    return folder / f"{rig.namespace.id_from_name(name)}.sqlite"


def names(rig: Rig) -> list[str | None]:
    return [id.name for id in rig.host.ids("Ringing")]


async def crash(rig: Rig, *, without: str = "") -> None:
    """Go on with a copy of the folder as it is now, as after the end of the process."""
    await rig.settle()
    copy = f"{rig.folder}-crashed"
    ignored = shutil.ignore_patterns("lock", "*-shm", *filter(None, [without]))
    shutil.copytree(rig.folder, copy, ignore=ignored)
    await rig.host.__aexit__(None, None, None)
    shutil.rmtree(rig.folder)
    os.rename(copy, rig.folder)
    rig.host = rig._made()
    await rig.host.__aenter__()


@pytest.mark.feature("M-SX-1", "M-NS-6")
def test_an_object_that_has_only_tables_is_listed_with_its_name() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.run_in(fill)
        await rig.settle()
        assert names(rig) == ["x"]
        await rig.restart()
        assert names(rig) == ["x"]
        by_id = rig.namespace.get(rig.namespace.id_from_string(str(rig.namespace.id_from_name("x"))))
        assert by_id.id.name is None
        await rig.run_in(lambda i, ctx: ctx.storage.delete_all())
        await rig.settle()
        assert names(rig) == []

    run(scenario, Ringing, storage="sqlite")


@pytest.mark.feature("M-SX-1")
def test_an_object_that_was_only_read_leaves_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.run_in(lambda i, ctx: ctx.storage.sql.exec("SELECT 1").one())
        await rig.settle()
        assert names(rig) == []
        await rig.pass_time(10)
        await rig.restart()
        assert not file_of(rig).exists()

    run(scenario, Ringing, storage="sqlite")


@pytest.mark.feature("M-SX-1")
def test_a_name_that_is_learnt_later_is_kept() -> None:
    async def scenario(rig: Rig) -> None:
        id = rig.namespace.id_from_name("x")
        unnamed = rig.namespace.get(rig.namespace.id_from_string(str(id)))
        await unnamed.fill()
        await rig.settle()
        assert names(rig) == [None]
        await rig.pass_time(10)
        await rig.stub("x").called()
        await rig.settle()
        assert names(rig) == ["x"]
        await crash(rig, without="objects.sqlite*")
        assert names(rig) == ["x"]

    class Named(Ringing):
        async def fill(self) -> None:
            fill(self, self.ctx)

        async def called(self) -> Any:
            return self.ctx.id.name

    Named.__name__ = "Ringing"
    run(scenario, Named, storage="sqlite")


@pytest.mark.feature("M-AL-1", "M-AL-5")
@pytest.mark.parametrize("index", ["behind", "gone"])
def test_the_alarm_is_in_the_file_and_the_index_is_repaired(index: str) -> None:
    async def scenario(rig: Rig) -> None:
        def set_alarm(instance: Any, ctx: Any) -> None:
            ctx.storage.put("k", 1)
            ctx.storage.set_alarm(rig.clock.now_ms() + 5000)

        await rig.run_in(set_alarm)
        await rig.settle()
        if index == "behind":
            with sqlite3.connect(file_of(rig).with_name("objects.sqlite")) as connection:
                connection.execute("DELETE FROM alarms")
                connection.execute("DELETE FROM objects")
            connection.close()
        await crash(rig, without="objects.sqlite*" if index == "gone" else "")
        assert names(rig) == ["x"]
        await rig.pass_time(4.9)
        assert rung == []
        await rig.pass_time(0.2)
        assert rung == ["x"]

    run(scenario, Ringing, storage="sqlite")


@pytest.mark.feature("M-AL-5")
def test_an_alarm_that_the_file_does_not_know_does_not_ring() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.run_in(fill)
        await rig.run_in(lambda i, ctx: ctx.storage.set_alarm(rig.clock.now_ms() + 5000))
        await rig.settle()
        await rig.pass_time(0)
        with sqlite3.connect(file_of(rig), isolation_level=None) as connection:
            connection.execute("UPDATE _cf_OBJECT SET due = NULL, scheduled = NULL")
        connection.close()
        await rig.pass_time(60)
        assert rung == []

    run(scenario, Ringing, storage="sqlite")


@pytest.mark.feature("M-AL-1")
def test_the_alarm_is_taken_back_with_the_turn() -> None:
    async def scenario(rig: Rig) -> None:
        def abort(instance: Any, ctx: Any) -> None:
            ctx.storage.put("k", 1)
            ctx.storage.set_alarm(rig.clock.now_ms() + 1000)
            ctx.abort()

        with pytest.raises(ObjectResetError):
            await rig.run_in(abort)
        await rig.pass_time(60)
        assert rung == []
        assert names(rig) == []

    run(scenario, Ringing, storage="sqlite")


@pytest.mark.feature("M-AL-2", "M-AL-5")
def test_starting_opens_no_file_of_an_object_that_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    async def scenario(rig: Rig) -> None:
        for name in ("x", "y"):
            await rig.run_in(lambda i, ctx: ctx.storage.set_alarm(rig.clock.now_ms() + 60_000), name)
        await rig.host.__aexit__(None, None, None)
        connect = sqlite3.connect
        monkeypatch.setattr(
            sqlite3, "connect", lambda path, **more: opened.append(Path(path).name) or connect(path, **more)
        )
        rig.host = rig._made()
        await rig.host.__aenter__()
        await rig.pass_time(59)
        assert set(opened) == {"objects.sqlite"}
        await rig.pass_time(2)
        assert sorted(rung) == ["x", "y"]

    run(scenario, Ringing, storage="sqlite")


def damage(path: Path, how: str) -> None:
    if how == "overwritten":
        path.write_bytes(b"this is no database" * 1000)
    elif how == "truncated":
        os.truncate(path, 5000)
    else:
        os.truncate(path, 0)


@pytest.mark.feature("M-LC-11")
@pytest.mark.parametrize("how", ["overwritten", "truncated", "emptied"])
def test_a_damaged_file_is_its_object_s_trouble_alone(how: str) -> None:
    async def scenario(rig: Rig) -> None:
        for name in ("x", "y"):
            await rig.run_in(fill, name)
        await rig.run_in(lambda i, ctx: ctx.storage.put("k", "v" * 20_000))
        await rig.host.__aexit__(None, None, None)
        damage(file_of(rig), how)
        rig.host = rig._made()
        await rig.host.__aenter__()
        for _ in range(2):
            with pytest.raises(StorageFileError, match="can't be used"):
                await rig.run_in(lambda i, ctx: ctx.storage.get("k"))
            with pytest.raises(StorageFileError, match="can't be used"):
                await rig.run_in(lambda i, ctx: ctx.storage.sql.exec("SELECT * FROM t").to_array())
        query = await rig.run_in(lambda i, ctx: len(ctx.storage.sql.exec("SELECT * FROM t").to_array()), "y")
        assert query == 1
        assert names(rig).count("y") == 1

    run(scenario, Ringing, storage="sqlite")


@pytest.mark.feature("M-SX-1")
def test_a_file_of_a_later_version_is_refused() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.run_in(fill)
        await rig.host.__aexit__(None, None, None)
        with sqlite3.connect(file_of(rig)) as connection:
            connection.execute("PRAGMA user_version = 2")
        connection.close()
        rig.host = rig._made()
        await rig.host.__aenter__()
        with pytest.raises(StorageFileError, match="has the format 2; this version reads up to 1"):
            await rig.run_in(lambda i, ctx: ctx.storage.get("k"))

    run(scenario, Ringing, storage="sqlite")


@pytest.mark.feature("S-SX-1")
def test_the_quota_of_an_object() -> None:
    def grow(instance: Any, ctx: Any) -> None:
        ctx.storage.sql.exec("CREATE TABLE big (a)")
        for _ in range(100):
            ctx.storage.sql.exec("INSERT INTO big VALUES (zeroblob(10000))")

    async def scenario(rig: Rig) -> None:
        await rig.run_in(fill)
        with pytest.raises(StorageError, match="database or disk is full: SQLITE_FULL"):
            await rig.run_in(grow)
        with pytest.raises(StorageError, match="SQLITE_FULL"):
            await rig.run_in(lambda i, ctx: ctx.storage.put("k", "v" * 200_000))
        await rig.run_in(grow_little, "y")
        assert await rig.run_in(lambda i, ctx: ctx.storage.sql.exec("SELECT a FROM t").one().a) == 1

    def grow_little(instance: Any, ctx: Any) -> None:
        ctx.storage.put("k", "v" * 20_000)

    run(scenario, Ringing, storage="sqlite", max_database_bytes=200_000)
