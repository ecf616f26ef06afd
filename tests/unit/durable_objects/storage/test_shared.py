"""Turns that bring so much that they are written in several visits of the loop, and are one all the same."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.storage import shared
from durabase.durable_objects.storage.namespace_database import NamespaceDatabase
from durabase.durable_objects.storage.shared import SharedStore
from durabase.durable_objects.storage.store import KeyRange
from unit.durable_objects.storage.test_engine import Held

ROWS = shared._ROWS_AT_ONCE
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
