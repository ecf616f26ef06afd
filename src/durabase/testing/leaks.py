"""What a test has left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from durabase.durable_objects.slot import ObjectSlot
from durabase.testing.network import FlakyNetwork

__all__ = ["LeakCheck"]


class LeakCheck:
    """Compares the end of a test with its beginning."""

    def __init__(self) -> None:
        self._before: set[asyncio.Task[object]] = set()

    def begin(self) -> None:
        """What there is now is nobody's fault."""
        self._before = asyncio.all_tasks()

    def check(self, slots: Iterable[ObjectSlot], network: FlakyNetwork) -> None:
        """See that nothing is left.

        Raises:
            AssertionError: something is; it says what.
        """
        found = [*_sockets(network), *_objects(slots), *self._tasks()]
        if found:
            raise AssertionError("The test has left behind: " + "; ".join(found))

    def _tasks(self) -> Iterator[str]:
        current = asyncio.current_task()
        for task in asyncio.all_tasks() - self._before:
            if task is not current and not task.done():
                yield f"the task {task.get_coro()!r}"


def _sockets(network: FlakyNetwork) -> Iterator[str]:
    if network.connection_count:
        yield f"{network.connection_count} open sockets of clients"


def _objects(slots: Iterable[ObjectSlot]) -> Iterator[str]:
    for slot in slots:
        if slot.life is not None and slot.life.has_work:
            yield f"{slot.label}, which has events, tasks or sockets that have not ended"
