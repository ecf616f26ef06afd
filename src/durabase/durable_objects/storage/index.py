"""An object's entry in the index of its class: copies of what its own file says, see :mod:`.record`."""

from __future__ import annotations

from collections.abc import Callable

from durabase.durable_objects.gates import WriteGate
from durabase.durable_objects.storage.record import ObjectRecord, name_bytes
from durabase.durable_objects.storage.shared import NamespaceDatabase
from durabase.durable_objects.storage.store import AlarmRow

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
        self._connection = namespace.connection
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
        query = "SELECT scheduled, due, retries, serial FROM alarms WHERE object = ?"
        alarm = self._connection.execute(query, (self._number,)).fetchone()
        return ObjectRecord(self._id, name, alarm and AlarmRow(*alarm))

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
            self._write_name(self.record.name)
            self._write_alarm(self.record.alarm)
        if (before and before.alarm) != (self.record and self.record.alarm):
            self._namespace.alarms_changed()
        return self._gate.written

    def _forget(self) -> None:
        self._write_alarm(None)
        self._connection.execute("DELETE FROM objects WHERE number = ?", (self._number,))
        self._number = None

    def _write_name(self, name: str | None) -> None:
        if self._number is None:
            self._number = self._namespace.new_number()
        row = (self._number, self._id, name_bytes(name))
        self._connection.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", row)

    def _write_alarm(self, alarm: AlarmRow | None) -> None:
        if alarm is None:
            self._connection.execute("DELETE FROM alarms WHERE object = ?", (self._number,))
        else:
            row = (self._number, alarm.scheduled, alarm.due, alarm.retries, alarm.serial)
            self._connection.execute("INSERT OR REPLACE INTO alarms VALUES (?, ?, ?, ?, ?)", row)

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
