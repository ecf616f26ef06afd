"""Moving what the databases of classes hold to those of another number of partitions.

Done while nobody uses the state directory. The new databases are made whole and durable beside the old
ones; then a marker says how many there are, in one step; then the old ones are deleted. A process that
is killed meanwhile leaves what the marker does not count, and that is deleted the next time. Files of
single objects stay where they are: all partitions share the folder of a class.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from durabase.durable_objects.partition import WHOLE, Partition, partition_of
from durabase.durable_objects.storage.disk import Disk
from durabase.durable_objects.storage.namespace_database import SCHEMA, check_format
from durabase.durable_objects.storage.repair import INDEX_STEM
from durabase.errors import StorageError

__all__ = ["divide"]

MARKER: Final = "partitions.json"

_PARTITIONED = re.compile(rf"{INDEX_STEM}(-(\d+)-of-(\d+))?\.sqlite(-wal|-shm)?")


def divide(state_dir: Path, count: int) -> None:
    """Have the state directory hold ``count`` partitions. The caller has its lock.

    Raises:
        StorageError: a database can't be read or written; nothing was lost, what was there is still used.
    """
    try:
        before = _read(state_dir)
        if before != count:
            for folder in _class_folders(state_dir):
                _delete_others(folder, before)
                _redistribute(folder, before, count)
            _write(state_dir, count)
        elif count == 1 and not (state_dir / MARKER).exists():
            return  # it was never divided
        for folder in _class_folders(state_dir):
            _delete_others(folder, count)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"{state_dir} can't be divided into {count} partitions: {error}") from error


def _class_folders(state_dir: Path) -> list[Path]:
    return [path for path in state_dir.iterdir() if path.is_dir()] if state_dir.is_dir() else []


def _read(state_dir: Path) -> int:
    try:
        text = (state_dir / MARKER).read_text(encoding="utf-8")
    except FileNotFoundError:
        return WHOLE.count
    try:
        return int(json.loads(text)["partitions"])
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{state_dir / MARKER} is damaged: {error!r}") from error


def _write(state_dir: Path, count: int) -> None:
    state_dir.mkdir(parents=True, exist_ok=True)
    new = state_dir / f"{MARKER}.new"
    with new.open("w", encoding="utf-8") as file:
        json.dump({"partitions": count}, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(state_dir / MARKER)
    Disk().sync_folder(state_dir)


def _delete_others(folder: Path, count: int) -> None:
    """Delete the databases of any other number of partitions."""
    for path in folder.iterdir():
        found = _PARTITIONED.fullmatch(path.name)
        if found is not None and int(found[3] or 1) != count:
            path.unlink()


def _redistribute(folder: Path, before: int, count: int) -> None:
    sources = [folder / Partition(index, before).file_name(INDEX_STEM) for index in range(before)]
    sources = [path for path in sources if path.exists()]
    if not sources:
        return  # no class's folder
    for index in range(count):
        target = folder / Partition(index, count).file_name(INDEX_STEM)
        with closing(sqlite3.connect(target, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            connection.create_function("partition_of", 1, lambda id: partition_of(id, count))
            connection.executescript(f"BEGIN; {SCHEMA} COMMIT;")
            for number, source in enumerate(sources):
                _copy(connection, source, index, number, len(sources))
    Disk().sync_folder(folder)


def _copy(connection: sqlite3.Connection, source: Path, index: int, number: int, sources: int) -> None:
    """Copy a partition's objects of one source. Their numbers stay apart from those of other sources."""
    connection.execute("ATTACH ? AS source", (str(source),))
    check_format(connection, source, "source")
    connection.execute("BEGIN")
    connection.execute(
        "CREATE TEMP TABLE moved AS SELECT number AS before, number * ? + ? AS after "
        "FROM source.objects WHERE partition_of(id) = ?",
        (sources, number, index),
    )
    connection.execute("CREATE UNIQUE INDEX temp.moved_before ON moved (before)")
    connection.execute(
        "INSERT INTO main.objects SELECT after, id, name FROM source.objects JOIN moved ON number = before"
    )
    connection.execute(
        "INSERT INTO main.kv SELECT after, key, value FROM source.kv JOIN moved ON object = before"
    )
    connection.execute(
        "INSERT INTO main.alarms SELECT after, scheduled, due, retries, serial "
        "FROM source.alarms JOIN moved ON object = before"
    )
    connection.execute("DROP TABLE moved")
    connection.execute("COMMIT")
    connection.execute("DETACH source")
