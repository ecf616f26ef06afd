"""The server as a process of its own, as users run it: on a free port, with state that outlives it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

READY = "[wrangler:info] Ready on "
PATIENCE_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """A server, which may be stopped, killed and started again at the same address.

    Args:
        folder: where its log goes.
        port: where it listens.
        command: how to run it.
        ready: what it says when it serves.
        cwd: where it runs.

    Attributes:
        environment: what it finds in the environment beside what is there.
        descriptors: what it inherits.
    """

    def __init__(
        self, folder: Path, port: int, command: list[str], ready: str, cwd: Path | None = None
    ) -> None:
        self.environment: dict[str, str] = {}
        self.descriptors: list[int] = []
        self.port = port
        self._log = folder / f"server-{port}.log"
        self._command = command
        self._ready = ready
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def children(self) -> set[int]:
        """The processes that it has started."""
        return set(map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()))

    def start(self) -> Self:
        ready_before = self.log.count(self._ready)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
                pass_fds=self.descriptors,
            )
        self._wait(lambda: self.log.count(self._ready) > ready_before, PATIENCE_SECONDS, "ready")
        return self

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C or a service manager would; gives the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop on SIGTERM:\n{self.log}") from None

    def freeze(self) -> None:
        """From now on it answers nothing, while its connections stay open, as if the network were cut."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL for it and all that it started: no chance to save anything."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE_SECONDS)

    def wait_for_log(self, text: str, *, count: int = 1, seconds: float = PATIENCE_SECONDS) -> None:
        self._wait(lambda: self.log.count(text) >= count, seconds, f"{count} times {text!r} in the log")

    def _wait(self, is_so: object, seconds: float, what: str) -> None:
        assert callable(is_so)
        end = time.monotonic() + seconds
        while not is_so():
            if self._process is None or self._process.poll() is not None:
                raise AssertionError(f"the server ended before: {what}\n{self.log}")
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.log}")
            time.sleep(0.02)


class Server(ServerProcess):
    """`durabase COMMAND …`, with its state in ``folder``; ``before`` is a command that runs it."""

    def __init__(
        self, folder: Path, *command: str, port: int | None = None, before: Sequence[str] = ()
    ) -> None:
        port = port or free_port()
        self.state = folder / "state"
        place = ["--port", str(port), "--persist-to", str(self.state)]
        super().__init__(folder, port, [*before, sys.executable, "-m", "durabase", *command, *place], READY)

    def wait_until_asleep(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the last thing that the only object did was to hibernate (`durabase dev` logs it)."""
        self._wait(
            lambda: self.log.rfind("hibernated") > self.log.rfind("started ("),
            seconds,
            "the object hibernated",
        )
