"""What an object has written and is not in the database yet: in one turn, or in several."""

from __future__ import annotations

from typing import final

from durabase.durable_objects.storage.store import AlarmRow
from durabase.types import UNDEFINED, UndefinedType

__all__ = ["Writes"]


@final
class Writes:
    """Writes to one object's keys and alarm.

    Attributes:
        cleared: all that was there before is deleted.
        entries: keys and their values, ``None`` for those that are deleted.
        alarm: the alarm, ``None`` if it is deleted, ``UNDEFINED`` if it is as it was.
    """

    __slots__ = ("alarm", "cleared", "entries")

    def __init__(self) -> None:
        self.cleared = False
        self.entries: dict[bytes, bytes | None] = {}
        self.alarm: AlarmRow | UndefinedType | None = UNDEFINED

    def __bool__(self) -> bool:
        return bool(self.entries) or self.cleared or self.alarm is not UNDEFINED

    def clear(self) -> None:
        """Delete all keys."""
        self.entries = {}
        self.cleared = True

    def absorb(self, later: Writes) -> None:
        """Be these writes and then ``later`` ones, which are not used any more."""
        if later.cleared or not self.entries:
            self.entries = later.entries
            self.cleared |= later.cleared
        else:
            self.entries.update(later.entries)
        if later.alarm is not UNDEFINED:
            self.alarm = later.alarm
