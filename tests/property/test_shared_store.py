"""What an object keeps in its class's database is what a plain dict would keep, whatever happens when."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.storage.disk import Connection, Disk
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.shared import SharedStore
from durabase.durable_objects.storage.store import AlarmRow, KeyRange
from unit.durable_objects.storage.test_engine import Held

ALARM = b"alarm"
"""The alarm of the models is a key that listings leave out."""

KINDS = {
    "write": 4,
    "defer": 4,
    "visit": 6,
    "sync": 2,
    "wait": 2,
    "abort": 2,
    "clear": 2,
    "alarm": 2,
    "roll back": 1,
    "look": 1,
    "break the disk": 1,
    "hold": 1,
    "resume": 1,
}
kinds = st.sampled_from([kind for kind, weight in KINDS.items() for _ in range(weight)])
keys = st.sampled_from([b"a", b"b", b"c", b"d"])
entries = st.dictionaries(keys, st.sampled_from([b"1", b"2", b"3", None]), min_size=1)
steps = st.lists(st.tuples(kinds, entries, st.sampled_from([None, 1, 2, 3])), min_size=25, max_size=60)


class Model:
    """What there is after the running turn, after those that have ended, and after a loss."""

    def __init__(self) -> None:
        self.turn: dict[bytes, Any] = {}
        self.ended: dict[bytes, Any] = {}
        self.committed: dict[bytes, Any] = {}
        self.deferred: list[dict[bytes, bytes | None]] = []
        self.owes = False

    def write(self, changes: dict[bytes, Any]) -> None:
        self.catch_up()
        self.turn = applied(self.turn, changes)

    def catch_up(self) -> None:
        for changes in self.deferred:
            self.turn = applied(self.turn, changes)
        if self.owes:
            self.ended = self.turn
        self.deferred, self.owes = [], False

    def end_turn(self) -> None:
        self.ended = self.turn
        self.owes = bool(self.deferred)

    def commit(self) -> None:
        if self.owes:
            self.catch_up()
        self.committed = self.ended

    def abort(self) -> None:
        if self.owes:
            self.catch_up()
        self.turn, self.deferred = self.ended, []

    def lose(self) -> None:
        self.turn = self.ended = self.committed
        self.deferred, self.owes = [], False


def applied(before: dict[bytes, Any], changes: dict[bytes, Any]) -> dict[bytes, Any]:
    return {key: value for key, value in (before | changes).items() if value is not None}


class World(Disk):
    """An object of which one store follows the other, its model, and a disk that can fail."""

    durability = "off"

    def __init__(self, folder: str) -> None:
        self.executor = Held()
        loop = asyncio.get_running_loop()
        self.namespace = NamespaceDatabase(Path(folder) / "n.db", loop, self.executor, self)
        self.model = Model()
        self.fails = False
        self.holds = 0
        self.open()

    def open(self) -> None:
        self.gate = OutputGate()
        self.store = SharedStore(self.namespace, b"id", None, self.gate, self.failed)

    def commit(self, connection: Connection) -> None:
        if self.fails:
            self.fails = False
            raise sqlite3.OperationalError("disk I/O error")
        super().commit(connection)
        self.model.commit()

    def failed(self, error: Exception) -> None:
        self.store.close()
        self.model.lose()
        self.holds = 0
        self.open()

    async def step(self, kind: str, what: Any = None, due: int | None = None) -> None:
        match kind:
            case "write":
                self.store.write(dict(what), True)
                self.model.write(what)
            case "defer":
                store = self.store
                store.defer(lambda: store.write(dict(what), True), False)
                self.model.write(what) if self.holds else self.model.deferred.append(what)
            case "roll back":
                savepoint = self.store.savepoint()
                self.store.write(dict(what), True)
                self.store.set_alarm(None)
                self.store.release(savepoint, rolled_back=True)
                self.model.catch_up()
            case "alarm":
                self.store.set_alarm(None if due is None else AlarmRow(due, due))
                self.model.write({ALARM: due})
            case "clear":
                self.store.clear(due is None)
                self.model.catch_up()
                left = {} if due is None else {ALARM: self.model.turn.get(ALARM)}
                self.model.turn = applied({}, left)
            case "look":
                self.check()
            case "visit":
                await self.visit()
            case "sync":
                self.executor.run()
                await self.visit()
            case "wait":
                self.gate.hold(lambda: None)
            case "abort":
                self.store.close()
                self.model.abort()
                self.holds = 0
                await self.settle()
                self.open()
            case "break the disk":
                self.fails = True
            case "hold":
                self.model.catch_up()
                if not self.holds:
                    self.model.end_turn()
                self.store.hold()
                self.holds += 1
            case "resume" if self.holds:
                self.store.resume()
                self.holds -= 1

    async def visit(self) -> None:
        if not self.holds:
            self.model.end_turn()
        for _ in range(2):
            await asyncio.sleep(0)

    async def settle(self) -> None:
        settling = asyncio.ensure_future(self.namespace.database.settle())
        while not settling.done():
            self.executor.run()
            await asyncio.sleep(0)

    def check(self) -> None:
        self.model.catch_up()
        expected = sorted((key, value) for key, value in self.model.turn.items() if key != ALARM)
        assert self.store.list(KeyRange()) == expected
        assert (
            self.store.list(KeyRange(b"b", b"d", True, 1))
            == [pair for pair in reversed(expected) if b"b" <= pair[0] < b"d"][:1]
        )
        assert [(key, self.store.get(key)) for key, _ in expected] == expected
        alarm = self.store.get_alarm()
        assert (alarm and alarm.due) == self.model.turn.get(ALARM)
        self.check_alarms()

    def check_alarms(self) -> None:
        """The class knows of the alarms of turns that have ended."""
        due = self.model.ended.get(ALARM)
        assert [row.due for _, row in self.namespace.alarms(9)] == ([] if due is None else [due])
        assert self.namespace.next_due(0) == due
        assert self.namespace.alarm_counts(2) == (int(due is not None), int(due is not None and due <= 2))

    async def end(self) -> None:
        while self.holds:
            await self.step("resume")
        self.fails = False
        await self.visit()
        await self.settle()
        assert self.gate.is_settled
        self.check()
        self.store.close()
        self.open()
        self.check()
        closing = asyncio.ensure_future(self.namespace.database.close())
        while not closing.done():
            self.executor.run()
            await asyncio.sleep(0)


@settings(deadline=None, max_examples=100)
@given(steps)
def test_a_store_keeps_what_a_dict_would(listed: list[tuple[str, Any, int | None]]) -> None:
    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            world = World(folder)
            for step in listed:
                await world.step(*step)
                if not world.model.deferred:  # looking would have it written
                    world.check()
            await world.end()

    asyncio.run(main())
