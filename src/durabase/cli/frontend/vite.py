"""Vite's dev server as a child process: installed if need be, started, watched, ended.

It listens on a free local port that nobody else has to know.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections import deque
from pathlib import Path

from durabase.cli.console import Console
from durabase.cli.frontend.child import ChildProcess
from durabase.errors import ServerError

__all__ = ["ViteProcess", "install_packages", "node_problem"]

_START_SECONDS = 60.0
_POLL_SECONDS = 0.05
_TAIL_LINES = 10
_OLDEST_NODE = (20, 19)  # that Vite runs with
_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_BANNER = re.compile(r"^\s*(➜|VITE v|>|$)")


async def node_problem() -> str | None:
    """Return why there is no Node to run Vite with and what to do, ``None`` if there is one."""
    needed = ".".join(map(str, _OLDEST_NODE))
    if shutil.which("node") is None or shutil.which("npm") is None:
        return f"Node.js is not installed; install version {needed} or newer."
    lines: list[str] = []
    await ChildProcess(Path.cwd(), ["node", "--version"], lines.append).wait()
    found = re.match(r"v(\d+)\.(\d+)\.", lines[0]) if lines else None
    if found is None or (int(found[1]), int(found[2])) < _OLDEST_NODE:
        return f"Node.js {lines[0] if lines else 'does not run'}: install version {needed} or newer."
    return None


async def install_packages(client: Path) -> None:
    """Run ``npm install`` in ``client``.

    Raises:
        ServerError: it failed; the message ends with its last lines.
    """
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    child = ChildProcess(client, ["npm", "install", "--no-audit", "--no-fund"], tail.append)
    try:
        code = await child.wait()
    except asyncio.CancelledError:
        await child.stop()
        raise
    if code:
        raise ServerError(f"npm install failed in {client}:\n" + "\n".join(tail))


class ViteProcess:
    """One run of ``npm run dev`` in a client's directory; :meth:`start` makes it."""

    def __init__(self, client: Path, console: Console) -> None:
        self.port = _free_port()
        self._console = console
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._is_ready = False
        arguments = ["--port", str(self.port), "--strictPort", "--host", "127.0.0.1"]
        self._child = ChildProcess(client, ["npm", "run", "dev", "--", *arguments], self._on_line)

    @classmethod
    async def start(cls, client: Path, console: Console) -> ViteProcess:
        """Start it and return when it listens.

        Raises:
            ServerError: it ended instead, or did not listen within a minute.
        """
        vite = cls(client, console)
        try:
            await vite._until_it_listens()
        except BaseException:
            await vite.stop()
            raise
        return vite

    async def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""
        return await self._child.wait()

    async def stop(self) -> None:
        """End it."""
        await self._child.stop()

    def kill(self) -> None:
        """End it without asking."""
        self._child.kill()

    async def _until_it_listens(self) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await _listens(self.port):
                    if self._child.has_ended:
                        raise ServerError("Vite could not be started:\n" + "\n".join(self._tail))
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise ServerError(f"Vite did not listen within {_START_SECONDS:.0f} seconds") from None
        self._is_ready = True

    def _on_line(self, line: str) -> None:
        self._tail.append(line)
        if self._is_ready and not _BANNER.match(_STYLES.sub("", line)):
            self._console.line(f"[vite] {line}")


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
