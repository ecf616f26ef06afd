"""A project with rooms: all get what one says, the last word is kept, rooms tell which process they are."""

from __future__ import annotations

from pathlib import Path

PROGRAM = """
import os
from durabase.durable_objects import DurableObject
from durabase.web import Response, WebSocketPair
from durabase.workers import WorkerEntrypoint

class Room(DurableObject):
    async def fetch(self, request):
        client, server = WebSocketPair()
        self.ctx.accept_web_socket(server)
        server.send(f"{os.getpid()} {await self.ctx.storage.get('last')}")
        return Response(None, status=101, web_socket=client)

    async def web_socket_message(self, socket, message):
        await self.ctx.storage.put("last", message)
        for each in self.ctx.get_web_sockets():
            each.send(message)

    def process(self):
        return os.getpid()

    async def process_of(self, name):
        return await self.env.ROOMS.get_by_name(name).process()

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        _, _, _, first, *more = request.url.split("/")
        room = self.env.ROOMS.get_by_name(first)
        if not more:
            return await room.fetch(request)
        found = [os.getpid(), await room.process(), await room.process_of(more[0])]
        return Response.json(found)
"""
CONFIG = """
name = "rooms"
main = "program.py"
compatibility_date = "2026-11-01"

[[durable_objects.bindings]]
name = "ROOMS"
class_name = "Room"

[[migrations]]
tag = "v1"
new_classes = ["Room"]
"""


def write_rooms(folder: Path) -> None:
    """Write the project."""
    (folder / "program.py").write_text(PROGRAM)
    (folder / "wrangler.toml").write_text(CONFIG)
