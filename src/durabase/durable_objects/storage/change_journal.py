"""Who changed what of an object, and when: a table of its file, written in the commits that it tells of.

One row for each turn and author, for as long as the history goes back; older rows are folded together as
:mod:`.resolution` says. What is told waits in memory until the turn ends. Reading it needs no life of the
object.
"""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from durabase.durable_objects.authors import author_text
from durabase.durable_objects.storage.keys import key_text
from durabase.durable_objects.storage.kv_table import read_rows
from durabase.durable_objects.storage.resolution import STEPS
from durabase.durable_objects.storage.store import AlarmRow
from durabase.web.structured_clone import decode_value, encode_value

__all__ = [
    "Change",
    "ChangeJournal",
    "JournalRow",
    "NoJournal",
    "carry_over",
    "merged",
    "path_of",
    "read_journal",
]

MAX_CHANGES: Final = 1000
"""So many changes of one row are told; of others only how many there were."""
MAX_BYTES: Final = 4096
"""Larger values are not told, only how large they were."""
MAX_FINE_ROWS: Final = 50_000
"""So many rows at most are not folded yet, however young they are."""
FOLD_EVERY: Final = 256
FOLD_ROWS: Final = 512
"""After how many rows, and how many at a time, older ones are folded; that takes a few milliseconds."""

Change: TypeAlias = dict[str, Any]
"""What a thing was and is. First which: ``key``, ``cell`` (table, row, cell), ``value`` (of a store),
``alarm``, ``sql``; or ``more``, a number, ``restored``, a time. ``old`` and ``new`` are left out where there
is nothing; ``stamp`` is a store's."""

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS _cf_CHANGES "
    "(number INTEGER PRIMARY KEY, level INTEGER, time INTEGER, author TEXT, changes BLOB)"
)
_INDEX: Final = "CREATE INDEX IF NOT EXISTS _cf_CHANGES_BY_TIME ON _cf_CHANGES (level, time)"
_IS_THERE: Final = "SELECT 1 FROM sqlite_schema WHERE name = '_cf_CHANGES'"
_ADD: Final = "INSERT INTO _cf_CHANGES VALUES (?, ?, ?, ?, ?)"
_OLD: Final = (
    "DELETE FROM _cf_CHANGES WHERE number IN "
    "(SELECT number FROM _cf_CHANGES WHERE level = ? AND time < ? LIMIT 1000)"
)
_FOLDABLE: Final = (
    "SELECT number, time, author, changes FROM _cf_CHANGES "
    "WHERE level = ? AND (time < ? OR number <= ?) ORDER BY number LIMIT ?"
)
_FOLDED: Final = (
    "SELECT number, changes FROM _cf_CHANGES WHERE level = ? AND time >= ? AND time < ? AND author = ?"
)
_OLD_VALUE: Final = "SELECT value FROM _cf_KV WHERE key = ?"
_READ: Final = (
    "SELECT number, level, time, author, changes FROM _cf_CHANGES "
    "WHERE number < ? AND time >= ? ORDER BY number DESC"
)
_NEVER: Final = -1
_ALTERS: Final = re.compile(
    r"\s*(CREATE|DROP|ALTER)\b(?!.*\bIF\s+(NOT\s+)?EXISTS\b)", re.IGNORECASE | re.DOTALL
)
"""What changes the database though it writes no rows. With ``IF`` it may do nothing."""


class JournalRow(NamedTuple):
    """One row.

    ``span_ms`` is over how long it was folded, 0 if it is one turn; ``time_ms`` its end; ``author`` is JSON.
    """

    number: int
    span_ms: int
    time_ms: int
    author: str
    changes: list[Change]


class NoJournal:
    """The journal of an object of which none is kept.

    Attributes:
        is_kept: whether anything is.
    """

    is_kept = False

    def note_keys(self, connection: sqlite3.Connection, entries: dict[bytes, bytes | None]) -> None:
        """These keys are about to be set, or deleted; those that stay as they are do not count."""

    def note_statement(self, statement: str, rows: int) -> None:
        """A statement has run that may write, and has written so many rows."""

    def note_alarm(self, old: AlarmRow | None, new: AlarmRow | None) -> None:
        """The alarm is another one."""

    def mark(self) -> None:
        """Begin something that can be taken back; nests."""

    def release(self, *, rolled_back: bool) -> None:
        """End it, with or without effect."""

    def forget(self) -> None:
        """Everything is deleted, what was told before as well."""

    def write(self, connection: sqlite3.Connection) -> None:
        """Add what was told, as part of the open transaction."""


