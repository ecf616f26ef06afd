"""The sessions of pages: their commands run, their files are written, and they give what the page says.

A page has a session if it says ``<!-- session -->``; then all its blocks marked ``console`` belong to it.
What comes after ``<!-- stays -->`` is a command that goes on until ``<!-- ends -->``, and a block after
``<!-- file: NAME -->`` is what stands in that file from then on. Of what differs each time (versions, ports,
hours, durations, ids) only the form is compared. What should not run in tests stands in blocks marked ``sh``.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

MARKER = "<!-- session -->"
SHOWN_PORTS = ("8787", "8788", "8043")
"""Of durabase, of its admin address, of a server that it replaces. Each becomes a free one."""

HOME = "/home/ada"
"""Where the sessions of pages take place."""

_PART = re.compile(
    r"^(?P<stays><!-- stays -->\n)?```console\n(?P<session>.*?)^```$"
    r"|^<!-- file: (?P<file>\S+) -->\n```\w+\n(?P<content>.*?)^```$"
    r"|^(?P<ends><!-- ends -->)$",
    re.M | re.S,
)
_VARYING = {
    r"version \S+, Python \S+": "version",
    r"\d\d:\d\d:\d\d(\.\d+)?": "12:00:00",
    r"\(\d+ms\)": "(1ms)",
    r"\b[0-9a-f]{64}\b": "id",
    r"\b\d+,\d+ bytes": "bytes",
    r"^bytes +\d+$": "bytes",
    r"Wrote \d+ stubs": "stubs",
    r"\bin \d+\.\d+s": "in 1.00s",
    r"\beyJ[\w-]+\.[\w-]+\.[\w-]+": "token",
}


def normal(text: str) -> list[str]:
    """The lines that say something, without what varies."""
    for pattern, instead in _VARYING.items():
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def is_within(lines: list[str], all_lines: list[str]) -> bool:
    return any(all_lines[at : at + len(lines)] == lines for at in range(len(all_lines) - len(lines) + 1))


class Staying:
    """A command that goes on, and what it is to have said in the end."""

    def __init__(self, command: str, expected: str, session: Session) -> None:
        self.expected = normal(expected)
        self._said = ""
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"],
            cwd=session.directory,
            env=session.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._session = session
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said += line

    @property
    def said(self) -> list[str]:
        return normal(self._session.as_on_page(self._said))

    def wait_for(self, lines: list[str]) -> None:
        deadline = time.monotonic() + 60
        while not is_within(lines, self.said):
            assert time.monotonic() < deadline, f"{self.said} is not {lines}"
            time.sleep(0.02)

    def end(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


class Session:
    """Terminals in one directory, with ports of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        bin_directory = str(Path(sys.executable).parent)
        path = f"{bin_directory}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}
        self._home = str(directory)
        self._ports = {shown: free_port() for shown in SHOWN_PORTS}
        self._staying: list[Staying] = []

    def as_on_page(self, text: str) -> str:
        for shown, real in self._ports.items():
            text = text.replace(real, shown)
        return text.replace(self._home, HOME)

    def write(self, file: str, content: str) -> None:
        path = self.directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._real(content), encoding="utf-8")

    def run(self, command: str, expected: str) -> None:
        """Run a command to its end; ``cd`` goes on for the following ones."""
        if command.startswith("cd "):
            self.directory /= command.removeprefix("cd ")
            return
        ended = subprocess.run(
            ["/bin/sh", "-c", self._real(command).replace("curl ", "curl -sS ")],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        said = self.as_on_page(ended.stdout)
        assert sorted(normal(said)) == sorted(normal(expected)), f"{command} gives:\n{said}"

    def start(self, command: str, expected: str) -> None:
        """Start a command that stays, and wait until it is ready."""
        is_server = command.split()[:2] in (["durabase", name] for name in ("dev", "serve", "demo"))
        real = self._real(command) + (f" --port {self._ports[SHOWN_PORTS[0]]}" if is_server else "")
        staying = Staying(real, expected, self)
        self._staying.append(staying)
        ready = next(n for n, line in enumerate(staying.expected) if "Ready on" in line or "waiting" in line)
        staying.wait_for(staying.expected[: ready + 1])

    def end(self) -> None:
        """Stop what stays, when it has said all that the page shows."""
        while self._staying:
            staying = self._staying[-1]
            staying.wait_for(staying.expected)
            self._staying.pop().end()

    def close(self) -> None:
        while self._staying:
            self._staying.pop().end()

    def play(self, page: str) -> None:
        """Do all that a page does, from top to bottom."""
        for part in _PART.finditer(page):
            if part["ends"]:
                self.end()
            elif part["file"]:
                self.write(part["file"], part["content"])
            else:
                for command, expected in commands_of(part["session"]):
                    (self.start if part["stays"] else self.run)(command, expected)
        assert not self._staying, "the page does not end what stays"

    def _real(self, command: str) -> str:
        for shown, real in self._ports.items():
            command = command.replace(shown, real)
        return command


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def commands_of(session: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^\$ (.+)$", session, flags=re.MULTILINE)
    return zip(parts[1::2], parts[2::2], strict=True)
