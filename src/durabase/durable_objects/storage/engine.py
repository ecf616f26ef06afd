"""Where turns are committed: one SQLite file, written on the event loop, synced on a thread.

A *turn* is one visit of the event loop. Turns that have ended are the next *group*. As soon as the sync
of the group before it is done a group is written and committed as one transaction, so the busier the disk,
the larger the groups. Committing appends to SQLite's write-ahead log without waiting; a thread then makes
the log durable, and only when it has are the stores told. After a power cut SQLite finds whole groups, the
last durable one at least.

A turn that *may wait* is committed when anything waits for it, with the next that may not wait, or some
milliseconds later: the more turns a commit covers, the less each of them costs.

Why not write on the thread: Python's interpreter lock would be handed to and fro for every row, and
a loop that reads while a thread writes needs a second view of the data. Writing a group costs the loop
some microseconds; waiting for the disk, which is what takes long, costs it nothing. For the same reason
nothing is written while the thread syncs.
"""

from __future__ import annotations

import os
import sqlite3
from asyncio import AbstractEventLoop, Future, TimerHandle
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final, Protocol, final

from durabase.durable_objects.storage.disk import Connection, Disk
from durabase.errors import StorageError

__all__ = ["Database", "LogFollower", "TurnStore"]

ROWS_AT_ONCE: Final = 512
"""So many rows of a store are written in one visit of the loop; that takes half a millisecond or so."""
SECONDS_AT_ONCE = 0.001
"""After so long what is left of a group is written in the next visit: rooms then bring more to it at once."""
PATIENCE_SECONDS = 0.005
"""So long a turn that may wait is not committed, unless anything waits for it."""
CHECKPOINT_CHANGES = 16_000
"""After so many the log is folded into the file, on the thread: whoever waits for the disk waits for that."""
CHECKPOINT_BYTES: Final = 16 * 1024 * 1024

_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA wal_autocheckpoint=0",
    f"PRAGMA journal_size_limit={CHECKPOINT_BYTES}",
    "PRAGMA foreign_keys=ON",
)


class TurnStore(Protocol):
    """Somebody who writes to a :class:`Database` in turns."""

    def end_turn(self) -> int | None:
        """The turn is over: what it wrote counts.

        Returns:
            a number for it; ``None`` if there is nothing to be committed.
        """

    def write_turns(self, most: int) -> int:
        """Write what turns that have ended brought and what is not written yet, ``most`` rows of it at most.

        Returns:
            how many rows were written. If that is ``most`` there may be more: then it is called again, and
            the group is not committed before.
        """

    def durable(self, turn: int) -> None:
        """The turn of this number, and all before it, will not be lost."""

    def failed(self, error: Exception) -> None:
        """A turn that was not durable yet is lost."""


class LogFollower(Protocol):
    """Somebody who wants to know all that is in the log of a :class:`Database`. Called on threads."""

    def synced(self) -> None:
        """The log was made durable."""

    def folding(self) -> AbstractContextManager[None]:
        """Entered while the log is folded into the file: what is folded may be overwritten later."""

    def close(self, close_database: Callable[[], object]) -> None:
        """Close the database by calling this: it folds all of the log, and removes it."""


