"""Content of wrong shapes: reported, the store goes on, and what is stored is not overwritten."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from durabase.errors import PersisterError
from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectSqlStoragePersister, FilePersister, Persister, SqlitePersister
from durabase.store import Store
from durabase.testing import FakeClock
from unit.persisters.test_durable_object_sql_storage import Storage

STAMPED = '[[{"t":[{"r":[{"c":[1,"NjEtLV-----7JQY8",5]},"",0]},"",0]},"",0],[{},"",0]]'
PLAIN = '[{"t":{"r":{"c":1}}},{"v":1}]'
TORN = [PLAIN[:length] for length in (1, 8, 20, len(PLAIN) - 1)]
NO_CONTENT = ["{}", "5", "true", '"x"', "[{},{}]x", "[NaN,{}]", "[5,5]", '["",""]', "[[],[]]", "[true,{}]"]
NO_TABLE = ['[{"t":5},{}]', '[{"t":[]},{}]', '[{"t":"x","u":{"r":{"c":1}}},{}]', '[{"t":null},{}]']
NO_ROW = ['[{"t":{"r":5}},{}]', '[{"t":{"r":[1]}},{}]', '[{"t":{"a":{"c":1},"r":"x"}},{"v":1}]']
NO_VALUES = ['[{"t":{"r":{"c":1}}},5]', "[{},[]]", '[{},"x"]']
BAD = [*TORN, *NO_CONTENT, *NO_TABLE, *NO_ROW, *NO_VALUES]
NO_STAMPS = [
    STAMPED[:30],
    STAMPED.replace("NjEtLV-----7JQY8", "bad"),
    '[[{"t":5},"",0],[{},"",0]]',
    '[[{"t":[{"r":5},"",0]},"",0],[{},"",0]]',
    '[[{"t":[{"r":[5,"",0]},"",0]},"",0],[{},"",0]]',
    '[[{},"",0]]',
    '[[{},"",0],5]',
    '[[{},"",0],[]]',
    '[[{},"",0],[{"v":5},"",0]]',
]
NOTHING_TO_LOSE = ["null", "[]", "[{}]", "[null,null]", "[{},{}]", '[{"t":{}},{}]', '[{"t":{"r":{}}},{}]']


class FilePlace:
    """A file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "store.json"

    def persister(self, store: Any, errors: list[Exception]) -> Persister:
        return FilePersister(store, self._path, on_ignored_error=errors.append, clock=FakeClock())

    def write(self, text: str) -> None:
        self._path.write_text(text, encoding="utf-8")

    def read(self) -> str:
        return self._path.read_text(encoding="utf-8")


class CellPlace:
    """A cell of a SQLite database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("CREATE TABLE tinybase(_id PRIMARY KEY, store)")

    def persister(self, store: Any, errors: list[Exception]) -> Persister:
        return SqlitePersister(store, self._connection, on_ignored_error=errors.append, clock=FakeClock())

    def write(self, text: str) -> None:
        self._connection.execute("INSERT INTO tinybase VALUES('_', ?)", [text])

    def read(self) -> str:
        ((text,),) = self._connection.execute("SELECT store FROM tinybase").fetchall()
        return str(text)


class ObjectPlace(CellPlace):
    """A cell of the SQL storage of an object."""

    def persister(self, store: Any, errors: list[Exception]) -> Persister:
        storage = Storage(self._connection)
        return DurableObjectSqlStoragePersister(
            store, storage, on_ignored_error=errors.append, clock=FakeClock()
        )


@pytest.fixture(params=["file", "sqlite", "object"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "file":
        yield FilePlace(tmp_path)
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield (CellPlace if request.param == "sqlite" else ObjectPlace)(connection)


def stores_for(place: Any) -> list[Any]:
    return [MergeableStore] if isinstance(place, ObjectPlace) else [Store, MergeableStore]


def start_and_edit(place: Any, store: Any, text: str) -> list[Exception]:
    """The errors when a store with a value meets what is stored."""
    errors: list[Exception] = []
    place.write(text)
    persister = place.persister(store.set_value("mine", 1), errors)
    assert persister.start_auto_persisting().done()
    store.set_value("mine", 2)
    assert store.get_value("mine") == 2
    persister.destroy()
    return errors


def check_kept(place: Any, store: Any, text: str) -> list[Exception]:
    errors = start_and_edit(place, store, text)
    assert len(errors) == 2, errors
    assert isinstance(errors[1], PersisterError)
    assert "withheld" in str(errors[1])
    assert place.read() == text
    return errors


@pytest.mark.parametrize("text", BAD)
def test_plain_content(place: Any, text: str) -> None:
    for make_store in stores_for(place)[:1]:
        check_kept(place, make_store(), text)


@pytest.mark.parametrize("text", BAD)
def test_plain_content_for_a_mergeable_store(tmp_path: Path, text: str) -> None:
    check_kept(FilePlace(tmp_path), MergeableStore(), text)


@pytest.mark.parametrize("text", NO_STAMPS)
def test_stamps(place: Any, text: str) -> None:
    store = MergeableStore()
    check_kept(place, store, text)
    assert store.get_content() == [{}, {"mine": 2}]


@pytest.mark.parametrize("text", [STAMPED, '[[{},"",0],[{},"",0]]'])
def test_content_of_a_mergeable_store_is_not_for_a_plain_one(tmp_path: Path, text: str) -> None:
    store = Store()
    errors = check_kept(FilePlace(tmp_path), store, text)
    assert "a stamp, as of a MergeableStore" in str(errors[0])
    assert store.get_content() == [{}, {"mine": 2}]


def test_what_can_be_taken_is_taken(tmp_path: Path) -> None:
    store = Store()
    text = '[{"t":5,"u":{"r":{"c":1},"s":"x"}},{"v":1}]'
    errors = check_kept(FilePlace(tmp_path), store, text)
    assert str(errors[0]) == "table 't' that is persisted is '5', no object"
    assert store.get_content() == [{"u": {"r": {"c": 1}}}, {"v": 1, "mine": 2}]


@pytest.mark.parametrize("text", NOTHING_TO_LOSE)
def test_where_nothing_is_nothing_can_be_lost(tmp_path: Path, text: str) -> None:
    place, store = FilePlace(tmp_path), Store()
    errors = start_and_edit(place, store, text)
    assert [str(error) for error in errors] == (["tinybase:1:null"] if text == "null" else [])
    assert json.loads(place.read()) == [{}, {"mine": 2}]


def test_a_schema_may_still_drop_what_is_stored(tmp_path: Path) -> None:
    """As in the original: it is for the program to say what it no longer wants."""
    place, store = FilePlace(tmp_path), Store()
    store.set_tables_schema({"t": {"c": {"type": "string"}}})
    assert start_and_edit(place, store, PLAIN) == []
    assert json.loads(place.read()) == [{}, {"v": 1, "mine": 2}]
