"""One process at a time may use a folder of objects."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import IO

from durabase.durable_objects.partition import WHOLE, Partition
from durabase.errors import StorageError, StorageInUseError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows: an open file can't be deleted there, which is the lock
    fcntl = None

__all__ = ["FolderLock"]


class FolderLock:
    """A lock on a folder, released at the latest when the process ends.

    Args:
        folder: it is made if it is not there.
        partition: the part of it that the process uses. Whoever starts processes for parts has the lock of
            the whole first, which can't be had while one of them still runs.
    """

    def __init__(self, folder: Path, partition: Partition = WHOLE) -> None:
        self._path = folder / ("lock" if partition == WHOLE else f"lock-{partition.index}")
        self._is_whole = partition == WHOLE
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take it.

        Raises:
            StorageInUseError: somebody else has it.
            StorageError: the folder can't be written to.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            parts = self._path.parent.glob("lock-*") if self._is_whole else ()
            for path in parts:
                self._lock(path).close()
            self._file = self._lock(self._path)
        except BlockingIOError:
            raise StorageInUseError(
                f"{self._path.parent} is in use by another process; stop that, or use another folder"
            ) from None
        except OSError as error:
            raise StorageError(f"{self._path.parent} can't be used for objects: {error}") from error

    def _lock(self, path: Path) -> IO[str]:
        file = path.open("a")
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise
        return file

    def release(self) -> None:
        """Give it back."""
        if self._file is not None:
            self._file.close()
            self._file = None
