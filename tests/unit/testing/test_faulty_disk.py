"""Commits that fail, take long, or are the last thing that happens."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Event, Thread

import pytest

from durabase.errors import StorageError
from durabase.testing import WorkerHarness
from durabase.testing.fake_clock import FakeClock
from durabase.testing.faulty_disk import FaultyDisk

from .test_harness import use

BOTH = pytest.mark.parametrize("kind", ["kv", "sqlite"])


async def write(worker: WorkerHarness, kind: str) -> int:
    """One more of what the object counts."""
    if kind == "kv":
        return await worker.env.COUNTER.get_by_name("a").increment()  # type: ignore[no-any-return]
    return await worker.env.TABLE.get_by_name("a").add("x")  # type: ignore[no-any-return]


@BOTH
@pytest.mark.feature("S-TH-5", "M-GT-6")
def test_a_commit_that_fails_resets_the_object(tmp_path: Path, kind: str) -> None:
    async def test(worker: WorkerHarness) -> None:
        assert await write(worker, kind) == 1
        worker.disk.fail_next_commits(2)
        for _ in range(2):
            with pytest.raises(StorageError, match="could not be stored: disk I/O error") as caught:
                await write(worker, kind)
            assert caught.value.durable_object_reset
        assert await write(worker, kind) == 2

    use(tmp_path, test)


@BOTH
@pytest.mark.feature("S-TH-5", "M-GT-4")
def test_nothing_leaves_before_its_commit(tmp_path: Path, kind: str) -> None:
    async def test(worker: WorkerHarness) -> None:
        worker.disk.hold()
        writing = asyncio.ensure_future(write(worker, kind))
        await worker.settle()
        assert worker.disk.is_waiting
        assert not writing.done()
        worker.disk.release()
        assert await writing == 1
        assert not worker.disk.delays

    use(tmp_path, test)


@BOTH
@pytest.mark.feature("S-TH-5")
def test_slow_commits_take_their_time_of_the_clock(tmp_path: Path, kind: str) -> None:
    async def test(worker: WorkerHarness) -> None:
        worker.disk.slow_down(2)
        writing = asyncio.ensure_future(write(worker, kind))
        await worker.advance(1)
        assert not writing.done()
        await worker.advance(1)
        assert await writing == 1

    use(tmp_path, test)


@BOTH
@pytest.mark.feature("S-TH-5", "M-LC-11")
def test_death_before_a_commit_loses_it(tmp_path: Path, kind: str) -> None:
    async def test(worker: WorkerHarness) -> None:
        assert await write(worker, kind) == 1
        worker.disk.die_before_commit()
        for _ in range(2):
            with pytest.raises(StorageError):
                await write(worker, kind)
        await worker.crash()
        assert await write(worker, kind) == 2

    use(tmp_path, test)


@BOTH
@pytest.mark.feature("S-TH-5", "M-LC-11")
def test_death_after_a_commit_keeps_it_though_nobody_learnt_of_it(tmp_path: Path, kind: str) -> None:
    async def test(worker: WorkerHarness) -> None:
        assert await write(worker, kind) == 1
        worker.disk.die_after_commit()
        for _ in range(2):
            with pytest.raises(StorageError):
                await write(worker, kind)
        await worker.crash()
        assert await write(worker, kind) == 3

    use(tmp_path, test)


def test_a_worker_ends_though_its_disk_was_left_broken(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        worker.disk.hold()
        asyncio.ensure_future(write(worker, "kv"))  # noqa: RUF006 - nobody waits for it
        await worker.settle()
        assert worker.disk.is_waiting

    use(tmp_path, test)


def test_files_stay_as_they_are_while_the_disk_is_still() -> None:
    disk = FaultyDisk(FakeClock(0))
    began, moved = Event(), Event()

    def fold() -> None:
        began.set()
        disk.rearrange(moved.set)

    thread = Thread(target=fold)
    with disk.still():
        thread.start()
        began.wait()
        assert not moved.wait(0.02)
    thread.join()
    assert moved.is_set()
