"""The page about the command line: its sessions give what it says, and every command and option is there.

A block of a session that comes after ``<!-- stays -->`` is a command that goes on until ``<!-- ends -->``. Of
what differs each time (versions, ports, hours, durations, ids) only the form is compared.
"""

from __future__ import annotations

import argparse
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

import pytest

from durabase.cli.main import parser

from ._pages import ROOT

PAGE = ROOT / "docs" / "reference" / "cli.md"
SERVER, ADMIN = "8787", "8788"
_PART = re.compile(
    r"^(?P<stays><!-- stays -->\n)?```console\n(?P<session>.*?)^```$|^(?P<ends><!-- ends -->)$", re.M | re.S
)
_VARYING = {
    r"version \S+, Python \S+": "version",
    r"\d\d:\d\d:\d\d(\.\d+)?": "12:00:00",
    r"\(\d+ms\)": "(1ms)",
    r"\b[0-9a-f]{64}\b": "id",
    r"\b\d+,\d+ bytes": "bytes",
    r"^bytes +\d+$": "bytes",
    r"Wrote \d+ stubs": "stubs",
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
        self._ports = {SERVER: free_port(), ADMIN: free_port()}
        self._staying: list[Staying] = []

    def as_on_page(self, text: str) -> str:
        for shown, real in self._ports.items():
            text = text.replace(real, shown)
        return text

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
        assert sorted(normal(self.as_on_page(ended.stdout))) == sorted(normal(expected)), command

    def start(self, command: str, expected: str) -> None:
        """Start a command that stays, and wait until it is ready."""
        is_server = command.split()[1] in ("dev", "serve", "demo")
        real = self._real(command) + (f" --port {self._ports[SERVER]}" if is_server else "")
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


def test_the_sessions_give_what_the_page_says(tmp_path: Path) -> None:
    session = Session(tmp_path)
    try:
        for part in _PART.finditer(PAGE.read_text(encoding="utf-8")):
            if part["ends"]:
                session.end()
                continue
            for command, expected in commands_of(part["session"]):
                (session.start if part["stays"] else session.run)(command, expected)
        assert not session._staying, "the page does not end what stays"
    finally:
        session.close()


def commands() -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    (actions,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in actions.choices.items():
        inner = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
        found[name] = command
        found |= {f"{name} {sub}": each for action in inner for sub, each in action.choices.items()}
    return found


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_on_the_page(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"durabase {name}" in text
    options = [option for action in commands()[name]._actions for option in action.option_strings]
    missing = [
        option for option in options if option.startswith("--") and not re.search(rf"{option}\b", text)
    ]
    assert missing == []
