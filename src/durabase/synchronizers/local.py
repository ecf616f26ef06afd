"""Synchronizers of one process, joined by a bus: for tests, demonstrations, and stores side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from durabase._codec import unique_id
from durabase.clock import SystemClock, TimerClock, TimerHandle
from durabase.persisters.base import IgnoredErrorHandler
from durabase.synchronizers.base import MessageCallback, Synchronizer
from durabase.synchronizers.protocol.messages import Message
from durabase.types import Id

if TYPE_CHECKING:
    from durabase.mergeable import MergeableStore

__all__ = ["LocalBus", "LocalSynchronizer"]

_REQUEST_TIMEOUT = 0.05


class LocalBus:
    """Who is there to be sent messages. Its clients see each other, those of another bus they do not."""

    __slots__ = ("_receivers",)

    def __init__(self) -> None:
        self._receivers: dict[Id, Callable[[Id, Message], None]] = {}

    def join(self, client_id: Id, receive: Callable[[Id, Message], None]) -> None:
        """Have ``receive(from_client, message)`` called with what is sent to this client."""
        self._receivers[client_id] = receive

    def leave(self, client_id: Id) -> None:
        """Be gone. Harmless if the client is not there."""
        self._receivers.pop(client_id, None)

    def receivers(self, from_client: Id, to_client: Id | None) -> list[Callable[[Id, Message], None]]:
        """Those whom a message reaches that is sent now."""
        if to_client is None:
            return [receive for client_id, receive in self._receivers.items() if client_id != from_client]
        receive = self._receivers.get(to_client)
        return [] if receive is None else [receive]


_process_bus = LocalBus()


class LocalSynchronizer(Synchronizer):
    """Keeps a mergeable store in step with those of the other local synchronizers of this process.

    Messages arrive in a later turn of the event loop. Destroying it takes back what it sent and has not
    arrived yet.

    Args:
        store: the store.
        bus: whom to meet; unless given, everybody in this process who gives none either.
        on_send, on_receive, on_ignored_error, clock: as for every :class:`Synchronizer`.
    """

    def __init__(
        self,
        store: MergeableStore,
        *,
        bus: LocalBus | None = None,
        on_send: MessageCallback | None = None,
        on_receive: MessageCallback | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        self._clock = SystemClock() if clock is None else clock
        self._bus = _process_bus if bus is None else bus
        self._client_id = unique_id()
        self._undelivered: dict[int, TimerHandle] = {}
        self._next_delivery = 0
        super().__init__(
            store,
            self._deliver_later,
            request_timeout=_REQUEST_TIMEOUT,
            on_send=on_send,
            on_receive=on_receive,
            on_ignored_error=on_ignored_error,
            clock=self._clock,
        )
        self._bus.join(self._client_id, self.receive_message)

    def _deliver_later(self, to_client: Id | None, message: Message) -> None:
        for receive in self._bus.receivers(self._client_id, to_client):
            self._start_delivery(receive, message)

    def _start_delivery(self, receive: Callable[[Id, Message], None], message: Message) -> None:
        number = self._next_delivery
        self._next_delivery += 1

        def deliver() -> None:
            del self._undelivered[number]
            receive(self._client_id, message)

        self._undelivered[number] = self._clock.call_later(0, deliver)

    def _release(self) -> None:
        self._bus.leave(self._client_id)
        for timer in self._undelivered.values():
            timer.cancel()
        self._undelivered.clear()
