"""Stores in files."""

from __future__ import annotations

import errno
import os
import resource
import stat
from pathlib import Path
from typing import Any

import pytest

from durabase.errors import PersisterError
from durabase.mergeable import MergeableStore
from durabase.persisters import FilePersister
from durabase.store import Store
from durabase.testing import FakeClock
from durabase.types import UNDEFINED

PLAIN = '[{"pets":{"fido":{"species":"dog","tags":"\ufffd[\\"a\\"]"}}},{"open":true}]'


class Kept:
    """A store with a persister that follows a file."""

    def __init__(self, path: Path, store: Any = None, initial: Any = None) -> None:
        self.clock = FakeClock()
        self.store = Store() if store is None else store
        self.errors: list[Exception] = []
        self.persister = FilePersister(
            self.store, path, on_ignored_error=self.errors.append, clock=self.clock
        )
        self.started = self.persister.start_auto_persisting(initial)


def test_the_text_of_plain_content(tmp_path: Path) -> None:
    path = tmp_path / "store.json"
    kept = Kept(path)
    assert kept.started.done()
    kept.store.set_row("pets", "fido", {"species": "dog", "tags": ["a"]}).set_value("open", True)
    assert path.read_bytes() == PLAIN.encode()
    again = Kept(path)
    assert again.store.get_content() == kept.store.get_content()
    assert again.errors == []
    assert again.persister.get_file_path() == path


def test_the_text_of_mergeable_content(tmp_path: Path) -> None:
    path = tmp_path / "store.json"
    clock = FakeClock()
    kept = Kept(path, MergeableStore("s1", clock=clock))
    kept.store.set_value("a", 1).del_value("a")
    value_hash = kept.store.get_mergeable_value_hashes()["a"]
    values_hash = kept.store.get_mergeable_content_hashes()[1]
    text = f'[[{{}},"",0],[{{"a":["\ufffc","NjEtLV----07JQY8",{value_hash}]}},"",{values_hash}]]'
    assert path.read_bytes() == text.encode()
    again = Kept(path, MergeableStore("s2", clock=clock))
    assert again.store.get_mergeable_content_hashes() == kept.store.get_mergeable_content_hashes()
    assert again.store._get_encoded_mergeable_content()[1][0]["a"][0] is UNDEFINED


def test_a_missing_and_an_empty_file_hold_nothing(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path / "empty.json"):
        if path.name == "empty.json":
            path.touch()
        kept = Kept(path, initial=[{}, {"v": 1}])
        assert kept.errors == []
        assert path.read_text() == '[{},{"v":1}]'


