"""The process that starts the others: starts those again that fail, and stops all of them together.

It holds what outlives any of them: the lock of the state directory that they share, the sockets that clients
and members connect to. It serves nobody itself.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
from asyncio import Event, Task
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socketpair
from socket import socket as Socket  # noqa: N812 - a class
from typing import Final

from durabase.clock import TimerClock, TimerHandle
from durabase.cluster.member import ALIVE, DRAINED, FINISH, LIVES, READY, RETIRE, STOP, Lines, Place
from durabase.cluster.router import door
from durabase.durable_objects.storage.lock import FolderLock
from durabase.durable_objects.storage.partitioning import divide
from durabase.errors import ClusterError

__all__ = ["Supervisor"]

_log = logging.getLogger("durabase.cluster")

STOP_SECONDS: Final = 30.0
"""How long the processes have to end before they are ended."""
LONG_SECONDS: Final = 60.0
"""A process that ran for so long is started again at once; one that did not, ever later."""
SIGNS_OF_LIFE: Final = 2
"""How often a process is asked for one, in the time that it may be silent."""
DELAYS: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
BACKLOG: Final = 128


class _Member:
    """One of the processes, and those that came before it in its place."""

    def __init__(self, index: int, listener: Socket) -> None:
        self.index = index
        self.listener = listener
        self.process: Process | None = None
        self.lines: Lines | None = None
        self.ready = Event()
        self.drained = Event()
        self.wake = Event()
        self.failures = 0
        self.replaced: Event | None = None
        self.unanswered = 0


class Supervisor:
    """Runs several processes on one state directory: ``async with Supervisor(…) as supervisor``.

    Entering starts them, the first one alone, since that one migrates what there is; leaving stops them.

    Args:
        count: how many.
        command: starts one; it finds its :class:`~durabase.cluster.member.Place` in the environment.
        state_dir: where data is kept. It is divided among them.
        listeners: the sockets for clients.
        clock: for time-outs.

    Raises:
        StorageError: the state directory is in use, or can't be divided.
        ClusterError: the first one did not come up; it has said why.
    """

    def __init__(
        self,
        count: int,
        command: Sequence[str],
        state_dir: Path,
        listeners: Sequence[Socket],
        clock: TimerClock,
    ) -> None:
        self._count = count
        self._command = list(command)
        self._state_dir = state_dir
        self._listeners = listeners
        self._clock = clock
        self._lock = FolderLock(state_dir)
        self._folder = Path()
        self._members: list[_Member] = []
        self._keepers: list[Task[None]] = []
        self._is_stopping = False
        self._watching: TimerHandle | None = None

    @property
    def processes(self) -> list[int]:
        """The numbers by which the operating system knows the processes that run."""
        return [member.process.pid for member in self._members if member.process is not None]

    async def __aenter__(self) -> Supervisor:
        is_shared = self._count > 1  # one process has all, and a lock and a division of its own
        if is_shared:
            self._lock.acquire()
        try:
            if is_shared:
                divide(self._state_dir, self._count)
            self._folder = Path(tempfile.mkdtemp(prefix="durabase-"))
            self._members = [_Member(index, self._door(index)) for index in range(self._count)]
            await self._start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        self._is_stopping = True
        if self._watching is not None:
            self._watching.cancel()
        for member in self._members:
            member.wake.set()
        timer = self._clock.call_later(STOP_SECONDS, self._kill)
        self._say(STOP)
        for member in self._members:
            await member.drained.wait()
        self._say(FINISH)
        await asyncio.gather(*self._keepers)
        timer.cancel()
        await self._end()

    def watch(self, seconds: float) -> None:
        """Kill a process that serves and whose event loop has not turned for ``seconds``."""
        for member in self._members:
            if not member.ready.is_set():
                member.unanswered = 0
            elif member.unanswered < SIGNS_OF_LIFE:
                member.unanswered += 1
                _say(member, LIVES)
            elif member.process is not None and member.process.returncode is None:
                _log.error("process %d gave no sign of life for %g s; it is killed", member.index, seconds)
                member.process.kill()
        self._watching = self._clock.call_later(seconds / SIGNS_OF_LIFE, lambda: self.watch(seconds))

    async def restart(self) -> None:
        """Put a new process in the place of each, one after the other; the sockets for clients stay open.
        To stop meanwhile, cancel it.

        Raises:
            ClusterError: one did not come up. It is tried again, and those after it are as they were.
        """
        for member in self._members:
            await self._replace(member)

    async def _replace(self, member: _Member) -> None:
        replaced = member.replaced = Event()
        timer = self._clock.call_later(STOP_SECONDS, _process(member).kill)
        try:
            _say(member, STOP)
            await member.drained.wait()
            _say(member, RETIRE)
            await replaced.wait()
        finally:
            timer.cancel()
        await self._come_up(member)

    def _door(self, index: int) -> Socket:
        listener = Socket(AF_UNIX, SOCK_STREAM)
        listener.bind(str(door(self._folder, index)))
        listener.listen(BACKLOG)
        return listener

    async def _start(self) -> None:
        first, *others = self._members
        await self._spawn(first)
        await self._come_up(first)
        for member in others:
            await self._spawn(member)
        for member in others:
            await self._come_up(member)
        self._keepers = [asyncio.create_task(self._keep(member)) for member in self._members]

    async def _spawn(self, member: _Member) -> None:
        ours, theirs = socketpair()
        member.ready.clear()
        member.drained.clear()
        member.unanswered = 0
        listeners = [listener.fileno() for listener in self._listeners]
        place = Place(
            *(member.index, self._count, str(self._folder)),
            *(member.listener.fileno(), theirs.fileno(), listeners),
        )
        member.lines = Lines(lambda word: _heard(member, word), member.drained.set)
        with theirs:
            member.process = await asyncio.create_subprocess_exec(
                *self._command, pass_fds=place.descriptors, env={**os.environ, **place.environment()}
            )
        await member.lines.connect(ours, asyncio.get_running_loop())

    async def _come_up(self, member: _Member) -> None:
        """Wait until it serves, or has ended."""
        process = _process(member)
        waits = [asyncio.create_task(member.ready.wait()), asyncio.create_task(process.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        if not member.ready.is_set():
            raise ClusterError(f"process {member.index} did not start (exit code {process.returncode})")

    async def _keep(self, member: _Member) -> None:
        """Start it again whenever it ends, until all are stopped."""
        while True:
            started = self._clock.now_ms()
            code = await _process(member).wait()
            member.drained.set()
            if self._is_stopping:
                return
            if member.replaced is not None:
                await self._spawn(member)
                member.replaced.set()
                member.replaced = None
                continue
            if self._clock.now_ms() - started > LONG_SECONDS * 1000:
                member.failures = 0
            delay = DELAYS[min(member.failures, len(DELAYS) - 1)]
            member.failures += 1
            _log.error("process %d ended (exit code %d); it is started again", member.index, code)
            timer = self._clock.call_later(delay, member.wake.set)
            await member.wake.wait()
            timer.cancel()
            if self._is_stopping:
                return
            member.wake.clear()
            await self._spawn(member)

    def _say(self, word: str) -> None:
        for member in self._members:
            _say(member, word)

    def _kill(self) -> None:
        for member in self._members:
            if member.process is not None and member.process.returncode is None:
                _log.error("process %d did not stop in %d s; it is killed", member.index, int(STOP_SECONDS))
                member.process.kill()

    async def _end(self) -> None:
        for member in self._members:
            if member.process is not None and member.process.returncode is None:
                member.process.kill()
                await member.process.wait()
            if member.lines is not None:
                member.lines.close()
            member.listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()


def _heard(member: _Member, word: str) -> None:
    if word == READY:
        member.ready.set()
    elif word == DRAINED:
        member.drained.set()
    elif word == ALIVE:
        member.unanswered = 0


def _say(member: _Member, word: str) -> None:
    if member.lines is not None:
        member.lines.say(word)


def _process(member: _Member) -> Process:
    if member.process is None:
        raise ClusterError(f"process {member.index} was not started")
    return member.process
