"""A persister whose place is everybody else: what a store has in common with its peers.

Loading is asking and pulling, saving is telling, and what peers send is followed like a place that
changes. The conversation itself is a :class:`~durabase.synchronizers.protocol.session.Session`; this
module gives it a way to send, a clock to wake it and a store to merge into. It knows nothing of
sockets and payloads. Its reactions are those of TinyBase 10.0.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

from durabase.clock import SystemClock, TimerClock
from durabase.errors import SyncMessageError, SyncTimeoutError
from durabase.persisters._access import BroadcastAccess, StoreAccess
from durabase.persisters._steps import Completion, Steps
from durabase.persisters.base import IgnoredErrorHandler, Persister, PersisterListener, Persists
from durabase.synchronizers._deadlines import DeadlineTimer
from durabase.synchronizers.protocol.messages import Message, check_message
from durabase.synchronizers.protocol.session import Merge, MergeSource, Outgoing, Session
from durabase.types import UNDEFINED, Id

if TYPE_CHECKING:
    from durabase.mergeable import MergeableStore
    from durabase.store import Store

__all__ = ["MessageCallback", "Send", "Synchronizer"]

Send: TypeAlias = Callable[[Id | None, Message], object]
"""``send(to_client, message)``: pass a message on, to one client or with ``None`` to everybody else."""
MessageCallback: TypeAlias = Callable[[Id | None, str | None, int, Any], object]
"""``callback(client_id, request_id, message_number, body)``: a message is being sent or was received."""


class Synchronizer(Persister):
    """Keeps a mergeable store in step with the stores of its peers.

    Whoever brings the messages calls :meth:`receive` or :meth:`receive_message`; what is to be sent goes
    to ``send``, within the call that causes it. Nothing is sent before :meth:`start_sync` but answers.

    Args:
        store: the store.
        send: passes a message on. What it raises ends the exchange that the message belongs to.
        request_timeout: seconds to wait for the answer to a request.
        on_send: is called with every message before it is sent.
        on_receive: is called with every valid message that arrives.
        on_ignored_error: as for every persister; also requests that are not answered, invalid messages.
        clock: wakes the synchronizer when a request is overdue.

    Raises:
        StoreTypeError: ``store`` is not mergeable.
    """

    _keeps_unsaved_edits = False

    def __init__(
        self,
        store: MergeableStore,
        send: Send,
        *,
        request_timeout: float = 1.0,
        on_send: MessageCallback | None = None,
        on_receive: MessageCallback | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        super().__init__(store, persists=Persists.MERGEABLE_STORE_ONLY, on_ignored_error=on_ignored_error)
        clock = SystemClock() if clock is None else clock
        self._session = Session(store, clock=clock, request_timeout=request_timeout)
        self._deadline_timer = DeadlineTimer(clock, self)
        self._send = send
        self._on_send = on_send
        self._on_receive = on_receive
        self._is_syncing = False
        self._loading: Completion[Any] | None = None
        self._listener: PersisterListener | None = None
        self._sends = 0
        self._receives = 0

    def _make_access(self, store: Store, persists: Persists) -> StoreAccess:
        super()._make_access(store, persists)
        return BroadcastAccess(cast("MergeableStore", store))

    # What a synchronizer does

    def start_sync(self, initial_content: Any = None) -> Completion[Self]:
        """Follow the peers, ask them once for what they have, then tell them, and from now on every edit.

        Ends after the first answer has been merged, or after ``request_timeout``; then ``initial_content``
        is taken if nobody had anything, as default content that never wins over anything.
        """
        self._check_alive()
        self._is_syncing = True
        return self.start_auto_persisting(initial_content)

    def stop_sync(self) -> Completion[Self]:
        """Stop following peers and telling them edits. They still get answers to what they ask for."""
        self._is_syncing = False
        return self.stop_auto_persisting()

    def receive(self, from_client: Id, request_id: object, number: object, body: object) -> None:
        """Take a message in parts, as decoded from JSON with undefined; an invalid one is only reported."""
        if not self._is_destroyed():
            try:
                message = check_message(request_id, number, body)
            except SyncMessageError as error:
                self._report(error)
            else:
                self.receive_message(from_client, message)

    def receive_message(self, from_client: Id, message: Message) -> None:
        """Take a message of which the shape has been checked. Ignored once this is destroyed."""
        if self._is_destroyed():
            return
        self._receives += 1
        self._tell_received(from_client, message)
        session = self._session
        session.follows = self._is_syncing or self.is_auto_loading()
        session.answers_content_hashes = self._is_syncing or self.is_auto_saving()
        session.receive(from_client, message)
        self._pump()

    def fail_pending_requests(self, error: Exception) -> None:
        """End every exchange that waits for an answer, for the connection is gone."""
        self._session.fail_pending(error)
        self._pump()

    def get_synchronizer_stats(self) -> dict[str, int]:
        """How many messages were sent and how many valid ones received: ``{"sends": …, "receives": …}``."""
        return {"sends": self._sends, "receives": self._receives}

    # The place of a persister

    def get_persisted(self) -> Completion[Any]:
        """Ask everybody, pull from whoever answers first."""
        self._loading = loading = Completion[Any]()
        self._session.load()
        self._pump()
        return loading

    def set_persisted(self, get_content: Callable[[], list[Any]], changes: list[Any] | None = None) -> None:
        """Tell everybody: the changes of a transaction, or the hashes of everything."""
        if changes is None:
            self._session.broadcast_hashes()
        else:
            self._session.broadcast_diff(changes)
        self._pump()

    def add_persister_listener(self, listener: PersisterListener) -> PersisterListener:
        """Have ``listener`` called with what peers send."""
        self._listener = listener
        return listener

    def del_persister_listener(self, handle: PersisterListener) -> None:
        """Drop what peers send."""
        self._listener = None

    def _destroy_steps(self) -> Steps[None]:
        self._is_syncing = False
        self._queue.drop(self)
        self.fail_pending_requests(SyncTimeoutError("destroyed"))
        self._deadline_timer.cancel()
        yield from super()._destroy_steps()

    # The session and the world

    def next_deadline(self) -> float | None:
        """When the next request is overdue; see :meth:`Session.next_deadline`."""
        return self._session.next_deadline()

    def expire(self, now: float) -> None:
        """Give up the requests that are overdue at ``now``. The synchronizer's own timer does this."""
        self._session.expire(now)
        self._pump()

    def _pump(self) -> None:
        session = self._session
        for outgoing in session.outgoing():
            self._send_out(outgoing)
        for error in session.errors():
            self._report(error)
        for merge in session.merges():
            self._merge(merge)
        self._deadline_timer.arm()

    def _tell_received(self, from_client: Id, message: Message) -> None:
        if self._on_receive is not None:
            try:
                self._on_receive(from_client, message.request_id, message.number, message.body)
            except Exception as error:
                self._report(error)

    def _send_out(self, outgoing: Outgoing) -> None:
        self._sends += 1
        message = outgoing.message
        try:
            if self._on_send is not None:
                self._on_send(outgoing.to_client, message.request_id, message.number, message.body)
            self._send(outgoing.to_client, message)
        except Exception as error:
            if not self._session.fail_request(message, error):
                self._report(error)

    def _merge(self, merge: Merge) -> None:
        if merge.source is MergeSource.LOAD:
            self._end_load(merge)
        elif self._listener is not None:
            self._listener(None, merge.changes)

    def _end_load(self, merge: Merge) -> None:
        loading, self._loading = self._loading, None
        if loading is not None:
            loading.set_result(UNDEFINED if merge.changes is None else merge.changes)
