"""Projects, and the command line: as a process of its own, and within the test."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from threading import Thread
from typing import Any, TypeAlias

import pytest

from durabase.cli.main import main
from durabase.testing import WorkerHarness

Run: TypeAlias = Callable[..., str]
"""A command in a project: gives what it has printed, of one that fails (``code``) what it says of that."""

TOML = """
name = "app"
main = "index.py"
compatibility_date = "2025-01-01"

[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"

[[migrations]]
tag = "v1"
new_classes = ["Room"]
"""

PROGRAM = dedent("""
    from durabase.workers import DurableObject, Response, WebSocketPair, WorkerEntrypoint

    VERSION = 1

    class Room(DurableObject):
        def fetch(self, request):
            client, server = WebSocketPair()
            self.ctx.accept_web_socket(server)
            return Response(None, status=101, web_socket=client)

        async def web_socket_message(self, ws, message):
            count = (await self.ctx.storage.get("count") or 0) + 1
            await self.ctx.storage.put("count", count)
            ws.send(f"{message} {count} version {VERSION}")

        async def web_socket_close(self, ws, code, reason, was_clean):
            await self.ctx.storage.put("closed", code)

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            if request.headers.get("upgrade") is None:
                print("asked for", request.url)
                return Response("version %d" % VERSION)
            return await self.env.ROOM.get_by_name("room").fetch(request)
""")


def write_project(directory: Path, program: str = PROGRAM, toml: str = TOML) -> Path:
    """Write a configuration and its program."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "wrangler.toml").write_text(toml)
    (directory / "index.py").write_text(program)
    return directory


def keep_in(
    project: Path, keep: Callable[[WorkerHarness], Coroutine[Any, Any, None]], **options: Any
) -> None:
    """Have objects of a project keep something, with no server that uses it afterwards."""
    state = project / ".durabase" / "state"
    state.mkdir(parents=True)
    harness = WorkerHarness(project, state_dir=state, **options)
    harness.run(lambda: keep(harness))
    for path in (state / "0").iterdir():  # the harness counts its runs
        path.rename(state / path.name)


def command_in(project: Path, capsys: pytest.CaptureFixture[str], *first: str) -> Run:
    """What runs commands that begin like this in a project."""

    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main([*first, *arguments, "-c", str(project)]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


class Running:
    """A started command, whose output is read line by line."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "durabase", *arguments],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )
        self._unread: queue.Queue[str | None] = queue.Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            self._unread.put(line.rstrip())
        self._unread.put(None)

    def expect(self, pattern: str, seconds: float = 30) -> re.Match[str]:
        """Wait for a line that ``pattern`` is found in; lines before it are gone."""
        while True:
            try:
                line = self._unread.get(timeout=seconds)
            except queue.Empty:
                line = None
            assert line is not None, f"no line like {pattern!r} in:\n" + "\n".join(self.lines)
            if match := re.search(pattern, line):
                return match

    def port(self) -> int:
        """Wait until it serves."""
        return int(self.expect(r"\[wrangler:info\] Ready on http://127\.0\.0\.1:(\d+)$")[1])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.send_signal(number)
        return self.finish()

    def finish(self) -> int:
        """Wait for its end, and return its exit code."""
        code = self.process.wait(30)
        self._reader.join(30)
        return code


@contextmanager
def running(directory: Path, *arguments: str) -> Iterator[Running]:
    """Start ``durabase`` in ``directory``; it is killed if it has not ended."""
    command = Running(directory, *arguments)
    try:
        yield command
    finally:
        command.process.kill()
        command.finish()
        assert command.process.stdout is not None
        command.process.stdout.close()


def finished(directory: Path, *arguments: str) -> tuple[int, str]:
    """Run ``durabase`` to its end, and return its exit code and output."""
    with running(directory, *arguments) as command:
        return command.finish(), "\n".join(command.lines)
