"""Rooms whose store lives in a Durable Object.

Opening one is an event of the object. While it is open, the object does not hibernate. A task of the object
ends with its life, and with it the room. If the object lives in another process, the room has a copy.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, final

from durabase.durable_objects import DurableObjectNamespace
from durabase.durable_objects.stub import DurableObjectStub, keep_awake, run_in_object
from durabase.errors import ServerError
from durabase.mergeable import MergeableStore
from durabase.sync_server._peer import ServerSeat
from durabase.sync_server._remote_room import CopyOfStore, live
from durabase.sync_server.durable_object import WsServerDurableObject
from durabase.sync_server.room import OpeningRoom, Room
from durabase.types import Id

__all__ = ["object_room"]


def object_room(namespace: DurableObjectNamespace, path_id: Id) -> OpeningRoom:
    """Open the store of the object of a path; see :class:`~durabase.sync_server.Room`.

    ::

        async with object_room(env.TinyBaseDurableObjects, "pets") as room:
            room.store.set_cell("pets", "fido", "sold", True)

    If the object lives in another process, ``room.store`` is a copy that both keep in step: an edit is in the
    object soon after, one in the same place that is made elsewhere at the same time may win, and when
    ``saved()`` has returned the object has written it. Listeners hear of both kinds.

    Args:
        namespace: of a :class:`~durabase.sync_server.WsServerDurableObject`. path_id: the object's name.

    Raises:
        ServerError: when it is awaited: the object is none of that class, or keeps no store.
        Exception: why the object could not start.
    """
    return OpeningRoom(partial(_open, namespace.get_by_name(path_id), path_id))


async def _open(stub: DurableObjectStub, path_id: Id) -> Room:
    if not stub._rpc_router.hosts(stub._rpc_key):
        copy = CopyOfStore()
        await copy.open(stub, path_id)
        return Room(path_id, copy)
    held: list[_HeldObject] = []
    try:
        fault = await run_in_object(stub, partial(_hold, held))
    except BaseException:  # perhaps nobody waits any more, and it is held all the same
        for one in held:
            one.release()
        raise
    if fault is not None:
        raise ServerError(f"the room {path_id!r} has no store: {fault}")
    keep_awake(stub, held[0])
    return Room(path_id, held[0])


def _hold(held: list[_HeldObject], instance: Any, ctx: Any) -> str | None:
    """Runs in the object; returns why it can't be held."""
    if not isinstance(instance, WsServerDurableObject):
        return f"{type(instance).__name__} is no WsServerDurableObject"
    if instance._passing.seat is None:
        return f"create_persister of {type(instance).__name__} gives none"
    held.append(_HeldObject(instance._passing.seat, ctx.storage, asyncio.create_task(live())))
    return None


@final
class _HeldObject:
    def __init__(self, seat: ServerSeat, storage: Any, life: asyncio.Task[None]) -> None:
        self._seat = seat
        self._storage = storage
        self._life = life
        seat.holders += 1

    @property
    def store(self) -> MergeableStore:
        return self._seat.store

    @property
    def is_over(self) -> bool:
        return self._life.done() or self._life.cancelling() > 0

    def _rpc_in_use(self) -> bool:
        return not self.is_over

    async def saved(self) -> None:
        await self._seat.saved()
        await self._storage.sync()

    def enforce_schema(self) -> int:
        return self._seat.enforce_schema()

    def release(self) -> object:
        self._seat.holders -= 1
        self._life.cancel()
        return None
