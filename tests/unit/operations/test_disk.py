"""What commits and syncs cost, and that the disk is a disk all the same."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.storage.disk import Connection
from durabase.operations.disk import MeasuredDisk
from durabase.operations.prometheus import Registry

pytestmark = pytest.mark.feature("S-OB-3")


class Measured:
    """A disk, and what is told of it."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.disk = MeasuredDisk(self.registry)

    def value(self, name: str) -> float:
        [line] = [line for line in self.registry.text().splitlines() if line.startswith(f"durabase_{name} ")]
        return float(line.split()[1])


@pytest.fixture(name="connection")
def make_connection(tmp_path: Path) -> Iterator[Connection]:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None, factory=Connection)) as connection:
        connection.execute("CREATE TABLE t (k PRIMARY KEY)")
        yield connection


def write(connection: Connection, *keys: int) -> None:
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?)", [(key,) for key in keys])


def test_commits_are_made_and_timed_and_their_rows_counted(connection: Connection) -> None:
    measured = Measured()
    for keys in ((1, 2, 3), (4,)):
        write(connection, *keys)
        measured.disk.commit(connection)
    assert not connection.in_transaction
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (4,)
    assert measured.value("rows_written_total") == 4
    assert measured.value("commit_seconds_count") == 2
    assert measured.value("commit_failures_total") == 0
    assert connection.told_changes == 4


def test_a_commit_that_fails_is_counted_as_that(connection: Connection) -> None:
    measured = Measured()
    with pytest.raises(sqlite3.OperationalError, match="no transaction is active"):
        measured.disk.commit(connection)
    assert measured.value("commit_failures_total") == 1
    assert measured.value("rows_written_total") == 0
    assert "durabase_commit_seconds_count" not in measured.registry.text()


def test_syncs_are_made_and_timed(tmp_path: Path) -> None:
    measured = Measured()
    with (tmp_path / "log").open("wb") as log:
        log.write(b"x")
        log.flush()
        measured.disk.sync(log.fileno())
        measured.disk.sync(log.fileno())
    assert measured.value("sync_seconds_count") == 2
    assert measured.value("sync_failures_total") == 0


def test_a_sync_that_fails_is_counted_as_that() -> None:
    measured = Measured()
    reading, writing = os.pipe()
    try:
        with pytest.raises(OSError, match="Invalid argument"):
            measured.disk.sync(writing)
    finally:
        os.close(reading)
        os.close(writing)
    assert measured.value("sync_failures_total") == 1
    assert "durabase_sync_seconds_count" not in measured.registry.text()
