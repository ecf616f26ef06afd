"""What goes on in one room, for whoever watches: that its store has changed, and what is said.

While somebody watches the object does not hibernate. Nobody watching costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final, TypeAlias, final

from durabase.clock import Clock, SystemClock
from durabase.durable_objects import DurableObjectId
from durabase.errors import ObjectError
from durabase.inspector.wire import WireLog
from durabase.operations.objects import ObjectOperations
from durabase.sync_server import WsServerDurableObject
from durabase.synchronizers.protocol.messages import Message

__all__ = ["RoomWatches"]

Json: TypeAlias = dict[str, Any]

MAX_WAITING: Final = 1000
"""Who has so many messages unread misses those that come meanwhile, and is told how many."""


@final
class RoomWatches:
    """All that watch rooms of one host.

    Args:
        objects: the operations on the objects.
        clock: tells when messages were heard.
    """

    def __init__(self, objects: ObjectOperations, clock: Clock | None = None) -> None:
        self._objects = objects
        self._clock = clock or SystemClock()
        self._watches: set[_Watch] = set()

    async def follow(
        self, class_name: str, id: DurableObjectId, *, messages: bool
    ) -> AsyncGenerator[Json, None]:
        """What happens: ``watching`` at first, then ``changed`` when the store has, and each ``message``.

        Messages come if they are wanted. It begins when it is iterated, and ends with the object's life.

        Raises:
            ObjectError: when it is awaited: the object is no room.
        """
        if not await self._objects.run(class_name, id, _is_room):
            raise ObjectError(f"{class_name} {id.name or id} is no room of TinyBase.")
        return self._records(class_name, id, messages)

    def close(self) -> None:
        """End all."""
        for watch in list(self._watches):
            watch.end()

    async def _records(
        self, class_name: str, id: DurableObjectId, messages: bool
    ) -> AsyncGenerator[Json, None]:
        watch: _Watch = await self._objects.run(
            class_name, id, lambda instance, ctx: _Watch(instance, messages, self._clock)
        )
        self._watches.add(watch)
        try:
            self._objects.hold(class_name, id, watch)
            yield {"type": "watching"}
            async for record in watch.records():
                yield record
        finally:
            self._watches.discard(watch)
            watch.end()


def _is_room(instance: Any, ctx: Any) -> bool:
    return isinstance(instance, WsServerDurableObject)


@final
class _Watch:
    """Somebody who watches one life of an object; a task of the object ends with that."""

    def __init__(self, room: WsServerDurableObject, messages: bool, clock: Clock) -> None:
        self._room = room
        self._clock = clock
        self._wire = WireLog()
        self._queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._has_changed = False
        self._missed = 0
        self._life = asyncio.create_task(_live())
        self._life.add_done_callback(lambda _: self._queue.put_nowait(None))
        if messages:
            room._passing.watchers.append(self._heard)
        self._store = None if room._passing.seat is None else room._passing.seat.store
        if self._store is not None:
            self._listener_id = self._store.add_did_finish_transaction_listener(self._changed)

    def _rpc_in_use(self) -> bool:
        return not self._life.done()

    async def records(self) -> AsyncIterator[Json]:
        """What happens, until the object's life ends."""
        while (record := await self._queue.get()) is not None:
            if record["type"] == "changed":
                self._has_changed = False
            yield record
            if self._missed:
                missed, self._missed = self._missed, 0
                yield {"type": "missed", "count": missed}

    def end(self) -> None:
        """Watch no more."""
        self._life.cancel()
        if self._heard in self._room._passing.watchers:
            self._room._passing.watchers.remove(self._heard)
        if self._store is not None:
            self._store.del_listener(self._listener_id)

    def _heard(self, sender: str, receiver: str, message: Message) -> None:
        if self._queue.qsize() >= MAX_WAITING:
            self._missed += 1
        else:
            self._queue.put_nowait(self._wire.described(sender, receiver, message, self._clock.now_ms()))

    def _changed(self, _store: object) -> None:
        if not self._has_changed:  # what nobody has read yet says it, too
            self._has_changed = True
            self._queue.put_nowait({"type": "changed"})


async def _live() -> None:
    """Is cancelled when the object's life ends."""
    await asyncio.get_running_loop().create_future()
