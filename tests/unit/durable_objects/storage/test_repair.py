"""Which files an index is compared with when its class is opened, and what it says then."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.partition import WHOLE, Partition
from durabase.durable_objects.storage import repair as module
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.record import ObjectRecord, write_record
from durabase.durable_objects.storage.repair import repair
from durabase.durable_objects.storage.store import AlarmRow

ALARM = AlarmRow(5, 6, 1, 40)


def id_of(number: int) -> bytes:
    return number.to_bytes(8) + bytes(24)


def file_of(folder: Path, number: int, record: ObjectRecord | None = None, *, was_open: bool = True) -> Path:
    """The file of an object, and its log if the process died while it was open."""
    path = folder / f"{id_of(number).hex()}.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        if record is not None:
            write_record(connection, record)
        connection.execute("PRAGMA journal_mode = WAL")
    if was_open:
        path.with_name(f"{path.name}-wal").touch()
    return path


def repaired(folder: Path, partition: Partition = WHOLE, *, every: bool = False) -> tuple[list[bytes], int]:
    """The ids in the index then, and the next serial number of an alarm."""

    async def main() -> tuple[list[bytes], int]:
        with ThreadPoolExecutor(1) as executor:
            path = folder / "objects.sqlite"
            namespace = NamespaceDatabase(path, asyncio.get_running_loop(), executor)
            try:
                repair(folder, namespace, partition, every=every)
                found = [id for id, _ in namespace.ids()], namespace.new_serial()
            finally:
                await namespace.database.close()
        return found

    return asyncio.run(main())


def in_index(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "objects.sqlite")) as connection:
        query = "SELECT id, name, due FROM objects LEFT JOIN alarms ON object = number ORDER BY id"
        return connection.execute(query).fetchall()


def test_objects_whose_files_were_open_are_entered_with_names_and_alarms(tmp_path: Path) -> None:
    file_of(tmp_path, 1, ObjectRecord(id_of(1), "x", ALARM))
    file_of(tmp_path, 2, ObjectRecord(id_of(2)))
    file_of(tmp_path, 3, ObjectRecord(id_of(3)), was_open=False)
    ids, serial = repaired(tmp_path)
    assert ids == [id_of(1), id_of(2)]
    assert serial == ALARM.serial + 1
    assert in_index(tmp_path) == [(id_of(1), b"x", 6), (id_of(2), None, None)]


def test_every_file_is_asked_if_the_index_is_gone(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        file_of(tmp_path, number, ObjectRecord(id_of(number)), was_open=False)
    assert repaired(tmp_path)[0] == []
    assert repaired(tmp_path, every=True)[0] == [id_of(1), id_of(2), id_of(3)]


def test_what_an_index_says_otherwise_is_set_right(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        file_of(tmp_path, number, ObjectRecord(id_of(number), "old", ALARM))
    repaired(tmp_path)
    file_of(tmp_path, 1, ObjectRecord(id_of(1), "new"))
    file_of(tmp_path, 2).unlink()
    file_of(tmp_path, 2)  # it is empty now
    repaired(tmp_path)
    assert in_index(tmp_path) == [(id_of(1), b"new", None), (id_of(3), b"old", 6)]


def test_a_log_of_a_file_that_is_gone_goes_too_with_the_entry(tmp_path: Path) -> None:
    file = file_of(tmp_path, 1, ObjectRecord(id_of(1)))
    repaired(tmp_path)
    file.unlink()
    log = file.with_name(f"{file.name}-wal")
    log.touch()
    assert repaired(tmp_path)[0] == []
    assert not log.exists()


def test_other_files_and_other_partitions_are_left_alone(tmp_path: Path) -> None:
    for name in ("objects.sqlite-wal", "x.sqlite-wal", f"{'A' * 64}.sqlite-wal", f"{'0' * 63}.sqlite-wal"):
        (tmp_path / name).touch()
    for number in range(6):
        file_of(tmp_path, number, ObjectRecord(id_of(number)))
    assert repaired(tmp_path, Partition(1, 3))[0] == [id_of(1), id_of(4)]
    assert (tmp_path / "x.sqlite-wal").exists()


@pytest.mark.parametrize("how", ["damaged", "later"])
def test_a_file_that_can_not_be_read_is_reported_and_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    file = file_of(tmp_path, 1, ObjectRecord(id_of(1), "x"))
    repaired(tmp_path)
    if how == "damaged":
        file.write_bytes(b"no database" * 1000)
    else:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("PRAGMA user_version = 9")
    file.with_name(f"{file.name}-wal").touch()
    file_of(tmp_path, 2, ObjectRecord(id_of(2)))
    before = file.read_bytes()
    with caplog.at_level(logging.ERROR, "durabase.durable_objects"):
        assert repaired(tmp_path)[0] == [id_of(1), id_of(2)]
    assert [record.getMessage() for record in caplog.records] == [f"{file} can't be read"]
    assert file.read_bytes() == before


def test_a_file_of_somebody_else_is_no_object(tmp_path: Path) -> None:
    file = file_of(tmp_path, 1)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE t (a)")
    assert repaired(tmp_path, every=True)[0] == []


def test_many_files_are_opened_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    for number in range(5):
        file_of(tmp_path, number, ObjectRecord(id_of(number)))
    assert repaired(tmp_path)[0] == [id_of(number) for number in range(5)]
