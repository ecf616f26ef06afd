"""Giving back what lives have left.

What an object's life has made refers to itself in circles (a store and its listeners do), so that it is
gone only when Python's garbage collector has seen all of it. By itself that happens when much is
allocated, in a quiet process never. A :class:`Sweeper` has it happen soon after lives have ended,
seldom enough to cost next to nothing.
"""

from __future__ import annotations

import gc
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from contextvars import Context
from time import thread_time
from typing import Final

__all__ = ["Sweeper"]

SOONEST_SECONDS: Final = 2.0
"""When timers of a dead life, which hold it, have run out as well: those of the synchronizer take one."""
SHARE_OF_TIME: Final = 0.01
"""At most so much of all time is spent."""


class Sweeper:
    """Collects garbage some time after it was asked to.

    It runs on the event loop's time, not on the objects' clock: it is no part of what they do.

    Args:
        loop: has it called back.
        collect: the collection.
    """

    def __init__(self, loop: AbstractEventLoop, collect: Callable[[], object] = gc.collect) -> None:
        self._loop = loop
        self._collect = collect
        self._not_before = 0.0
        self._timer: TimerHandle | None = None

    def wanted(self) -> None:
        """Something has been left behind."""
        if self._timer is None:
            when = max(self._loop.time() + SOONEST_SECONDS, self._not_before)
            # In a context of its own: the present one is that of a life.
            self._timer = self._loop.call_at(when, self._sweep, context=Context())

    def close(self) -> None:
        """Do not collect any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sweep(self) -> None:
        self._timer = None
        begun = thread_time()
        self._collect()
        taken = thread_time() - begun
        self._not_before = self._loop.time() + taken / SHARE_OF_TIME
