"""Starting several processes, starting them again, stopping them; with small programs as the processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from durabase.cluster.supervisor import Supervisor
from durabase.durable_objects.storage.lock import FolderLock
from durabase.errors import ClusterError, StorageError
from durabase.testing import FakeClock
from durabase.testing.fake_clock import FakeTimer
from unit.server.live import until

MEMBER = """
import json, os, socket, sys
place = json.loads(os.environ["DURABASE_PROCESS"])
log = open(sys.argv[1], "a")
def note(word):
    log.write(f"{place['index']} {word}\\n"); log.flush()
if "fail" in sys.argv[2:] or os.path.exists(os.path.join(os.path.dirname(sys.argv[1]), "fail")):
    sys.exit(5)
control = socket.socket(fileno=place["control"])
note("starts")
control.sendall(b"ready\\n")
for line in control.makefile():
    note(line.strip())
    if line == "lives\\n" and "dumb" not in sys.argv:
        control.sendall(b"alive\\n")
    if line == "stop\\n":
        control.sendall(b"drained\\n")
    if line in ("finish\\n", "retire\\n"):
        break
note("ends")
"""


class Clock(FakeClock):
    """Remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []

    def call_later(self, seconds: float, callback: Callable[[], object]) -> FakeTimer:
        self.delays.append(seconds)
        return super().call_later(seconds, callback)


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self._log = folder / "log"

    def log(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []

    def check_that_data_is_free(self) -> None:
        lock = FolderLock(self.folder / "state")
        lock.acquire()
        lock.release()

    def supervisor(self, *words: str) -> Supervisor:
        command = [sys.executable, "-c", MEMBER, str(self._log), *words]
        return Supervisor(2, command, self.folder / "state", [], self.clock)


def run(folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60):
            await scenario(Scene(folder))

    asyncio.run(main())


def test_all_are_stopped_before_any_ends(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        async with scene.supervisor() as supervisor:
            assert scene.log() == ["0 starts", "1 starts"]
            assert len(set(supervisor.processes)) == 2
            with pytest.raises(StorageError, match="in use"):
                scene.check_that_data_is_free()
        words = [line.partition(" ")[2] for line in scene.log()]
        assert words[:4] == ["starts", "starts", "stop", "stop"]
        assert sorted(words[4:]) == ["ends", "ends", "finish", "finish"]
        scene.check_that_data_is_free()

    run(tmp_path, scenario)


def test_one_that_ends_is_started_again_ever_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(scene: Scene) -> None:
        async with scene.supervisor() as supervisor:
            for times in range(1, 4):
                os.kill(supervisor.processes[1], signal.SIGKILL)
                await until(lambda times=times: len(scene.clock.delays) == times)  # type: ignore[misc]
                assert scene.log().count("1 starts") == times
                scene.clock.advance(scene.clock.delays[-1] * 1000)
                await until(lambda times=times: scene.log().count("1 starts") == times + 1)  # type: ignore[misc]
            assert scene.clock.delays == [0.0, 0.5, 1.0]
            scene.clock.advance(61_000)
            os.kill(supervisor.processes[1], signal.SIGKILL)
            await until(lambda: len(scene.clock.delays) == 4)
            assert scene.clock.delays[3] == 0.0
        assert scene.log().count("0 starts") == 1

    run(tmp_path, scenario)
    assert "process 1 ended (exit code -9)" in caplog.text


def test_one_that_is_silent_for_too_long_is_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(scene: Scene) -> None:
        async with scene.supervisor("dumb") as supervisor:
            before = supervisor.processes
            supervisor.watch(60)
            scene.clock.advance(59_999)
            assert "no sign of life" not in caplog.text
            scene.clock.advance(1)
            await until(lambda: scene.clock.delays.count(0.0) == 2)
            scene.clock.advance(0)
            await until(lambda: len([line for line in scene.log() if line.endswith("starts")]) == 4)
            assert not set(before) & set(supervisor.processes)

    run(tmp_path, scenario)
    assert "process 0 gave no sign of life for 60 s; it is killed" in caplog.text


def test_one_that_answers_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(scene: Scene) -> None:
        async with scene.supervisor() as supervisor:
            before = supervisor.processes
            supervisor.watch(60)
            for times in range(1, 5):
                await until(lambda times=times: [m.unanswered for m in supervisor._members] == [0, 0])  # type: ignore[misc]
                assert scene.log().count("1 lives") == times
                scene.clock.advance(30_000)
            assert supervisor.processes == before

    run(tmp_path, scenario)
    assert "no sign of life" not in caplog.text


def test_one_after_the_other_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(scene: Scene) -> None:
        async with scene.supervisor() as supervisor:
            before = supervisor.processes
            await supervisor.restart()
            assert not set(before) & set(supervisor.processes)
            await supervisor.restart()
            words = ["stop", "retire", "ends", "starts"]
            again = [*(f"0 {word}" for word in words), *(f"1 {word}" for word in words)]
            assert scene.log() == ["0 starts", "1 starts", *again, *again]
            with pytest.raises(StorageError, match="in use"):
                scene.check_that_data_is_free()

    run(tmp_path, scenario)
    assert "is started again" not in caplog.text


def test_when_one_does_not_come_back_those_after_it_go_on(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        async with scene.supervisor() as supervisor:
            second = supervisor.processes[1]
            (tmp_path / "fail").touch()
            with pytest.raises(ClusterError, match=r"process 0 did not start \(exit code 5\)"):
                await supervisor.restart()
            assert supervisor.processes[1] == second
            (tmp_path / "fail").unlink()
            await until(lambda: len(scene.clock.delays) == 2)
            scene.clock.advance(scene.clock.delays[-1] * 1000)
            await until(lambda: scene.log().count("0 starts") == 2)

    run(tmp_path, scenario)


def test_one_that_does_not_retire_is_killed_and_replaced(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        async with scene.supervisor() as supervisor:
            first = supervisor.processes[0]
            os.kill(first, signal.SIGSTOP)
            restarting = asyncio.create_task(supervisor.restart())
            await until(lambda: bool(scene.clock.delays))
            scene.clock.advance(30_000)
            await restarting
            assert first not in supervisor.processes

    run(tmp_path, scenario)


def test_if_the_first_one_can_not_start_none_is_left(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        with pytest.raises(ClusterError, match=r"process 0 did not start \(exit code 5\)"):
            await scene.supervisor("fail").__aenter__()
        assert scene.log() == []
        scene.check_that_data_is_free()

    run(tmp_path, scenario)


def test_one_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        supervisor = await scene.supervisor().__aenter__()
        os.kill(supervisor.processes[0], signal.SIGSTOP)
        leaving = asyncio.create_task(supervisor.__aexit__())
        await until(lambda: scene.log().count("1 stop") == 1)
        scene.clock.advance(30_000)
        await leaving
        assert "0 ends" not in scene.log()

    run(tmp_path, scenario)
