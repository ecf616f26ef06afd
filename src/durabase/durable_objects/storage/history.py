"""The history of one object's database: from the log that its commits are in anyway, to bookmarks and back.

Whoever syncs the log tells the history, on the same thread; it copies the changed pages from the log before
these are folded into the database. What is written within a second is one entry, unless somebody asks for a
bookmark in between. An entry is durable before the log that it was made of goes.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from durabase.durable_objects.authors import author_text
from durabase.durable_objects.storage.bookmarks import Bookmark, parsed
from durabase.durable_objects.storage.change_journal import carry_over
from durabase.durable_objects.storage.engine import Database
from durabase.durable_objects.storage.history_file import Entry, EntryKind, HistoryFile
from durabase.durable_objects.storage.record import is_empty
from durabase.durable_objects.storage.resolution import kept_of
from durabase.durable_objects.storage.write_ahead_log import BEGINNING, LogPosition, WriteAheadLog
from durabase.errors import StorageError, StorageFileError

__all__ = ["FOREVER_MS", "History", "forget_old", "history_path"]

ENTRY_MS: Final = 1000
FOLD_PART: Final = 0.25
"""What part of the file has to be in the way before it is written anew, so that this is rare."""
FOREVER_MS: Final = 1 << 60
MAX_PINNED: Final = 1000
"""So many states that programs have bookmarks of are kept exactly, the latest."""
_PAGE_BYTES: Final = 4096


class History:
    """The history of one database, while that is open.

    Args:
        database: its file.
        now_ms: the time, in milliseconds since 1970.
        keep_ms: for how long states are kept.

    Raises:
        StorageFileError: the file of the history is none.
    """

    def __init__(self, database: Path, now_ms: Callable[[], int], keep_ms: int) -> None:
        self._database = database
        self._now_ms = now_ms
        self._keep_ms = keep_ms
        self._lock = Lock()
        self._file = HistoryFile(history_path(database))
        self._log: WriteAheadLog | None = None
        self._pending: dict[int, bytes] = {}
        self._pending_since = self._pending_until = 0
        self._position = BEGINNING
        self._pages = 0
        self._is_forgotten = False

    # Following the log

    def follow(self, database: Database) -> None:
        """Begin; first restore what was asked to be.

        Raises:
            StorageFileError, sqlite3.Error, OSError: it can't.
        """
        self.begin(database.connection)
        database.follower = self
        if self.restore(database.connection):
            database.begin()
            database.commit_now()
            self.restored()

    def begin(self, connection: sqlite3.Connection) -> None:
        """Go on where the history ends; if the database has changed meanwhile, with all of it.

        Raises:
            StorageFileError, sqlite3.Error, OSError: it can't.
        """
        empty = is_empty(connection)  # reading makes sure that the log and its index are there
        log = self._log = WriteAheadLog(self._database)
        end, _, self._pages = log.end()
        last = self._file.entries[-1] if self._file.entries else None
        if (last is None and empty) or (last is not None and self._was_closed(last, end)):
            self._position = LogPosition(end.salts)
        elif last is not None and end.follows(last.position):
            self._position = last.position
        else:
            self._take_image(connection, end)
        self._catch_up()
        self._flush()

    @property
    def log(self) -> WriteAheadLog:
        """What it follows."""
        assert self._log is not None  # noqa: S101 - it has begun
        return self._log

    def _was_closed(self, last: Entry, end: LogPosition) -> bool:
        if last.kind is not EntryKind.CLOSED or end.frames:
            return False
        return (last.number, last.time_ms) == _stat(self._database)

    def _take_image(self, connection: sqlite3.Connection, end: LogPosition) -> None:
        """An entry with every page, of a copy, which is of one moment."""
        image = self._database.with_suffix(".image")
        image.unlink(missing_ok=True)
        try:
            with closing(sqlite3.connect(image)) as copy:
                connection.backup(copy)
            data = image.read_bytes() if not is_empty(connection) else b""
        finally:
            image.unlink(missing_ok=True)
        pages = {
            1 + start // _PAGE_BYTES: data[start : start + _PAGE_BYTES]
            for start in range(0, len(data), _PAGE_BYTES)
        }
        self._position = end
        self._append(EntryKind.IMAGE, len(pages), pages, self._now_ms())

    def synced(self) -> None:
        """The log has been synced: on the thread that did."""
        with self._lock:
            if self._pending and self._now_ms() - self._pending_since >= ENTRY_MS:
                self._flush()
            self._catch_up()

    @contextmanager
    def folding(self) -> Iterator[None]:
        """Within it nothing of the log is folded into the database that the history does not have."""
        with closing(sqlite3.connect(self._database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            is_empty(reader)  # from now on nothing later is folded
            with self._lock:
                self._catch_up()
                self._flush()
                self._file.sync()
                self._fold()
            yield

    def close(self, close_database: Callable[[], object]) -> None:
        """The database is closed, by the function that is given, and all of its log is folded by that."""
        with self._lock:
            self._catch_up()
            self._flush()
            self._file.sync()
            close_database()
            self.log.close()  # not before: closing a file lets go of the locks that SQLite has on it
            self._fold()
            size, written_ns = _stat(self._database)
            self._file.append(Entry(EntryKind.CLOSED, size, written_ns))
            self._file.close()

    def give_up(self) -> None:
        """The database can't be used, and is closed: let go of everything."""
        self._file.close()
        if self._log is not None:
            self._log.close()

    def vanish(self) -> None:
        """The database is gone: there need be no history if it never held anything. After :meth:`close`."""
        if self._is_forgotten or not self._file.states():
            self._file.path.unlink(missing_ok=True)

    def forget(self) -> None:
        """When the database is gone, let go of all that it ever held."""
        self._is_forgotten = True

    def _catch_up(self) -> None:
        """Look at what was committed since."""
        end, page_size, pages = self.log.end()
        if end == self._position:
            return
        changed = self.log.changes(self._position, end, page_size)
        self._position, self._pages = end, pages
        if changed:
            now = self._now_ms()
            self._pending_since = self._pending_since if self._pending else now
            self._pending_until = now
            self._pending.update(changed)

    def _flush(self) -> None:
        if self._pending:
            changed, self._pending = self._pending, {}
            self._append(EntryKind.CHANGES, self._pages, changed, self._pending_until)

    def _append(self, kind: EntryKind, pages: int, changed: dict[int, bytes], time_ms: int) -> None:
        last = self._last()
        time_ms = time_ms if last is None else max(time_ms, last.time_ms)
        number = 1 if last is None else last.number + 1
        self._file.append(Entry(kind, number, time_ms, pages, self._position), changed)

    def _fold(self) -> None:
        """Let go of what is older than is kept, or closer together; not while something is to be restored."""
        if self.request_path(self._database).exists():
            return
        states, now = self._file.states(), self._now_ms()
        expired = [entry for entry in states if entry.time_ms <= now - self._keep_ms][:-1]
        young = [(entry.number, entry.time_ms) for entry in states[len(expired) :]]
        kept = kept_of(young, now, self._pinned())
        if self._file.surplus(kept) > FOLD_PART * self._file.path.stat().st_size:
            self._file.fold(kept)

    def _pinned(self) -> set[int]:
        """The states that somebody may have a bookmark of."""
        pinned = [entry.number for entry in self._of_kind(EntryKind.PINNED)[-MAX_PINNED:]]
        return {*pinned, *(entry.number for entry in self._of_kind(EntryKind.RESTORED)[-MAX_PINNED:])}

    # Bookmarks

    def current(self) -> str:
        """The bookmark of what is committed now."""
        with self._lock:
            self._catch_up()
            self._flush()
            return str(self._bookmark(self._last()))

    def at(self, time_ms: int) -> str:
        """The bookmark of what was committed then.

        Raises:
            StorageError: the history does not go back so far, or the time is yet to come.
        """
        with self._lock:
            self._catch_up()
            self._flush()
            if time_ms > self._now_ms():
                raise StorageError("There is no bookmark for a time in the future.")
            found = [entry for entry in self._file.states() if entry.time_ms <= time_ms]
            if not found:
                raise StorageError("There is no bookmark for that time: the history begins later.")
            return str(self._bookmark(found[-1]))

    def pin(self, text: str) -> str:
        """Keep the state of a bookmark exactly, for somebody knows of it; gives the bookmark."""
        with self._lock:
            number, last = parsed(text).number, self._last()
            if last is not None and all(each.number != number for each in self._of_kind(EntryKind.PINNED)):
                self._file.append(Entry(EntryKind.PINNED, number, self._now_ms(), 0, last.position))
        return text

    def image(self, text: str, target: Path) -> int | None:
        """Write the database of a bookmark to a file; when it was, in milliseconds since 1970. On a thread.

        Raises:
            TypeError, StorageError: the bookmark is none of this history, or is not kept any more.
        """
        with self._lock:
            number = self._number_of(parsed(text))
            self._file.write_database(number, target)
            return self._time_of(number)

    def since(self) -> int | None:
        """When the oldest state is from that is kept, in milliseconds since 1970."""
        with self._lock:
            self._catch_up()
            self._flush()
            states = self._file.states()
            return states[0].time_ms if states else None

    def restore_next(self, text: str) -> str:
        """Have the state of a bookmark restored when the database is opened next; gives that to undo it.

        Raises:
            TypeError, StorageError: the bookmark is none of this history, or is not kept any more.
        """
        with self._lock:
            number = self._number_of(parsed(text))
            self._catch_up()
            self._flush()
            undo = 1 + max((each.pages for each in self._of_kind(EntryKind.RESTORED)), default=0)
            self._file.sync()
            request = f"{number} {undo} {author_text('restore')}"
            _write_durably(self.request_path(self._database), request)
            last = self._last()
            current = self._bookmark(last)
            seconds = max(current.seconds, self._now_ms() // 1000)
            return str(Bookmark(seconds, current.number, undo, self._file.origin))

    def _last(self) -> Entry | None:
        return next(reversed(self._file.states()), None)

    def _time_of(self, number: int) -> int | None:
        return next((entry.time_ms for entry in self._file.states() if entry.number == number), None)

    def _bookmark(self, entry: Entry | None) -> Bookmark:
        if entry is None:
            return Bookmark(0, 0, 0, self._file.origin)
        return Bookmark(entry.time_ms // 1000, entry.number, 0, self._file.origin)

    def _of_kind(self, kind: EntryKind) -> list[Entry]:
        return [entry for entry in self._file.entries if entry.kind is kind]

    def _number_of(self, bookmark: Bookmark) -> int:
        if bookmark.origin != self._file.origin:
            raise StorageError("This bookmark is of another object, or of a history that is gone.")
        number = bookmark.number
        self._check_kept(number)
        if bookmark.undo:
            before = [each for each in self._of_kind(EntryKind.RESTORED) if each.pages == bookmark.undo]
            if not before:
                raise StorageError("This bookmark is of the time before a restore that has not happened.")
            number = before[-1].number
        return number

    def _check_kept(self, number: int) -> None:
        states = self._file.states()
        began_empty = not states or (states[0].number == 1 and states[0].kind is EntryKind.CHANGES)
        if not (number == 0 and began_empty) and all(entry.number != number for entry in states):
            raise StorageError("This bookmark is of a time that is not kept any more.")

    # Restoring

    @staticmethod
    def request_path(database: Path) -> Path:
        """The file that is there while a restore is to be done."""
        return database.with_suffix(".restore")

    def restore(self, connection: sqlite3.Connection) -> bool:
        """Do what was asked for by :meth:`restore_next`, if anything was; it is committed, not durable.

        Afterwards it has to be made durable, and then :meth:`restored` called.
        """
        request = self.request_path(self._database)
        if not request.exists():
            return False
        number, undo, *author = request.read_text("ascii").split(" ", 2)
        try:
            self._restore(connection, int(number), int(undo), author[0] if author else "{}")
        except StorageError as error:
            raise StorageFileError(f"{error} Remove {request.name} to go on without restoring.") from error
        return True

    def _restore(self, connection: sqlite3.Connection, number: int, undo: int, author: str) -> None:
        self._check_kept(number)
        if all(each.pages != undo for each in self._of_kind(EntryKind.RESTORED)):
            last = self._last()
            before = 0 if last is None else last.number
            self._file.append(Entry(EntryKind.RESTORED, before, self._now_ms(), undo, self._position))
            self._file.sync()
        image = self._database.with_suffix(".image")
        try:
            self._file.write_database(number, image)
            then = self._time_of(number)
            if number:
                carry_over(connection, image, self._now_ms(), {"restored": then}, author)
            with closing(sqlite3.connect(image)) as source:
                source.backup(connection)
        finally:
            image.unlink(missing_ok=True)

    def restored(self) -> None:
        """What was restored is durable."""
        self.request_path(self._database).unlink(missing_ok=True)


def history_path(database: Path) -> Path:
    """Where the history of a database is."""
    return database.with_suffix(".history")


def forget_old(folder: Path, oldest_ms: int) -> None:
    """Remove the histories of objects that keep nothing any more, and have not for so long."""
    for path in folder.glob("*.history"):
        if path.stat().st_mtime * 1000 < oldest_ms and not path.with_suffix(".sqlite").exists():
            path.unlink()


def _stat(database: Path) -> tuple[int, int]:
    found = database.stat()
    return found.st_size, found.st_mtime_ns


def _write_durably(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
