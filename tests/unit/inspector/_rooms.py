"""A worker with a room that keeps a store, one that only relays, and an object that is no room."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from durabase.inspector.endpoints import StoreEndpoints
from durabase.operations.admin import AdminApp
from durabase.operations.objects import ObjectOperations
from durabase.testing import WorkerHarness
from durabase.testing.client_socket import ClientSocket
from durabase.web import Request, Response
from unit.workers.programs import write_program

TOML = """
name = "rooms"
main = "index.py"
compatibility_date = "2026-11-01"
[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"
[[durable_objects.bindings]]
name = "RELAY"
class_name = "Relay"
[[durable_objects.bindings]]
name = "OTHER"
class_name = "Other"
[[durable_objects.bindings]]
name = "GUARDED"
class_name = "Guarded"
[[durable_objects.bindings]]
name = "TABLES"
class_name = "Tables"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Room", "Relay", "Other", "Guarded", "Tables"]
"""
PROGRAM = """
    from durabase import MergeableStore
    from durabase.persisters import DurableObjectSqlStoragePersister, DurableObjectStoragePersister
    from durabase.persisters.durable_object_sql_storage import FragmentedMode
    from durabase.sync_server import Access, WsServerDurableObject, ws_server_fetch
    from durabase.workers import DurableObject, WorkerEntrypoint

    class Room(WsServerDurableObject):
        def create_persister(self):
            store = MergeableStore()
            store.set_values_schema({"count": {"type": "number"}, "name": {"type": "string"}})
            return DurableObjectStoragePersister(store, self.ctx.storage)

    class Guarded(Room):
        def authorize(self, request, path_id):
            return Access("write", request.headers.get("x-user") or "")

    class Tables(WsServerDurableObject):
        def create_persister(self):
            return DurableObjectSqlStoragePersister(MergeableStore(), self.ctx.storage.sql, FragmentedMode())

    class Relay(WsServerDurableObject):
        pass

    class Other(DurableObject):
        def keep(self, value):
            self.ctx.storage.put("value", value)

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            for kind in ("RELAY", "GUARDED", "TABLES"):
                if f"/{kind.lower()}" in request.url:
                    return await ws_server_fetch(kind, rest="/rest/")(self, request)
            return await ws_server_fetch("ROOM", rest="/rest/")(self, request)
"""


class Asking:
    """The admin address of a worker that has the inspector's operations."""

    def __init__(self, worker: WorkerHarness) -> None:
        self.worker = worker
        self.objects = ObjectOperations(worker.runtime.host)
        self.stores = StoreEndpoints(self.objects)
        self.app = AdminApp(self.objects, more=self.stores.routes)

    async def response(self, method: str, path: str, body: Any = None, **query: Any) -> Response:
        asked = urlencode({"class": "Room", "name": "pets"} | query)
        content = None if body is None else json.dumps(body)
        return await self.app.fetch(
            Request(f"http://localhost/object/{path}?{asked}", method=method, body=content)
        )

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        response = await self.response(method, path, body, **query)
        found = await response.json()
        return found if response.status == 200 else (response.status, found["error"])

    async def connect(self, path: str = "pets", client: str = "c1", **headers: str) -> ClientSocket:
        """A client of a room, to whom the server has said what it says at first."""
        more = {name.replace("_", "-"): text for name, text in headers.items()}
        socket = await self.worker.connect(f"http://h/{path}", headers={"sec-websocket-key": client} | more)
        await self.worker.advance(1.1)
        socket.waiting()
        return socket

    async def edit(self, name: str, *arguments: Any) -> Any:
        return await self.ask("POST", "store/edit", {"edit": name, "arguments": arguments})


def run(tmp_path: Path, test: Callable[[Asking], Awaitable[None]], history_days: float | None = None) -> None:
    program = write_program(tmp_path, PROGRAM, TOML)
    worker = WorkerHarness(program, leak_check=True, history_days=history_days)

    async def use() -> None:
        asking = Asking(worker)
        (await asking.connect()).close()
        await worker.settle()
        await test(asking)

    worker.run(use)
