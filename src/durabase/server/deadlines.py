"""Time-outs of many connections with one timer, and one timer for all pings.

Both count ticks of their own instead of reading a clock, so that a connection costs no timer and a clock
that is set back or forth times nobody out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Final, Protocol

from durabase.clock import TimerClock, TimerHandle

__all__ = ["Deadlines", "Heartbeat", "Pingable", "Waiter"]

_TICK_SECONDS: Final = 1.0
_PINGS_PER_TURN: Final = 200


class Waiter(Protocol):
    """Something that must not wait for ever."""

    def on_deadline(self) -> None:
        """The time that it asked for has passed. It is not watched any more."""


class Deadlines:
    """Calls ``on_deadline`` of those whose time is over, to the second. No timer runs while nobody waits."""

    __slots__ = ("_clock", "_due", "_ticks", "_timer")

    def __init__(self, clock: TimerClock) -> None:
        self._clock = clock
        self._due: dict[Waiter, int] = {}
        self._ticks = 0
        self._timer: TimerHandle | None = None

    def watch(self, waiter: Waiter, seconds: float) -> None:
        """Call ``waiter`` in ``seconds`` or up to a second later, unless it is forgotten or watched anew."""
        self._due[waiter] = self._ticks + max(1, round(seconds / _TICK_SECONDS)) + 1
        if self._timer is None:
            # In a context of its own: that of whoever happens to call would live as long as the ticks go on.
            self._timer = Context().run(self._clock.call_later, _TICK_SECONDS, self._tick)

    def forget(self, waiter: Waiter) -> None:
        """Do not call ``waiter``."""
        self._due.pop(waiter, None)

    def stop(self) -> None:
        """Forget everybody."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._ticks += 1
        self._timer = None
        for waiter in [waiter for waiter, due in self._due.items() if due <= self._ticks]:
            del self._due[waiter]
            waiter.on_deadline()
        if self._due and self._timer is None:
            self._timer = self._clock.call_later(_TICK_SECONDS, self._tick)


class Pingable(Protocol):
    """A connection that may have died without a word."""

    def check_alive(self) -> None:
        """Called at equal intervals: give up if nothing came since the last call, else ask for a sign."""


class Heartbeat:
    """Goes round all sockets once per interval, a few per turn of the event loop."""

    __slots__ = ("_call_soon", "_clock", "_seconds", "_sockets", "_timer")

    def __init__(
        self,
        sockets: Iterable[Pingable],
        seconds: float,
        clock: TimerClock,
        call_soon: Callable[..., object],
    ) -> None:
        self._sockets = sockets
        self._seconds = seconds
        self._clock = clock
        self._call_soon = call_soon
        self._timer: TimerHandle | None = None

    def start(self) -> None:
        """Begin; the first round is one interval from now."""
        self._timer = self._clock.call_later(self._seconds, self._begin)

    def stop(self) -> None:
        """No further round. One that is under way ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self.start()
        self._go_round(list(self._sockets))

    def _go_round(self, sockets: list[Pingable]) -> None:
        for socket in sockets[:_PINGS_PER_TURN]:
            socket.check_alive()
        if len(sockets) > _PINGS_PER_TURN:
            self._call_soon(self._go_round, sockets[_PINGS_PER_TURN:])
