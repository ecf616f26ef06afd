"""A network between clients and a worker under test: slow, unreliable, or cut."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from durabase.clock import TimerClock

__all__ = ["FlakyNetwork", "Link"]


class Droppable(Protocol):
    """A connection that can be lost."""

    def drop(self) -> None:
        """Lose it: both ends see 1006."""


class FlakyNetwork:
    """What carries messages. At first it is perfect: messages arrive at once.

    As on any network below WebSockets, messages of one connection arrive in order, each once; what fails is
    the connection as a whole. The same ``seed`` gives the same failures.

    Args:
        clock: by which messages take their time.
        seed: what chance follows.

    Attributes:
        latency: how many seconds of the clock a message takes.
        jitter: how many seconds it may take beyond that.
        drop_chance: how probable it is, 0 to 1, that a connection is lost instead of carrying a message.
        is_cut: whether there are no connections.
    """

    def __init__(self, clock: TimerClock, seed: int = 0) -> None:
        self.latency = 0.0
        self.jitter = 0.0
        self.drop_chance = 0.0
        self.is_cut = False
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - for tests
        self._connections: dict[Droppable, None] = {}

    def cut(self) -> None:
        """Lose all connections, and let there be no new ones until :meth:`mend`."""
        self.is_cut = True
        self.drop_all()

    def mend(self) -> None:
        """Allow connections again."""
        self.is_cut = False

    def drop_all(self) -> None:
        """Lose all connections; there may be new ones at once."""
        for connection in list(self._connections):
            connection.drop()

    def join(self, connection: Droppable) -> tuple[Link, Link]:
        """Two ways for one more connection, there and back."""
        self._connections[connection] = None
        return Link(self, connection), Link(self, connection)

    def leave(self, connection: Droppable) -> None:
        """The connection is over."""
        self._connections.pop(connection, None)

    @property
    def connection_count(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    def _loses(self) -> bool:
        """Whether a message is one too many for its connection."""
        return self.drop_chance > 0 and self._random.random() < self.drop_chance

    def _delay_ms(self) -> float:
        """How long a message takes."""
        return 1000 * (self.latency + self.jitter * self._random.random() if self.jitter else self.latency)


class Link:
    """One direction of a connection."""

    def __init__(self, network: FlakyNetwork, connection: Droppable) -> None:
        self._network = network
        self._connection = connection
        self._free_ms = 0.0
        self._under_way = 0

    def carry(self, deliver: Callable[[], object]) -> None:
        """Have ``deliver`` called when what was sent arrives, after all that was sent before."""
        network = self._network
        if network._loses():
            self._connection.drop()
            return
        delay = network._delay_ms()
        if not delay and not self._under_way:
            deliver()
            return
        now = network._clock.now_ms()
        self._free_ms = max(self._free_ms, now + delay)
        self._under_way += 1

        def arrive() -> None:
            self._under_way -= 1
            deliver()

        network._clock.call_later((self._free_ms - now) / 1000, arrive)
