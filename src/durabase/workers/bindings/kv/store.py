"""Where key-value namespaces are kept: one SQLite file for each, used on a thread of their own.

Knows nothing of Workers KV's rules; keys, values and metadata are what it is given.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote

from durabase.clock import Clock
from durabase.errors import StorageError

__all__ = ["KvEntry", "KvStore", "KvStores", "ListedKey"]

_T = TypeVar("_T")

FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE entries (key BLOB PRIMARY KEY, value BLOB NOT NULL, metadata TEXT, expiration INTEGER)
    WITHOUT ROWID;
CREATE INDEX entries_by_expiration ON entries (expiration) WHERE expiration IS NOT NULL;
PRAGMA user_version = 1;
"""
_ALIVE: Final = "(expiration IS NULL OR expiration > ?)"


class KvEntry(NamedTuple):
    """A value with its metadata, which is JSON text."""

    value: bytes
    metadata: str | None


class ListedKey(NamedTuple):
    """A key, the second since 1970 at which it expires, and its metadata, which is JSON text."""

    key: bytes
    expiration: int | None
    metadata: str | None


Entries = list[KvEntry | None]
Keys = list[ListedKey]


class KvStores:
    """All namespaces below one directory, opened when they are first used.

    Args:
        directory: where the files are.
        clock: decides what has expired.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._executor: ThreadPoolExecutor | None = None
        self._stores: dict[str, KvStore] = {}

    def store(self, id: str) -> KvStore:
        """Return the namespace of this id, always the same object."""
        if id not in self._stores:
            path = self._directory / f"{quote(id, safe='')}.sqlite"
            self._stores[id] = KvStore(path, self._clock, self._run)
        return self._stores[id]

    async def close(self) -> None:
        """Let go of all files; what was put is in them."""
        if self._executor is not None:
            for store in self._stores.values():
                await self._run(store.close)
            self._executor.shutdown()
            self._executor = None

    async def _run(self, action: Callable[[], Any]) -> Any:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "durabase-kv")
        return await asyncio.get_running_loop().run_in_executor(self._executor, action)


class KvStore:
    """One namespace. What a method has put is durable when it returns; calls happen in their order.

    Every method raises :class:`~durabase.errors.StorageError` if the file can't be used.
    """

    def __init__(self, path: Path, clock: Clock, run: Callable[[Callable[[], Any]], Any]) -> None:
        self._path = path
        self._clock = clock
        self._run_elsewhere = run
        self._connection: sqlite3.Connection | None = None

    async def get(self, keys: Sequence[bytes]) -> Entries:
        """Return what each key stands for."""
        return await self._run(partial(self._get, keys))

    async def put(self, key: bytes, value: bytes, metadata: str | None, expiration: int | None) -> None:
        """Keep a value, in place of the one that was there, until the second ``expiration``."""
        await self._run(partial(self._put, key, value, metadata, expiration))

    async def delete(self, key: bytes) -> None:
        """Forget a key."""
        await self._run(partial(self._execute, "DELETE FROM entries WHERE key = ?", (key,)))

    async def list(self, prefix: bytes, after: bytes | None, limit: int) -> Keys:
        """Return the first keys with this prefix that come after ``after``, in the order of their bytes."""
        return await self._run(partial(self._list, prefix, after, limit))

    def close(self) -> None:
        """Close the file. Called from where the other calls run."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _run(self, action: Callable[[], _T]) -> _T:
        try:
            result: _T = await self._run_elsewhere(action)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"the key-value namespace in {self._path} can't be used: {error}") from error
        return result

    # What follows runs on the thread.

    def _get(self, keys: Sequence[bytes]) -> Entries:
        query = f"SELECT value, metadata FROM entries WHERE key = ? AND {_ALIVE}"  # noqa: S608 (constant)
        rows = [self._execute(query, (key, self._now())).fetchone() for key in keys]
        return [None if row is None else KvEntry(*row) for row in rows]

    def _put(self, key: bytes, value: bytes, metadata: str | None, expiration: int | None) -> None:
        self._execute("DELETE FROM entries WHERE expiration <= ?", (self._now(),))
        row = (key, value, metadata, expiration)
        self._execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", row)

    def _list(self, prefix: bytes, after: bytes | None, limit: int) -> Keys:
        query = (
            "SELECT key, expiration, metadata FROM entries "  # noqa: S608 (constant)
            f"WHERE key >= ? AND key > ? AND substr(key, 1, ?) = ? AND {_ALIVE} ORDER BY key LIMIT ?"
        )
        bounds = (prefix, b"" if after is None else after, len(prefix), prefix)
        return [ListedKey(*row) for row in self._execute(query, (*bounds, self._now(), limit))]

    def _now(self) -> int:
        return self._clock.now_ms() // 1000

    def _execute(self, statement: str, arguments: tuple[Any, ...]) -> sqlite3.Cursor:
        if self._connection is None:
            self._connection = _opened(self._path)
        return self._connection.execute(statement, arguments)


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > FORMAT:
            raise StorageError(f"{path} has the format {version}; this version reads up to {FORMAT}")
        if version == 0:
            connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection
