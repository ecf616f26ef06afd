"""The operations on stores, for the admin address: what they are asked for by, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from durabase.durable_objects import DurableObjectId
from durabase.inspector.past import StorePast
from durabase.inspector.stores import StoreOperations
from durabase.inspector.watching import RoomWatches
from durabase.operations.admin import (
    ObjectHandler,
    Query,
    document_of,
    json_response,
    lines_response,
    moment_of,
    needed,
    number_of,
    one_of,
    things_of,
)
from durabase.operations.objects import ObjectOperations
from durabase.web import Request, Response

__all__ = ["StoreEndpoints"]


@final
class StoreEndpoints:
    """Further operations for :class:`~durabase.operations.admin.AdminApp`.

    Args:
        objects: the operations on the objects.

    Attributes:
        routes: what answers what.
    """

    def __init__(self, objects: ObjectOperations) -> None:
        self._watches = RoomWatches(objects)
        self._stores = StoreOperations(objects)
        self._past = StorePast(objects, self._stores)
        self.routes: Mapping[tuple[str, str], ObjectHandler] = {
            ("GET", "/object/store"): self._show,
            ("GET", "/object/store/table"): self._table,
            ("GET", "/object/store/stamp"): self._stamp,
            ("GET", "/object/store/past"): self._thing_past,
            ("GET", "/object/store/preview"): self._preview,
            ("POST", "/object/store/edit"): self._edit,
            ("GET", "/object/watch"): self._watch,
        }

    def close(self) -> None:
        """Let go who watches."""
        self._watches.close()

    async def _show(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        return json_response(await self._stores.show(class_name, id))

    async def _table(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        found = await self._stores.table(
            class_name,
            id,
            needed(query, "table"),
            sort=one_of(query, "sort"),
            descending=one_of(query, "descending") == "yes",
            offset=number_of(query, "offset", 0),
            limit=number_of(query),
        )
        return json_response(found)

    async def _stamp(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        names = ("value",) if "value" in query else ("table", "row", "cell")
        return json_response(
            await self._stores.stamp(class_name, id, [needed(query, name) for name in names])
        )

    async def _thing_past(
        self, class_name: str, id: DurableObjectId, query: Query, request: Request
    ) -> Response:
        of, cursor = things_of(query), number_of(query, "cursor") if "cursor" in query else None
        if len(of) != 4 and of[:1] != ["value"]:
            raise ValueError("a cell is meant by its table, row and cell, or a value by its id")
        return json_response(await self._past.of_thing(class_name, id, of, cursor))

    async def _preview(
        self, class_name: str, id: DurableObjectId, query: Query, request: Request
    ) -> Response:
        return json_response(await self._past.preview(class_name, id, moment_of(needed(query, "to"))))

    async def _edit(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        asked = await document_of(request, "edit")
        result = await self._stores.edit(class_name, id, asked["edit"], asked.get("arguments", []))
        return json_response({"result": result})

    async def _watch(self, class_name: str, id: DurableObjectId, query: Query, request: Request) -> Response:
        messages = one_of(query, "messages") == "yes"
        return lines_response(await self._watches.follow(class_name, id, messages=messages))
