"""A disk on which commits fail, take long, or are the last thing that happens."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Final

from durabase.clock import TimerClock
from durabase.durable_objects.storage.disk import Connection, Disk

__all__ = ["FaultyDisk"]

_ERROR: Final = "disk I/O error"


class FaultyDisk(Disk):
    """The disk under the objects of a worker under test. It works until it is told not to.

    A commit has two parts: what was written is appended to a log, and the log is made durable. Only then
    does anything leave the object.

    Args:
        clock: by which slow commits take their time.
    """

    def __init__(self, clock: TimerClock) -> None:
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failures = 0
        self._dies_before = self._dies_after = False
        self._seconds = 0.0
        self._committed_ms = 0
        self._is_held = False
        self._waiting: set[Event] = set()
        self._rearranging = Lock()

    # What tests say

    def fail_next_commits(self, count: int = 1) -> None:
        """Let the next commits fail: the objects that wrote are reset, what they wrote is lost."""
        self._failures = count

    def die_before_commit(self) -> None:
        """Let the next commit, and all after it, not happen: the process ends just before.

        Objects are reset instead. ``crash()`` of the worker comes next.
        """
        self._dies_before = True

    def die_after_commit(self) -> None:
        """Let the next commit be the last thing that happens: it is durable, and nobody learns of it.

        Objects are reset instead. ``crash()`` of the worker comes next.
        """
        self._dies_after = True

    def hold(self) -> None:
        """Let commits take until :meth:`release`: nothing leaves objects that have written."""
        self._is_held = True

    def release(self) -> None:
        """Let commits go on that were held."""
        self._is_held = False
        self._wake()

    def slow_down(self, seconds: float) -> None:
        """Let each commit take so many seconds of the clock; 0: as long as it takes."""
        self._seconds = seconds

    def heal(self) -> None:
        """Work again."""
        self._failures = 0
        self._dies_before = self._dies_after = False
        self._seconds = 0.0
        self.release()

    @property
    def delays(self) -> bool:
        """Whether commits take until the test, or the clock, lets them end."""
        return self._is_held or self._seconds > 0

    @property
    def is_waiting(self) -> bool:
        """Whether commits wait for the test, or for the clock."""
        return bool(self._waiting)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing moves from file to file meanwhile, so that files can be copied as they are."""
        with self._rearranging:
            yield

    # What the storage asks

    def commit(self, connection: Connection) -> None:
        """End the transaction, or fail."""
        self._loop = asyncio.get_running_loop()
        if self._dies_before or self._failures:
            self._failures = max(self._failures - 1, 0)
            raise sqlite3.OperationalError(_ERROR)
        self._committed_ms = self._clock.now_ms()
        super().commit(connection)

    def sync(self, log: int) -> None:
        """Make the log durable, now or later, or fail."""
        if self._seconds or self._is_held:
            self._wait()
        super().sync(log)
        if self._dies_after:
            self._dies_before = True
            raise OSError(_ERROR)

    def rearrange(self, action: Callable[[], object]) -> None:
        """Do it, but not while the disk is to be still."""
        with self._rearranging:
            super().rearrange(action)

    def _wait(self) -> None:
        go_on = Event()
        self._waiting.add(go_on)  # before looking, for the test may release meanwhile
        if self._is_held:
            go_on.wait()
        elif self._seconds and self._loop is not None:
            due_ms = self._committed_ms + self._seconds * 1000  # however late this thread is
            self._loop.call_soon_threadsafe(self._wake_at, due_ms, go_on)
            go_on.wait()
        self._waiting.discard(go_on)

    def _wake_at(self, due_ms: float, go_on: Event) -> None:
        left = due_ms - self._clock.now_ms()
        if left > 0:
            self._clock.call_later(left / 1000, go_on.set)
        else:
            go_on.set()

    def _wake(self) -> None:
        for go_on in list(self._waiting):
            go_on.set()
