"""What one socket of an object has sent: pieces of messages, and what of whole ones goes any further."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, final

from durabase.clock import TimerClock, TimerHandle
from durabase.errors import SyncError, SyncMessageError
from durabase.sync_server._guard import Guard
from durabase.synchronizers._deadlines import DeadlineTimer
from durabase.synchronizers.protocol.payloads import Payload, PayloadDecoder
from durabase.web.connection import socket_owner

__all__ = ["AnyInbox", "EventClock", "GuardedInbox", "Inbox", "hears_messages"]

_TOLD: Final = ("on_message", "web_socket_message", "webSocketMessage")


def hears_messages(room: type, base: type) -> bool:
    """Whether a class has methods of its own that are told of messages one by one."""
    return any(getattr(room, name, None) is not getattr(base, name, None) for name in _TOLD)


@final
class Inbox:
    """What one socket has sent of messages that are not complete."""

    __slots__ = ("_clock", "_decoder", "_timer")

    def __init__(self, clock: TimerClock, timeout_seconds: float) -> None:
        self._clock = clock
        self._decoder = PayloadDecoder(timeout_seconds)
        self._timer = DeadlineTimer(clock, self._decoder)

    def receive(self, message: str | bytes) -> Payload | None:
        """The whole message if this completes one."""
        if not isinstance(message, str):
            raise SyncMessageError
        payload = self._decoder.receive(message, self._clock.now_ms())
        if payload is None:
            self._timer.arm()
        return payload

    def drop(self) -> None:
        """Let go of what is incomplete."""
        self._timer.cancel()
        self._decoder.poison()


@final
class GuardedInbox:
    """An inbox with a guard behind it."""

    __slots__ = ("_clock", "_inbox", "_report", "guard")

    def __init__(
        self, clock: TimerClock, timeout_seconds: float, guard: Guard, report: Callable[[Exception], object]
    ) -> None:
        self.guard = guard
        self._clock = clock
        self._inbox = Inbox(clock, timeout_seconds)
        self._report = report

    def receive(self, message: str | bytes) -> Payload | None:
        """The whole message if this completes one, and if it goes any further."""
        payload = self._inbox.receive(message)
        if payload is None:
            return None
        try:
            return self.guard.let_through(payload, self._clock.now_ms())
        except SyncError:
            raise
        except Exception as error:  # of the application's check: what it can't judge is refused
            self._report(error)
            return None

    def drop(self) -> None:
        """Let go of what is incomplete."""
        self._inbox.drop()


@final
class EventClock:
    """A clock whose timers are events of the object that made it, like those that come from outside."""

    __slots__ = ("_clock", "_owner")

    def __init__(self, clock: TimerClock) -> None:
        self._clock = clock
        self._owner = socket_owner.get()

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> TimerHandle:
        owner = self._owner
        return self._clock.call_later(seconds, callback if owner is None else lambda: owner.enter(callback))


AnyInbox: TypeAlias = Inbox | GuardedInbox
"""What reads the messages of a socket."""
