"""What one object keeps, below values: keys and values as bytes, one alarm, savepoints.

:class:`ObjectStore` is what :mod:`.kv` needs. :mod:`.shared` and :mod:`.file` are two of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from durabase.durable_objects.storage.change_journal import NoJournal

__all__ = ["AlarmRow", "Bookmarks", "KeyRange", "ObjectStore"]


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm: when it was set for, when it runs next (milliseconds since 1970), how often it was retried.

    ``serial`` is another one each time that an alarm is set.
    """

    scheduled: int
    due: int
    retries: int = 0
    serial: int = 0


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Keys from ``start`` on, before ``end``; ``limit`` of them, from the end if ``reverse``."""

    start: bytes = b""
    end: bytes | None = None
    reverse: bool = False
    limit: int | None = None

    def __contains__(self, key: bytes) -> bool:
        return key >= self.start and (self.end is None or key < self.end)


class Bookmarks(Protocol):
    """What an object has kept at other times. Bookmarks are strings; those of later times are greater."""

    def current(self) -> str:
        """The bookmark of now."""

    def at(self, time_ms: int) -> str:
        """The bookmark of a time, in milliseconds since 1970."""

    def since(self) -> int | None:
        """When the oldest state is from that can be gone back to; ``None`` if there is none yet."""

    def restore_next(self, text: str) -> str:
        """Have the next life begin with what was kept at a bookmark; gives the one to undo that."""

    def pin(self, text: str) -> str:
        """Keep the state of a bookmark exactly, for somebody knows of it; gives the bookmark."""

    def image(self, text: str, target: Path) -> int | None:
        """Write the database of a bookmark to a file; when it was, in milliseconds since 1970."""

    def forget(self) -> None:
        """Once the object keeps nothing, let go of what it ever kept."""


class ObjectStore(Protocol):
    """One object's data. Writes are seen by reads at once and committed at the end of the turn.

    Attributes:
        journal: what tells who changed what.
    """

    journal: NoJournal

    @property
    def name(self) -> str | None:
        """The object's name, if anybody ever used it."""

    def learn_name(self, name: str) -> None:
        """Somebody used the object's name: keep it with what the object keeps."""

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``."""

    def count(self) -> int:
        """How many keys there are."""

    def list(self, keys: KeyRange) -> list[tuple[bytes, bytes]]:
        """Keys and values of the range, in order of the keys' bytes."""

    def write(self, entries: dict[bytes, bytes | None], confirmed: bool) -> None:
        """Set keys, or delete those whose value is ``None``."""

    def defer(self, write: Callable[[], object], at_once: bool) -> None:
        """Call ``write``, which writes here, before anything else writes or reads here, and at the latest
        when the turn is committed.

        It counts as written from now on: what it writes is part of this turn, or of one that ends later. A
        store may also call it now, and does if ``at_once``, with all that was deferred before.
        """

    def clear(self, with_alarm: bool) -> None:
        """Delete everything."""

    def get_alarm(self) -> AlarmRow | None:
        """The alarm that is set."""

    def set_alarm(self, alarm: AlarmRow | None, confirmed: bool = True) -> None:
        """Set or delete the alarm."""

    def savepoint(self) -> int:
        """Begin something that can be rolled back; nests."""

    def release(self, savepoint: int, *, rolled_back: bool) -> None:
        """End it, with or without effect."""

    def hold(self) -> None:
        """End the turn, with what it brought so far; from then on, let turns pass until :meth:`resume`."""

    def resume(self) -> None:
        """The counterpart of :meth:`hold`; nests."""

    async def restore(self, copy: Path, name: str | None) -> None:
        """Keep what a copy of an object has, and nothing else, as one write."""

    def history(self) -> Bookmarks | None:
        """The history of all that was written so far, if one is kept."""

    def close(self) -> None:
        """Forget what the running turn brought; nothing is written any more. What has ended is committed."""

    def when_settled(self, action: Callable[[], object]) -> None:
        """Call ``action`` when everything of turns that have ended is durable, or lost."""
