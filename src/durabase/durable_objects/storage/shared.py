"""One object's part of the database of its class: its keys and values, its name, its alarm.

What an object writes in a turn waits in memory and goes into the database when the turn ends, so a
turn can be thrown away without touching what other objects wrote meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Final, TypeAlias

from durabase.durable_objects.gates import WriteGate
from durabase.durable_objects.storage.change_journal import NoJournal
from durabase.durable_objects.storage.engine import GOES_ON
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.object_copy import copied_entries
from durabase.durable_objects.storage.store import AlarmRow, KeyRange

__all__ = ["SharedStore"]

# Without row ids, further indexes and triggers SQLite overwrites what is there without looking for it.
_PUT: Final = "INSERT OR REPLACE INTO kv VALUES (?, ?, ?)"
_ROWS_AT_ONCE: Final = 4096
"""So many rows are written in one visit of the loop; that takes some ten milliseconds."""
_DELETE: Final = "DELETE FROM kv WHERE object = ? AND key = ?"


class _Unchanged:
    """The type of :data:`_UNCHANGED`."""


_UNCHANGED: Final = _Unchanged()

_Entry: TypeAlias = tuple[bytes, bytes | None]
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
        gate: WriteGate,
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
        self._on_failed = on_failed
        self._turn: dict[bytes, bytes | None] = {}
        self._is_ending = False  # a turn is being written, visit by visit
        self._rest: Iterator[_Entry] = iter(())  # of that turn
        self._deferred: list[Callable[[], object]] = []
        self._alarm: AlarmRow | _Unchanged | None = _UNCHANGED
        self._cleared = False
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
        if self._is_ending:
            self._write_rest()
        if key in self._turn:
            return self._turn[key]
        if self._number is None or self._cleared:
            return None
        row = self._connection.execute(
            "SELECT value FROM kv WHERE object = ? AND key = ?", (self._number, key)
        ).fetchone()
        return None if row is None else row[0]

    def count(self) -> int:
        return len(self.list(KeyRange()))

    def list(self, keys: KeyRange) -> _Pairs:
        self._catch_up()
        if self._is_ending:
            self._write_rest()
        written = {key: value for key, value in self._turn.items() if key in keys}
        stored = self._stored(keys, len(written))
        if not written:
            return stored
        merged = dict(stored) | written
        pairs = [(key, value) for key, value in merged.items() if value is not None]
        pairs.sort(reverse=keys.reverse)
        return pairs[: keys.limit]

    def _stored(self, keys: KeyRange, more: int) -> _Pairs:
        if self._number is None or self._cleared:
            return []
        query, arguments = (
            "SELECT key, value FROM kv WHERE object = ? AND key >= ?",
            [self._number, keys.start],
        )
        if keys.end is not None:
            query, arguments = f"{query} AND key < ?", [*arguments, keys.end]
        query += f" ORDER BY key {'DESC' if keys.reverse else 'ASC'} LIMIT ?"
        limit = -1 if keys.limit is None else keys.limit + more
        return self._connection.execute(query, (*arguments, limit)).fetchall()

    def get_alarm(self) -> AlarmRow | None:
        if not isinstance(self._alarm, _Unchanged):
            return self._alarm
        if self._number is None:
            return None
        return self._namespace.alarm(self._number)

    # Writing

    def write(self, entries: dict[bytes, bytes | None], confirmed: bool) -> None:
        self._catch_up()
        if self._savepoints:
            self._undo.extend(partial(self._restore, key, self._turn.get(key, _UNCHANGED)) for key in entries)
        self._turn.update(entries)
        self._wrote(confirmed)

    def defer(self, write: Callable[[], object]) -> None:
        if self._savepoints or self._holds:  # what is written now may be rolled back
            write()
            return
        self._deferred.append(write)
        self._wrote(True)

    def _catch_up(self) -> None:
        """Write what was deferred, also by what is written just then."""
        while self._deferred:
            deferred, self._deferred = self._deferred, []
            for write in deferred:
                write()

    def clear(self, with_alarm: bool) -> None:
        self._catch_up()
        self._turn.clear()
        self._cleared = True
        if with_alarm:
            self._alarm = None
        self._wrote(True)

    def set_alarm(self, alarm: AlarmRow | None, confirmed: bool = True) -> None:
        if self._savepoints:
            self._undo.append(partial(setattr, self, "_alarm", self._alarm))
        self._alarm = alarm and replace(alarm, serial=self._namespace.new_serial())
        self._wrote(confirmed)

    def _wrote(self, confirmed: bool) -> None:
        self._gate.wrote(confirmed)
        self._database.end_turn_soon(self)

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

    def _restore(self, key: bytes, before: bytes | _Unchanged | None) -> None:
        if isinstance(before, _Unchanged):
            self._turn.pop(key, None)
        else:
            self._turn[key] = before

    def hold(self) -> None:
        self._database.end_turn_now(self)
        self._holds += 1

    def resume(self) -> None:
        self._holds -= 1
        if not self._holds:
            self._database.end_turn_soon(self)

    def close(self) -> None:
        self._closed = True
        if self._is_ending:  # that turn counts
            self._database.end_turn_now(self)
        self._database.forget(self)

    def when_settled(self, action: Callable[[], object]) -> None:
        """Call ``action`` when everything of this store that was committed is durable, or lost."""
        if self._in_flight:
            self._settled.append(action)
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
        if self._is_ending:
            return self._go_on()
        if self._holds or self._closed:
            return None
        self._catch_up()
        self._database.forget(self)  # what was written just now belongs to this turn
        self._database.begin()
        if self._cleared:
            self._forget_everything()
        if self._number is None:  # what was never there need not be deleted
            self._turn = {key: value for key, value in self._turn.items() if value is not None}
        if self._turn or isinstance(self._alarm, AlarmRow) or self._name_is_new:
            self._write_turn(self._ensure_number())
        elif self._alarm is None and self._number is not None:
            self._write_alarm(self._number)
        self._turn = {}
        self._alarm = _UNCHANGED
        self._cleared = self._name_is_new = False
        self._in_flight = self._gate.written
        return GOES_ON if self._is_ending else self._in_flight

    def _go_on(self) -> int:
        """Write more of a turn that brought much. What was written since it ended is a turn of its own."""
        if self._write_rest(_ROWS_AT_ONCE):
            return GOES_ON
        self._is_ending = False
        self._database.end_turn_soon(self)
        return self._in_flight

    def durable(self, turn: int) -> None:
        self._gate.safe(turn)
        if turn >= self._in_flight:
            self._settle()

    def failed(self, error: Exception) -> None:
        self._is_ending = False
        self._rest = iter(())
        self._on_failed(error)
        self._settle()

    def _settle(self) -> None:
        self._in_flight = 0
        settled, self._settled = self._settled, []
        for action in settled:
            action()

    def _forget_everything(self) -> None:
        if self._number is None:
            return
        self._connection.execute("DELETE FROM kv WHERE object = ?", (self._number,))
        if self._alarm is None and not self._turn:
            self._namespace.drop_object(self._number)
            self._namespace.alarms_changed()
            self._number = None

    def _ensure_number(self) -> int:
        is_new = self._number is None
        if self._number is None:
            self._number = self._namespace.new_number()
        if is_new or self._name_is_new:
            self._namespace.put_object(self._number, self._id, self.name)
        return self._number

    def _write_turn(self, number: int) -> None:
        if len(self._turn) > _ROWS_AT_ONCE:
            self._is_ending = True
            self._rest = iter(self._turn.items())
            self._write_rest(_ROWS_AT_ONCE)
        else:
            self._write_entries(number, self._turn.items())
        self._write_alarm(number)

    def _write_rest(self, most: int | None = None) -> bool:
        """Write what is left of a turn that has ended, so many entries or all; whether there may be more."""
        entries = list(islice(self._rest, most))
        if self._number is not None:
            try:
                self._write_entries(self._number, entries)
            except sqlite3.Error:
                self._rest = chain(
                    entries, self._rest
                )  # it fails again when the turn goes on, which loses it
                raise
        return len(entries) == most

    def _write_entries(self, number: int, entries: Iterable[_Entry]) -> None:
        puts = [(number, key, value) for key, value in entries if value is not None]
        deletes = [(number, key) for key, value in entries if value is None]
        _each(self._connection, _PUT, puts)
        _each(self._connection, _DELETE, deletes)

    def _write_alarm(self, number: int) -> None:
        if not isinstance(self._alarm, _Unchanged):
            self._namespace.put_alarm(number, self._alarm)
            self._namespace.alarms_changed()


def _each(connection: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    listed = list(rows)
    if len(listed) == 1:
        connection.execute(statement, listed[0])
    elif listed:
        connection.executemany(statement, listed)
