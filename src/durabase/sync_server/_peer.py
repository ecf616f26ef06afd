"""The server's own seat at a path: a persisted store that takes part in the conversation as client ``S``.

It joins a persister, which brings the store to the place and back, and a session, which talks. Unlike an
ordinary synchronizer it takes part as soon as the store is loaded: what clients send while it still asks
them what they have is merged, and so saved, at once. After a pull has brought something in, clients that
came meanwhile are told.

It knows nothing of sockets, payloads and who is on the path; it is handed a function that sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, cast, final

from durabase.clock import TimerClock
from durabase.errors import PersisterError, StoreTypeError
from durabase.mergeable import MergeableStore
from durabase.mergeable._pieces import has_more_things
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.persisters.base import IgnoredErrorHandler, Persister, Status
from durabase.sync_server._chronicle import Chronicle
from durabase.sync_server._full_answer import FullAnswer, asks_for_everything
from durabase.sync_server._gathering import Gathering
from durabase.sync_server._outcomes import Outcomes
from durabase.sync_server._pulls import PullQueue
from durabase.sync_server.authority import Authority
from durabase.synchronizers._deadlines import DeadlineTimer
from durabase.synchronizers.protocol.messages import CONTENT_DIFF, Message, MessageType, message_text
from durabase.synchronizers.protocol.relay import EVERYBODY
from durabase.synchronizers.protocol.session import DIFF, Merge, MergeSource, Session
from durabase.types import Id, MergeableChanges

__all__ = ["ServerSeat"]

LARGE: Final = 2048
"""Changes of more cells and values than this are merged slice by slice where that can be."""
SLICE: Final = 512
"""How many are merged, and saved, at once then; that takes some milliseconds."""


@final
class ServerSeat:
    """The store of a path and its conversation with the clients.

    ``holders``: how many use the store beside the clients, and may look at it at any time.
    """

    def __init__(
        self,
        persister: Persister,
        *,
        send: Callable[[Id, str], None],
        has_several_clients: Callable[[], bool],
        clock: TimerClock,
        request_timeout_seconds: float,
        on_ignored_error: IgnoredErrorHandler,
        in_slices: Callable[[Iterator[None]], object] | None = None,
        defer: Callable[[Callable[[], object]], object] | None = None,
        authority: Authority | None = None,
        send_to_others: Callable[[Id, str], None] | None = None,
        chronicle: Chronicle | None = None,
    ) -> None:
        """Take a seat; nothing happens before :meth:`load`.

        Args:
            persister: of a mergeable store. It is started, and destroyed, by this.
            send: sends the text of a message to a client id, or to everybody for an empty one.
            has_several_clients: whether more than one client is on the path now.
            clock: what request timeouts run on.
            request_timeout_seconds: how long a client has to answer.
            on_ignored_error: is told of requests that were not answered.
            in_slices: goes through an iterator, now or soon, letting others have their turn between its
                items. In between this seat, its store and what that is saved in must not be used. ``None``:
                what is large is merged at once.
            defer: calls a function before what the turn wrote is committed, and before anything of it is
                read. Small changes are merged then, all together, unless somebody may look at the store
                meanwhile. ``None``: each is merged when it comes.
            authority: decides what of clients' changes holds, where clients hear nobody but this seat.
            send_to_others: sends the text of a message to everybody but a client id; there is one with an
                authority.
            chronicle: is told of what each transaction has changed.

        Raises:
            StoreTypeError: the persister's store can't merge.
        """
        if not persister.get_store().is_mergeable():
            raise StoreTypeError("a room needs a persister of a MergeableStore, not of a Store")
        self._store = cast("MergeableStore", persister.get_store())
        self._persister = persister
        self._listeners, self._auto_save = self._store._listeners, persister._auto_save
        self._send = send
        self._has_several_clients = has_several_clients
        self._on_ignored_error = on_ignored_error
        self._session = Session(self._store, clock=clock, request_timeout=request_timeout_seconds)
        self._timer = DeadlineTimer(clock, self)
        self._listener_id: Id | None = None
        self._syncing: Completion[None] | None = None
        self._is_asking = self._is_reloading = False
        self._pulls = PullQueue()
        self._merging: MergeSource | None = None
        self._in_slices = in_slices
        self._authority = authority
        self._full_answer = FullAnswer(self._store)
        self._gathering: Gathering | None = None
        if defer is not None and authority is None and chronicle is None and persister._saves_only_changes:
            self._gathering = Gathering(self._store, defer, clock, self.catch_up)
        self._send_to_others = send_to_others
        self._chronicle = chronicle
        if chronicle is not None:
            chronicle.keeps(persister)
        self.holders = 0
        self._has_pulled_something = self._has_news = False
        self._is_slicing = self._is_draining = self._is_enforcing = False
        self._outcomes = Outcomes(self._store, self._session)

    @property
    def store(self) -> MergeableStore:
        """The store, with all that has come."""
        self.catch_up()
        return self._store

    # The life of the seat

    def load(self) -> Completion[None]:
        """Load the store and begin to save what changes. From its end on messages are heeded."""
        return start_steps(self._load_steps())

    def start_sync(self) -> Completion[None]:
        """Ask the clients what they have, take over what is new, and tell them what there is then."""
        if self._syncing is None:
            self.catch_up()
            self._syncing = Completion()
            self._is_asking = True
            self._session.load()
            self._drain()
        return self._syncing

    def receive(self, from_client: Id, message: Message) -> None:
        """A client's message: merge it, or answer it."""
        if message.number is CONTENT_DIFF and self._gathers(message.body):
            return
        self.catch_up()
        if asks_for_everything(message) and not (self._is_draining or self._is_slicing):
            self._send(from_client, self._full_answer.text_for(message))
        elif message.number is MessageType.CONTENT_HASHES and self._session.follows:
            self._pulls.add(from_client, message)
        else:
            self._session.receive(from_client, message)
        self._drain()

    async def saved(self) -> None:
        """Wait until what was edited before is written.

        Raises:
            PersisterError: it could not be written; that is tried again with the next edit.
        """
        self.catch_up()
        persister = self._persister
        await persister.schedule(lambda: None)
        while persister.get_status() is not Status.IDLE:  # it loads meanwhile, and saves afterwards
            await persister.schedule(lambda: None)
        if self._auto_save.has_unsaved_edits:
            raise PersisterError("the last edits could not be saved; the cause was reported")

    def enforce_schema(self) -> int:
        """Have the store hold everywhere as it is here, in what it was loaded with as well.

        Returns:
            How many cells and values clients had otherwise.
        """
        self.catch_up()
        self._merging, self._is_enforcing = DIFF, True
        try:
            self._store._restamp()
        finally:
            self._merging, self._is_enforcing = None, False
        count = self._outcomes.tell_everybody()
        self._drain()
        return count

    def destroy(self) -> Completion[Persister]:
        """Leave: finish what is being saved, then let go of the store."""
        self.catch_up()
        self._session.answers_content_hashes = self._session.follows = False
        self._timer.cancel()
        if self._listener_id is not None:
            self._store.del_listener(self._listener_id)
            self._listener_id = None
        return self._persister.destroy()

    def _load_steps(self) -> Steps[None]:
        yield self._persister.start_auto_load()
        yield self._persister.start_auto_save()
        self._listener_id = self._store.add_did_finish_transaction_listener(self._on_transaction)
        self._session.answers_content_hashes = self._session.follows = True

    # The conversation

    def expire(self, now: float) -> None:
        """Give up requests that are overdue."""
        self.catch_up()
        self._session.expire(now)
        self._drain()

    def next_deadline(self) -> float | None:
        """When the next request is overdue."""
        return self._session.next_deadline()

    def _drain(self) -> None:
        """Do what the session wants done, until it wants nothing more."""
        if self._is_draining or self._is_slicing:
            return
        self._is_draining = True
        try:
            while self._drain_once():
                pass
        finally:
            self._is_draining = False
        self._timer.arm()

    def _drain_once(self) -> bool:
        has_work = False
        for error in self._session.errors():
            has_work = True
            self._on_ignored_error(error)
        for merge in self._session.merges():
            has_work = True
            self._take(merge)
            if self._is_slicing:
                return False
        self._tell_news()
        return self._send_outgoing() or self._begin_pulls() or has_work

    def _tell_news(self) -> None:
        """Tell the hashes once when the last pull under way has ended, not after each."""
        if self._has_news and self._pulls.is_over:
            self._has_news = False
            self._session.broadcast_hashes()

    def _begin_pulls(self) -> bool:
        """Pull from clients that told their hashes, from so many at a time that no request is refused."""
        has_begun = False
        while (pull := self._pulls.begin()) is not None:
            self._session.receive(*pull)
            has_begun = True
        return has_begun

    def _send_outgoing(self) -> bool:
        has_sent = False
        for outgoing in self._session.outgoing():
            has_sent = True
            text = message_text(outgoing.message)
            if outgoing.but_not_to is None or self._send_to_others is None:
                self._send(outgoing.to_client or EVERYBODY, text)
            else:
                self._send_to_others(outgoing.but_not_to, text)
        return has_sent

    def _take(self, merge: Merge) -> None:
        if merge.changes is not None:
            if self._in_slices is not None and self._can_slice(merge.changes):
                self._is_slicing = True
                self._in_slices(self._merge_in_slices(merge, merge.changes))
                return
            self._merge(merge.changes, merge)
        self._conclude(merge)

    def _conclude(self, merge: Merge) -> None:
        if merge.source is MergeSource.PULL:
            self._pulls.ended()
            if merge.changes is None:
                self._reload()
        elif merge.source is MergeSource.LOAD:
            self._is_reloading = False
            if self._is_asking:
                self._finish_asking()

    def _reload(self) -> None:
        """A pull has failed: ask everybody, if that is not being done already."""
        if not (self._is_asking or self._is_reloading):
            self._is_reloading = True
            self._session.load()

    def _finish_asking(self) -> None:
        self._is_asking = self._has_news = False
        self._session.broadcast_hashes()
        self._send_outgoing()
        if self._syncing is not None:
            self._syncing.set_result(None)

    # The store

    def catch_up(self) -> None:
        """Merge what was gathered."""
        if self._gathering is None or self._gathering.is_empty:
            return
        was_merging, self._merging = self._merging, DIFF
        try:
            failed = self._gathering.merge()
        finally:
            self._merging = was_merging
        for changes in failed:
            self._merge(changes, Merge(DIFF, changes))
        self._note_news()

    def _gathers(self, changes: MergeableChanges) -> bool:
        """Keep changes until they can be merged with others of the turn, if nobody can tell."""
        if self._gathering is None or self._is_slicing or not self._session.follows:
            return False
        return self._is_unobserved() and self._gathering.take(changes)

    def _is_unobserved(self) -> bool:
        """Whether nobody looks at the store but this seat and its persister."""
        # ours listen to the end of transactions
        return not self.holders and self._listeners.count == (2 if self._auto_save.is_on() else 1)

    def _merge(self, changes: MergeableChanges, merge: Merge) -> None:
        """Merge changes, and note whether the store has something now that nobody has told all others."""
        self._merging = merge.source
        try:
            if self._authority is None:
                self._store._apply_encoded_mergeable_changes(changes)
            else:
                self._merge_judged(self._authority, changes, merge)
        except Exception as error:
            self._on_ignored_error(error)
        finally:
            self._merging = None
        self._note_news()

    def _merge_judged(self, authority: Authority, changes: MergeableChanges, merge: Merge) -> None:
        """Merge what may be merged; tell others what has become of it, and the sender what did not."""
        only_theirs = authority.merge(self._store, merge.peer or EVERYBODY, changes)
        self._has_pulled_something = self._outcomes.tell(changes, merge, only_theirs)

    def _can_slice(self, changes: MergeableChanges) -> bool:
        """Whether changes are large, and nobody can tell whether they are merged at once or bit by bit."""
        if not (has_more_things(changes, LARGE) and self._is_unobserved()):
            return False
        return self._persister._saves_only_changes or self._persister._access.is_mergeable

    def _merge_in_slices(self, merge: Merge, changes: MergeableChanges) -> Iterator[None]:
        """What :meth:`_take` does, slice by slice. Where each save writes everything there is but one."""
        auto_save = None if self._persister._saves_only_changes else self._auto_save
        if auto_save is not None:
            auto_save.hold()
        slices = self._slices(merge, changes)
        while self._merge_slice(slices, merge.source):
            yield
        if auto_save is not None:
            auto_save.let_go()
        self._note_news()
        self._is_slicing = False
        self._conclude(merge)
        self._drain()

    def _slices(self, merge: Merge, changes: MergeableChanges) -> Iterator[None]:
        authority = self._authority
        if authority is None:
            yield from self._store._encoded_mergeable_changes_in_slices(changes, SLICE)
            return
        peer = merge.peer or EVERYBODY
        only_theirs = yield from authority.merge_in_slices(self._store, peer, changes, SLICE)
        self._has_pulled_something = self._outcomes.tell(changes, merge, only_theirs)

    def _merge_slice(self, slices: Iterator[None], source: MergeSource) -> bool:
        """Whether there was one more."""
        self._merging = source
        try:
            return next(slices, True) is None
        except Exception as error:
            self._on_ignored_error(error)
            return False
        finally:
            self._merging = None

    def _note_news(self) -> None:
        self._full_answer.forget()
        had_mutated = self._store._had_mutated()
        has_pulled, self._has_pulled_something = self._has_pulled_something, False
        self._has_news |= had_mutated or (has_pulled and self._has_several_clients())

    def _on_transaction(self, _store: object) -> None:
        if self._chronicle is not None:
            self._chronicle.note(self.store)
        if self._is_enforcing or (self._authority is not None and self._merging is not None):
            self._outcomes.note()
            return
        if self._merging is DIFF:
            return
        changes = self._store._get_encoded_transaction_mergeable_changes(False)
        if not (changes[0][0] or changes[1][0]):
            return
        if self._merging is not None:
            self._has_pulled_something = True
        elif not self._is_asking:
            self._session.broadcast_diff(changes)
            self._drain()
