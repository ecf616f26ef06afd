"""The store of a room whose object lives in another process: a copy, kept in step by calls.

Both sides have a synchronizer, and an ear that the other one calls with messages, in order. What the object
says waits for its output gate. When nobody can call an ear any more (the room is closed, the object's life or
the other process has ended) the conversation is over.
"""

from __future__ import annotations

import asyncio
import json
import logging
from asyncio import Future
from collections.abc import Callable
from typing import Any, Final, final

from durabase.clock import SystemClock, TimerClock
from durabase.durable_objects import RpcPromise, RpcStub, RpcTarget
from durabase.durable_objects.stub import DurableObjectStub
from durabase.errors import PersisterError, ServerError
from durabase.mergeable import MergeableStore
from durabase.mergeable._pieces import add_changes, count_of_things
from durabase.persisters._steps import Completion
from durabase.sync_server._peer import ServerSeat
from durabase.sync_server.authority import nothing
from durabase.synchronizers.base import Synchronizer
from durabase.synchronizers.protocol.messages import Message, message_text, parse_message
from durabase.synchronizers.protocol.relay import SERVER_ID
from durabase.types import Id

__all__ = ["CopyOfStore", "lend_store", "live"]

_logger = logging.getLogger(__name__)

_ANSWER_SECONDS: Final = 60.0
"""How long the other side may be busy before the conversation counts as broken."""


class _Ear(RpcTarget):
    """What the other side has a stub of."""

    def __init__(self, talk: _Talk) -> None:
        self._talk = talk

    def hear(self, text: str) -> None:
        """The other side says something."""
        self._talk.hear(text)

    def __del__(self) -> None:
        self._talk.end()


@final
class _Talk:
    """One side of a conversation about a store.

    Args:
        store: the store, or the copy.
        clock: tells when the other side has not answered for too long.
        ended: called once when it is over.
    """

    def __init__(self, store: MergeableStore, clock: TimerClock, ended: Callable[[], object]) -> None:
        self.is_over = False
        self._ended = ended
        self._mouth: RpcStub | None = None
        self._synchronizer = Synchronizer(
            store,
            self._say,
            request_timeout=_ANSWER_SECONDS,
            on_ignored_error=self._fail,
            clock=clock,
        )

    def begin(self, mouth: RpcStub) -> Completion[Any]:
        """Ask what the other side has, and follow it. ``mouth`` is of its ear, and this one's from now on."""
        self._mouth = mouth
        return self._synchronizer.start_sync()

    def hear(self, text: str) -> None:
        """The other side says something."""
        if not self.is_over:
            self._synchronizer.receive_message(SERVER_ID, parse_message(text))

    def end(self) -> None:
        """Say and hear nothing any more. May be called again."""
        if self.is_over:
            return
        self.is_over = True
        self._synchronizer.destroy()
        if self._mouth is not None:
            self._mouth.destroy()
        self._ended()

    def _say(self, to_client: Id | None, message: Message) -> None:
        if self._mouth is not None and not self.is_over:
            self.follow(self._mouth.hear(message_text(message)))

    def follow(self, call: RpcPromise) -> None:
        """See that a call of the other side succeeds."""
        asyncio.ensure_future(call).add_done_callback(self._check)

    def _check(self, said: Future[Any]) -> None:
        error = asyncio.CancelledError() if said.cancelled() else said.exception()
        if error is not None and not self.is_over:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """The other side may lack something now: begin anew is all that helps."""
        _logger.warning("a room and its copy in another process have lost each other: %r", error)
        self.end()


# In the object's process


def lend_store(mouth: RpcStub, seat: ServerSeat | None, clock: TimerClock) -> _StoreEar | None:
    """Begin a conversation in the object whose seat that is; ``None`` if it has none.

    Nothing is merged slice by slice, and the object does not hibernate, as long as it goes on.
    """
    if seat is None:
        return None
    seat.holders += 1
    life = asyncio.create_task(live())

    def ended() -> None:
        seat.holders -= 1
        life.cancel()

    talk = _Talk(seat.store, clock, ended)
    life.add_done_callback(lambda _: talk.end())
    return _StoreEar(talk, seat, mouth.dup())