@pytest.mark.parametrize("data", [b"garbage", b"\xff\xfe", b'[{},{"v":NaN}]', b"5"])
def test_a_file_that_cannot_be_read_is_not_overwritten(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "store.json"
    path.write_bytes(data)
    kept = Kept(path, initial=[{}, {"v": 1}])
    kept.store.set_value("v", 2)
    assert path.read_bytes() == data
    assert isinstance(kept.errors[-1], PersisterError)
    path.write_text('[{},{"w":3}]')
    kept.clock.advance(50)
    assert kept.store.get_values() == {"w": 3}
    kept.store.set_value("v", 2)
    assert path.read_text() == '[{},{"w":3,"v":2}]'


def test_a_lone_surrogate(tmp_path: Path) -> None:
    path = tmp_path / "store.json"
    Kept(path).store.set_value("v", "a\ud800b")
    assert path.read_bytes() == b'[{},{"v":"a\\ud800b"}]'
    assert Kept(path).store.get_value("v") == "a\ud800b"


def test_the_mode_is_kept_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "store.json"
    path.touch(mode=0o640)
    path.chmod(0o640)
    Kept(path).store.set_value("v", 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["store.json"]


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "store.json", tmp_path / "link.json"
    target.touch()
    link.symlink_to(target)
    Kept(link).store.set_value("v", 1)
    assert link.is_symlink()
    assert target.read_text() == '[{},{"v":1}]'
    assert sorted(os.listdir(tmp_path)) == ["far", "link.json"]


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "no" / "store.json")
    kept.store.set_value("v", 1)
    assert [type(error) for error in kept.errors] == [FileNotFoundError, FileNotFoundError]
    (tmp_path / "no").mkdir()
    kept.store.set_value("w", 1)
    assert (tmp_path / "no" / "store.json").read_text() == '[{},{"v":1,"w":1}]'


def test_a_draft_that_cannot_take_its_place_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "store.json"
    path.mkdir()
    store = Store()
    errors: list[Exception] = []
    FilePersister(store, path, on_ignored_error=errors.append).save()
    assert len(errors) == 1
    assert os.listdir(tmp_path) == ["store.json"]


def test_a_folder_that_takes_no_files() -> None:
    kept = Kept(Path("/proc/store.json"))
    kept.store.set_value("v", 1)
    assert [type(error) for error in kept.errors] == [FileNotFoundError, FileNotFoundError]
    assert kept.store.get_values() == {"v": 1}


def test_a_disk_that_is_full_halfway(tmp_path: Path) -> None:
    path = tmp_path / "store.json"
    kept = Kept(path)
    kept.store.set_value("v", 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        kept.store.set_value("large", "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [getattr(error, "errno", None) for error in kept.errors] == [errno.EFBIG]
    assert path.read_text() == '[{},{"v":1}]'
    assert os.listdir(tmp_path) == ["store.json"]
    kept.store.set_value("w", 1)
    assert Kept(path).store.get_value_ids() == ["v", "large", "w"]


class TestFollowing:
    def test_changes_from_outside_are_loaded(self, tmp_path: Path) -> None:
        path = tmp_path / "store.json"
        kept = Kept(path)
        path.write_text('[{},{"v":1}]')
        assert kept.store.get_values() == {}
        kept.clock.advance(50)
        assert kept.store.get_values() == {"v": 1}
        assert kept.persister.get_stats() == {"loads": 2, "saves": 1}

    def test_what_was_written_by_itself_is_no_change(self, tmp_path: Path) -> None:
        path = tmp_path / "store.json"
        kept = Kept(path)
        kept.store.set_value("v", 1)
        kept.clock.advance(200)
        path.write_bytes(path.read_bytes())
        os.utime(path, ns=(1, 1))
        kept.clock.advance(200)
        assert kept.persister.get_stats()["loads"] == 1

    def test_a_file_that_vanishes_or_is_emptied_is_no_change(self, tmp_path: Path) -> None:
        path = tmp_path / "store.json"
        kept = Kept(path)
        kept.store.set_value("v", 1)
        path.unlink()
        kept.clock.advance(50)
        path.touch()
        kept.clock.advance(50)
        assert kept.store.get_values() == {"v": 1}
        assert kept.errors == []

    def test_a_change_that_cannot_be_read_is_reported_by_the_load(self, tmp_path: Path) -> None:
        path = tmp_path / "store.json"
        kept = Kept(path)
        path.write_bytes(b"\xff")
        kept.clock.advance(50)
        assert [type(error) for error in kept.errors] == [UnicodeDecodeError]

    def test_it_ends(self, tmp_path: Path) -> None:
        path = tmp_path / "store.json"
        kept = Kept(path)
        kept.persister.stop_auto_load()
        path.write_text('[{},{"v":1}]')
        kept.clock.advance(500)
        assert kept.store.get_values() == {}
        kept.persister.destroy()

    def test_two_stores_share_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "store.json"
        one, other = Kept(path), Kept(path)
        one.store.set_value("v", 1)
        other.clock.advance(50)
        other.store.set_value("w", 2)
        one.clock.advance(50)
        assert one.store.get_values() == other.store.get_values() == {"v": 1, "w": 2}
