"""Time as an argument: what may ask for the time or a timer is handed a clock.

Nothing below the skins reads the system's clock itself, so tests drive time by hand
(``durabase.testing.FakeClock``).
"""

from __future__ import annotations

from collections.abc import Callable
from time import time_ns
from typing import Final, Protocol

__all__ = ["Clock", "SystemClock", "TimerClock", "TimerHandle"]

_time_ns: Final = time_ns


class Clock(Protocol):
    """The time of day."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, like JavaScript's ``Date.now()``. It may go back."""


class TimerHandle(Protocol):
    """A timer that has been started."""

    def cancel(self) -> None:
        """Make sure that the callback is not called any more. Harmless when it already was."""


class TimerClock(Clock, Protocol):
    """A clock that also wakes."""

    def call_later(self, seconds: float, callback: Callable[[], object]) -> TimerHandle:
        """Call ``callback`` once after ``seconds``, from the event loop, never from within this call."""


class SystemClock:
    """The machine's clock and the running event loop's timers."""

    __slots__ = ()

    def now_ms(self) -> int:
        return _time_ns() // 1_000_000

    def call_later(self, seconds: float, callback: Callable[[], object]) -> TimerHandle:
        import asyncio  # here, for importing a store must not load asyncio

        return asyncio.get_running_loop().call_later(seconds, callback)