class ChangeJournal(NoJournal):
    """The journal of one object, while its file is open.

    Args:
        now_ms: the time, in milliseconds since 1970.
        keep_ms: for how long rows are kept.

    Attributes:
        leaves_out_key, leaves_out_sql: whether a key, or a statement, is told of by somebody else.
    """

    is_kept = True

    def __init__(self, now_ms: Callable[[], int], keep_ms: int) -> None:
        self._now_ms = now_ms
        self._keep_ms = keep_ms
        self._pending: list[tuple[str, Change]] = []
        self._marks: list[int] = []
        self._until_fold = 0
        self.leaves_out_key: Callable[[str], bool] = _is_never
        self.leaves_out_sql: Callable[[str], bool] = _is_never

    # Telling

    def note(self, change: Change) -> None:
        """Something has changed, by the current author."""
        if self.is_full:
            self.note_more(1)
        else:
            self._pending.append((author_text(), change))

    @property
    def is_full(self) -> bool:
        """Whether of further changes of this turn it is only told how many there are."""
        return len(self._pending) >= MAX_CHANGES

    @property
    def room(self) -> int:
        """Of how many further changes of this turn it is told what they are."""
        return max(0, MAX_CHANGES - len(self._pending))

    def note_more(self, count: int) -> None:
        """So many more things have changed."""
        author = author_text()
        if self._pending and self._pending[-1][0] == author and "more" in self._pending[-1][1]:
            count += self._pending.pop()[1]["more"]
        self._pending.append((author, {"more": count}))

    def note_keys(self, connection: sqlite3.Connection, entries: dict[bytes, bytes | None]) -> None:
        more = 0
        for key, new in entries.items():
            if self.leaves_out_key(name := key_text(key)):
                continue
            if self.is_full:
                more += 1
                continue
            rows = read_rows(connection, _OLD_VALUE, (key,))
            old = rows[0][0] if rows else None
            if old != new:
                self.note({"key": name} | _told("old", old) | _told("new", new))
        if more:
            self.note_more(more)

    def note_statement(self, statement: str, rows: int) -> None:
        has_effect = rows > 0 or _ALTERS.match(statement) is not None
        if has_effect and not self.leaves_out_sql(statement):
            self.note({"sql": statement[:MAX_BYTES], "rows": rows})

    def note_alarm(self, old: AlarmRow | None, new: AlarmRow | None) -> None:
        before, after = old and old.due, new and new.due
        if before != after:
            self.note({"alarm": True} | _told("old", before) | _told("new", after))

    def note_thing(self, path: Change, old: Any, new: Any, stamp: str) -> None:
        """The stamp of a cell or value of a store is new. For no thing, ``old`` or ``new`` is ``...``."""
        told = {"stamp": stamp} | _told_thing("old", old) | _told_thing("new", new)
        self.note(path | told)

    # Taking back

    def mark(self) -> None:
        self._marks.append(len(self._pending))

    def release(self, *, rolled_back: bool) -> None:
        if self._marks and (mark := self._marks.pop()) <= len(self._pending) and rolled_back:
            del self._pending[mark:]

    def forget(self) -> None:
        self._pending.clear()

    # Writing

    def write(self, connection: sqlite3.Connection) -> None:
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        by_author: dict[str, list[Change]] = {}
        for author, change in pending:
            by_author.setdefault(author, []).append(change)
        connection.execute(_TABLE)
        connection.execute(_INDEX)
        now = self._now_ms()
        for author, changes in by_author.items():
            connection.execute(_ADD, (None, 0, now, author, _packed(merged(changes))))
        self._until_fold -= len(by_author)
        if self._until_fold <= 0:
            self._until_fold = FOLD_EVERY
            self._fold(connection, now)

    def _fold(self, connection: sqlite3.Connection, now: int) -> None:
        levels = range(len(STEPS) + 1)
        for level in levels:
            connection.execute(_OLD, (level, now - self._keep_ms))
        (last,) = connection.execute("SELECT max(number) FROM _cf_CHANGES").fetchone()
        for level, (age, step) in enumerate(STEPS):
            surplus = (last or 0) - MAX_FINE_ROWS if level == 0 else _NEVER
            rows = connection.execute(_FOLDABLE, (level, now - age, surplus, FOLD_ROWS)).fetchall()
            if len(rows) > 1:
                _fold_rows(connection, rows, level + 1, step)


