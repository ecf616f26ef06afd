"""A synchronizer over any means of sending messages, given as functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from durabase.clock import TimerClock
from durabase.persisters.base import IgnoredErrorHandler
from durabase.synchronizers.base import MessageCallback, Synchronizer
from durabase.synchronizers.protocol.messages import Message
from durabase.types import Id

if TYPE_CHECKING:
    from durabase.mergeable import MergeableStore

__all__ = ["CustomSynchronizer", "RegisterReceive"]

Receive: TypeAlias = Callable[[Id, Any, Any, Any], None]
Fail: TypeAlias = Callable[[Exception], None]
RegisterReceive: TypeAlias = Callable[[Receive, Fail], object]


class CustomSynchronizer(Synchronizer):
    """Keeps a mergeable store in step with its peers over functions of yours.

    Args:
        store: the store.
        send: ``send(to_client, request_id, message, body)`` passes a message on; ``to_client`` is ``None``
            for everybody else. ``body`` holds ``UNDEFINED`` for what is deleted.
        register_receive: is called once, at creation, with two functions:
            ``receive(from_client, request_id, message, body)`` for what arrives, and ``fail(error)`` to end
            all exchanges that wait for an answer.
        destroy: is called when the synchronizer is destroyed; may be asynchronous.
        request_timeout: seconds to wait for the answer to a request.
        on_send: is called with the arguments of ``send``, before it.
        on_receive: is called with the arguments of ``receive``, if they are valid.
        on_ignored_error: is called with each error that is not raised.
        clock: wakes the synchronizer when a request is overdue.
    """

    def __init__(
        self,
        store: MergeableStore,
        send: Callable[[Id | None, str | None, int, Any], object],
        register_receive: RegisterReceive,
        destroy: Callable[[], object],
        request_timeout: float = 1.0,
        *,
        on_send: MessageCallback | None = None,
        on_receive: MessageCallback | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        def send_message(to_client: Id | None, message: Message) -> None:
            send(to_client, message.request_id, message.number, message.body)

        super().__init__(
            store,
            send_message,
            request_timeout=request_timeout,
            on_send=on_send,
            on_receive=on_receive,
            on_ignored_error=on_ignored_error,
            clock=clock,
        )
        self._destroy_transport = destroy
        register_receive(self.receive, self.fail_pending_requests)

    def _release(self) -> object:
        return self._destroy_transport()
