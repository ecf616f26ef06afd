"""A server with one room, asked by plain requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from durabase.mergeable import MergeableStore
from durabase.sync_server import WsServer
from durabase.testing import FakeClock
from durabase.web import Request, Response
from unit.sync_server._fakes import MemoryPersister

__all__ = ["NOTHING", "Asking", "ask_all", "json_of"]

NOTHING: Any = object()
PETS = {"fido": {"species": "dog", "price": 5}, "felix": {"species": "cat", "price": 4}}


class Asking:
    """Asks for something in the room ``pets``; ``place`` is what its persister has kept."""

    def __init__(self, schema: tuple[Any, Any] | None = None, **options: Any) -> None:
        self.clock = FakeClock()
        self.place: dict[str, Any] = {}
        self.store: MergeableStore
        self.persister: MemoryPersister
        self._schema = schema
        self.server = WsServer(self._persister, clock=self.clock, rest="/api", **options)

    def _persister(self, path_id: str) -> MemoryPersister | None:
        if path_id != "pets":
            return None
        self.store = MergeableStore("server", clock=self.clock)
        if self._schema is not None:
            self.store.set_schema(*self._schema)
        self.persister = MemoryPersister(self.store, self.place)
        return self.persister

    async def __call__(self, method: str, path: str, body: Any = NOTHING, **headers: str) -> Response:
        """Send a request: ``path`` is below the room, headers are named with underscores."""
        return await self.at(method, f"/api/rooms/pets{path}", body, **headers)

    async def at(self, method: str, path: str, body: Any = NOTHING, **headers: str) -> Response:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None
        if body is not NOTHING:
            fields.setdefault("content-type", "application/json")
            data = body if isinstance(body, bytes) else json.dumps(body)
        request = Request(f"http://h{path}", method=method, headers=fields, body=data)
        response: Response = await self.server.fetch(request)
        return response

    async def has_pets(self) -> None:
        assert (await self("PUT", "/tables/pets", PETS)).status == 201


def ask_all(
    test: Callable[[Asking], Awaitable[None]], schema: tuple[Any, Any] | None = None, **options: Any
) -> None:
    """Run a test, the room being open meanwhile as if a client were there; ``options``: of the server."""

    async def run() -> None:
        asking = Asking(schema, **options)
        async with asking.server, asking.server.room("pets"):
            await test(asking)

    asyncio.run(asyncio.wait_for(run(), 20))


async def json_of(response: Response) -> Any:
    return json.loads(await response.text())
