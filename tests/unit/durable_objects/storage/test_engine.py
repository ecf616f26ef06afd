"""Turns, groups and syncs of one database, with an executor that waits to be told."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.storage import engine
from durabase.durable_objects.storage.engine import Database
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.shared import SharedStore


class Held(Executor):
    """Runs what it is given when it is told."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def submit(self, fn: Any, /, *arguments: Any, **keywords: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            future.set_result(fn(*arguments, **keywords))

        self.waiting.append(work)
        return future

    def run(self) -> None:
        waiting, self.waiting = self.waiting, []
        for work in waiting:
            work()


class Store:
    """Writes one row a turn."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.number = 0
        self.log: list[Any] = []
        self.value: Any = "row"

    def write(self, *, may_wait: bool = False) -> None:
        self.database.end_turn_soon(self, may_wait=may_wait)

    def end_turn(self) -> int | None:
        self.number += 1
        self.database.begin()
        self.database.connection.execute("INSERT INTO t VALUES (?, ?)", (id(self), self.value))
        return self.number

    def write_turns(self, most: int) -> int:
        return 0

    def durable(self, turn: int) -> None:
        self.log.append(turn)

    def failed(self, error: Exception) -> None:
        self.log.append(str(error))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run(path: Path, scenario: Callable[[Database, Held], Awaitable[None]]) -> None:
    async def main() -> None:
        executor = Held()
        database = Database(path / "folder" / "file.sqlite", asyncio.get_running_loop(), executor)
        database.connection.execute("CREATE TABLE t (a, b NOT NULL)")
        await scenario(database, executor)
        closing = asyncio.create_task(database.close())
        while not closing.done():
            executor.run()
            await asyncio.sleep(0)

    asyncio.run(main())


def rows(database: Database) -> int:
    """What another process would see."""
    with sqlite3.connect(database.path) as other:
        (count,) = other.execute("SELECT count(*) FROM t").fetchone()
    other.close()
    return int(count)


def test_turns_that_end_while_a_sync_runs_are_one_group(tmp_path: Path) -> None:
    async def scenario(database: Database, executor: Held) -> None:
        one, other = Store(database), Store(database)
        one.write()
        assert (one.number, rows(database)) == (0, 0)
        await settle()
        assert (one.number, rows(database), one.log) == (1, 1, [])
        for _ in range(3):
            one.write()
            other.write()
            await settle()
        assert (one.number, other.number, rows(database)) == (4, 3, 1)
        executor.run()
        await settle()
        assert (one.log, other.log, rows(database)) == ([1], [], 7)
        executor.run()
        await settle()
        assert (one.log, other.log) == ([1, 4], [3])
        assert executor.waiting == []

    run(tmp_path, scenario)


def test_two_writes_of_one_turn_end_it_once_and_what_is_forgotten_never(tmp_path: Path) -> None:
    async def scenario(database: Database, executor: Held) -> None:
        one, other = Store(database), Store(database)
        one.write()
        one.write()
        other.write()
        database.forget(other)
        await settle()
        assert (one.number, other.number) == (1, 0)
        one.write()
        database.end_turn_now(one)
        one.write()
        await settle()
        assert one.number == 3

    run(tmp_path, scenario)


def test_a_turn_that_can_not_be_written_takes_its_group_along(tmp_path: Path) -> None:
    async def scenario(database: Database, executor: Held) -> None:
        first, good, bad = Store(database), Store(database), Store(database)
        first.write()
        await settle()
        good.write()
        await settle()
        bad.value = None
        bad.write()
        await settle()
        assert "constraints were violated" in bad.log[0]
        assert good.log == bad.log
        executor.run()
        await settle()
        assert (first.log, rows(database)) == ([1], 1)
        good.write()
        await settle()
        executor.run()
        await settle()
        assert good.log[1:] == [2]

    run(tmp_path, scenario)


def test_after_a_failed_sync_nothing_is_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(descriptor: int) -> None:
        raise OSError("the disk is gone")

    async def scenario(database: Database, executor: Held) -> None:
        store = Store(database)
        store.write()
        await settle()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", fails)
            executor.run()
        await settle()
        assert "the disk is gone" in store.log[0]
        store.write()
        await settle()
        assert "the disk is gone" in store.log[1]
        assert executor.waiting == []

    run(tmp_path, scenario)


def test_the_log_is_folded_into_the_file_when_it_has_grown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CHECKPOINT_CHANGES", 3)

    async def scenario(database: Database, executor: Held) -> None:
        store = Store(database)
        store.value = "x" * 5000
        sizes = []
        for _ in range(8):
            store.write()
            await settle()
            executor.run()
            await settle()
            sizes.append(database.path.stat().st_size)
        assert sizes[-1] > sizes[0]

    run(tmp_path, scenario)


def test_settle_waits_for_everything(tmp_path: Path) -> None:
    async def scenario(database: Database, executor: Held) -> None:
        store = Store(database)
        await database.settle()
        store.write()
        settling = asyncio.create_task(database.settle())
        await settle()
        store.write()
        await settle()
        executor.run()
        await settle()
        assert not settling.done()
        executor.run()
        await settle()
        assert settling.done()
        assert store.log == [1, 2]

    run(tmp_path, scenario)


@pytest.mark.parametrize("what", ["somebody waits", "another may not wait", "a turn is ended now"])
def test_what_may_wait_is_committed_when_it_may_no_longer(tmp_path: Path, what: str) -> None:
    async def scenario(database: Database, executor: Held) -> None:
        one, other = Store(database), Store(database)
        for turn in range(3):
            one.write(may_wait=True)
            await settle()
            assert (one.number, rows(database), executor.waiting) == (turn + 1, 0, [])
        other.write(may_wait=what != "another may not wait")
        if what == "somebody waits":
            database.hurry()
        elif what == "a turn is ended now":
            database.end_turn_now(other)
        await settle()
        assert rows(database) == 4
        executor.run()
        await settle()
        assert (one.log, other.log) == ([3], [1])
        one.write(may_wait=True)
        await settle()
        assert rows(database) == 4

    run(tmp_path, scenario)


def test_who_waits_while_a_sync_runs_waits_for_the_next_group(tmp_path: Path) -> None:
    async def scenario(database: Database, executor: Held) -> None:
        one, other = Store(database), Store(database)
        one.write()
        await settle()
        database.hurry()  # for what is being synced already
        other.write(may_wait=True)
        await settle()
        executor.run()
        await settle()
        assert (one.log, rows(database)) == ([1], 1)
        one.write()
        await settle()
        other.write(may_wait=True)
        database.hurry()
        executor.run()
        await settle()
        assert rows(database) == 4

    run(tmp_path, scenario)


def test_what_may_wait_does_not_do_so_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PATIENCE_SECONDS", 0)

    async def scenario(database: Database, executor: Held) -> None:
        store = Store(database)
        for number in range(1, 3):
            store.write(may_wait=True)
            await settle()
            assert rows(database) == number
            executor.run()
            await settle()
        assert store.log == [1, 2]

    run(tmp_path, scenario)


def test_what_is_deferred_costs_no_turn_of_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        executor = Held()
        namespace = NamespaceDatabase(tmp_path / "n.db", asyncio.get_running_loop(), executor)
        gate = OutputGate()
        store = SharedStore(namespace, b"id", None, gate, pytest.fail)
        store.defer(lambda: store.write({b"k": b"v"}, True), False)
        assert not gate.is_open
        await settle()
        assert store.get(b"k") == b"v"
        assert executor.waiting == []
        gate.hold(lambda: None)
        await settle()
        assert len(executor.waiting) == 1
        executor.run()
        await asyncio.sleep(0)
        assert gate.is_open
        assert executor.waiting == []
        closing = asyncio.ensure_future(namespace.database.close())
        while not closing.done():
            executor.run()
            await asyncio.sleep(0)

    asyncio.run(main())
