"""Records as they come, for whoever follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from threading import get_ident
from typing import Final, TypeAlias

from durabase.operations.filters import RecordFilter
from durabase.operations.records import Record

__all__ = ["Tail"]

MAX_WAITING: Final = 1000
"""Who has so many records unread misses those that come meanwhile, and is told how many."""

Sink: TypeAlias = Callable[[Record], object]


class Tail:
    """Hands records to all who follow.

    Args:
        followed: called with whether anybody follows, each time that this changes.
    """

    def __init__(self, followed: Callable[[bool], object] = lambda _: None) -> None:
        self._followed = followed
        self._sinks: dict[Sink, RecordFilter] = {}
        self._followers: set[_Follower] = set()

    @property
    def is_followed(self) -> bool:
        """Whether anybody wants records."""
        return bool(self._sinks)

    def publish(self, record: Record) -> None:
        """Hand the record to all who want it."""
        for sink, wanted in list(self._sinks.items()):
            if wanted.wants(record):
                sink(record)

    def add(self, sink: Sink, wanted: RecordFilter) -> None:
        """Call ``sink`` with the records that are ``wanted``, from now on."""
        self._sinks[sink] = wanted
        if len(self._sinks) == 1:
            self._followed(True)

    def remove(self, sink: Sink) -> None:
        """Do not call it any more."""
        if self._sinks.pop(sink, None) is not None and not self._sinks:
            self._followed(False)

    async def follow(self, wanted: RecordFilter) -> AsyncGenerator[Record, None]:
        """The records that are ``wanted``, from now until the tail is closed."""
        follower = _Follower()
        self._followers.add(follower)
        self.add(follower.take, wanted)
        try:
            while (record := await follower.queue.get()) is not None:
                yield record
                if missed := follower.take_missed():
                    yield {"type": "missed", "count": missed}
        finally:
            self.remove(follower.take)
            self._followers.discard(follower)

    def close(self) -> None:
        """End all that :meth:`follow` gave."""
        for follower in list(self._followers):
            follower.end()


class _Follower:
    """What one follower has not read yet."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Record | None] = asyncio.Queue()
        self._missed = 0
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()

    def take(self, record: Record) -> None:
        if get_ident() == self._thread:
            self._put(record)
        else:  # printed or logged by a thread of the program
            self._loop.call_soon_threadsafe(self._put, record)

    def _put(self, record: Record) -> None:
        if self.queue.qsize() >= MAX_WAITING:
            self._missed += 1
        else:
            self.queue.put_nowait(record)

    def take_missed(self) -> int:
        missed, self._missed = self._missed, 0
        return missed

    def end(self) -> None:
        self.queue.put_nowait(None)
