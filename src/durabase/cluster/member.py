"""What one of several processes is told by the one that started it, and how they talk."""

from __future__ import annotations

import asyncio
import json
from asyncio import AbstractEventLoop, Event
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from socket import socket as Socket  # noqa: N812 - a class
from typing import Final, cast

from durabase.durable_objects.partition import Partition

__all__ = ["ALIVE", "DRAINED", "FINISH", "LIVES", "READY", "RETIRE", "STOP", "Control", "Lines", "Place"]

VARIABLE: Final = "DURABASE_PROCESS"

READY: Final = "ready"
"""A member serves."""
STOP: Final = "stop"
"""It is to take no more clients."""
DRAINED: Final = "drained"
"""It has no more clients; others may still call its objects."""
FINISH: Final = "finish"
"""Nobody has clients any more: it is to end."""
RETIRE: Final = "retire"
"""It is to end, and another process takes its place: calls of its objects are to wait for that one."""
LIVES: Final = "lives"
"""A question: does its event loop turn?"""
ALIVE: Final = "alive"
"""The answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which of the processes this is, and the descriptors it was given.

    ``folder`` is where the sockets of all processes are, ``door`` the one of this process, ``control`` the
    connection with the one that started it, ``listeners`` are for clients.
    """

    index: int
    count: int
    folder: str
    door: int
    control: int
    listeners: Sequence[int]

    @property
    def partition(self) -> Partition:
        """The objects that live in this process."""
        return Partition(self.index, self.count)

    @property
    def doors(self) -> Path:
        """The folder with everybody's sockets."""
        return Path(self.folder)

    @property
    def descriptors(self) -> list[int]:
        """Everything that the process inherits."""
        return [self.door, self.control, *self.listeners]

    def environment(self) -> dict[str, str]:
        """What tells it."""
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def found(cls, environment: Mapping[str, str]) -> Place | None:
        """What this process was told; ``None`` if it is on its own."""
        text = environment.get(VARIABLE)
        return None if text is None else cls(**json.loads(text))


class Lines(asyncio.Protocol):
    """Words, one a line, over a connected socket.

    Args:
        socket: the socket.
        received: called with each word.
        ended: called when the other side has gone.
    """

    def __init__(self, received: Callable[[str], object], ended: Callable[[], object]) -> None:
        self._received = received
        self._ended = ended
        self._rest = ""
        self._transport: asyncio.Transport | None = None

    async def connect(self, socket: Socket, loop: AbstractEventLoop) -> None:
        """Talk over this socket."""
        socket.setblocking(False)
        await loop.create_connection(lambda: self, sock=socket)

    def say(self, word: str) -> None:
        """Say it, if anybody is there."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(f"{word}\n".encode())

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It can begin."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Something was said."""
        *words, self._rest = (self._rest + data.decode()).split("\n")
        for word in words:
            self._received(word)

    def connection_lost(self, error: Exception | None) -> None:
        """The other side has gone."""
        self._ended()


class Control:
    """A member's side of the conversation with the process that started it.

    Args:
        stop: called when the member is to stop, also because the other process is gone.

    Attributes:
        is_replaced: whether the others go on, and another process takes the place of this one.
    """

    def __init__(self, stop: Callable[[], object]) -> None:
        self._stop = stop
        self.is_replaced = False
        self._finish = Event()
        self._lines = Lines(self._received, self._abandoned)

    async def connect(self, place: Place) -> None:
        """Begin."""
        await self._lines.connect(Socket(fileno=place.control), asyncio.get_running_loop())

    def ready(self) -> None:
        """The member serves."""
        self._lines.say(READY)

    async def drained(self) -> None:
        """The member has no more clients: wait until nobody has, or it is replaced."""
        self._lines.say(DRAINED)
        await self._finish.wait()

    def close(self) -> None:
        """Hang up."""
        self._lines.close()

    def _received(self, word: str) -> None:
        if word == LIVES:
            self._lines.say(ALIVE)
        elif word == STOP:
            self._stop()
        elif word in (FINISH, RETIRE):
            self.is_replaced = word == RETIRE
            self._finish.set()

    def _abandoned(self) -> None:
        self._finish.set()
        self._stop()
