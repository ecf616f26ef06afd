"""What is asked of the operating system, by how much of a power cut is to be survived."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.storage.disk import Connection, Disk, Durability

CALLS: list[tuple[Durability, int]] = [("full", 1), ("normal", 0), ("off", 0)]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What has been synced."""
    calls: list[int] = []
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, calls.append, raising=False)
    return calls


@pytest.mark.parametrize(("durability", "count"), CALLS)
def test_logs_and_folders_are_synced_for_full_durability_only(
    tmp_path: Path, calls: list[int], durability: Durability, count: int
) -> None:
    disk = Disk()
    assert disk.durability == "full"
    disk.durability = durability
    disk.sync(99)
    assert calls == [99] * count
    disk.sync_folder(tmp_path)
    assert len(calls) == 2 * count
    if count:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(calls[1])


def test_a_commit_ends_the_transaction(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "d", isolation_level=None, factory=Connection)) as connection:
        assert connection.told_changes == 0
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE t (a)")
        Disk().commit(connection)
        assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
