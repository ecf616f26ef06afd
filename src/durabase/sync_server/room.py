"""Rooms for edits by the program around the server: from its tasks, and from its threads.

A room that is open stays in memory, with clients or without. What is written into its store reaches clients
and is saved like any client's edits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, Protocol, Self, TypeVar, final

from durabase.errors import ServerError, SyncError
from durabase.mergeable import MergeableStore
from durabase.sync_server._peer import ServerSeat
from durabase.sync_server._room import PathRoom
from durabase.synchronizers._loop_thread import LoopTurns
from durabase.types import Id

__all__ = ["BlockingRoom", "HeldPath", "HeldStore", "OpeningRoom", "Room"]

P = ParamSpec("P")
T = TypeVar("T")


class HeldStore(Protocol):
    """A store that is kept in memory for a room."""

    @property
    def store(self) -> MergeableStore:
        """The store."""

    @property
    def is_over(self) -> bool:
        """Whether it is not the server's any more."""

    async def saved(self) -> None:
        """Wait until what was edited before is durable."""

    def enforce_schema(self) -> int:
        """Have everybody have what the store holds; how many cells and values they had otherwise."""

    def release(self) -> object:
        """Keep it no longer; an awaitable that ends when what has to be done is done, or ``None``."""


@final
class Room:
    """The store of a path, open for edits: ``await ….room(path_id)``, or ``async with ….room(path_id)``.

    What you may rely on:

    - It is to be used on the server's event loop; other threads use :meth:`blocking`.
    - An edit is in the store when the call returns, and leaves for the clients in the same turn of the loop;
      from an object, when it is safe on disk. While the server still asks its first clients what they have
      (a second at most), it leaves after that.
    - It is durable when :meth:`saved` has returned.
    - It stays open until it is closed, which costs the memory of the store.

    Attributes:
        path_id: the path, as it stands in URLs.
    """

    def __init__(self, path_id: Id, held: HeldStore) -> None:
        self.path_id = path_id
        self._held = held
        self._is_closed = False
        self._turns = LoopTurns(asyncio.get_running_loop(), threading.current_thread())

    @property
    def is_open(self) -> bool:
        """Whether it can be used: neither closed, nor ended by the server."""
        return not (self._is_closed or self._held.is_over)

    @property
    def store(self) -> MergeableStore:
        """The server's own store of the path.

        Raises:
            ServerError: the room is closed; or the server has stopped, loaded its program anew, or reset the
                object meanwhile: open the room again.
        """
        if self._is_closed:
            raise ServerError(f"the room {self.path_id!r} is closed")
        if self._held.is_over:
            raise ServerError(f"the room {self.path_id!r} has ended; open it again")
        return self._held.store

    async def saved(self) -> None:
        """Wait until what was edited before is durable: where the path's persister keeps it.

        Raises:
            PersisterError: it could not be written; that is tried again with the next edit.
            ServerError, ObjectError: the room is not open.
        """
        _ = self.store
        await self._held.saved()

    def enforce_schema(self) -> int:
        """Take out of all copies what the store's schema does not allow, and put in the defaults that lack.

        For content that is older than its schema. A store that is loaded leaves such content out and does
        not touch what is kept, so clients have it until somebody edits the row. This deletes it, with
        everything that was in a row that a required cell lacks. What suits the schema stays as it is.

        Returns:
            How many cells and values clients had otherwise; 0 when called again.

        Raises:
            ServerError: the room is not open.
        """
        _ = self.store
        return self._held.enforce_schema()

    async def close(self) -> None:
        """Let go of the store. May be called again."""
        if not self._is_closed:
            self._is_closed = True
            ending: Any = self._held.release()
            if ending is not None:
                await ending

    def blocking(self) -> BlockingRoom:
        """The same room for other threads. May be called from any."""
        return BlockingRoom(self, self._turns)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            if error is None and self.is_open:
                await self.saved()
        finally:
            await self.close()


@final
class OpeningRoom:
    """A room that is not open yet: await it, and close it some time; or ``async with`` it.

    Leaving the context waits until what was edited is saved, and closes the room.
    """

    def __init__(self, opens: Callable[[], Coroutine[Any, Any, Room]]) -> None:
        self._opens = opens
        self._room: Room | None = None

    def __await__(self) -> Generator[Any, Any, Room]:
        return self._opens().__await__()

    async def __aenter__(self) -> Room:
        self._room = await self
        return self._room

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._room is not None:
            await self._room.__aexit__(kind, error, traceback)


@final
class BlockingRoom:
    """A room for other threads than the event loop's, and for plain functions that run in such.

    All methods may be called from any thread but the loop's own, and wait. Touching :attr:`store` outside of
    :meth:`transaction` and :meth:`call` is not safe.
    """

    def __init__(self, room: Room, turns: LoopTurns) -> None:
        self._room = room
        self._turns = turns

    @property
    def store(self) -> MergeableStore:
        """The store, for use in :meth:`transaction` and :meth:`call`.

        Raises:
            ServerError: the room is not open.
        """
        return self._room.store

    def transaction(
        self, do_rollback: Callable[[MergeableStore], object] | None = None
    ) -> AbstractContextManager[None]:
        """A context in which this thread may read and write the store, all writes being one transaction.

        The server stands still meanwhile, so it should be short. An exception that leaves it undoes all.

        Raises:
            ServerError: the room is not open.
            SyncClosedError: the server's event loop has ended.
        """
        store: Any = self.store
        return self._turns.hold(lambda: store.transaction(do_rollback))

    def call(self, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """The result of ``function(*arguments)``, called on the server's thread: for single reads and writes.

        Raises:
            SyncClosedError: the server's event loop has ended.
            Exception: what the function raises.
        """
        result: T = self._turns.call(lambda: function(*arguments, **options))
        return result

    def enforce_schema(self) -> int:
        """Take out of all copies what the store's schema does not allow; see :meth:`Room.enforce_schema`."""
        return self.call(self._room.enforce_schema)

    def saved(self) -> None:
        """Wait until what was edited before is durable; see :meth:`Room.saved`."""
        self._waiting(self._room.saved)

    def close(self) -> None:
        """Let go of the store. May be called again."""
        self._waiting(self._room.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._waiting(lambda: self._room.__aexit__(kind, error, traceback))

    def _waiting(self, function: Callable[[], Any]) -> None:
        if self._turns.has_turn():
            raise SyncError("the event loop's own thread can't wait here: use the room itself, with await")
        self._turns.call(function)


@final
class HeldPath:
    """The store of a path of a :class:`~durabase.sync_server.WsServer`."""

    def __init__(self, room: PathRoom, seat: ServerSeat) -> None:
        self._room = room
        self._seat = seat
        seat.holders += 1

    @property
    def store(self) -> MergeableStore:
        return self._seat.store

    @property
    def is_over(self) -> bool:
        return self._room.stopping is not None

    async def saved(self) -> None:
        await self._seat.saved()

    def enforce_schema(self) -> int:
        return self._seat.enforce_schema()

    def release(self) -> object:
        self._seat.holders -= 1
        return self._room.release()
