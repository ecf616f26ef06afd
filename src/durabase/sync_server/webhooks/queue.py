"""What is still to be told to one address, in the storage of the room's object, in order.

Keys are ``webhooks:{name}:{kind}:{number}``; numbers grow. Writes are part of the object's turn, so an event
is there if and only if the change is that it tells of.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final, final

__all__ = ["MAX_DEAD", "MAX_WAITING", "Queue", "QueuedEvent"]

MAX_WAITING: Final = 10_000
"""So many events wait at most; beyond that the oldest is laid aside."""
MAX_DEAD: Final = 100
"""So many of those laid aside are kept, the latest."""

_WAITING: Final = "waiting"
_DEAD: Final = "dead"


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An event. ``due_ms``: when it is to be sent, the next time; ``fault``: why the last attempt failed."""

    id: str
    body: str
    due_ms: int
    attempts: int = 0
    fault: str = ""


@final
class Queue:
    """The events for one address. ``storage`` is ``ctx.storage`` of the object."""

    def __init__(self, storage: Any, name: str) -> None:
        self._storage = storage
        self._prefix = f"webhooks:{name}:"
        self._numbers = {kind: self._found(kind) for kind in (_WAITING, _DEAD)}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be told."""
        return not self._numbers[_WAITING]

    def add(self, event: QueuedEvent) -> None:
        """Have it told after all that waits already.

        Raises:
            EntryTooLargeError: it is longer than storage takes.
        """
        self._append(_WAITING, event)

    @property
    def first_number(self) -> int:
        """The number of the event that is the next to be told, or the next to come."""
        return self._numbers[_WAITING].start

    def first(self) -> QueuedEvent | None:
        """The event that is the next to be told. What the program has deleted is passed over."""
        while numbers := self._numbers[_WAITING]:
            entry = self._storage.get(self._key(_WAITING, numbers.start)).result
            if entry is not None:
                return QueuedEvent(**entry)
            self._remove_first(_WAITING)
        return None

    def remove_first(self) -> None:
        """It was told."""
        self._remove_first(_WAITING)

    def postpone_first(self, event: QueuedEvent) -> None:
        """It is to be tried again: ``event`` replaces it."""
        self._storage.put(self._key(_WAITING, self._numbers[_WAITING][0]), asdict(event))

    def lay_first_aside(self, event: QueuedEvent) -> None:
        """It is not to be tried again, and kept as ``event`` for whoever looks for it."""
        self._remove_first(_WAITING)
        self._append(_DEAD, event)
        if len(self._numbers[_DEAD]) > MAX_DEAD:
            self._remove_first(_DEAD)

    @property
    def is_full(self) -> bool:
        """Whether more waits than should."""
        return len(self._numbers[_WAITING]) > MAX_WAITING

    def dead(self) -> list[QueuedEvent]:
        """Those that were laid aside, the oldest first."""
        found = self._storage.list(prefix=f"{self._prefix}{_DEAD}:").result
        return [QueuedEvent(**entry) for entry in found.values()]

    def revive(self, due_ms: int) -> int:
        """Have those told again that were laid aside, after all that waits; how many there are."""
        dead = self.dead()
        while self._numbers[_DEAD]:  # also of those that the program has deleted
            self._remove_first(_DEAD)
        for event in dead:
            self._append(_WAITING, replace(event, due_ms=due_ms, attempts=0))
        return len(dead)

    def _found(self, kind: str) -> range:
        """The numbers of the events that are there, which have no gaps."""
        prefix = f"{self._prefix}{kind}:"
        ends = [
            _number(key)
            for is_last in (False, True)
            for key in self._storage.list(prefix=prefix, limit=1, reverse=is_last).result
        ]
        return range(ends[0], ends[1] + 1) if ends else range(0)

    def _append(self, kind: str, event: QueuedEvent) -> None:
        numbers = self._numbers[kind]
        self._storage.put(self._key(kind, numbers.stop), asdict(event))
        self._numbers[kind] = range(numbers.start, numbers.stop + 1)

    def _remove_first(self, kind: str) -> None:
        numbers = self._numbers[kind]
        self._storage.delete(self._key(kind, numbers[0]))
        self._numbers[kind] = range(numbers.start + 1, numbers.stop)

    def _key(self, kind: str, number: int) -> str:
        return f"{self._prefix}{kind}:{number:016d}"


def _number(key: str) -> int:
    return int(key.rpartition(":")[2])