def _fold_rows(connection: sqlite3.Connection, rows: list[tuple[Any, ...]], level: int, step: int) -> None:
    """Have one row for each slot of time and author, together with what was folded there before."""
    groups: dict[tuple[int, str], list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault((row[1] // step * step, row[2]), []).append(row)
    for (slot, author), members in groups.items():
        before = connection.execute(_FOLDED, (level, slot, slot + step, author)).fetchall()
        changes = (
            change
            for data in [*(row[1] for row in before), *(row[3] for row in members)]
            for change in _unpacked(data)
        )
        numbers = [(row[0],) for row in (*before, *members)]
        packed = _packed(merged(changes))
        connection.executemany("DELETE FROM _cf_CHANGES WHERE number = ?", numbers)
        connection.execute(_ADD, (members[-1][0], level, members[-1][1], author, packed))


def merged(changes: Iterable[Change]) -> list[Change]:
    """One change for each thing, from what it was at first to what it was at last, and how many it had."""
    found: dict[tuple[Any, ...], Change] = {}
    for change in changes:
        path = path_of(change)
        before = found.pop(path, None)
        found[path] = change if before is None else _joined(before, change)
    more, kept = found.pop(("more",), {"more": 0})["more"], list(found.values())
    more += max(0, len(kept) - MAX_CHANGES)
    return kept[-MAX_CHANGES:] + ([{"more": more}] if more else [])


def path_of(change: Change) -> tuple[Any, ...]:
    """Which thing a change is of."""
    if "cell" in change:
        return ("cell", *change["cell"])
    kind = next(iter(change))
    return (kind,) if kind in ("more", "alarm") else (kind, change[kind])


def _joined(before: Change, change: Change) -> Change:
    if "more" in change:
        return {"more": before["more"] + change["more"]}
    joined = {name: each for name, each in change.items() if not name.startswith("old")}
    joined |= {name: each for name, each in before.items() if name.startswith("old")}
    if "rows" in change:
        joined["rows"] += before["rows"]
    return joined | {"times": before.get("times", 1) + change.get("times", 1)}


def carry_over(
    connection: sqlite3.Connection, image: Path, now_ms: int, restored: Change, author: str
) -> None:
    """Have an image, which is about to be restored, tell what the database tells now, and of the restore."""
    rows = []
    if connection.execute(_IS_THERE).fetchone() is not None:
        rows = connection.execute("SELECT * FROM _cf_CHANGES").fetchall()
    with closing(sqlite3.connect(image, isolation_level=None)) as target:
        target.execute("BEGIN")
        target.execute(_TABLE)
        target.execute(_INDEX)
        target.execute("DELETE FROM _cf_CHANGES")
        target.executemany(_ADD, rows)
        target.execute(_ADD, (None, 0, now_ms, author, _packed([restored])))
        target.execute("COMMIT")


def read_journal(file: Path, since_ms: int, before: int | None = None) -> Iterator[JournalRow]:
    """The rows of an object's file, the newest first, of what is committed; none if there is no journal.

    Raises:
        sqlite3.Error: the file can't be read.
    """
    if not file.exists():
        return
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        if connection.execute(_IS_THERE).fetchone() is None:
            return
        spans = (0, *(step for _, step in STEPS))
        arguments = (2**63 - 1 if before is None else before, since_ms)
        for number, level, time_ms, author, data in connection.execute(_READ, arguments):
            yield JournalRow(number, spans[level], time_ms, author, _unpacked(data))


def _told(name: str, value: Any) -> Change:
    if value is None:
        return {}
    if isinstance(value, bytes) and len(value) > MAX_BYTES:
        return {f"{name}_bytes": len(value)}
    return {name: value}


def _told_thing(name: str, thing: Any) -> Change:
    if thing is ...:
        return {}
    if isinstance(thing, str) and len(thing) > MAX_BYTES:
        return {f"{name}_bytes": len(thing.encode("utf-8", "surrogatepass"))}
    return {name: thing}


def _packed(changes: list[Change]) -> bytes:
    return zlib.compress(encode_value(changes), 1)


def _unpacked(data: bytes) -> list[Change]:
    changes: list[Change] = decode_value(zlib.decompress(data))
    return changes


def _is_never(_: str) -> bool:
    return False
