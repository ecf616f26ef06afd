"""How long commits take until they are durable."""

from __future__ import annotations

from threading import Lock
from time import perf_counter

from durabase.durable_objects.storage.engine import Disk
from durabase.operations.prometheus import Counter, Histogram, Registry

__all__ = ["MeasuredDisk"]


class MeasuredDisk(Disk):
    """The plain disk, measured: one sync makes the commits durable of all objects that wrote meanwhile."""

    def __init__(self, registry: Registry) -> None:
        self._seconds = registry.add(
            Histogram("durabase_sync_seconds", "How long it took to make commits durable.")
        )
        self._failed = registry.add(
            Counter("durabase_sync_failures_total", "Commits that could not be made durable.")
        )
        self._lock = Lock()

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