async def live() -> None:
    """Is cancelled when the object's life ends."""
    await asyncio.get_running_loop().create_future()


@final
class _StoreEar(_Ear):
    def __init__(self, talk: _Talk, seat: ServerSeat, mouth: RpcStub) -> None:
        super().__init__(talk)
        self._seat = seat
        self._mouth = mouth

    def schemas(self) -> list[str]:
        """Those of the tables and of the values, as JSON."""
        store = self._seat.store
        return [store.get_tables_schema_json(), store.get_values_schema_json()]

    def begin(self) -> None:
        """Talk from now on: the other side can answer."""
        self._talk.begin(self._mouth)

    def enforce_schema(self) -> None:
        """See :meth:`~durabase.sync_server.Room.enforce_schema`."""
        self._seat.enforce_schema()

    async def saved(self) -> str | None:
        """Answers when what was said before is durable; with what is wrong if it can't be written."""
        try:
            await self._seat.saved()
        except PersisterError as error:
            return str(error)
        return None


# In the other one


@final
class CopyOfStore:
    """What a :class:`~durabase.sync_server.room.Room` holds of an object elsewhere.

    Attributes:
        store: the copy, with the schema that the store had when it was opened.
    """

    def __init__(self) -> None:
        self.store = MergeableStore()
        self._talk = _Talk(self.store, SystemClock(), lambda: None)
        self._mouth: RpcStub | None = None

    async def open(self, stub: DurableObjectStub, path_id: Id) -> None:
        """Get all there is.

        Raises:
            ServerError: the object is no room, or keeps no store.
            Exception: why the object could not start.
        """
        try:
            self._mouth = mouth = await self._called(stub, path_id)
            tables_schema, values_schema = map(json.loads, await mouth.schemas())
            self.store.set_schema(tables_schema, values_schema)
            await asyncio.gather(mouth.begin(), _ended(self._talk.begin(mouth)))
            if self.is_over:
                raise ServerError(f"the room {path_id!r} has ended; open it again")
        except BaseException:
            self.release()
            raise

    async def _called(self, stub: DurableObjectStub, path_id: Id) -> RpcStub:
        try:
            mouth: RpcStub | None = await stub.room_copy(_Ear(self._talk))
        except TypeError as error:  # there is no such method
            raise ServerError(f"the object {path_id!r} is no WsServerDurableObject") from error
        if mouth is None:
            raise ServerError(f"the room {path_id!r} has no store: create_persister gives none")
        return mouth

    @property
    def is_over(self) -> bool:
        return self._talk.is_over

    async def saved(self) -> None:
        """Wait until the object has written what was edited before."""
        if self._mouth is None or self.is_over:
            raise ServerError("the room has ended; open it again")
        fault = await self._mouth.saved()
        if fault is not None:
            raise PersisterError(fault)
        if self.is_over:
            raise ServerError("the room has ended, perhaps before the last edits; open it again")

    def enforce_schema(self) -> int:
        """Have the object do it, and see by the copy how much that is."""
        outcome = nothing()

        def note(store: Any) -> None:
            add_changes(outcome, store._get_encoded_transaction_stamp_changes(with_hashes=False))

        listener_id = self.store.add_did_finish_transaction_listener(note)
        self.store._restamp()
        self.store.del_listener(listener_id)
        if self._mouth is not None:
            self._talk.follow(self._mouth.enforce_schema())
        return count_of_things(outcome)

    def release(self) -> object:
        self._talk.end()
        if self._mouth is not None:
            self._mouth.destroy()
        return None

    def __del__(self) -> None:
        self.release()


async def _ended(completion: Completion[Any]) -> None:
    await completion
