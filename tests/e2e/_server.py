"""The server as a process of its own, as users run it: on a free port, with state that outlives it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

READY = "[wrangler:info] Ready on "
PATIENCE_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`durabase COMMAND …`, which may be stopped, killed and started again at the same address."""

    def __init__(self, folder: Path, *command: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.state = folder / "state"
        self._log = folder / f"server-{self.port}.log"
        self._command = [
            *(sys.executable, "-m", "durabase", *command),
            *("--port", str(self.port), "--persist-to", str(self.state)),
        ]
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

    def start(self) -> Server:
        ready_before = self.log.count(READY)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self._wait(lambda: self.log.count(READY) > ready_before, PATIENCE_SECONDS, "ready")
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

    def wait_until_asleep(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the last thing that the only object did was to hibernate (`durabase dev` logs it)."""
        self._wait(
            lambda: self.log.rfind("hibernated") > self.log.rfind("started ("),
            seconds,
            "the object hibernated",
        )

    def _wait(self, is_so: object, seconds: float, what: str) -> None:
        assert callable(is_so)
        end = time.monotonic() + seconds
        while not is_so():
            if self._process is None or self._process.poll() is not None:
                raise AssertionError(f"the server ended before: {what}\n{self.log}")
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.log}")
            time.sleep(0.02)
