"""The entry of an object in the index of its class: when it is written, and who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.storage.index import IndexEntry
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.record import ObjectRecord
from durabase.durable_objects.storage.store import AlarmRow
from unit.durable_objects.storage.test_engine import Held, settle

ALARM = AlarmRow(5, 5, 0, 1)


class Rig:
    """One entry, and what it tells."""

    def __init__(self, path: Path) -> None:
        self.executor = Held()
        self.namespace = NamespaceDatabase(path, asyncio.get_running_loop(), self.executor)
        self.told: list[str] = []
        self.namespace.alarms_changed = lambda: self.told.append("alarms")
        self.gate = OutputGate()
        self.entry = self.opened()

    def opened(self) -> IndexEntry:
        return IndexEntry(self.namespace, b"id", self.gate, lambda error: self.told.append(str(error)))

    def then(self, text: str) -> None:
        self.entry.when_settled(lambda: self.told.append(text))

    async def sync(self) -> None:
        await settle()
        self.executor.run()
        await settle()


def run(path: Path, scenario: Callable[[Rig], Awaitable[None]]) -> None:
    async def main() -> None:
        rig = Rig(path / "objects.sqlite")
        await scenario(rig)
        closing = asyncio.ensure_future(rig.namespace.database.close())
        while not closing.done():
            await rig.sync()

    asyncio.run(main())


def test_an_entry_comes_changes_and_goes(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        assert rig.entry.record is None
        for record in (ObjectRecord(b"id"), ObjectRecord(b"id", "name", ALARM), ObjectRecord(b"id", "name")):
            rig.entry.update(record)
            await rig.sync()
            assert rig.entry.record == rig.opened().record == record
            assert rig.namespace.find(b"id") == (1, record.name)
        rig.entry.update(None)
        await rig.sync()
        assert rig.namespace.ids() == []
        rig.entry.update(None)
        rig.entry.update(ObjectRecord(b"id", "again"))
        await rig.sync()
        assert rig.namespace.find(b"id") == (2, "again")
        assert rig.told == ["alarms", "alarms"]

    run(tmp_path, scenario)


def test_an_entry_that_comes_and_goes_in_one_turn_leaves_nothing(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.entry.update(ObjectRecord(b"id", "name", ALARM))
        rig.entry.update(None)
        await rig.sync()
        assert rig.namespace.ids() == []
        assert rig.gate.is_settled

    run(tmp_path, scenario)


def test_what_is_sent_waits_until_the_change_is_durable(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.then("at once")
        rig.entry.update(ObjectRecord(b"id"))
        rig.gate.hold(lambda: rig.told.append("sent"))
        rig.then("settled")
        await settle()
        assert (rig.told, rig.gate.is_open) == (["at once"], False)
        await rig.sync()
        assert (rig.told, rig.gate.is_open) == (["at once", "sent", "settled"], True)
        rig.entry.update(ObjectRecord(b"id"))
        assert rig.gate.is_open  # it says so already

    run(tmp_path, scenario)


def test_settled_is_when_the_last_change_is(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.entry.update(ObjectRecord(b"id", "one"))
        await settle()
        rig.entry.update(ObjectRecord(b"id", "two"))
        rig.then("settled")
        rig.executor.run()
        await settle()
        assert rig.told == []
        await rig.sync()
        assert rig.told == ["settled"]

    run(tmp_path, scenario)


def test_a_change_that_is_lost_is_told_of_and_settles(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.namespace.connection.execute("DROP TABLE objects")
        rig.entry.update(ObjectRecord(b"id", "one"))
        rig.then("settled")
        await rig.sync()
        rig.then("at once")
        lost = "Durable Object was reset because its writes could not be stored: no such table: objects"
        assert rig.told == [lost, "settled", "at once"]
        assert rig.entry.write_turns(1) == 0

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, ObjectRecord(b"id"), 0),
        (None, ObjectRecord(b"id", None, ALARM), 1),
        (ObjectRecord(b"id", None, ALARM), ObjectRecord(b"id", "x", ALARM), 0),
        (ObjectRecord(b"id", None, ALARM), ObjectRecord(b"id", None, AlarmRow(6, 6)), 1),
        (ObjectRecord(b"id", None, ALARM), None, 1),
    ],
)
def test_whether_alarms_have_changed(
    tmp_path: Path, before: ObjectRecord | None, after: ObjectRecord | None, told: int
) -> None:
    async def scenario(rig: Rig) -> None:
        rig.entry.update(before)
        await rig.sync()
        rig.told.clear()
        rig.entry.update(after)
        await rig.sync()
        assert rig.told == ["alarms"] * told

    run(tmp_path, scenario)
