"""What is measured of the process: memory, files, threads, and how late the event loop is."""

from __future__ import annotations

import os
import threading
import time
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from pathlib import Path
from typing import Final

from durabase.operations.prometheus import Gauge, Registry

__all__ = ["LagReader", "LoopLag", "add_process_metrics"]

INTERVAL_SECONDS: Final = 0.25

_SELF: Final = Path("/proc/self")


class LagReader:
    """How late the event loop has called back at most, since this one has last asked."""

    def __init__(self, close: Callable[[LagReader], object]) -> None:
        self.longest = 0.0
        self._close = close

    def take_longest(self) -> float:
        """The longest delay in seconds since this was last called."""
        longest, self.longest = self.longest, 0.0
        return longest

    def close(self) -> None:
        """Ask no more."""
        self._close(self)


class LoopLag:
    """Measures how late the event loop calls back.

    Args:
        loop: the event loop.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._due = 0.0
        self._readers: set[LagReader] = set()
        self._timer: TimerHandle | None = None

    def start(self) -> None:
        """Measure from now on."""
        self._due = self._loop.time() + INTERVAL_SECONDS
        self._timer = self._loop.call_at(self._due, self._called)

    def stop(self) -> None:
        """Measure no more."""
        if self._timer is not None:
            self._timer.cancel()

    def reader(self) -> LagReader:
        """One more who asks."""
        reader = LagReader(self._readers.discard)
        self._readers.add(reader)
        return reader

    def _called(self) -> None:
        late = self._loop.time() - self._due
        for reader in self._readers:
            reader.longest = max(reader.longest, late)
        self.start()


def add_process_metrics(registry: Registry, lag: LoopLag) -> None:
    """Add what is known of this process, under the names that Prometheus's own clients give."""
    started, longest = time.time(), lag.reader().take_longest
    registry.add(
        Gauge("durabase_event_loop_lag_seconds", "The longest delay since the last scrape.", longest)
    )
    registry.add(Gauge("process_start_time_seconds", "When it began.", lambda: started))
    registry.add(Gauge("process_cpu_seconds_total", "CPU time.", time.process_time, kind="counter"))
    registry.add(Gauge("process_threads", "Threads of Python.", threading.active_count))
    if (_SELF / "fd").is_dir():  # on Linux
        registry.add(Gauge("process_resident_memory_bytes", "Memory in use.", _resident_bytes))
        registry.add(
            Gauge("process_open_fds", "Open files and sockets.", lambda: len(os.listdir(_SELF / "fd")))
        )


def _resident_bytes() -> float:
    return int((_SELF / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
