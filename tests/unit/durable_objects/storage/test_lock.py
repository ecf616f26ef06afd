"""One process at a time, for a folder or a part of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from durabase.durable_objects.partition import Partition
from durabase.durable_objects.storage.lock import FolderLock
from durabase.errors import StorageError, StorageInUseError

HALVES = Partition(0, 2), Partition(1, 2)


def test_a_folder_is_made_and_had_by_one_until_it_is_given_back(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    lock, other = FolderLock(folder), FolderLock(folder)
    lock.acquire()
    assert folder.is_dir()
    with pytest.raises(StorageInUseError, match=r"b is in use by another process; stop that, or use another"):
        other.acquire()
    lock.release()
    other.acquire()
    other.release()


def test_giving_back_what_one_does_not_have_does_nothing(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.release()
    lock.acquire()
    lock.release()
    lock.release()


def test_folders_do_not_know_of_each_other(tmp_path: Path) -> None:
    locks = [FolderLock(tmp_path / name) for name in "ab"]
    for lock in locks:
        lock.acquire()
    for lock in locks:
        lock.release()


def test_parts_are_had_side_by_side_and_each_by_one(tmp_path: Path) -> None:
    one, other = (FolderLock(tmp_path, half) for half in HALVES)
    one.acquire()
    other.acquire()
    with pytest.raises(StorageInUseError):
        FolderLock(tmp_path, HALVES[1]).acquire()
    one.release()
    other.release()


def test_the_whole_is_not_had_while_a_part_is_and_leaves_the_others(tmp_path: Path) -> None:
    one, other = (FolderLock(tmp_path, half) for half in HALVES)
    whole = FolderLock(tmp_path)
    one.acquire()
    other.acquire()
    one.release()
    with pytest.raises(StorageInUseError):
        whole.acquire()
    other.release()
    whole.acquire()
    one.acquire()  # whoever has the whole starts those of the parts
    one.release()
    whole.release()


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file can't be used for objects: ") as caught:
        FolderLock(tmp_path / "file").acquire()
    assert not isinstance(caught.value, StorageInUseError)
