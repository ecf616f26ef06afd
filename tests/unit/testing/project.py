"""The worker that the tests of the kit test."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

TOML = """
name = "app"
main = "index.py"
compatibility_date = "2025-01-01"

[[durable_objects.bindings]]
name = "COUNTER"
class_name = "Counter"

[[durable_objects.bindings]]
name = "TABLE"
class_name = "Table"

[[kv_namespaces]]
binding = "SEEN"

[vars]
GREETING = "hello"

[triggers]
crons = ["*/5 * * * *"]

[[migrations]]
tag = "v1"
new_classes = ["Counter"]
new_sqlite_classes = ["Table"]
"""

PROGRAM = """
from durabase.workers import DurableObject, Response, WebSocketPair, WorkerEntrypoint

loads = []


class Counter(DurableObject):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.in_memory = 0

    async def increment(self):
        self.in_memory += 1
        count = (await self.ctx.storage.get("count") or 0) + 1
        await self.ctx.storage.put("count", count)
        return count

    async def remind(self, milliseconds):
        await self.ctx.storage.set_alarm(milliseconds)

    async def alarm(self, info):
        if await self.ctx.storage.get("fail"):
            raise ValueError("the alarm fails")
        await self.ctx.storage.put("alarm", info.retry_count)

    async def fetch(self, request):
        client, server = WebSocketPair()
        self.ctx.accept_web_socket(server)
        return Response(None, status=101, web_socket=client)

    async def web_socket_message(self, ws, message):
        if message == "leave":
            ws.close(4000, "as you wish")
        else:
            ws.send(f"{message} {await self.increment()}")


class Table(DurableObject):
    def add(self, value):
        self.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS t (v)")
        self.ctx.storage.sql.exec("INSERT INTO t VALUES (?)", value)
        return self.ctx.storage.sql.exec("SELECT count(*) AS n FROM t").one().n


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.headers.get("upgrade") == "websocket":
            return await self.env.COUNTER.get_by_name("room").fetch(request)
        return Response(f"{self.env.GREETING} {request.url}")

    async def scheduled(self, controller):
        await self.env.SEEN.put(str(controller.scheduled_time), controller.cron)
"""


def write_project(directory: Path) -> Path:
    """Write the worker."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "wrangler.toml").write_text(TOML)
    (directory / "index.py").write_text(dedent(PROGRAM))
    return directory
