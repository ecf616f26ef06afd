"""Files of ``wrangler dev`` as copies of objects."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.storage.object_copy import CopyLabel, copied_entries, read_label
from durabase.errors import StorageError, StorageFileError
from durabase.operations.wrangler_state import convert, objects_in
from durabase.web.structured_clone import decode_value

pytestmark = [pytest.mark.feature("S-SX-3")]

STATE = Path(__file__).with_name("wrangler_state")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return shutil.copytree(STATE, tmp_path / "state")


def test_the_objects_that_there_are(state: Path) -> None:
    for place in (state, state / "v3", state / "v3" / "do"):
        keys = [each.unique_key for each in objects_in(place)]
        assert keys == ["shop-Box"] * 4 + ["shop-Plain"]
    assert objects_in(state / "nothing") == []


def test_a_copy_has_everything(state: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    (source,) = (each.file for each in objects_in(state) if each.file.stem.startswith("22638c07"))
    label = convert(source, copy, "Box", 5)
    assert label == CopyLabel("Box", 5, bytes.fromhex(source.stem), "lobby")
    assert read_label(copy) == CopyLabel("Box", 5, bytes.fromhex(source.stem), "lobby", has_tables=True)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT * FROM child").fetchall() == [(1.0, b"\0\1\xff", 2.5)]
        assert connection.execute("SELECT text FROM docs WHERE docs MATCH 'world'").fetchall()
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert {"by_name", "names", "tr", "_cf_KV", "_cf_OBJECT", "_cf_COPY"} <= names
    assert not {name for name in names if "miniflare" in name or "METADATA" in name}
    entries, alarm = copied_entries(copy, 7)
    assert alarm is not None
    assert (alarm.scheduled, alarm.serial) == (4_000_000_000_123, 7)
    assert decode_value(entries["€ key\0nul 😀".encode()]) == 1
    assert decode_value(entries[b"date"]).year == 2023


def test_objects_with_less(state: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    found = {}
    for each in objects_in(state):
        label = convert(each.file, copy, "X", 5)
        entries, alarm = copied_entries(copy, 1)
        found[each.file.stem[:4]] = (label.name, len(entries), alarm is not None, read_label(copy).has_tables)
    assert found == {
        "2263": ("lobby", 72, True, True),
        "381c": (None, 72, True, True),
        "8663": ("only", 0, False, True),
        "e5c3": ("a/b", 0, False, True),
        "83a1": (None, 71, True, False),  # of such classes wrangler keeps no names
    }


def test_what_can_not_be_read(state: Path, tmp_path: Path) -> None:
    (source,) = (each.file for each in objects_in(state) if each.file.stem.startswith("83a1"))
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("UPDATE _cf_KV SET value = x'ff0f5c01' WHERE key = 'int'")
        connection.commit()
    with pytest.raises(StorageError, match="the value of the key 'int' can't be read"):
        convert(source, tmp_path / "copy", "Plain", 5)
    source.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageFileError, match="can't be read"):
        convert(source, tmp_path / "copy", "Plain", 5)
