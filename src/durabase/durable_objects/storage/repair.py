"""Making the index of a class agree with the files of its objects, when the class is opened.

A file that was open when the process died has its log beside it still; a file that was closed has told the
index all there was to tell before. So the logs say which objects the index may be wrong about, and no other
file has to be opened. If the index itself is gone, it is made again of all files.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Final

from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.partition import Partition
from durabase.durable_objects.storage.index import IndexEntry
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.record import ObjectRecord, is_empty, read_record
from durabase.errors import StorageFileError

__all__ = ["INDEX_STEM", "repair"]

_logger = logging.getLogger("durabase.durable_objects")

INDEX_STEM: Final = "objects"
"""What the file of the index is called, beside those of the objects."""

BATCH: Final = 100
"""How many files are open at a time."""


def repair(folder: Path, namespace: NamespaceDatabase, partition: Partition, *, every: bool) -> None:
    """Have the index say what the partition's files say: those that were open, or ``every`` one.

    A file that can't be read is left as it is, and reported; its object will tell whoever uses it.

    Raises:
        OSError, sqlite3.Error: the index can't be written.
    """
    suffix = ".sqlite" if every else ".sqlite-wal"
    names = (path.name.removesuffix(suffix) for path in folder.glob(f"*{suffix}"))
    own = (name for name in names if _is_id(name) and partition.owns(bytes.fromhex(name)))
    files = (folder / f"{name}.sqlite" for name in own)
    while batch := list(islice(files, BATCH)):
        _repair(batch, namespace)


def _is_id(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def _repair(files: Iterable[Path], namespace: NamespaceDatabase) -> None:
    """The logs of these files go when they are closed: that is when the index is durable."""
    with ExitStack() as stack:
        records = list(_records(files, stack))
        namespace.database.begin()
        for id, record in records:
            entry = IndexEntry(namespace, id, OutputGate(), lambda error: None)
            if entry.record != record:
                entry.record = record
                entry.end_turn()
            if record is not None and record.alarm is not None:
                namespace.saw_serial(record.alarm.serial)
        namespace.database.commit_now()


def _records(files: Iterable[Path], stack: ExitStack) -> Iterator[tuple[bytes, ObjectRecord | None]]:
    for file in files:
        if not file.exists():  # it was removed, and its log is all that is left
            file.with_name(f"{file.name}-wal").unlink()
            yield bytes.fromhex(file.stem), None
            continue
        try:
            connection = stack.enter_context(closing(sqlite3.connect(file, isolation_level=None)))
            record = read_record(connection)
            if record is not None or is_empty(connection):
                yield bytes.fromhex(file.stem), record
        except (sqlite3.Error, StorageFileError):
            _logger.exception("%s can't be read", file)
