"""An object's entry in the index of its class: copies of what its own file says, see :mod:`.record`."""

from __future__ import annotations

from collections.abc import Callable

from durabase.durable_objects.gates import WriteGate
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.record import ObjectRecord

__all__ = ["IndexEntry"]


class IndexEntry:
    """The entry of one object.

    What is sent waits for the entry as it does for the file, so an alarm that somebody was told of is in
    both. An entry that is not written because the process dies is made again at the next start.

    Args:
        namespace: the database of the class.
        id: the object.
        gate: is told of every change, and when it is durable.
        on_failed: called when a change is lost.

    Attributes:
        record: what the entry says, or will say; ``None`` if there is none.
    """

    def __init__(
        self,
        namespace: NamespaceDatabase,
        id: bytes,
        gate: WriteGate,
        on_failed: Callable[[Exception], object],
    ) -> None:
        self._namespace = namespace
        self._id = id
        self._gate = gate
        self._on_failed = on_failed
        self._number: int | None = None
        self.record = self._written = self._read()
        self._pending = 0
        self._settled: list[Callable[[], object]] = []

    def _read(self) -> ObjectRecord | None:
        found = self._namespace.find(self._id)
        if found is None:
            return None
        self._number, name = found
        return ObjectRecord(self._id, name, self._namespace.alarm(self._id, self._number))

    def update(self, record: ObjectRecord | None) -> None:
        """The file says this now."""
        if record != self.record:
            self.record = record
            self._gate.wrote()
            self._pending = self._gate.written
            self._namespace.database.end_turn_soon(self)

    def when_settled(self, action: Callable[[], object]) -> None:
        """Call ``action`` when every change is durable, or lost."""
        if self._pending:
            self._settled.append(action)
        else:
            action()

    # Committing

    def end_turn(self) -> int:
        self._namespace.database.begin()
        before, self._written = self._written, self.record
        if self.record is None:
            self._forget()
        else:
            self._write(self.record)
        if (before and before.alarm) != (self.record and self.record.alarm):
            self._namespace.alarms_changed()
        return self._gate.written

    def _forget(self) -> None:
        if self._number is not None:
            self._namespace.drop_object(self._number)
            self._number = None

    def _write(self, record: ObjectRecord) -> None:
        if self._number is None:
            self._number = self._namespace.new_number()
        self._namespace.put_object(self._number, self._id, record.name)
        self._namespace.put_alarm(self._number, record.alarm)

    def write_turns(self, most: int) -> int:
        """Nothing is left to be done when a turn has ended."""
        return 0

    def durable(self, turn: int) -> None:
        self._gate.safe(turn)
        if turn >= self._pending:
            self._settle()

    def failed(self, error: Exception) -> None:
        self._on_failed(error)
        self._settle()

    def _settle(self) -> None:
        self._pending = 0
        settled, self._settled = self._settled, []
        for action in settled:
            action()
