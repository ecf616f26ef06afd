"""A child process whose output comes line by line, and which ends with this process, even if that is killed.

On threads and the standard library's own pipes: what an event loop makes of pipes differs from
loop to loop.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Thread

__all__ = ["ChildProcess"]

_STOP_SECONDS = 5.0
_LINE_LIMIT = 64 * 1024
_WATCHED = (
    "exec 3<&0; { cat <&3; kill -TERM 0; } >/dev/null 2>&1 & "
    '"$@" 3<&- </dev/null; code=$?; kill $!; exit $code'
)


class ChildProcess:
    """A running command in a process group of its own, so that Ctrl-C reaches it through us only.

    Its shell waits for our end of its standard input to close, too, and then ends the group.
    Make it inside of a running event loop.
    """

    def __init__(self, directory: Path, command: list[str], on_line: Callable[[str], object]) -> None:
        """Start it.

        Args:
            directory: where it runs.
            command: the program and its arguments.
            on_line: called in the event loop with each line that it writes.

        Raises:
            OSError: it can't be started.
        """
        self._process = subprocess.Popen(  # noqa: S603 (the program is named by us)
            ["/bin/sh", "-c", _WATCHED, "sh", *command],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = loop.create_future()
        reader = Thread(target=self._read, args=(loop, on_line), name="child-output", daemon=True)
        reader.start()

    @property
    def has_ended(self) -> bool:
        """Whether it is over and all of its output was told."""
        return self._ended.done()

    async def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""
        return await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """End it, at once if it does not end by itself."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.wait()
        except TimeoutError:
            self.kill()
            await self.wait()

    def kill(self) -> None:
        """End it without asking."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._ended.done():
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:  # all of it is over, we have yet to hear of it
            pass

    def _read(self, loop: asyncio.AbstractEventLoop, on_line: Callable[[str], object]) -> None:
        with self._process as process:
            while process.stdout is not None and (line := process.stdout.readline(_LINE_LIMIT)):
                _tell(loop, on_line, line.rstrip())
            code = process.wait()
        _tell(loop, self._ended.set_result, code)


def _tell(loop: asyncio.AbstractEventLoop, function: Callable[..., object], argument: str | int) -> None:
    try:
        loop.call_soon_threadsafe(function, argument)
    except RuntimeError:  # the loop is closed: nobody listens any more
        pass
