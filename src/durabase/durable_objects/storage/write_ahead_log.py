"""SQLite's write-ahead log as far as it must be read: which pages the commits since some place have changed.

Source: SQLite's documentation of the WAL file format and of the WAL-index header. How many frames are
committed says the index, which all connections share; so nothing here has to be guessed from the log.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from durabase.errors import StorageFileError

__all__ = ["BEGINNING", "LogPosition", "WriteAheadLog"]

_LOG_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_FRAME: Final = struct.Struct(">II8s")
_INDEX: Final = struct.Struct("=12xBBHII8x8s8x")
_RETRIES: Final = 100
_NOTHING: Final = bytes(8)


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A place in a log: which generation of it (its salts), and after how many frames."""

    salts: bytes = _NOTHING
    frames: int = 0

    def follows(self, earlier: LogPosition) -> bool:
        """Whether the log has only grown since, or has begun anew just once, which SQLite counts."""
        if not earlier.frames:
            return False
        generations = int.from_bytes(self.salts[:4]) - int.from_bytes(earlier.salts[:4])
        same = self.salts == earlier.salts and self.frames >= earlier.frames
        return same or generations % 2**32 == 1


BEGINNING: Final = LogPosition()
"""Before any log."""


class WriteAheadLog:
    """The log of a database that is open.

    Args:
        database: the file of the database.
    """

    def __init__(self, database: Path) -> None:
        self._log = os.open(f"{database}-wal", os.O_RDONLY)
        try:
            self._index = os.open(f"{database}-shm", os.O_RDONLY)
        except BaseException:
            os.close(self._log)
            raise

    def close(self) -> None:
        """Let go of it."""
        os.close(self._log)
        os.close(self._index)

    def end(self) -> tuple[LogPosition, int, int]:
        """Up to where it is committed; the size of a page; how many pages the database has by that.

        Raises:
            StorageFileError: its index makes no sense.
        """
        for _ in range(_RETRIES):  # whoever commits may be writing it right now, one copy after the other
            header = os.pread(self._index, 96, 0)
            if len(header) == 96 and header[:48] == header[48:]:
                is_there, _, page_size, frames, pages, salts = _INDEX.unpack(header[:48])
                if is_there:
                    return LogPosition(salts, frames), 65536 if page_size == 1 else page_size, pages
        raise StorageFileError("the index of the write-ahead log can't be read")

    def changes(self, since: LogPosition, until: LogPosition, page_size: int) -> dict[int, bytes]:
        """The pages that the frames between these places have, as the last of them has them.

        Raises:
            StorageFileError: the frames are not those of this generation.
        """
        first = since.frames if since.salts == until.salts else 0
        changed: dict[int, bytes] = {}
        size = _FRAME_HEADER + page_size
        for number in range(first, until.frames):
            frame = os.pread(self._log, size, _LOG_HEADER + number * size)
            if len(frame) < size:
                raise StorageFileError("the write-ahead log ends too early")
            page, _, salts = _FRAME.unpack_from(frame)
            if salts != until.salts:
                raise StorageFileError("the write-ahead log has frames of another generation")
            changed[page] = frame[_FRAME_HEADER:]
        return changed
