"""A program for the crash tests: many short lives of one process, each killed within a commit.

It forks a child that opens the objects of a folder, checks that all is there that the children before it
have acknowledged, says so, and goes on writing until it is killed. In memory that they share the child says
where it is: in a commit, a sync, a checkpoint, or at its start. That is how the parent knows when to kill.

Arguments: the folder, ``kv``, ``sqlite``, or ``history`` for that with its history, how many lives, a seed.
With the history each child takes an object back to some bookmarks that were acknowledged, and looks at it.
On the last line it prints how many children were killed where, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from durabase.durable_objects import DurableObject, ObjectClass, ObjectHost
from durabase.durable_objects.storage import engine
from durabase.errors import ObjectResetError

OBJECTS: Final = 4
TRAVELLER: Final = "traveller"
ALARMS_FROM: Final = 4_000_000_000_000
PHASES: Final = ("elsewhere", "commit", "sync", "checkpoint", "start")
WANTED: Final = ("commit", "sync", "checkpoint", "start", "any")
PATIENCE_SECONDS: Final = 0.5

place = mmap.mmap(-1, 1)


@contextmanager
def at(phase: str) -> Iterator[None]:
    before, place[0] = place[0], PHASES.index(phase)
    try:
        yield
    finally:
        place[0] = before


class MarkedDisk(engine.Disk):
    """Says when it commits, and when it syncs."""

    def commit(self, connection: Any) -> None:
        with at("commit"):
            super().commit(connection)

    def sync(self, log: int) -> None:
        with at("sync"):
            super().sync(log)


def mark_checkpoints() -> None:
    """Have checkpoints often, and know of them."""
    engine.CHECKPOINT_CHANGES = 8  # type: ignore[misc]
    fold = engine.Database._fold_log

    def marked(self: engine.Database, *arguments: Any) -> None:
        with at("checkpoint"):
            fold(self, *arguments)

    engine.Database._fold_log = marked  # type: ignore[method-assign]


class Ledger(DurableObject):
    """In each turn it writes things that must never be seen apart, its alarm among them."""

    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        self.has_sql = env != "kv"

    def alarm(self) -> None: ...

    async def write(self, number: int) -> int:
        storage = self.ctx.storage
        if number % 7 == 0:
            storage.delete_all()
        elif number % 5 == 0:
            await storage.transaction(lambda txn: self._in_two_steps(txn, number))
            return number
        storage.put("left", number)
        self._put_rest(number)
        return number

    async def _in_two_steps(self, txn: Any, number: int) -> None:
        txn.put("left", number)
        await asyncio.sleep(0)
        self._put_rest(number)

    def _put_rest(self, number: int) -> None:
        storage = self.ctx.storage
        storage.put({"right": number, f"entry {number % 20}": "x" * (number % 50 * 100)})
        storage.set_alarm(ALARMS_FROM + number)
        if self.has_sql:
            storage.sql.exec("CREATE TABLE IF NOT EXISTS t (number)")
            storage.sql.exec("INSERT INTO t VALUES (?)", number)

    async def mark(self) -> str:
        bookmark: str = await self.ctx.storage.get_current_bookmark()
        return bookmark

    async def go_back(self, bookmark: str) -> None:
        await self.ctx.storage.on_next_session_restore_bookmark(bookmark)
        self.ctx.abort()

    async def read(self) -> dict[str, Any]:
        storage = self.ctx.storage
        there = await storage.list()
        found = {"left": there.get("left", 0), "right": there.get("right", 0)}
        alarm = await storage.get_alarm()
        found["alarm"] = 0 if alarm is None else alarm - ALARMS_FROM
        if self.has_sql and found["left"]:
            found["row"] = storage.sql.exec("SELECT max(number) AS n FROM t").one().n
            assert storage.sql.exec("PRAGMA quick_check").one().quick_check == "ok"
        return found


def check_index(host: ObjectHost, acknowledged: dict[str, int]) -> None:
    """What is said of the objects where they are looked up: right after the start, before any is used."""
    (hosted,) = host.classes.values()
    names = {id.name: id for id in hosted.ids()}
    for name, number in acknowledged.items():
        assert name in names, f"{name} is not found"
        _, alarm = hosted.stored(names[name].key)
        assert alarm is not None, f"the alarm of {name} is not found"
        assert alarm.scheduled - ALARMS_FROM >= number, (name, number, alarm)


async def check(host: ObjectHost, acknowledged: dict[str, int]) -> dict[str, int]:
    """Look at everything; gives the numbers that were written last."""
    check_index(host, acknowledged)
    (hosted,) = host.classes.values()
    numbers = {}
    for name in (f"o{n}" for n in range(OBJECTS)):
        id = hosted.mint.from_name(name)
        _, indexed = hosted.stored(id.key)
        found = await host.namespace("Ledger").get_by_name(name).read()
        assert len(set(found.values())) == 1, f"half of a turn: {name} {found}"
        assert found["left"] >= acknowledged.get(name, 0), f"lost: {name} {found} {acknowledged}"
        assert (indexed.scheduled - ALARMS_FROM if indexed else 0) == found["alarm"], (name, indexed, found)
        numbers[name] = found["left"]
    return numbers


async def travel(host: ObjectHost, bookmarks: dict[str, int]) -> int:
    """Take an object back in time and forth, see that it is what it was, and leave it somewhere."""
    rng = random.Random(len(bookmarks))
    namespace = host.namespace("Ledger")
    for bookmark in rng.sample(sorted(bookmarks), min(2, len(bookmarks))):
        with suppress(ObjectResetError):
            await namespace.get_by_name(TRAVELLER).go_back(bookmark)
        found = await namespace.get_by_name(TRAVELLER).read()
        assert found["left"] == bookmarks[bookmark], (
            f"not what it was: {found} {bookmark} {bookmarks[bookmark]}"
        )
    found = await namespace.get_by_name(TRAVELLER).read()
    assert len(set(found.values())) == 1, f"half of a turn: {found}"
    return int(found["left"])


async def wander(host: ObjectHost, number: int, answers: int) -> None:
    """Write to the object that travels, and tell of bookmarks."""
    stub = host.namespace("Ledger").get_by_name(TRAVELLER)
    while True:
        number = await stub.write(number + 1)
        bookmark = await stub.mark()
        os.write(answers, f"{bookmark} {number}\n".encode())


def opened(folder: Path, kind: Any) -> ObjectHost:
    host = ObjectHost(folder, disk=MarkedDisk())
    of_class: dict[str, Any] = {"storage": kind}
    if kind == "history":
        of_class = {"storage": "sqlite", "history_ms": 10**12}
    host.register(ObjectClass("Ledger", "faults-Ledger", Ledger, **of_class), env=kind)
    return host


async def live(folder: Path, kind: Any, acknowledged: dict[str, int], answers: int, *, writes: bool) -> None:
    bookmarks = {name: number for name, number in acknowledged.items() if "-" in name}
    async with opened(folder, kind) as host:
        numbers = await check(host, {name: acknowledged[name] for name in acknowledged.keys() - bookmarks})
        wandering = []
        if kind == "history":
            wandering.append(wander(host, await travel(host, bookmarks), answers))
        os.write(answers, b"checked\n")
        place[0] = 0

        async def write(name: str, number: int) -> None:
            stub = host.namespace("Ledger").get_by_name(name)
            while True:
                number = await stub.write(number + 1)
                os.write(answers, f"{name} {number}\n".encode())

        if not writes:
            for coroutine in wandering:
                coroutine.close()
        else:
            await asyncio.gather(*(write(name, number) for name, number in numbers.items()), *wandering)


def begin(folder: Path, kind: str, acknowledged: dict[str, int], *, writes: bool = True) -> tuple[int, int]:
    """A child and the file of what it says."""
    place[0] = PHASES.index("start")
    answers, end = os.pipe()
    child = os.fork()
    if child:
        os.close(end)
        return child, answers
    try:
        os.close(answers)
        asyncio.run(live(folder, kind, acknowledged, end, writes=writes))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def wait_for(phase: str, answers: Any, rng: random.Random) -> bytes:
    """The moment at which to kill; gives what the child has said so far."""
    if phase == "start":
        time.sleep(rng.uniform(0, 0.03))
        return b""
    said: bytes = answers.readline()
    assert said == b"checked\n", "a life has found something wrong"
    time.sleep(rng.uniform(0, 0.01))
    until = time.monotonic() + PATIENCE_SECONDS
    while phase != "any" and place[0] != PHASES.index(phase) and time.monotonic() < until:
        pass
    return said


def noted(said: bytes) -> dict[str, int]:
    """What was acknowledged; the last line may be cut off."""
    whole = said[: said.rfind(b"\n") + 1].decode().splitlines()
    pairs = (line.split() for line in whole if line != "checked")
    return {name: int(number) for name, number in pairs}


def main(folder: Path, kind: str, lives: int, seed: int) -> None:
    rng = random.Random(seed)
    killed: Counter[str] = Counter()
    acknowledged: dict[str, int] = {}
    mark_checkpoints()
    for life in range(lives):
        child, pipe = begin(folder, kind, acknowledged)
        with open(pipe, "rb") as answers:
            said = wait_for(WANTED[life % len(WANTED)], answers, rng)
            os.kill(child, signal.SIGKILL)
            killed[PHASES[place[0]]] += 1
            said += answers.read()
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "a life has found something wrong"
        acknowledged |= noted(said)
    child, pipe = begin(folder, kind, acknowledged, writes=False)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the last life has found something wrong"
    print(json.dumps({"killed": killed, "acknowledged": acknowledged}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
