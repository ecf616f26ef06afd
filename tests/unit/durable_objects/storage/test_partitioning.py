"""Dividing a state directory among processes, and putting it together again."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, ObjectClass, ObjectHost
from durabase.durable_objects.partition import WHOLE, Partition
from durabase.durable_objects.storage import partitioning
from durabase.durable_objects.storage.partitioning import divide
from durabase.errors import StorageError
from durabase.testing import FakeClock

NAMES = [f"room {number}" for number in range(40)]
ALARM = 6 * 10**12


class Room(DurableObject):
    async def write(self, text: str) -> None:
        await self.ctx.storage.put("text", text)
        await self.ctx.storage.set_alarm(ALARM)

    async def read(self) -> Any:
        return await self.ctx.storage.get("text"), await self.ctx.storage.get_alarm()

    async def alarm(self) -> None:
        """It never comes."""


def hosted(folder: Path, partition: Partition = WHOLE) -> ObjectHost:
    host = ObjectHost(folder, clock=FakeClock(), partition=partition)
    host.register(ObjectClass("Keys", "test-Keys", Room, "kv"))
    host.register(ObjectClass("Files", "test-Files", Room, "sqlite"))
    return host


async def write(folder: Path) -> None:
    async with hosted(folder) as host:
        for name in NAMES:
            await host.namespace("Keys").get_by_name(name).write(name)
            await host.namespace("Files").get_by_name(name).write(name)


async def check(folder: Path, count: int) -> None:
    """Each object is where it belongs, and nowhere else."""
    found: list[tuple[str, str | None]] = []
    for index in range(count):
        partition = Partition(index, count)
        async with hosted(folder, partition) as host:
            for class_name in ("Keys", "Files"):
                ids = host.ids(class_name)
                assert all(partition.owns(id.key) for id in ids)
                assert host.classes[class_name].alarm_counts(ALARM) == (len(ids), len(ids))
                for id in ids:
                    assert await host.namespace(class_name).get(id).read() == [id.name, ALARM]
                found += [(class_name, id.name) for id in ids]
    assert sorted(found) == sorted((kind, name) for kind in ("Keys", "Files") for name in NAMES)


def test_objects_are_found_however_often_their_number_of_processes_changes(tmp_path: Path) -> None:
    async def main() -> None:
        await write(tmp_path)
        for count in (1, 3, 3, 2, 5, 1):
            divide(tmp_path, count)
            await check(tmp_path, count)

    asyncio.run(main())


def test_one_process_puts_together_what_was_divided(tmp_path: Path) -> None:
    async def main() -> None:
        await write(tmp_path)
        divide(tmp_path, 2)
        await check(tmp_path, 1)
        assert sorted(path.name for path in (tmp_path / "test-Keys").iterdir()) == ["objects.sqlite"]

    asyncio.run(main())


class _Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["_redistribute", "_write", "_delete_others"])
@pytest.mark.parametrize("calls", [0, 1])
def test_nothing_is_lost_when_the_process_is_killed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, calls: int
) -> None:
    """At the beginning of a step, and after one call of it."""
    left = calls
    step = getattr(partitioning, moment)

    def dying(*arguments: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _Killed
        step(*arguments)

    async def main() -> None:
        await write(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(partitioning, moment, dying)
            try:
                divide(tmp_path, 3)
            except _Killed:
                pass
        divide(tmp_path, 2)
        await check(tmp_path, 2)

    asyncio.run(main())


def test_a_damaged_marker_and_a_damaged_database_are_told_of(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path))
    (tmp_path / "partitions.json").write_text("{")
    with pytest.raises(StorageError, match=r"partitions\.json is damaged"):
        divide(tmp_path, 2)
    (tmp_path / "partitions.json").unlink()
    (tmp_path / "test-Keys" / "objects.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match="can't be divided into 2 partitions"):
        divide(tmp_path, 2)
    assert (tmp_path / "test-Keys" / "objects.sqlite").read_bytes().startswith(b"no database")


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path))
    with sqlite3.connect(tmp_path / "test-Keys" / "objects.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageError, match="has the format 99"):
        divide(tmp_path, 2)


def test_partitions_and_the_whole_keep_each_other_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with hosted(tmp_path, Partition(0, 2)), hosted(tmp_path, Partition(1, 2)):
            with pytest.raises(StorageError, match="in use"):
                await hosted(tmp_path).__aenter__()
            with pytest.raises(StorageError, match="in use"):
                await hosted(tmp_path, Partition(1, 2)).__aenter__()
        async with hosted(tmp_path):
            pass

    asyncio.run(main())
