"""One object's part of the database of its class: its keys and values, its name, its alarm.

What an object writes waits in memory: that of the running turn, which can be thrown away without touching
anything else, and that of turns that have ended, which count. These go into the database together when it
commits the next group, so a key that several turns have written is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.storage.change_journal import NoJournal
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.object_copy import copied_entries
from durabase.durable_objects.storage.shared_table import delete_object, read_rows, read_value, write_rows
from durabase.durable_objects.storage.store import AlarmRow, KeyRange
from durabase.durable_objects.storage.writes import Writes
from durabase.types import UNDEFINED, UndefinedType

__all__ = ["SharedStore"]

_Pairs: TypeAlias = list[tuple[bytes, bytes]]


class SharedStore:
    """One object's part of a :class:`NamespaceDatabase`.

    Args:
        namespace: where it is.
        id: the object's id.
        name: the name by which it was reached, if it was.
        gate: is told of every write, and of every turn that is durable.
        on_failed: called when a turn is lost.
    """

    def __init__(
        self,
        namespace: NamespaceDatabase,
        id: bytes,
        name: str | None,
        gate: OutputGate,
        on_failed: Callable[[Exception], object],
    ) -> None:
        found = namespace.find(id)
        self.journal = NoJournal()
        self._namespace = namespace
        self._database = namespace.database
        self._connection = namespace.connection
        self._id = id
        self._number: int | None = None if found is None else found[0]
        self.name = name if found is None or name is not None else found[1]
        self._name_is_new = found is not None and self.name != found[1]
        self._gate = gate
        gate.committer = self._database
        self._on_failed = on_failed
        self._turn = Writes()
        self._ended = Writes()  # of turns that have ended since a group was written
        self._group: Writes | None = None  # what is being written
        self._rest: Iterator[tuple[bytes, bytes | None]] = iter(())  # of the group
        self._deferred: list[Callable[[], object]] = []
        self._owes = False  # something was deferred in a turn that has ended
        self._is_catching_up = False
        self._holds = 0
        self._closed = False
        self._in_flight = 0
        self._settled: list[Callable[[], object]] = []
        self._undo: list[Callable[[], object]] = []
        self._savepoints = 0
        if self._name_is_new:
            self._database.end_turn_soon(self)

    def learn_name(self, name: str) -> None:
        self.name = name
        if self._number is not None:
            self._name_is_new = True
            self._database.end_turn_soon(self)

    # Reading

    def get(self, key: bytes) -> bytes | None:
        self._catch_up()
        for writes in (self._turn, self._ended, self._group):
            if writes is not None:
                if key in writes.entries:
                    return writes.entries[key]
                if writes.cleared:
                    return None
        return None if self._number is None else read_value(self._connection, self._number, key)

    def count(self) -> int:
        return len(self.list(KeyRange()))

    def list(self, keys: KeyRange) -> _Pairs:
        self._catch_up()
        written, cleared = self._written(keys)
        stored: _Pairs = []
        if self._number is not None and not cleared:
            stored = read_rows(self._connection, self._number, keys, len(written))
        if not written:
            return stored
        merged = dict(stored) | written
        pairs = [(key, value) for key, value in merged.items() if value is not None]
        pairs.sort(reverse=keys.reverse)
        return pairs[: keys.limit]

    def _written(self, keys: KeyRange) -> tuple[dict[bytes, bytes | None], bool]:
        """What was written to these keys and is not in the database; whether what is there is deleted."""
        written: dict[bytes, bytes | None] = {}
        cleared = False
        for writes in (self._group, self._ended, self._turn):
            if writes is not None:
                if writes.cleared:
                    written.clear()
                    cleared = True
                written.update((key, value) for key, value in writes.entries.items() if key in keys)
        return written, cleared

    def get_alarm(self) -> AlarmRow | None:
        alarm = self._turn.alarm
        return self._namespace.alarm(self._id, self._number) if isinstance(alarm, UndefinedType) else alarm

    # Writing

    def write(self, entries: dict[bytes, bytes | None], confirmed: bool) -> None:
        self._catch_up()
        turn = self._turn.entries
        if self._savepoints:
            self._undo.extend(partial(self._restore, key, turn.get(key, UNDEFINED)) for key in entries)
        turn.update(entries)
        self._wrote(confirmed)

    def defer(self, write: Callable[[], object], at_once: bool) -> None:
        if self._savepoints or self._holds:  # what is written now may be rolled back
            write()
            return
        self._deferred.append(write)
        self._wrote(True, may_wait=True)
        if at_once:
            self._catch_up()

    def _catch_up(self) -> None:
        """Write what was deferred, also by what is written just then.

        If that was in a turn that has ended it counts, whatever becomes of the one that is running.
        """
        if not self._deferred:
            return
        was_catching_up, self._is_catching_up = self._is_catching_up, True
        try:
            while self._deferred:
                deferred, self._deferred = self._deferred, []
                for write in deferred:
                    write()
        finally:
            self._is_catching_up = was_catching_up
        if self._owes and not was_catching_up:
            self._owes = False
            self._keep()

    def clear(self, with_alarm: bool) -> None:
        self._catch_up()
        self._turn.clear()
        if with_alarm:
            self._turn.alarm = None
        self._wrote(True)

    def set_alarm(self, alarm: AlarmRow | None, confirmed: bool = True) -> None:
        self._catch_up()
        if self._savepoints:
            self._undo.append(partial(self._restore_alarm, self._turn.alarm))
        self._turn.alarm = alarm and replace(alarm, serial=self._namespace.new_serial())
        self._wrote(confirmed)

    def _wrote(self, confirmed: bool, *, may_wait: bool = False) -> None:
        if self._is_catching_up:  # it was counted when it was deferred
            return
        self._gate.wrote(confirmed)
        self._database.end_turn_soon(self, may_wait=may_wait)

    # Rolling back

    def savepoint(self) -> int:
        self._catch_up()
        self._savepoints += 1
        return len(self._undo)

    def release(self, savepoint: int, *, rolled_back: bool) -> None:
        self._savepoints -= 1
        if rolled_back:
            for undo in reversed(self._undo[savepoint:]):
                undo()
            del self._undo[savepoint:]
        if not self._savepoints:
            self._undo.clear()

    def _restore(self, key: bytes, before: bytes | UndefinedType | None) -> None:
        if isinstance(before, UndefinedType):
            self._turn.entries.pop(key, None)
        else:
            self._turn.entries[key] = before

    def _restore_alarm(self, before: AlarmRow | UndefinedType | None) -> None:
        self._turn.alarm = before

    def hold(self) -> None:
        self._catch_up()
        self._database.end_turn_now(self)
        self._holds += 1

    def resume(self) -> None:
        self._holds -= 1
        if not self._holds:
            self._database.end_turn_soon(self)

    def close(self) -> None:
        if self._owes:
            self._catch_up()
        self._closed = True
        self._deferred = []
        self._turn = Writes()
        self._database.forget(self)

    def when_settled(self, action: Callable[[], object]) -> None:
        """Call ``action`` when everything of this store that was written in turns that have ended is durable,
        or lost."""
        if self._in_flight:
            self._settled.append(action)
            self._database.hurry()
        else:
            action()

    async def restore(self, copy: Path, name: str | None) -> None:
        """Keep what the copy has, and nothing else, under this name.

        Only before anything else is done with the store.

        Raises:
            sqlite3.Error: nothing was changed.
        """
        entries, alarm = copied_entries(copy, self._namespace.new_serial())
        self.clear(True)
        self.name, self._name_is_new = name, bool(entries)
        self.write({**entries}, True)
        self.set_alarm(alarm)

    def history(self) -> None:
        """There is none: objects share the database."""

    # Committing

    def end_turn(self) -> int | None:
        if self._holds or self._closed:
            return None
        self._keep()
        self._owes = bool(self._deferred)
        self._in_flight = self._gate.written
        return self._in_flight

    def _keep(self) -> None:
        """What was written up to now counts."""
        turn, self._turn = self._turn, Writes()
        if not isinstance(turn.alarm, UndefinedType):
            self._namespace.expect_alarm(self._id, turn.alarm)
        self._ended.absorb(turn)

    def write_turns(self, most: int) -> int:
        if self._group is None:
            if self._owes:
                self._catch_up()
            if not (self._ended or self._name_is_new):
                return 0
            self._begin_group()
        rows = list(islice(self._rest, most))
        if self._number is not None:
            write_rows(self._connection, self._number, rows)
        if len(rows) < most:
            self._group = None
            self._rest = iter(())
        return len(rows)

    def _begin_group(self) -> None:
        """Write all of what has ended but for the keys."""
        group, self._ended = self._ended, Writes()
        self._group = group
        self._database.begin()
        if self._number is None and (found := self._namespace.find(self._id)) is not None:
            self._number = found[0]  # another store of the object has written before
        if group.cleared:
            self._forget_everything(group)
        if self._number is None:  # what was never there need not be deleted
            group.entries = {key: value for key, value in group.entries.items() if value is not None}
        if group.entries or isinstance(group.alarm, AlarmRow) or self._name_is_new:
            self._note_object()
        self._rest = iter(group.entries.items())
        if not isinstance(group.alarm, UndefinedType):
            if self._number is not None:
                self._namespace.put_alarm(self._number, group.alarm)
            self._namespace.forget_expected_alarm(self._id, group.alarm)

    def _forget_everything(self, group: Writes) -> None:
        if self._number is None:
            return
        delete_object(self._connection, self._number)
        if group.alarm is None and not group.entries:
            self._namespace.drop_object(self._number)
            self._number, self._name_is_new = None, False

    def _note_object(self) -> None:
        is_new = self._number is None
        if self._number is None:
            self._number = self._namespace.new_number()
        if is_new or self._name_is_new:
            self._namespace.put_object(self._number, self._id, self.name)
        self._name_is_new = False

    def durable(self, turn: int) -> None:
        self._gate.safe(turn)
        if turn >= self._in_flight:
            self._settle()

    def failed(self, error: Exception) -> None:
        self._deferred = []
        self._owes = False
        for writes in (self._group, self._ended):
            if writes is not None and not isinstance(writes.alarm, UndefinedType):
                self._namespace.forget_expected_alarm(self._id, writes.alarm)
        self._group, self._ended, self._rest = None, Writes(), iter(())
        self._namespace.alarms_changed()  # back to what they were
        self._on_failed(error)
        self._settle()

    def _settle(self) -> None:
        self._in_flight = 0
        settled, self._settled = self._settled, []
        for action in settled:
            action()
