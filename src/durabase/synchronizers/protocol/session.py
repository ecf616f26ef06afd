"""One store's conversation with its peers: what it asks, what it answers, what it takes over.

A :class:`Session` is told what arrives and what time it is, and is then drained of what it has to
send, to merge and to report. It never waits, sends or merges by itself, and knows nothing of payloads,
sockets and persisters. Its reactions are those of TinyBase 10.0.1:

* it answers 4 to 7 always, 1 while :attr:`Session.answers_content_hashes`;
* while :attr:`Session.follows`, 3 is merged and 2 starts a *pull*: the comparison of hashes, level by
  level, with the peer that sent it, which ends in changes to be merged;
* a request that is not answered in time, or with something else than was asked for, ends its pull.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

from durabase._codec import unique_id
from durabase.clock import Clock
from durabase.errors import SyncMessageError, SyncOverflowError, SyncTimeoutError
from durabase.mergeable._pieces import add_tables
from durabase.synchronizers.protocol.messages import Message, MessageType, is_answer
from durabase.types import Id, MergeableChanges

if TYPE_CHECKING:
    from durabase.mergeable import MergeableStore

__all__ = ["DIFF", "MAX_PENDING_REQUESTS", "Merge", "MergeSource", "Outgoing", "Session"]

MAX_PENDING_REQUESTS: Final = 100
"""The most requests of one session that may be unanswered at a time."""
MAX_TRANSACTION_ID_LENGTH: Final = 256
"""The longest id of a peer's message that a pull takes over, and keeps. The original's have 11 characters."""


class MergeSource(Enum):
    """Why changes are to be merged."""

    LOAD = auto()
    """The pull that :meth:`Session.load` began has ended."""
    PULL = auto()
    """A pull that a peer's ContentHashes began has ended."""
    DIFF = auto()
    """A peer sent a ContentDiff."""


DIFF: Final = MergeSource.DIFF
"""Why nearly all is merged. To look it up in the enumeration takes longer than what is asked with it."""


@final
@dataclass(frozen=True, slots=True)
class Merge:
    """Changes to be merged. ``None``: the pull failed, or for a load, brought nothing.

    ``peer``: whose they are; ``None`` if nobody answered.
    """

    source: MergeSource
    changes: MergeableChanges | None
    peer: Id | None = None


