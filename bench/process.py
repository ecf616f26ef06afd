"""A server process under measurement: start it on a free port, look at what it uses, end it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from servers import Spec

__all__ = ["ServerProcess", "cpu_seconds", "other_cpu"]

_TICKS = os.sysconf("SC_CLK_TCK")


class ServerProcess:
    """One server, freshly started with an empty data folder. A context manager."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.port = _free_port()
        self._data = Path(tempfile.mkdtemp(prefix="durabase-bench-"))
        self._log = self._data / "server.log"

    def __enter__(self) -> ServerProcess:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self.spec.command(self.port, self._data),
                env={**os.environ, **self.spec.environment(self.port, self._data)},
                cwd=self._data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        pids = self.pids()
        self._process.terminate()
        try:
            self._process.wait(6)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in pids[1:]:
            _kill(pid)
        shutil.rmtree(self._data, ignore_errors=True)

    @property
    def url(self) -> str:
        """Of the first room, for clients that are not ours."""
        return f"ws://127.0.0.1:{self.port}/room00000000"

    def pids(self) -> list[int]:
        """The process and all its descendants."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (fields := _stat(int(entry.name))):
                children.setdefault(int(fields[1]), []).append(int(entry.name))
        found, todo = [], [self._process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += children.get(pid, [])
        return found

    def memory_kib(self) -> int:
        """Its proportional share of memory, descendants included."""
        return sum(_pss_kib(pid) for pid in self.pids())

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + 30
        while self.spec.ready_line not in self._log.read_text(errors="replace") or not self._listens():
            if time.monotonic() > end or self._process.poll() is not None:
                tail = self._log.read_text(errors="replace")[-800:]
                raise RuntimeError(f"{self.spec.label} did not start:\n{tail}")
            time.sleep(0.05)
        time.sleep(0.3)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def cpu_seconds(pids: list[int]) -> float:
    """Processor time that these processes have used so far."""
    return sum(int(fields[11]) + int(fields[12]) for pid in pids if (fields := _stat(pid))) / _TICKS


def other_cpu(seconds: float = 0.4) -> float:
    """How many cores the machine was busy with during the next moment, in which we do nothing."""
    before, started = _busy_ticks(), time.monotonic()
    time.sleep(seconds)
    return (_busy_ticks() - before) / _TICKS / (time.monotonic() - started)


def _busy_ticks() -> int:
    user, nice, system, _idle, _wait, interrupts, soft_interrupts = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return user + nice + system + interrupts + soft_interrupts


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()


def _pss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it went with its parent
