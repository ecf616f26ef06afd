"""Vite's dev server as a child process: installed if need be, started, watched, ended.

It listens on a free local port that nobody else has to know. It ends with this process, even
if this process is killed.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
from collections import deque
from pathlib import Path

from durabase.cli.console import Console
from durabase.errors import ServerError

__all__ = ["ViteProcess", "install_packages", "node_problem"]

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.05
_LINE_LIMIT = 1024 * 1024
_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_WATCHED = (
    "exec 3<&0; { cat <&3; kill -TERM 0; } >/dev/null 2>&1 & "
    '"$@" 3<&- </dev/null; code=$?; kill $!; exit $code'
)
_BANNER = re.compile(r"^\s*(➜|VITE v|>|$)")


def node_problem() -> str | None:
    """Return why there is no Node to run Vite with, ``None`` if there is one."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node.js is not installed"
    return None


async def install_packages(client: Path) -> None:
    """Run ``npm install`` in ``client``.

    Raises:
        ServerError: it failed; the message ends with its last lines.
    """
    process = await _spawn(client, "npm", "install", "--no-audit", "--no-fund")
    try:
        output = await process.stdout.read() if process.stdout is not None else b""
        await process.wait()
    except asyncio.CancelledError:
        _signal(process, signal.SIGTERM)
        raise
    if process.returncode:
        last = "\n".join(output.decode(errors="replace").strip().splitlines()[-5:])
        raise ServerError(f"npm install failed in {client}:\n{last}")


class ViteProcess:
    """One run of ``npm run dev`` in a client's directory; :meth:`start` makes it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, console: Console) -> None:
        self.port = port
        self._process = process
        self._console = console
        self._tail: deque[str] = deque(maxlen=10)
        self._is_ready = False
        self._output = asyncio.create_task(self._read_output())

    @classmethod
    async def start(cls, client: Path, console: Console) -> ViteProcess:
        """Start it and return when it listens.

        Raises:
            ServerError: it ended instead, or did not listen within a minute.
        """
        port = _free_port()
        arguments = ("--port", str(port), "--strictPort", "--host", "127.0.0.1")
        vite = cls(await _spawn(client, "npm", "run", "dev", "--", *arguments), port, console)
        try:
            await vite._until_it_listens()
        except BaseException:
            await vite.stop()
            raise
        return vite

    async def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""
        await self._output
        return await self._process.wait()

    async def stop(self) -> None:
        """End it, at once if it does not end by itself."""
        _signal(self._process, signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        self._output.cancel()
        await asyncio.gather(self._output, return_exceptions=True)

    def kill(self) -> None:
        """End it without asking."""
        _signal(self._process, signal.SIGKILL)

    async def _until_it_listens(self) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await _listens(self.port):
                    if self._process.returncode is not None:
                        await self._output
                        raise ServerError("Vite could not be started:\n" + "\n".join(self._tail))
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise ServerError(f"Vite did not listen within {_START_SECONDS:.0f} seconds") from None
        self._is_ready = True

    async def _read_output(self) -> None:
        output = self._process.stdout
        while output is not None and (line := await output.readline()):
            text = line.decode(errors="replace").rstrip()
            self._tail.append(text)
            if self._is_ready and not _BANNER.match(_STYLES.sub("", text)):
                self._console.line(f"[vite] {text}")


async def _spawn(directory: Path, *command: str) -> asyncio.subprocess.Process:
    """Start a child in a process group of its own, so that Ctrl-C reaches it through us only.

    Its shell waits for our end of its standard input to close, too, and then ends the group.
    """
    return await asyncio.create_subprocess_exec(
        *("sh", "-c", _WATCHED, "sh"),
        *command,
        cwd=directory,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        limit=_LINE_LIMIT,
    )


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