@final
@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be sent to one client, or with ``None`` to everybody else, but not to ``but_not_to``."""

    to_client: Id | None
    message: Message
    but_not_to: Id | None = None


_Question: TypeAlias = tuple[MessageType, Any]
_Pull: TypeAlias = Generator[_Question, Any, MergeableChanges]


@final
class _Dialogue:
    """A pull under way: with whom (``None``: whoever answers first), and under which transaction id."""

    __slots__ = ("peer", "pull", "source", "transaction_id")

    def __init__(self, pull: _Pull, source: MergeSource, peer: Id | None, transaction_id: Id) -> None:
        self.pull = pull
        self.source = source
        self.peer = peer
        self.transaction_id = transaction_id


@final
class _Pending:
    """A request without an answer yet."""

    __slots__ = ("deadline", "dialogue", "message", "to_client")

    def __init__(self, dialogue: _Dialogue, message: Message, deadline: float) -> None:
        self.dialogue = dialogue
        self.message = message
        self.to_client = dialogue.peer
        self.deadline = deadline


@final
class Session:
    """The conversation of one mergeable store.

    After each call of an acting method, drain :meth:`outgoing`, :meth:`merges` and :meth:`errors`, and
    see to it that :meth:`expire` is called at :meth:`next_deadline`.

    ``answers_content_hashes``: whether GetContentHashes is answered. ``follows``: whether ContentHashes and
    ContentDiff are heeded. Both are the caller's to set; they begin as false.

    Args:
        store: is asked for hashes and differences; it is not changed here.
        clock: gives the time on which the deadlines of requests are based.
        request_timeout: seconds after which a request counts as not answered.
    """

    __slots__ = (
        "_clock",
        "_errors",
        "_merges",
        "_outgoing",
        "_pending",
        "_request_timeout_ms",
        "_store",
        "answers_content_hashes",
        "follows",
    )

    def __init__(self, store: MergeableStore, *, clock: Clock, request_timeout: float = 1.0) -> None:
        self._store = store
        self._clock = clock
        self._request_timeout_ms = request_timeout * 1000
        self._pending: dict[str, _Pending] = {}
        self._outgoing: list[Outgoing] = []  # an empty deque takes ten times the memory
        self._merges: list[Merge] = []
        self._errors: list[Exception] = []
        self.answers_content_hashes = False
        self.follows = False

    # What happens

    def receive(self, from_client: Id, message: Message) -> None:
        """React to a message of which the shape has been checked."""
        number = message.number
        if number is MessageType.RESPONSE:
            self._receive_response(from_client, message)
        elif number is MessageType.CONTENT_DIFF:
            if self.follows:
                self._merges.append(Merge(DIFF, message.body, from_client))
        elif number is MessageType.CONTENT_HASHES:
            if self.follows:
                self._begin_pull_from(from_client, message)
        else:
            self._receive_request(from_client, message)

    def load(self) -> None:
        """Ask everybody for content hashes and pull from whoever answers first. Ends in a LOAD merge."""
        self._begin(_Dialogue(_pull_from_anybody(self._store), MergeSource.LOAD, None, _new_transaction_id()))

    def broadcast_hashes(self) -> None:
        """Tell everybody the content hashes, so that they pull what they lack."""
        self._broadcast(MessageType.CONTENT_HASHES, list(self._store.get_mergeable_content_hashes()))

    def broadcast_diff(self, changes: MergeableChanges, but_not_to: Id | None = None) -> None:
        """Send everybody, perhaps but one, the changes of a transaction."""
        message = Message(_new_transaction_id(), MessageType.CONTENT_DIFF, changes)
        self._outgoing.append(Outgoing(None, message, but_not_to))

    def send_diff(self, to_client: Id, changes: MergeableChanges) -> None:
        """Send one client changes."""
        self._send(to_client, Message(_new_transaction_id(), MessageType.CONTENT_DIFF, changes))

    def fail_request(self, message: Message, error: Exception) -> bool:
        """End the pull that this message belongs to, as it could not be sent; tell whether there is one."""
        pending = self._pending.get(message.request_id) if message.request_id is not None else None
        if pending is None or pending.message is not message:
            return False
        del self._pending[message.request_id or ""]
        self._fail(pending.dialogue, error)
        return True

    def fail_pending(self, error: Exception) -> None:
        """End every pull, for the connection is gone."""
        pending, self._pending = self._pending, {}
        for request in pending.values():
            self._fail(request.dialogue, error)

    # Time

    def next_deadline(self) -> float | None:
        """When the next request is overdue, in milliseconds of the clock; ``None`` if nothing is pending."""
        return min((pending.deadline for pending in self._pending.values()), default=None)

    def expire(self, now: float) -> None:
        """Give up the requests that are overdue at ``now``."""
        overdue = [(key, pending) for key, pending in self._pending.items() if pending.deadline <= now]
        for request_id, pending in overdue:
            del self._pending[request_id]
            details = f"{pending.to_client or ''}.{request_id}.{pending.message.number:d}"
            self._fail(pending.dialogue, SyncTimeoutError(details))

    # To be drained

    def outgoing(self) -> Iterator[Outgoing]:
        """What is to be sent, in order. What is added while this is drained comes out, too."""
        return _drain(self._outgoing)

    def merges(self) -> Iterator[Merge]:
        """What is to be merged, and the ends of pulls, in order."""
        return _drain(self._merges)

    def errors(self) -> Iterator[Exception]:
        """Why pulls failed, in order."""
        return _drain(self._errors)

    # Answers to others

    def _receive_request(self, from_client: Id, message: Message) -> None:
        number, body, store = message.number, message.body, self._store
        answer: Any
        if number is MessageType.GET_TABLE_DIFF:
            answer = store.get_mergeable_table_diff(body)
        elif number is MessageType.GET_ROW_DIFF:
            answer = store.get_mergeable_row_diff(body)
        elif number is MessageType.GET_CELL_DIFF:
            answer = store.get_mergeable_cell_diff(body)
        elif number is MessageType.GET_VALUE_DIFF:
            answer = store.get_mergeable_value_diff(body)
        elif self.answers_content_hashes:
            answer = list(store.get_mergeable_content_hashes())
        else:
            return
        self._send(from_client, Message(message.request_id, MessageType.RESPONSE, answer))

    def _broadcast(self, number: MessageType, body: Any) -> None:
        self._send(None, Message(_new_transaction_id(), number, body))

    def _send(self, to_client: Id | None, message: Message) -> None:
        self._outgoing.append(Outgoing(to_client, message))

    # Pulls

    def _begin_pull_from(self, peer: Id, message: Message) -> None:
        transaction_id = message.request_id
        if transaction_id is None or len(transaction_id) > MAX_TRANSACTION_ID_LENGTH:
            transaction_id = _new_transaction_id()
        self._begin(_Dialogue(_pull(self._store, message.body), MergeSource.PULL, peer, transaction_id))

    def _begin(self, dialogue: _Dialogue) -> None:
        self._advance(dialogue, None)

    def _receive_response(self, from_client: Id, message: Message) -> None:
        pending = self._pending.get(message.request_id) if message.request_id is not None else None
        if pending is None or pending.to_client not in (None, from_client):
            return
        del self._pending[pending.message.request_id or ""]
        pending.dialogue.peer = from_client
        if is_answer(pending.message.number, message.body):
            self._advance(pending.dialogue, message.body)
        else:
            self._fail(pending.dialogue, SyncMessageError())

    def _advance(self, dialogue: _Dialogue, answer: Any) -> None:
        try:
            number, body = dialogue.pull.send(answer)
        except StopIteration as end:
            self._finish(dialogue, end.value)
        else:
            self._ask(dialogue, number, body)

    def _ask(self, dialogue: _Dialogue, number: MessageType, body: Any) -> None:
        if len(self._pending) >= MAX_PENDING_REQUESTS:
            self._fail(dialogue, SyncOverflowError("requests"))
            return
        request_id = f"{dialogue.transaction_id}.{unique_id(4)}"
        message = Message(request_id, number, body)
        deadline = self._clock.now_ms() + self._request_timeout_ms
        self._pending[request_id] = _Pending(dialogue, message, deadline)
        self._send(dialogue.peer, message)

    def _finish(self, dialogue: _Dialogue, changes: MergeableChanges) -> None:
        is_empty_load = dialogue.source is MergeSource.LOAD and not (changes[0][0] or changes[1][0])
        self._merges.append(Merge(dialogue.source, None if is_empty_load else changes, dialogue.peer))

    def _fail(self, dialogue: _Dialogue, error: Exception) -> None:
        dialogue.pull.close()
        self._errors.append(error)
        self._merges.append(Merge(dialogue.source, None, dialogue.peer))


def _drain(queue: list[Any]) -> Iterator[Any]:
    while queue:
        yield queue.pop(0)


def _new_transaction_id() -> Id:
    return unique_id(11)


def _pull_from_anybody(store: MergeableStore) -> _Pull:
    their_hashes = yield MessageType.GET_CONTENT_HASHES, ""
    return (yield from _pull(store, their_hashes))


def _pull(store: MergeableStore, their_hashes: list[int | float]) -> _Pull:
    """Ask, level by level, for what a peer with these content hashes has and ``store`` has not."""
    tables_hash, values_hash = store.get_mergeable_content_hashes()
    tables: list[Any] = [{}]
    if tables_hash != their_hashes[0]:
        tables = yield from _pull_tables(store)
    values: list[Any] = [{}]
    if values_hash != their_hashes[1]:
        values = yield MessageType.GET_VALUE_DIFF, store.get_mergeable_value_hashes()
    return [tables, values, 1]


def _pull_tables(store: MergeableStore) -> Generator[_Question, Any, list[Any]]:
    tables: list[Any]
    tables, differing_tables = yield MessageType.GET_TABLE_DIFF, store.get_mergeable_table_hashes()
    if differing_tables:
        rows, differing_rows = yield (
            MessageType.GET_ROW_DIFF,
            store.get_mergeable_row_hashes(differing_tables),
        )
        add_tables(tables, rows)
        if differing_rows:
            cells = yield MessageType.GET_CELL_DIFF, store.get_mergeable_cell_hashes(differing_rows)
            add_tables(tables, cells)
    return tables