@final
class Database:
    """One SQLite file with group commit.

    Args:
        path: the file; it and its folder are made if they are not there.
        loop: the event loop that uses it.
        executor: where syncs run.
        every_turn: stores write and commit each of their turns themselves when it ends, also while a sync
            runs, so that the one under way can be rolled back alone. For files of one object.
        disk: makes the commits.

    Attributes:
        follower: is told of the log; to be set before anything is written.

    Raises:
        sqlite3.Error: it can't be opened, or is no database.
    """

    def __init__(
        self,
        path: Path,
        loop: AbstractEventLoop,
        executor: Executor,
        *,
        every_turn: bool = False,
        disk: Disk | None = None,
    ) -> None:
        new = not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.disk = disk or Disk()
        self.connection = _connected(path)
        if self.disk.durability == "off":
            self.connection.execute("PRAGMA synchronous=OFF")
        if new:
            self.disk.sync_folder(path.parent)
        self.follower: LogFollower | None = None
        self._loop = loop
        self._executor = executor
        self._every_turn = every_turn
        self._dirty: dict[TurnStore, None] = {}
        self._ended: dict[TurnStore, int] = {}
        self._group: dict[TurnStore, int] = {}
        self._unwritten: deque[TurnStore] = deque()  # of the group
        self._syncing: dict[TurnStore, int] | None = None
        self._turn_scheduled = False
        self._is_urgent = False  # something that has not begun to be committed may not wait
        self._patience: TimerHandle | None = None
        self._idle: list[Future[None]] = []
        self._log: int | None = None
        self._log_size = 0
        self._changes = 0
        self._broken: Exception | None = None

    def end_turn_soon(self, store: TurnStore, *, may_wait: bool = False) -> None:
        """``store`` has written; have it end its turn when this visit of the loop is over.

        Args:
            may_wait: there is no hurry to commit that, until :meth:`hurry` is called.
        """
        self._dirty[store] = None
        self._is_urgent |= not may_wait
        self._schedule()

    def hurry(self) -> None:
        """Something waits for what was written so far."""
        if not self._is_urgent and (self._dirty or self._ended):
            self._is_urgent = True
            self._schedule()

    def end_turn_now(self, store: TurnStore) -> None:
        """End the turn of ``store`` at once: what it wrote so far and what it writes next are two turns."""
        if store in self._dirty:
            del self._dirty[store]
            self._end([store])
            self.hurry()

    def forget(self, store: TurnStore) -> None:
        """What ``store`` wrote in the current turn is not wanted any more."""
        self._dirty.pop(store, None)

    def begin(self) -> None:
        """Make sure that a transaction is open."""
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN IMMEDIATE")

    def commit_now(self) -> None:
        """Commit what was written by way of the connection, and wait until it is durable: before a start.

        Raises:
            OSError, sqlite3.Error: that failed.
        """
        self.disk.commit(self.connection)
        self._sync_log()

    async def settle(self) -> None:
        """Wait until everything that was written is durable, or lost."""
        while self._dirty or self._ended or self._group or self._syncing is not None:
            self.hurry()
            done: Future[None] = self._loop.create_future()
            self._idle.append(done)
            await done

    async def close(self) -> None:
        """Settle, fold the log into the file, and let go of it."""
        await self.settle()
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        await self._loop.run_in_executor(self._executor, self._close_connection)
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def _close_connection(self) -> None:
        close = self.connection.close
        self.disk.rearrange(close if self.follower is None else partial(self.follower.close, close))

    def _schedule(self) -> None:
        if not self._turn_scheduled:
            self._turn_scheduled = True
            self._loop.call_soon(self._end_turns)

    def _end_turns(self) -> None:
        self._turn_scheduled = False
        dirty, self._dirty = self._dirty, {}
        self._end(dirty)
        self._commit()

    def _end(self, stores: Iterable[TurnStore]) -> None:
        try:
            for store in stores:
                turn = store.end_turn()
                if turn is not None:
                    self._ended[store] = turn
        except sqlite3.Error as error:
            self._ended.update(dict.fromkeys(stores, 0))
            self._lose(error)

    def _commit(self) -> None:
        """Write and commit a group and have it synced, unless the one before it is still being synced."""
        if self._syncing is None and not self._group:
            if self._is_urgent:
                self._begin_group()
            elif self._ended and self._patience is None:
                self._patience = self._loop.call_later(PATIENCE_SECONDS, self._lose_patience)
        if self._syncing is not None or not self._group:
            self._tell_idle()
            return
        try:
            if not self._write_group():
                self._schedule()
                return
            self._append_to_log()
            is_to_fold = self._is_to_fold()
        except (OSError, sqlite3.Error) as error:
            self._lose(error)
            return
        self._syncing, self._group = self._group, {}
        self._executor.submit(self._sync, is_to_fold)

    def _lose_patience(self) -> None:
        self._patience = None
        self.hurry()

    def _begin_group(self) -> None:
        self._group, self._ended = self._ended, {}
        self._unwritten.extend(self._group)
        self._is_urgent = False
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _write_group(self) -> bool:
        """Write more of the group, as much as a visit of the loop has time for; whether that was all."""
        if self._broken is not None:
            raise self._broken
        begun = perf_counter()
        while self._unwritten:
            if self._unwritten[0].write_turns(ROWS_AT_ONCE) == ROWS_AT_ONCE:
                return False
            self._unwritten.popleft()
            if self._unwritten and perf_counter() - begun > SECONDS_AT_ONCE:
                return False
        return True

    def _append_to_log(self) -> None:
        if self.connection.in_transaction and not self._every_turn:
            self.disk.commit(self.connection)

    def _lose(self, error: Exception) -> None:
        """Nothing that is not committed can be kept: a turn may be there in part."""
        lost = self._group | self._ended
        self._group, self._ended = {}, {}
        self._unwritten.clear()
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        for store in lost:
            store.failed(_lost(error))
        self._tell_idle()

    def _is_to_fold(self) -> bool:
        """Whether the log has grown so much that it is to be folded into the file."""
        changes = self.connection.total_changes
        size = 0 if self._log is None else os.fstat(self._log).st_size  # the thread would wait for the lock
        if changes - self._changes < CHECKPOINT_CHANGES and size < self._log_size + CHECKPOINT_BYTES:
            return False
        self._changes, self._log_size = changes, size
        return True

    def _sync(self, is_to_fold: bool) -> None:
        """On the thread: make the log durable, and fold it into the file when it has grown."""
        error: Exception | None = None
        try:
            self._sync_log()
            if self.follower is not None:
                self.follower.synced()
            if is_to_fold:
                self.disk.rearrange(self._fold_log)
        except (OSError, sqlite3.Error, StorageError) as failure:
            error = failure
        try:
            self._loop.call_soon_threadsafe(self._synced, error)
        except RuntimeError:  # the loop was closed under us; nobody waits any more
            return

    def _sync_log(self) -> None:
        new = self._log is None
        if self._log is None:
            self._log = os.open(f"{self.path}-wal", os.O_RDWR)
        self.disk.sync(self._log)
        if new:  # it comes anew whenever the file is opened
            self.disk.sync_folder(self.path.parent)

    def _fold_log(self) -> None:
        with (
            nullcontext() if self.follower is None else self.follower.folding(),
            closing(sqlite3.connect(self.path, isolation_level=None)) as connection,
        ):
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _synced(self, error: Exception | None) -> None:
        """What could not be synced may be lost, and all that is appended after it: commit no more."""
        self._broken = error or self._broken
        synced, self._syncing = self._syncing or {}, None
        for store, turn in synced.items():
            if error is None:
                store.durable(turn)
            else:
                store.failed(_lost(error))
        if not self._turn_scheduled:  # else turns end before the next group begins
            self._commit()

    def _tell_idle(self) -> None:
        idle, self._idle = self._idle, []
        for future in idle:
            if not future.done():
                future.set_result(None)


def _connected(path: Path) -> Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Connection)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


def _lost(error: Exception) -> StorageError:
    if isinstance(error, sqlite3.IntegrityError):
        text = (
            "Durable Object was reset and rolled back to its last known good state because the application "
            f"left the database in a state where constraints were violated: {error}"
        )
        return StorageError(text, durable_object_reset=True)
    text = f"Durable Object was reset because its writes could not be stored: {error}"
    return StorageError(text, durable_object_reset=True, retryable=True)
