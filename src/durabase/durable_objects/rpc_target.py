"""What is given to others to be called, and who runs it: the giver, as long as anybody has a stub of it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any, Protocol

from durabase.durable_objects.events import Call, Read, Served
from durabase.durable_objects.gates import Section, current_section
from durabase.durable_objects.rpc import perform_on, remote_error
from durabase.durable_objects.suspension import with_suspension

__all__ = ["Giver", "Grant", "Granted", "ProgramGiver", "current_giver"]


class Granted(Protocol):
    """What a stub is of: a :class:`Grant`, or one in another process."""

    def take(self) -> None:
        """There is one more stub of it."""

    def give_back(self) -> None:
        """There is one less."""

    def serve(self, event: Call | Read) -> Awaitable[Any]:
        """Do it, wherever the target is."""


class Giver(Protocol):
    """Whose code a target is part of."""

    def serve(self, event: Served, section: Section | None) -> Awaitable[Any]:
        """Run a call of a target, as part of the critical section in which that was given away, if any."""

    def lend(self, grant: Grant) -> None:
        """Somebody has a stub of something now."""

    def take_back(self, grant: Grant) -> None:
        """Nobody has one any more."""


current_giver: ContextVar[Giver | None] = ContextVar("current_giver", default=None)
"""The object whose code is running; ``None`` outside of objects."""


class ProgramGiver:
    """Code outside of objects: of a worker's entrypoint, or of a test."""

    __slots__ = ("_context",)

    def __init__(self) -> None:
        self._context = copy_context()

    def serve(self, event: Served, section: Section | None) -> Awaitable[Any]:
        """Run the call in the context in which its target was given away."""
        return self._context.copy().run(asyncio.get_running_loop().create_task, _served(event))

    def lend(self, grant: Grant) -> None:
        """Nothing is to be done: it lives as long as it is called."""

    def take_back(self, grant: Grant) -> None:
        """Nothing is to be done."""


async def _served(event: Served) -> Any:
    try:
        result = with_suspension(event.call)()
        return event.check(await result if inspect.isawaitable(result) else result)
    except Exception as error:
        raise remote_error(error) from None


class Grant:
    """One target, and how many stubs there are of it.

    Args:
        target: a function, or a :class:`~durabase.durable_objects.base.RpcTarget`.
        giver: runs it.
        check: what to make of its results.
    """

    __slots__ = ("_check", "_giver", "_section", "_stubs", "_target")

    def __init__(self, target: Any, giver: Giver, check: Callable[[Any], Any]) -> None:
        self._target = target
        self._giver = giver
        self._check = check
        self._section = current_section.get()
        self._stubs = 0

    def take(self) -> None:
        """There is one more stub of it."""
        self._stubs += 1
        if self._stubs == 1:
            self._giver.lend(self)

    def give_back(self) -> None:
        """There is one less; after the last one the target is let go."""
        self._stubs -= 1
        if not self._stubs:
            self._giver.take_back(self)
            self._target = None

    def serve(self, event: Call | Read) -> Awaitable[Any]:
        """Have the giver do it."""
        served = Served(partial(_perform_within, self._section, self._target, event), self._check, event.name)
        return self._giver.serve(served, self._section)

    def forget(self) -> None:
        """The giver is no more: nothing is called again."""
        self._target = None


def _perform_within(section: Section | None, target: Any, event: Call | Read) -> Any:
    current_section.set(section)
    return perform_on(target, event)
