"""What commits cost: how long they take, until they are durable too, and what they write."""

from __future__ import annotations

import sqlite3
from threading import Lock
from time import perf_counter

from durabase.durable_objects.storage.disk import Connection, Disk
from durabase.operations.prometheus import Counter, Histogram, Registry

__all__ = ["MeasuredDisk"]


class MeasuredDisk(Disk):
    """The plain disk, measured: one sync makes the commits durable of all objects that wrote meanwhile."""

    def __init__(self, registry: Registry) -> None:
        self._commit_seconds = registry.add(
            Histogram("durabase_commit_seconds", "How long commits took, which the event loop waits for.")
        )
        self._commits_failed = registry.add(Counter("durabase_commit_failures_total", "Commits that failed."))
        self._rows = registry.add(
            Counter("durabase_rows_written_total", "Rows, or keys, that commits have written or deleted.")
        )
        self._seconds = registry.add(
            Histogram("durabase_sync_seconds", "How long it took to make commits durable.")
        )
        self._failed = registry.add(
            Counter("durabase_sync_failures_total", "Commits that could not be made durable.")
        )
        self._lock = Lock()

    def commit(self, connection: Connection) -> None:
        """End the open transaction."""
        begun = perf_counter()
        try:
            super().commit(connection)
        except sqlite3.Error:
            self._commits_failed.add()
            raise
        self._commit_seconds.observe(perf_counter() - begun)
        changes = connection.total_changes
        self._rows.add(amount=changes - connection.told_changes)
        connection.told_changes = changes

    def sync(self, log: int) -> None:
        """Make the log durable."""
        begun = perf_counter()
        try:
            super().sync(log)
        except OSError:
            with self._lock:
                self._failed.add()
            raise
        took = perf_counter() - begun
        with self._lock:  # several threads sync
            self._seconds.observe(took)
