"""The file of an object's history: which pages of its database changed when.

A head, which says whose history it is, and then entries, one after the other, which are only ever appended.
An entry that was cut off by a crash is the last one, and is dropped when the file is opened. Folding writes
the file anew.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from secrets import token_bytes
from typing import BinaryIO, Final, TypeAlias

from durabase.durable_objects.storage.write_ahead_log import BEGINNING, LogPosition
from durabase.errors import StorageFileError

__all__ = ["Entry", "EntryKind", "HistoryFile"]

_MAGIC: Final = b"durabase history 1\n"
_ORIGIN_BYTES: Final = 16
_HEAD_BYTES: Final = len(_MAGIC) + _ORIGIN_BYTES
_HEADER: Final = struct.Struct(">BQQIQ8sQ")
_CHECK: Final = struct.Struct(">I")
_PAGE: Final = struct.Struct(">II")
_LEVEL: Final = 1

_Places: TypeAlias = dict[int, tuple[int, int]]
"""Where pages are in the file, and how long."""


class EntryKind(IntEnum):
    """What an entry tells."""

    CHANGES = 1
    """Pages that changed since the entry before."""
    IMAGE = 2
    """All pages; what was before is not needed for what comes after."""
    RESTORED = 3
    """A restore is about to happen: ``pages`` is its number, ``number`` the entry before it."""
    CLOSED = 4
    """The database was closed: ``number`` is its size, ``time_ms`` when it was written to, in nanoseconds."""
    PINNED = 5
    """Somebody knows of the state after the entry ``number``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, without its pages.

    Attributes:
        kind: what it tells.
        number: its place in the history.
        time_ms: when that was, in milliseconds since 1970.
        pages: how many the database had.
        position: up to which place of the log it goes.
        offset, length: where its pages are in the file.
    """

    kind: EntryKind
    number: int
    time_ms: int
    pages: int = 0
    position: LogPosition = BEGINNING
    offset: int = 0
    length: int = 0

    def packed(self, length: int) -> bytes:
        """The entry as bytes, as far as they are not pages."""
        place = self.position
        return _HEADER.pack(
            self.kind, self.number, self.time_ms, self.pages, place.frames, place.salts, length
        )


class HistoryFile:
    """The entries of one history, in order.

    Args:
        path: the file; it is made if it is not there.

    Attributes:
        entries: all that there are.
        origin: 16 bytes by which bookmarks are known to be of this history.

    Raises:
        StorageFileError: it is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self._file = path.open("a+b")
        try:
            if self._size() < _HEAD_BYTES:
                self._file.truncate(0)
                self._file.write(_MAGIC + token_bytes(_ORIGIN_BYTES))
                self._file.flush()
            self.origin = self._read_head()
            self._read_entries()
        except BaseException:
            self._file.close()
            raise

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _read(self, length: int, offset: int) -> bytes:
        return os.pread(self._file.fileno(), length, offset)

    def _read_head(self) -> bytes:
        head = self._read(_HEAD_BYTES, 0)
        if not head.startswith(_MAGIC):
            raise StorageFileError(f"{self.path.name} is no history of an object, or of a later version")
        return head[len(_MAGIC) :]

    def _read_entries(self) -> None:
        size, offset = self._size(), _HEAD_BYTES
        while offset + _HEADER.size + _CHECK.size <= size:
            kind, number, time_ms, pages, frames, salts, length = _HEADER.unpack(
                self._read(_HEADER.size, offset)
            )
            end = offset + _HEADER.size + length + _CHECK.size
            if end > size:
                break
            place = LogPosition(salts, frames)
            start = offset + _HEADER.size
            self.entries.append(Entry(EntryKind(kind), number, time_ms, pages, place, start, length))
            offset = end
        if self.entries and not self._is_whole(self.entries[-1]):
            last = self.entries.pop()
            offset = last.offset - _HEADER.size
        if offset < size:
            self._file.truncate(offset)

    def _is_whole(self, entry: Entry) -> bool:
        start = entry.offset - _HEADER.size
        data = self._read(_HEADER.size + entry.length + _CHECK.size, start)
        body, check = data[: -_CHECK.size], data[-_CHECK.size :]
        return check == _CHECK.pack(zlib.crc32(body))

    def _check(self, entry: Entry) -> None:
        if not self._is_whole(entry):
            raise StorageFileError(f"{self.path.name} is damaged: entry {entry.number}")

    # Reading

    def states(self) -> list[Entry]:
        """The entries after which the database was in a state that can be had again."""
        return [entry for entry in self.entries if entry.kind in (EntryKind.CHANGES, EntryKind.IMAGE)]

    def places(self, number: int) -> tuple[int, dict[int, tuple[int, int]]]:
        """How many pages the database had after this entry, and where in the file each of them is.

        Raises:
            StorageFileError: an entry that is needed is damaged.
        """
        places: dict[int, tuple[int, int]] = {}
        pages = 0
        for entry in self.states():
            if entry.number > number:
                break
            self._check(entry)
            if entry.kind is EntryKind.IMAGE:
                places.clear()
            places.update(self._places_in(entry))
            pages = entry.pages
        return pages, {page: place for page, place in places.items() if page <= pages}

    def _places_in(self, entry: Entry) -> Iterator[tuple[int, tuple[int, int]]]:
        offset, end = entry.offset, entry.offset + entry.length
        while offset < end:
            page, length = _PAGE.unpack(self._read(_PAGE.size, offset))
            yield page, (offset + _PAGE.size, length)
            offset += _PAGE.size + length

    def page(self, place: tuple[int, int]) -> bytes:
        """The page that is there."""
        offset, length = place
        return zlib.decompress(self._read(length, offset))

    def write_database(self, number: int, target: Path) -> None:
        """Write the database as it was after this entry, to a file.

        Raises:
            StorageFileError: an entry that is needed is damaged.
        """
        pages, places = self.places(number)
        with target.open("wb") as file:
            for page, place in places.items():
                data = self.page(place)
                file.seek((page - 1) * len(data))
                file.write(_without_log(data) if page == 1 else data)
            if places:
                file.truncate(pages * len(data))

    # Writing

    def append(self, entry: Entry, changed: Mapping[int, bytes] | None = None) -> None:
        """Add an entry with these pages."""
        packed = [(page, zlib.compress(data, _LEVEL)) for page, data in (changed or {}).items()]
        body = b"".join(_PAGE.pack(page, len(data)) + data for page, data in packed)
        data = entry.packed(len(body)) + body
        offset = self._size() + _HEADER.size
        self._file.write(data + _CHECK.pack(zlib.crc32(data)))
        self._file.flush()
        self.entries.append(replace(entry, offset=offset, length=len(body)))

    def sync(self) -> None:
        """Make it durable."""
        os.fsync(self._file.fileno())

    def fold(self, kept: Collection[int]) -> None:
        """Forget all states but these: what others have changed goes to the next that is kept.

        The first of them is an image of all if what was before it goes.

        Raises:
            StorageFileError: an entry is damaged; nothing has changed.
        """
        temporary = self.path.with_suffix(".folding")
        with temporary.open("wb") as target:
            target.write(_MAGIC + self.origin)
            for entry in self._folded(kept):
                self._copy(entry, target)
            target.flush()
            os.fsync(target.fileno())
        self._file.close()
        temporary.replace(self.path)
        self._file = self.path.open("a+b")
        self.entries = []
        self._read_entries()

    def _folded(self, kept: Collection[int]) -> Iterator[tuple[Entry, _Places]]:
        """The entries that are left, and where the pages of each are."""
        places: _Places = {}
        is_image = False
        for entry in self.entries:
            if entry.kind in (EntryKind.CHANGES, EntryKind.IMAGE):
                self._check(entry)
                if entry.kind is EntryKind.IMAGE:
                    places, is_image = {}, True
                places.update(self._places_in(entry))
                if entry.number in kept:
                    kind = EntryKind.IMAGE if is_image else EntryKind.CHANGES
                    yield replace(entry, kind=kind), {p: at for p, at in places.items() if p <= entry.pages}
                    places, is_image = {}, False
            elif self._stays(entry, kept):
                yield entry, {}

    def _stays(self, entry: Entry, kept: Collection[int]) -> bool:
        """Whether folding leaves an entry. The last restore stays, so that none has its number again."""
        if entry.kind is EntryKind.CLOSED or entry is self.entries[-1]:
            return entry is self.entries[-1]
        if entry.kind is EntryKind.RESTORED and entry is self._last_restore():
            return True
        return entry.number in kept or not entry.number

    def _last_restore(self) -> Entry | None:
        return next((entry for entry in reversed(self.entries) if entry.kind is EntryKind.RESTORED), None)

    def surplus(self, kept: Collection[int]) -> int:
        """How many bytes the entries have that :meth:`fold` would not leave as they are."""
        gone = (entry for entry in self.entries if not self._stays(entry, kept))
        return sum(_HEADER.size + entry.length + _CHECK.size for entry in gone)

    def _copy(self, folded: tuple[Entry, _Places], target: BinaryIO) -> None:
        entry, places = folded
        length = sum(_PAGE.size + size for _, size in places.values())
        header = entry.packed(length)
        check = zlib.crc32(header)
        target.write(header)
        for page, (offset, size) in places.items():
            data = _PAGE.pack(page, size) + self._read(size, offset)
            check = zlib.crc32(data, check)
            target.write(data)
        target.write(_CHECK.pack(check))

    def close(self) -> None:
        """Let go of it."""
        self._file.close()


def _without_log(first_page: bytes) -> bytes:
    """The first page of a database that says that it has no write-ahead log."""
    return first_page[:18] + b"\1\1" + first_page[20:]
