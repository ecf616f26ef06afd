"""Which pages commits have changed, read from SQLite's own log."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.storage.write_ahead_log import BEGINNING, LogPosition, WriteAheadLog
from durabase.errors import StorageFileError


def opened(path: Path, page_size: int = 4096) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA page_size = {page_size}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE t (a)")
    return connection


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(opened(tmp_path / "d")) as connection:
        yield connection


@pytest.fixture
def log(connection: sqlite3.Connection, tmp_path: Path) -> Iterator[WriteAheadLog]:
    with closing(WriteAheadLog(tmp_path / "d")) as log:
        yield log


def checkpoint(connection: sqlite3.Connection) -> None:
    """Fold the log into the file: the next commit begins it anew."""
    connection.execute("PRAGMA wal_checkpoint(RESTART)")


def written_to(path: Path, base: bytes, pages: dict[int, bytes], count: int) -> None:
    """A database as it is with these pages instead of those it had."""
    size = len(next(iter(pages.values())))
    data = bytearray(base.ljust(count * size, b"\0"))
    for number, page in pages.items():
        data[(number - 1) * size : number * size] = page
    data[18:20] = b"\1\1"
    path.write_bytes(data[: count * size])


@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_all_pages_since_the_beginning_are_the_database(tmp_path: Path, page_size: int) -> None:
    with closing(opened(tmp_path / "d", page_size)) as connection:
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 20)
        with closing(WriteAheadLog(tmp_path / "d")) as log:
            end, size, pages = log.end()
            assert (size, pages) == (page_size, connection.execute("PRAGMA page_count").fetchone()[0])
            changed = log.changes(BEGINNING, end, size)
    base = b"" if 1 in changed else (tmp_path / "d").read_bytes()
    written_to(tmp_path / "copy", base, changed, pages)
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("SELECT count(*) FROM t WHERE length(a) = 1000").fetchone() == (20,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_changes_are_those_of_the_commits_in_between(
    connection: sqlite3.Connection, log: WriteAheadLog
) -> None:
    begin, size, _ = log.end()
    connection.execute("INSERT INTO t VALUES ('one')")
    middle, _, _ = log.end()
    connection.execute("INSERT INTO t VALUES ('other')")
    end, _, _ = log.end()
    assert begin.frames < middle.frames < end.frames
    first, second, both = (
        log.changes(*some, size) for some in ((begin, middle), (middle, end), (begin, end))
    )
    assert list(first) == list(second) == list(both) == [2]
    assert b"other" not in first[2]
    assert both == second
    assert b"other" in both[2]
    assert log.changes(end, end, size) == {}


def test_what_is_not_committed_is_not_told(connection: sqlite3.Connection, log: WriteAheadLog) -> None:
    before = log.end()
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 100)
    assert log.end() == before
    connection.execute("COMMIT")
    assert log.end() != before


def test_a_log_that_began_anew_follows_the_one_before_and_its_changes_are_all_it_has(
    connection: sqlite3.Connection, log: WriteAheadLog
) -> None:
    before, size, _ = log.end()
    checkpoint(connection)
    connection.execute("INSERT INTO t VALUES ('one')")
    after, _, _ = log.end()
    assert after.salts != before.salts
    assert after.follows(before)
    assert list(log.changes(before, after, size)) == [2]
    checkpoint(connection)
    connection.execute("INSERT INTO t VALUES ('two')")
    assert not log.end()[0].follows(before)
    assert log.end()[0].follows(after)
    with pytest.raises(StorageFileError, match="frames of another generation"):
        log.changes(BEGINNING, after, size)


def test_a_place_follows_one_of_the_same_log_that_is_not_later() -> None:
    salts, next_salts = b"\0\0\0\5abcd", b"\0\0\0\6efgh"
    place = LogPosition(salts, 7)
    assert place.follows(place)
    assert place.follows(LogPosition(salts, 3))
    assert not place.follows(LogPosition(salts, 8))
    assert not place.follows(BEGINNING)
    assert not place.follows(LogPosition(salts, 0))
    assert LogPosition(next_salts, 1).follows(place)
    assert not place.follows(LogPosition(next_salts, 1))
    assert LogPosition(b"\0\0\0\0wxyz", 1).follows(LogPosition(b"\xff\xff\xff\xffwxyz", 1))


def test_a_log_that_ends_too_early(
    connection: sqlite3.Connection, log: WriteAheadLog, tmp_path: Path
) -> None:
    end, size, _ = log.end()
    os.truncate(tmp_path / "d-wal", 32 + 24 + size)
    with pytest.raises(StorageFileError, match="the write-ahead log ends too early"):
        log.changes(BEGINNING, end, size)


@pytest.mark.parametrize("index", [b"", bytes(96), b"one copy" * 6 + b"another " * 6])
def test_an_index_that_makes_no_sense(tmp_path: Path, index: bytes) -> None:
    (tmp_path / "d-wal").touch()
    (tmp_path / "d-shm").write_bytes(index)
    with (
        closing(WriteAheadLog(tmp_path / "d")) as log,
        pytest.raises(StorageFileError, match="the index of the write-ahead log can't be read"),
    ):
        log.end()


def test_without_its_files_there_is_none_and_nothing_stays_open(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        WriteAheadLog(tmp_path / "d")
    (tmp_path / "d-wal").touch()
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    with pytest.raises(FileNotFoundError):
        WriteAheadLog(tmp_path / "d")
    again = os.open(os.devnull, os.O_RDONLY)
    os.close(again)
    assert again == free


def test_closing_it_closes_both_files(tmp_path: Path) -> None:
    for name in ("d-wal", "d-shm"):
        (tmp_path / name).touch()

    def next_two() -> list[int]:
        found = [os.open(os.devnull, os.O_RDONLY) for _ in range(2)]
        for descriptor in found:
            os.close(descriptor)
        return found

    free = next_two()
    log = WriteAheadLog(tmp_path / "d")
    assert not set(free) & set(next_two())
    log.close()
    assert next_two() == free
