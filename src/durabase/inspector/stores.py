"""What an administrator may do with the stores of rooms: look at them, edit them, ask who wrote what.

An edit is one of the server's own: it is stamped, told to the clients and saved like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, final

from durabase.durable_objects import DurableObjectId
from durabase.errors import ObjectError, SchemaError
from durabase.inspector.stamps import decoded, shown_thing
from durabase.mergeable import MergeableStore
from durabase.operations.objects import ObjectOperations
from durabase.sync_server import WsServerDurableObject
from durabase.types import UNDEFINED

__all__ = ["StoreOperations"]

Json: TypeAlias = dict[str, Any]
Edit: TypeAlias = tuple[Callable[..., Any], int, bool]

MAX_ROWS: Final = 1000
"""So many rows are shown at once."""

_EDITS: Final[Mapping[str, Edit]] = {
    "set_cell": (MergeableStore.set_cell, 3, True),
    "del_cell": (MergeableStore.del_cell, 3, False),
    "set_row": (MergeableStore.set_row, 2, True),
    "add_row": (MergeableStore.add_row, 1, True),
    "del_row": (MergeableStore.del_row, 2, False),
    "del_table": (MergeableStore.del_table, 1, False),
    "set_value": (MergeableStore.set_value, 1, True),
    "del_value": (MergeableStore.del_value, 1, False),
}
"""By name: the method, how many ids it takes, and whether something to write comes after them."""


@final
class StoreOperations:
    """The operations on the stores of the objects of one host.

    Args:
        objects: the operations on the objects.
    """

    def __init__(self, objects: ObjectOperations) -> None:
        self._objects = objects

    async def show(self, class_name: str, id: DurableObjectId) -> Json:
        """What kind of room an object is, who is in it, and what its store has, tables as numbers of rows.

        ``kind`` is ``store``, ``relay`` if it keeps none, or ``none`` if it is no room.
        """

        def look(instance: Any, ctx: Any) -> Json:
            if not isinstance(instance, WsServerDurableObject):
                return {"kind": "none"}
            room = {"path": instance.get_path_id(), "clients": instance.get_client_ids()}
            if instance._passing.seat is None:
                return {"kind": "relay", **room}
            store = instance._passing.seat.store
            tables = {table_id: store.get_row_count(table_id) for table_id in store.get_table_ids()}
            return {"kind": "store", **room, "tables": tables, "values": store.get_values()}

        found: Json = await self._objects.run(class_name, id, look)
        return found

    async def table(
        self,
        class_name: str,
        id: DurableObjectId,
        table_id: str,
        *,
        sort: str | None = None,
        descending: bool = False,
        offset: int = 0,
        limit: int = 100,
    ) -> Json:
        """Some rows of a table, in order of a cell or of their ids; and which cells its rows have."""

        def look(store: MergeableStore) -> Json:
            most = min(limit, MAX_ROWS)
            row_ids = store.get_sorted_row_ids(table_id, sort, descending, offset, most)
            return {
                "cells": store.get_table_cell_ids(table_id),
                "count": store.get_row_count(table_id),
                "rows": [[row_id, store.get_row(table_id, row_id)] for row_id in row_ids],
            }

        found: Json = await self._in_store(class_name, id, look)
        return found

    async def stamp(self, class_name: str, id: DurableObjectId, path: Sequence[str]) -> Json:
        """Who wrote a cell (table, row, cell), or a value (its id), and when; also of one that is deleted."""

        def look(store: MergeableStore) -> Json:
            cells = {path[0]: {path[1]: {path[2]: None}}} if len(path) == 3 else {}
            tables, values, _ = store._get_encoded_stamps(cells, path if len(path) == 1 else ())
            found = values[0] if len(path) == 1 else tables[0]
            for step in path[:-1]:
                found = found[step][0] if step in found else {}
            thing, hlc, hash_ = found.get(path[-1], (UNDEFINED, "", None))
            return {**shown_thing(thing), "stamp": decoded(hlc), "hash": hash_}

        found: Json = await self._in_store(class_name, id, look)
        return found

    async def edit(self, class_name: str, id: DurableObjectId, name: str, arguments: Sequence[Any]) -> Any:
        """Edit a store by one of its methods, and wait until that is on the disk; gives what the method does.

        Raises:
            ValueError: there is no such method, or it takes other arguments.
            SchemaError: what is to be written is refused by the store. Nothing has changed.
        """
        edit, *given = _checked(name, arguments)

        async def work(instance: Any, ctx: Any) -> tuple[Any, list[str]]:
            seat = _seat_of(instance)
            result, invalid = _edited(seat.store, lambda: edit(seat.store, *given))
            await seat.saved()
            await ctx.storage.sync()
            return result if isinstance(result, str) else None, invalid

        result, invalid = await self._objects.run(class_name, id, work)
        if invalid:
            raise SchemaError(f"The store refuses this: {', '.join(invalid)}. Nothing has changed.")
        return result

    async def _in_store(
        self, class_name: str, id: DurableObjectId, look: Callable[[MergeableStore], Any]
    ) -> Any:
        return await self._objects.run(class_name, id, lambda instance, ctx: look(_seat_of(instance).store))


def _seat_of(instance: Any) -> Any:
    if not isinstance(instance, WsServerDurableObject) or instance._passing.seat is None:
        raise ObjectError(f"The object of {type(instance).__name__} has no store.")
    return instance._passing.seat


def _checked(name: str, arguments: Sequence[Any]) -> list[Any]:
    if name not in _EDITS:
        raise ValueError(f"there is no edit {name}; there is: {', '.join(_EDITS)}")
    edit, ids, has_more = _EDITS[name]
    if not isinstance(arguments, list) or len(arguments) != ids + has_more:
        raise ValueError(f"{name} takes {ids + has_more} arguments")
    if not all(isinstance(each, str) for each in arguments[:ids]):
        raise ValueError("ids are strings")
    if name.endswith("_row") and has_more and not isinstance(arguments[-1], dict):
        raise ValueError("a row is an object of cells")
    return [edit, *arguments]


def _edited(store: MergeableStore, edit: Callable[[], Any]) -> tuple[Any, list[str]]:
    """The result of an edit, and what of it is invalid; if anything is, nothing is done."""
    invalid: list[str] = []

    def told(_store: object, *path: Any) -> None:
        invalid.append(" ".join(str(each) for each in path[:-1] if isinstance(each, str)))

    listeners = [
        store.add_invalid_cell_listener(None, None, None, told, mutator=True),
        store.add_invalid_value_listener(None, told, mutator=True),
    ]
    try:
        with store.transaction(lambda _: bool(invalid)):
            return edit(), invalid
    finally:
        for listener_id in listeners:
            store.del_listener(listener_id)
