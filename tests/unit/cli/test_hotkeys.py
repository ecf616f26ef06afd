"""Keys pressed at a terminal of its own."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from .running import PROGRAM, write_project
from .test_dev import get

pytestmark = pytest.mark.feature("S-DX-1")

HELP = "[b] open a browser  [i] inspector  [c] clear  [r] restart  [x] exit"
BECOME_FOREGROUND = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """``durabase`` at a pseudo-terminal, which is its controlling terminal."""

    def __init__(self, directory: Path, *arguments: str, **environment: str) -> None:
        self.master, self._slave = pty.openpty()
        self.before = termios.tcgetattr(self._slave)
        self.text = ""
        command = [sys.executable, "-m", "durabase", *arguments]
        self.process = subprocess.Popen(
            [sys.executable, "-c", BECOME_FOREGROUND, *command],
            cwd=directory,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            env={**os.environ, "NO_COLOR": "1", **environment},
        )

    @property
    def settings(self) -> list[object]:
        return termios.tcgetattr(self._slave)

    @property
    def reads_keys(self) -> bool:
        return not self.settings[3] & termios.ICANON  # type: ignore[operator]

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def expect(self, pattern: str, seconds: float = 30) -> re.Match[str]:
        """Wait for ``pattern``; what comes before it is gone."""
        deadline = time.monotonic() + seconds
        while (match := re.search(pattern, self.text)) is None:
            assert time.monotonic() < deadline, f"no {pattern!r} in:\n{self.text}"
            if select.select([self.master], [], [], 0.2)[0]:
                self.text += os.read(self.master, 65536).decode(errors="replace").replace("\r\n", "\n")
        self.text = self.text[match.end() :]
        return match

    def ready(self) -> int:
        port = int(self.expect(r"Ready on http://127\.0\.0\.1:(\d+)\n")[1])
        self.expect(re.escape(HELP))
        return port

    def close(self) -> None:
        self.process.kill()
        self.process.wait(30)
        os.close(self.master)
        os.close(self._slave)


@contextmanager
def terminal(directory: Path, *arguments: str, **environment: str) -> Iterator[Terminal]:
    opened = Terminal(directory, *arguments, **environment)
    try:
        yield opened
    finally:
        opened.close()


def test_exit(tmp_path: Path) -> None:
    with terminal(write_project(tmp_path), "dev", "--port", "0") as command:
        command.ready()
        assert command.reads_keys
        command.press("zX")
        command.expect("Stopping ...")
        assert command.process.wait(30) == 0
        assert command.settings == command.before


def test_clear(tmp_path: Path) -> None:
    with terminal(write_project(tmp_path), "dev", "--port", "0") as command:
        command.ready()
        command.press("c")
        command.expect(re.escape("\x1b[2J\x1b[3J\x1b[H\n" + HELP))


def test_a_browser(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\necho "shown: $1" > /dev/tty\n')
    browser.chmod(0o755)
    with terminal(write_project(tmp_path), "dev", "--port", "0", BROWSER=f"{browser} %s") as command:
        port = command.ready()
        command.press("b")
        command.expect(rf"shown: http://127\.0\.0\.1:{port}\n")


def test_restart(tmp_path: Path) -> None:
    with terminal(write_project(tmp_path), "dev", "--port", "0") as command:
        port = command.ready()
        command.press("r")
        command.expect("⎔ Restarting local server...")
        assert command.ready() == port
        assert get(port) == (200, "version 1")
        command.press("x")
        assert command.process.wait(30) == 0
        assert command.settings == command.before


def test_what_can_not_start_does_not_stop_what_runs(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    with terminal(project, "dev", "--port", "0") as command:
        port = command.ready()
        (project / "wrangler.toml").write_text("name = ")
        command.press("r")
        command.expect(r"✘ \[ERROR\] .*wrangler\.toml:1:8: ")
        command.expect("⎔ The last good code keeps serving")
        assert get(port) == (200, "version 1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_the_terminal_is_left_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    with terminal(write_project(tmp_path), "dev", "--port", "0") as command:
        command.ready()
        command.process.send_signal(number)
        assert command.process.wait(30) == (-number if number == signal.SIGQUIT else 0)
        assert command.settings == command.before


def test_a_forced_end_leaves_it_so_as_well(tmp_path: Path) -> None:
    program = PROGRAM.replace(
        'print("asked for", request.url)', "print('in it'); import asyncio; await asyncio.sleep(60)"
    )
    with terminal(write_project(tmp_path, program), "dev", "--port", "0") as command:
        port = command.ready()
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/")
        command.expect("in it")
        command.press("x")
        command.expect("Stopping ...")
        command.press("\x03")
        assert command.process.wait(30) == 1
        connection.close()
        assert command.settings == command.before


def test_keys_are_read_again_after_a_pause(tmp_path: Path) -> None:
    with terminal(write_project(tmp_path), "dev", "--port", "0") as command:
        command.ready()
        termios.tcsetattr(command.master, termios.TCSANOW, command.before)  # as a shell does meanwhile
        command.process.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + 30
        while not command.reads_keys:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        command.press("x")
        assert command.process.wait(30) == 0


def test_serve_reads_no_keys(tmp_path: Path) -> None:
    with terminal(write_project(tmp_path), "serve", "--port", "0") as command:
        command.expect("Ready on")
        assert command.settings == command.before
