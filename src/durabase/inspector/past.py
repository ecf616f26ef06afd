"""The past of stores: what a cell was, who wrote that, why it won; and what going back would change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias, final

from durabase.durable_objects import DurableObjectId
from durabase.inspector.stamps import decoded
from durabase.inspector.stores import StoreOperations
from durabase.operations.objects import ObjectOperations
from durabase.persisters._stored_stamps import is_stored_stamp, path_of
from durabase.sync_server import WsServerDurableObject
from durabase.types import JSON_PREFIX, UNDEFINED_MARK

__all__ = ["StorePast", "as_cells", "reason", "with_reasons"]

Json: TypeAlias = dict[str, Any]

_CELL_LENGTH: Final = 4
_VALUE_LENGTH: Final = 2


@final
class StorePast:
    """The past of the stores of the objects of one host.

    Args:
        objects: the operations on the objects.
        stores: those on their stores.
    """

    def __init__(self, objects: ObjectOperations, stores: StoreOperations) -> None:
        self._objects = objects
        self._stores = stores

    async def of_thing(
        self, class_name: str, id: DurableObjectId, of: Sequence[str], cursor: int | None = None
    ) -> Json:
        """What a cell (``["cell", table, row, cell]``) or value (``["value", id]``) is, and was.

        The newest first, with who wrote it and why it won over the one before; ``cursor`` is where to go on.

        Raises:
            ObjectError: the object has no store.
        """
        present = await self._stores.stamp(class_name, id, of[1:])
        found = await self._objects.past.changes(class_name, id, of=of, before=cursor)
        past = [
            {"time": entry["time"], "span": entry["span"], "author": entry["author"]} | _was(change)
            for entry in found["entries"]
            for change in entry["changes"]
        ]
        kept = self._objects.hosted(class_name, id).history_ms is not None
        return {"kept": kept, "present": present, "past": with_reasons(past), "cursor": found["cursor"]}

    async def preview(self, class_name: str, id: DurableObjectId, to: int | str) -> Json:
        """What going back would change, as cells and values where that is known.

        Raises:
            StorageError: there is no such bookmark, or the history does not go back so far.
        """
        found = await self._objects.past.preview(class_name, id, to)
        prefix = await self._objects.run(class_name, id, _prefix_of, gone=True)
        more = found["keys"] > len(found["changes"])
        return found | {"changes": as_cells(found["changes"], prefix), "more": more}


def _prefix_of(instance: Any, ctx: Any) -> str:
    """What the keys of a room's store begin with."""
    seat = instance._passing.seat if isinstance(instance, WsServerDurableObject) else None
    return getattr(getattr(seat, "_persister", None), "_prefix", "")


def _was(change: Json) -> Json:
    thing: Json = {"deleted": True}
    if "new" in change:
        thing = {"value": change["new"]}
    elif "new_bytes" in change:
        thing = {"bytes": change["new_bytes"]}
    return thing | {"stamp": change.get("stamp", ""), "times": change.get("times", 1)}


def as_cells(changes: Iterable[Json], prefix: str = "") -> list[Json]:
    """Changes of keys as changes of cells and values, where the keys are those of a store.

    Keys of tables and rows, which say nothing more, are left out.
    """
    found = (_as_cell(change, prefix) for change in changes)
    return [change for change in found if change is not None]


def _as_cell(change: Json, prefix: str) -> Json | None:
    key = change.get("key", "")
    path = path_of(key[len(prefix) :]) if key.startswith(prefix) else None
    told = [change[name] for name in ("old", "new") if name in change]
    if path is None or not told or not all(map(is_stored_stamp, told)):
        return change
    if path[0] == "t" and len(path) == _CELL_LENGTH:
        thing: Json = {"cell": list(path[1:])}
    elif path[0] == "v" and len(path) == _VALUE_LENGTH:
        thing = {"value": path[1]}
    else:
        return None
    things = {name: change[name][0] for name in ("old", "new") if name in change}
    return thing | {name: _decoded(each) for name, each in things.items() if each != UNDEFINED_MARK}


def _decoded(thing: Any) -> Any:
    """A cell or value without its encoding."""
    if isinstance(thing, str) and thing.startswith(JSON_PREFIX):
        return json.loads(thing[len(JSON_PREFIX) :])
    return thing


def with_reasons(entries: list[Json]) -> list[Json]:
    """What one cell was, the newest first: each with its stamp decoded, and why it won over the last one."""
    for entry in entries:
        entry["stamp"] = decoded(entry.get("stamp", ""))
    for entry, before in pairwise(entries):
        entry["why"] = reason(entry["stamp"], before["stamp"])
    return entries


def reason(stamp: Json | None, before: Json | None) -> str | None:
    """What of a stamp is greater than of the one before: ``time``, ``counter`` or ``client``."""
    if stamp is None or before is None:
        return None
    return next((name for name in ("time", "counter", "client") if stamp[name] != before[name]), None)
