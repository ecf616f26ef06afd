"""What is in memory, what is in the database, and when; and turns that bring much, written bit by bit."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.storage import engine
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.shared import SharedStore
from durabase.durable_objects.storage.store import AlarmRow, KeyRange
from unit.durable_objects.storage.test_engine import Held

ROWS = engine.ROWS_AT_ONCE
COUNT = 3 * ROWS + 5
MANY: dict[bytes, bytes | None] = {b"%05d" % index: b"v" for index in range(COUNT)}


class Rig:
    """Two stores of one database."""

    def __init__(self, path: Path) -> None:
        self.executor = Held()
        self.path = path
        self.namespace = NamespaceDatabase(path, asyncio.get_running_loop(), self.executor)
        self.errors: list[str] = []
        self.gates = [OutputGate(), OutputGate()]
        self.large, self.small = (
            SharedStore(self.namespace, name, None, gate, lambda error: self.errors.append(str(error)))
            for name, gate in zip((b"large", b"small"), self.gates, strict=True)
        )

    def rows(self) -> int:
        """What another process would see."""
        with sqlite3.connect(self.path) as other:
            (count,) = other.execute("SELECT count(*) FROM kv").fetchone()
        other.close()
        return int(count)

    def lose_the_next_sync(self) -> None:
        def fails(log: int) -> None:
            del self.namespace.database.disk.sync  # type: ignore[method-assign]
            raise OSError("the disk is gone")

        self.namespace.database.disk.sync = fails  # type: ignore[method-assign]

    async def sync(self) -> None:
        self.executor.run()
        await asyncio.sleep(0)

    async def settle(self) -> None:
        settling = asyncio.ensure_future(self.namespace.database.settle())
        while not settling.done():
            await self.sync()


def run(path: Path, scenario: Callable[[Rig], Awaitable[None]]) -> None:
    async def main() -> None:
        rig = Rig(path / "n.db")
        await scenario(rig)
        await rig.settle()
        closing = asyncio.ensure_future(rig.namespace.database.close())
        while not closing.done():
            await rig.sync()

    asyncio.run(main())


def test_it_is_committed_whole_and_what_others_write_meanwhile_with_it(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.large.write(dict(MANY), True)
        for visit in range(3):
            rig.small.write({b"%d" % visit: b"v"}, True)
            await asyncio.sleep(0)
            assert (rig.rows(), rig.executor.waiting) == (0, [])
        await asyncio.sleep(0)
        assert rig.rows() == COUNT + 3
        assert not any(gate.is_open for gate in rig.gates)
        await rig.settle()
        assert all(gate.is_open for gate in rig.gates)

    run(tmp_path, scenario)


def test_reads_see_all_of_it_and_deletions_after_it_come_after_it(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.large.write(dict(MANY), True)
        await asyncio.sleep(0)
        rig.large.write({b"00000": None, b"%05d" % (COUNT - 1): None}, True)
        assert rig.large.get(b"00033") == b"v"
        assert len(rig.large.list(KeyRange())) == COUNT - 2
        await rig.settle()
        assert (rig.rows(), len(rig.large.list(KeyRange()))) == (COUNT - 2, COUNT - 2)

    run(tmp_path, scenario)


def test_what_is_written_meanwhile_is_a_turn_of_its_own(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.large.write(dict(MANY), True)
        await asyncio.sleep(0)
        rig.large.write({b"later": b"v"}, True)
        while not rig.executor.waiting:
            assert rig.rows() == 0
            await asyncio.sleep(0)
        assert rig.rows() == COUNT
        rig.large.clear(True)
        await rig.settle()
        assert rig.rows() == 0

    run(tmp_path, scenario)


@pytest.mark.parametrize("end", ["close", "hold"])
def test_its_store_may_close_or_hold_meanwhile(tmp_path: Path, end: str) -> None:
    async def scenario(rig: Rig) -> None:
        rig.large.write(dict(MANY), True)
        await asyncio.sleep(0)
        rig.large.write({b"later": b"v"}, True)
        getattr(rig.large, end)()
        rig.small.write({b"k": b"v"}, True)
        await rig.settle()
        assert rig.rows() == COUNT + (1 if end == "close" else 2)
        assert rig.errors == []

    run(tmp_path, scenario)


def test_it_is_lost_whole_with_its_group(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.large.write(dict(MANY), True)
        await asyncio.sleep(0)
        rig.small.write({b"k": b"v"}, True)
        rig.namespace.connection.execute("ALTER TABLE kv RENAME TO gone")  # until it is rolled back
        await asyncio.sleep(0)
        assert len(rig.errors) == 2
        rig.small.write({b"k": b"v"}, True)
        await rig.settle()
        assert rig.rows() == 1

    run(tmp_path, scenario)


async def pending(rig: Rig) -> None:
    """Have a sync run that takes its time: what turns bring from now on stays in memory."""
    rig.small.write({b"first": b"v"}, True)
    await asyncio.sleep(0)
    assert rig.executor.waiting


def test_while_a_sync_runs_nothing_is_written_and_then_each_key_once(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await pending(rig)
        changes = rig.namespace.connection.total_changes
        for turn in range(3):
            rig.large.write({b"k": b"%d" % turn, b"k%d" % turn: b"v"}, True)
            await asyncio.sleep(0)
        assert rig.namespace.connection.total_changes == changes
        assert not rig.namespace.connection.in_transaction
        assert rig.large.get(b"k") == b"2"
        await rig.sync()
        assert rig.namespace.connection.total_changes == changes + 1 + 4  # the object, and four keys
        await rig.settle()
        assert rig.rows() == 5

    run(tmp_path, scenario)


def test_reads_lay_the_running_turn_over_those_that_have_ended_over_the_database(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        store = rig.large
        store.write({b"a": b"1", b"b": b"1", b"c": b"1", b"d": b"1"}, True)
        await rig.settle()
        await pending(rig)
        store.write({b"a": b"2", b"b": None, b"d": b"2"}, True)
        await asyncio.sleep(0)
        store.write({b"d": None, b"e": b"3"}, True)
        assert store.list(KeyRange()) == [(b"a", b"2"), (b"c", b"1"), (b"e", b"3")]
        assert store.list(KeyRange(b"b", None, False, 1)) == [(b"c", b"1")]
        assert store.list(KeyRange(b"a", b"e", True, 1)) == [(b"c", b"1")]
        assert [store.get(key) for key in (b"a", b"b", b"c", b"d", b"e")] == [b"2", None, b"1", None, b"3"]
        await asyncio.sleep(0)
        store.clear(True)
        assert store.list(KeyRange()) == []
        store.write({b"c": b"4"}, True)
        await asyncio.sleep(0)
        assert (store.get(b"a"), store.count()) == (None, 1)
        await rig.settle()
        assert store.list(KeyRange()) == [(b"c", b"4")]

    run(tmp_path, scenario)


def test_turns_that_have_ended_count_whatever_becomes_of_the_next(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await pending(rig)
        settled: list[bool] = []
        rig.large.write({b"k": b"1"}, True)
        await asyncio.sleep(0)
        rig.large.write({b"k": b"2", b"later": b"v"}, True)
        rig.large.set_alarm(AlarmRow(1, 1))
        rig.large.close()
        rig.large.when_settled(lambda: settled.append(True))
        assert settled == []
        await rig.settle()
        assert settled == [True]
        again = SharedStore(rig.namespace, b"large", None, OutputGate(), pytest.fail)
        assert (again.list(KeyRange()), again.get_alarm()) == ([(b"k", b"1")], None)

    run(tmp_path, scenario)


def test_a_rollback_leaves_what_turns_before_have_written(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await pending(rig)
        rig.large.write({b"k": b"1"}, True)
        rig.large.set_alarm(AlarmRow(1, 1))
        await asyncio.sleep(0)
        savepoint = rig.large.savepoint()
        rig.large.write({b"k": None, b"new": b"v"}, True)
        rig.large.set_alarm(None)
        rig.large.release(savepoint, rolled_back=True)
        assert rig.large.list(KeyRange()) == [(b"k", b"1")]
        await rig.settle()
        alarm = rig.large.get_alarm()
        assert (rig.large.list(KeyRange()), alarm and alarm.due) == ([(b"k", b"1")], 1)

    run(tmp_path, scenario)


def test_gates_open_when_the_group_of_their_turn_is_safe(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        told: list[str] = []
        await pending(rig)
        large, small = rig.gates
        small.hold(lambda: told.append("small, first"))
        rig.small.write({b"k": b"v"}, True)
        small.hold(lambda: told.append("small"))
        rig.large.write({b"k": b"v"}, True)
        large.hold(lambda: told.append("large"))
        await asyncio.sleep(0)
        await rig.sync()
        assert told == ["small, first"]
        rig.large.write({b"later": b"v"}, True)
        large.hold(lambda: told.append("large, later"))
        await rig.sync()
        assert told == ["small, first", "small", "large"]
        await rig.settle()
        assert told == ["small, first", "small", "large", "large, later"]

    run(tmp_path, scenario)


def test_what_several_turns_defer_is_written_once_and_not_before_it_must(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await pending(rig)
        calls: list[int] = []
        store, gate = rig.large, rig.gates[0]

        def write() -> None:
            calls.append(len(calls))
            store.write({b"k": b"%d" % len(calls)}, True)

        store.defer(write, False)
        for _ in range(3):
            await asyncio.sleep(0)
        assert (calls, gate.is_open) == ([], False)
        await rig.sync()
        await rig.sync()
        assert (calls, gate.is_open) == ([], False)
        gate.hold(lambda: None)
        await rig.sync()
        assert (calls, rig.rows(), gate.is_open) == ([0], 2, False)
        await rig.sync()
        assert gate.is_open
        store.defer(write, False)
        store.defer(write, True)
        assert len(calls) == 3

    run(tmp_path, scenario)


@pytest.mark.parametrize("then", ["close", "write and close", "hold and close"])
def test_what_turns_that_have_ended_deferred_is_kept(tmp_path: Path, then: str) -> None:
    async def scenario(rig: Rig) -> None:
        await pending(rig)
        store = rig.large
        store.defer(lambda: store.write({b"deferred": b"v"}, True), False)
        await asyncio.sleep(0)
        if "hold" in then:
            store.hold()
        if then != "close":
            store.write({b"running": b"v"}, True)
            store.set_alarm(AlarmRow(1, 1))
        store.close()
        await rig.settle()
        again = SharedStore(rig.namespace, b"large", None, OutputGate(), pytest.fail)
        assert (again.list(KeyRange()), again.get_alarm()) == ([(b"deferred", b"v")], None)

    run(tmp_path, scenario)


def test_what_the_running_turn_deferred_goes_with_it(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.large.defer(pytest.fail, False)
        rig.large.close()
        await rig.settle()
        assert rig.rows() == 0

    run(tmp_path, scenario)


def test_alarms_are_known_when_their_turn_has_ended_and_forgotten_when_it_is_lost(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        namespace = rig.namespace
        looks: list[int | None] = []
        namespace.alarms_changed = lambda: looks.append(namespace.next_due(0))
        rig.large.set_alarm(AlarmRow(7, 7))
        rig.small.set_alarm(AlarmRow(9, 9))
        await rig.settle()
        await pending(rig)
        looks.clear()
        rig.large.set_alarm(AlarmRow(20, 20))
        assert namespace.next_due(0) == 7
        await asyncio.sleep(0)
        assert looks == [9]
        assert [(id, row.due) for id, row in namespace.alarms(30)] == [(b"small", 9), (b"large", 20)]
        assert [row.due for _, row in namespace.alarms(30, 1)] == [9]
        assert (namespace.next_due(9), namespace.alarm_counts(10)) == (20, (2, 1))
        other = SharedStore(namespace, b"large", None, OutputGate(), pytest.fail)
        alarm = other.get_alarm()
        assert alarm is not None
        assert alarm.due == 20
        rig.lose_the_next_sync()
        await rig.sync()
        assert namespace.next_due(0) == looks[-1] == 7

    run(tmp_path, scenario)


def test_a_sync_that_fails_loses_what_has_ended_since_too(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await pending(rig)
        rig.small.write({b"k": b"v"}, True)
        rig.large.write({b"k": b"v"}, True)
        await asyncio.sleep(0)
        rig.lose_the_next_sync()
        await rig.sync()
        assert ["the disk is gone" in error for error in rig.errors] == [True] * 3
        assert rig.small.get(b"k") is rig.large.get(b"k") is None
        await rig.settle()
        assert rig.rows() == 1

    run(tmp_path, scenario)


def test_two_stores_of_one_new_object_are_one_object(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await pending(rig)
        rig.large.write({b"k": b"v"}, True)
        await asyncio.sleep(0)
        other = SharedStore(rig.namespace, b"large", None, OutputGate(), pytest.fail)
        other.set_alarm(AlarmRow(1, 1))
        other.hold()
        other.close()
        await rig.settle()
        assert [id for id, _ in rig.namespace.ids()] == [b"large", b"small"]
        assert rig.large.list(KeyRange()) == [(b"k", b"v")]
        assert [id for id, _ in rig.namespace.alarms(1)] == [b"large"]

    run(tmp_path, scenario)


def test_a_name_learned_late_is_kept(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await pending(rig)
        rig.small.learn_name("the name")
        await rig.settle()
        assert rig.namespace.ids() == [(b"small", "the name")]
        rig.small.clear(True)
        await rig.settle()
        assert rig.namespace.ids() == []

    run(tmp_path, scenario)


def test_a_group_of_many_stores_is_written_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SECONDS_AT_ONCE", 0)

    async def scenario(rig: Rig) -> None:
        rig.small.write({b"k": b"1"}, True)
        rig.large.write({b"k": b"v"}, True)
        await asyncio.sleep(0)
        assert (rig.rows(), rig.executor.waiting) == (0, [])
        rig.small.write({b"k": b"2"}, True)
        await asyncio.sleep(0)
        assert (rig.rows(), len(rig.executor.waiting)) == (2, 1)
        assert rig.small.get(b"k") == b"2"
        await rig.settle()
        assert rig.rows() == 2
        assert all(gate.is_open for gate in rig.gates)

    run(tmp_path, scenario)
