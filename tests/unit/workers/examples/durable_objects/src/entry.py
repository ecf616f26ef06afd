from urllib.parse import urlparse

from pyodide.ffi import to_js
from workers import DurableObject, Response, WorkerEntrypoint


class List(DurableObject):
    async def get_messages(self):
        found = await self.ctx.storage.get("messages")
        return found if found else []

    async def add_message(self, message):
        messages = await self.get_messages()
        messages.append(message)
        await self.ctx.storage.put("messages", to_js(messages))


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        parts = urlparse(request.url).path.strip("/").split("/")
        if len(parts) < 2:
            return Response("Which list, and what about it?", status=404)
        stub = self.env.LISTS.get(self.env.LISTS.idFromName(parts[0]))
        if parts[1] == "add":
            await stub.add_message(parts[2])
            return Response("Added")
        messages = await stub.get_messages()
        return Response("\n".join(messages) if messages else "No messages")
