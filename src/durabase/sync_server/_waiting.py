"""Messages for a room's own store that wait until it is loaded, or has taken over a large one.

Bounded as in TinyBase 10.0.1: by count and bytes, for the room and for each connection over all rooms, and
in time, if they wait for a store to be loaded. Whoever goes beyond is closed. Content hashes replace earlier
ones of the same client: only the last matter.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, final

from durabase._codec import utf8_length
from durabase.clock import TimerClock, TimerHandle
from durabase.errors import SyncOverflowError
from durabase.sync_server._connections import Member
from durabase.synchronizers.protocol.messages import MessageType
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES, Payload

__all__ = ["WaitingMessages"]

MAX_WAITING: Final = 1000
LIFETIME_TIMEOUTS: Final = 10
"""How many request timeouts the first message may wait for a store to be loaded."""


@final
class _Waiting:
    __slots__ = ("count", "member", "payload", "size")

    def __init__(self, member: Member, payload: Payload) -> None:
        self.member = member
        self.payload = payload
        self.count = len(payload.remainders)
        head = utf8_length(payload.address) + 1
        self.size = sum(head + utf8_length(remainder) for remainder in payload.remainders)


@final
class WaitingMessages:
    """What waits in one room, in order; for ever, if there is no ``request_timeout_seconds``."""

    def __init__(self, clock: TimerClock, request_timeout_seconds: float | None) -> None:
        self._clock = clock
        self._request_timeout_seconds = request_timeout_seconds
        self._waiting: deque[_Waiting] = deque()
        self._count = 0
        self._size = 0
        self._timer: TimerHandle | None = None

    def add(self, member: Member, payload: Payload) -> None:
        """Keep a message; if that is too much, drop all of this client's and close its connection."""
        new = _Waiting(member, payload)
        replaced = self._find_replaced(payload, member)
        if replaced is not None:
            self._account(self._waiting[replaced], -1)
        if self._is_full_with(new):
            if replaced is not None:
                del self._waiting[replaced]
            self.drop(member)
            member.connection.fail(SyncOverflowError("server"))
            return
        if replaced is None:
            self._waiting.append(new)
        else:
            self._waiting[replaced] = new
        self._account(new, 1)
        if self._timer is None and self._request_timeout_seconds is not None:
            seconds = self._request_timeout_seconds * LIFETIME_TIMEOUTS
            self._timer = self._clock.call_later(seconds, self._expire)

    def take_first(self) -> tuple[Member, Payload] | None:
        """What waits longest, and then waits no more; ``None`` if nothing does."""
        if not self._waiting:
            return None
        first = self._waiting.popleft()
        self._account(first, -1)
        self._stop_timer_if_empty()
        return first.member, first.payload

    def clear(self) -> None:
        """Forget everything that waits."""
        self._remove(lambda _: True)

    def drop(self, member: Member) -> None:
        """Forget what waits from one client."""
        self._remove(lambda waiting: waiting.member is member)

    def _find_replaced(self, payload: Payload, member: Member) -> int | None:
        if payload.message.number is not MessageType.CONTENT_HASHES:
            return None
        for index, waiting in enumerate(self._waiting):
            if (
                waiting.member is member
                and waiting.payload.address == payload.address
                and waiting.payload.message.number is MessageType.CONTENT_HASHES
            ):
                return index
        return None

    def _is_full_with(self, new: _Waiting) -> bool:
        connection = new.member.connection
        count = max(self._count, connection.waiting_count) + new.count
        size = max(self._size, connection.waiting_size) + new.size
        return count > MAX_WAITING or size > MAX_PAYLOAD_BYTES

    def _account(self, waiting: _Waiting, sign: int) -> None:
        self._count += sign * waiting.count
        self._size += sign * waiting.size
        waiting.member.connection.waiting_count += sign * waiting.count
        waiting.member.connection.waiting_size += sign * waiting.size

    def _remove(self, is_removed: Callable[[_Waiting], bool]) -> None:
        kept: deque[_Waiting] = deque()
        for waiting in self._waiting:
            if is_removed(waiting):
                self._account(waiting, -1)
            else:
                kept.append(waiting)
        self._waiting = kept
        self._stop_timer_if_empty()

    def _stop_timer_if_empty(self) -> None:
        if not self._waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        connections = list(dict.fromkeys(waiting.member.connection for waiting in self._waiting))
        self._remove(lambda _: True)
        for connection in connections:
            connection.fail(SyncOverflowError("server"))
