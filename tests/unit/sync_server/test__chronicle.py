"""What a room tells the journal of its object."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from contextvars import copy_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from durabase.durable_objects.authors import NOBODY, Author, current_author
from durabase.durable_objects.storage import change_journal
from durabase.durable_objects.storage.change_journal import ChangeJournal, read_journal
from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectSqlStoragePersister, DurableObjectStoragePersister
from durabase.sync_server._chronicle import Chronicle, said_by
from durabase.sync_server._room_sockets import Entry, RoomSockets
from durabase.sync_server.access import Access
from durabase.testing import FakeClock
from durabase.web import WebSocketPair
from unit.sync_server._fakes import FakeContext

NOW = 1_700_000_000_000


class Rig:
    """A store whose transactions are noted, and the journal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ctx = FakeContext(name="room")
        self.sockets = RoomSockets(self.ctx, False)
        self.journal = ChangeJournal(lambda: NOW, 10**9)
        self.chronicle = Chronicle(self.journal, self.sockets)
        self.store = MergeableStore("s", clock=FakeClock(NOW))
        self.store.add_did_finish_transaction_listener(lambda _: self.chronicle.note(self.store))

    def told(self) -> list[dict[str, Any]]:
        """The changes that were noted since the last time."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("DROP TABLE IF EXISTS _cf_CHANGES")
            self.journal.write(connection)
        return [change for row in read_journal(self.path, 0) for change in row.changes]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "object.sqlite")


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    token = current_author.set(NOBODY)
    yield
    current_author.reset(token)


def in_own_context(function: Callable[[], Any]) -> Any:
    return copy_context().run(function)


def test_an_object_without_a_journal_has_no_chronicle(rig: Rig) -> None:
    rig.ctx.storage._journal = rig.journal  # type: ignore[attr-defined]
    assert isinstance(Chronicle.of(rig.ctx, rig.sockets), Chronicle)
    assert Chronicle.of(FakeContext(), rig.sockets) is None
    assert Chronicle.of(SimpleNamespace(storage=SimpleNamespace(_journal=None)), rig.sockets) is None


def test_each_thing_is_told_as_it_was_and_is_with_its_stamp(rig: Rig) -> None:
    rig.store.set_cell("t", "r", "c", [1]).set_value("v", 1)
    rig.told()
    with rig.store.transaction():
        rig.store.set_cell("t", "r", "c", 2).set_cell("t", "r", "d", None)
        rig.store.del_value("v")
    told = rig.told()
    stamps = [change.pop("stamp") for change in told]
    assert told == [
        {"cell": ["t", "r", "c"], "old": "\ufffd[1]", "new": 2},
        {"cell": ["t", "r", "d"], "new": None},
        {"value": "v", "old": 1},
    ]
    assert all(len(stamp) == 16 for stamp in stamps)


def test_a_default_has_no_time(rig: Rig) -> None:
    rig.store.set_values_schema({"d": {"type": "number", "default": 5}})
    assert rig.told() == [{"value": "d", "new": 5, "stamp": ""}]


def test_a_transaction_that_changes_no_stamps_tells_nothing(rig: Rig) -> None:
    rig.store.set_value("v", 1)
    rig.told()
    with rig.store.transaction():
        rig.store.set_value("v", 1)
    assert rig.told() == []


def test_of_what_is_beyond_the_room_it_is_told_how_much_it_is(rig: Rig) -> None:
    rows = {str(number): {"c": number} for number in range(change_journal.MAX_CHANGES - 2)}
    with rig.store.transaction():
        rig.store.set_table("t", rows).set_values({"a": 1, "b": 1, "c": 1, "d": 1})
    told = rig.told()
    assert len(told) == change_journal.MAX_CHANGES + 1
    assert sorted(change["value"] for change in told if "value" in change) == ["a", "b"]
    assert told[-1] == {"more": 2}
    with rig.store.transaction():
        rig.store.set_table("u", {f"{key}{more}": row for key, row in rows.items() for more in "xy"})
    told = rig.told()
    assert told[-1] == {"more": 2 * len(rows) - change_journal.MAX_CHANGES}


def test_who_speaks_is_known_by_identity_or_else_by_address(rig: Rig) -> None:
    for access, address, author in (
        (Access("write", "ann"), "192.0.2.1", Author("ann", "A")),
        (Access("write"), "192.0.2.1", Author("", "A", "192.0.2.1")),
    ):
        client, socket = WebSocketPair()
        rig.sockets.accept(socket, "A", "room", Entry(access, "", address))

        def hear(socket: Any = socket) -> Author:
            rig.chronicle.hears(socket)
            return current_author.get()

        assert in_own_context(hear) == in_own_context(hear) == author
        del client
    _, unasked = WebSocketPair()
    rig.sockets.accept(unasked, "B", "room", None)
    rig.chronicle.hears(unasked)
    assert current_author.get() == Author("", "B")


def test_what_a_client_writes_without_a_socket_is_of_it_too() -> None:
    said_by(Access("write", "ann"), "192.0.2.1")
    assert current_author.get() == Author("ann")
    said_by(Access("write"), "192.0.2.1")
    assert current_author.get() == Author(address="192.0.2.1")


def test_keys_of_the_persister_are_left_out_and_those_of_the_program_are_not(rig: Rig) -> None:
    rig.chronicle.keeps(DurableObjectStoragePersister(rig.store, rig.ctx.storage, "p_"))
    rig.store.set_value("v", 1)
    keys: list[str] = []
    persister = DurableObjectStoragePersister(
        rig.store, SimpleNamespace(put=keys.extend, defer=lambda write: write()), "p_"
    )
    persister.save()
    assert keys
    assert all(rig.journal.leaves_out_key(key) for key in keys)
    for key in ("mine", "p_", "p_mine", *(key.removeprefix("p_") for key in keys)):
        assert not rig.journal.leaves_out_key(key)


def test_statements_on_tables_of_the_persister_are_left_out(rig: Rig) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        sql = SimpleNamespace(exec=lambda text, *bound: connection.execute(text, bound))
        persister = DurableObjectSqlStoragePersister(rig.store, sql)
        rig.chronicle.keeps(persister)
    (name, *_) = persister._table_names
    assert rig.journal.leaves_out_sql(f"DROP TABLE {name}")
    assert not rig.journal.leaves_out_sql("DROP TABLE mine")
