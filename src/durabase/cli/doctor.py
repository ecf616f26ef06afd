"""``durabase doctor``: measures what serving needs of a machine, its disk, and the way to the server."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from durabase.cli.admin_client import running_admin
from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.cli.project import load_project
from durabase.cli.way import go
from durabase.durable_objects.storage.lock import FolderLock
from durabase.errors import StorageError, StorageInUseError
from durabase.operations.checkup import (
    Finding,
    judge_disk,
    judge_files,
    judge_space,
    judge_sqlite,
)

__all__ = ["doctor"]

_SIGNS: Final = {"ok": "✓", "warn": "!", "fail": "✘"}
_SYNCS: Final = 20


def doctor(options: argparse.Namespace, console: Console) -> int:
    """Say what is found; 1 if something has failed, else 0."""
    findings = list(_findings(options))
    if options.json:
        console.line(json.dumps([finding._asdict() for finding in findings], ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            console.line(f"  {_SIGNS[finding.level]} {finding.name:<11} {finding.text}")
            if finding.remedy:
                console.line(f"    {'':<11} {finding.remedy}")
    return int(any(finding.level == "fail" for finding in findings))


def _findings(options: argparse.Namespace) -> Iterator[Finding]:
    yield from judge_sqlite(sqlite3.sqlite_version_info, _has_fts5())
    if sys.platform != "win32":
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        yield judge_files(sys.maxsize if soft == resource.RLIM_INFINITY else soft, options.sockets)
    place, *others = options.configs or [options.place]
    asked = ServeOptions(place, tuple(others), environment=options.environment, persist_to=options.persist_to)
    state_dir = load_project(asked).state_dir
    yield from _data(state_dir)
    if options.url is not None:
        yield from go(options.url, options.patience, running_admin(state_dir, options.admin))


def _has_fts5() -> bool:
    with sqlite3.connect(":memory:") as connection:
        (found,) = connection.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()
    connection.close()
    return bool(found)


def _data(folder: Path) -> Iterator[Finding]:
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    try:
        seconds = _sync_seconds(there)
    except OSError as error:
        remedy = "let the user that serves write there"
        yield Finding("Data", "fail", f"{there}: {error.strerror or error}", remedy)
        return
    yield _use(folder)
    yield judge_disk(seconds)
    yield judge_space(shutil.disk_usage(there).free)


def _use(folder: Path) -> Finding:
    if not folder.is_dir():
        return Finding("Data", "ok", f"{folder} is made when it is needed")
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except StorageInUseError:
        return Finding("Data", "ok", f"{folder} is in use by a server")
    except StorageError as error:
        return Finding("Data", "fail", str(error), "let the user that serves write there")
    lock.release()
    return Finding("Data", "ok", f"{folder}, no server uses it")


def _sync_seconds(folder: Path) -> float:
    """The median of some writes that are synced."""
    taken = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken)
