"""A chat: every path is a room, every room is a Durable Object with sockets and a history."""

from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from durabase.workers import DurableObject, Response, WebSocketPair, WorkerEntrypoint

PAGE = (Path(__file__).parent / "chat.html").read_text("utf-8")
LONGEST_NAME, LONGEST_TEXT, SHOWN = 32, 2000, 100


class Room(DurableObject):
    """Its sockets stay connected while it hibernates, so nothing about them is kept in attributes."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, name, text, time)")

    async def fetch(self, request):
        name = parse_qs(urlsplit(request.url).query).get("name", [""])[0].strip()[:LONGEST_NAME]
        client, server = WebSocketPair()
        self.ctx.accept_web_socket(server)
        server.serialize_attachment(name or "Somebody")
        server.send(dumps({"messages": self.history(), "people": self.people()}))
        self.tell({"people": self.people()}, but=server)
        return Response(None, status=101, web_socket=client)

    async def web_socket_message(self, ws, message):
        text = str(message).strip()[:LONGEST_TEXT]
        if text:
            name, time = ws.deserialize_attachment(), datetime.now(UTC).isoformat(timespec="seconds")
            self.ctx.storage.sql.exec(
                "INSERT INTO messages (name, text, time) VALUES (?, ?, ?)", name, text, time
            )
            self.tell({"messages": [{"name": name, "text": text, "time": time}]})

    async def web_socket_close(self, ws, code, reason, was_clean):
        self.tell({"people": self.people(but=ws)}, but=ws)

    def history(self):
        newest = self.ctx.storage.sql.exec(
            "SELECT name, text, time FROM messages ORDER BY id DESC LIMIT ?", SHOWN
        ).to_array()
        return newest[::-1]

    def people(self, but=None):
        return sorted({ws.deserialize_attachment() for ws in self.ctx.get_web_sockets() if ws is not but})

    def tell(self, news, but=None):
        for ws in self.ctx.get_web_sockets():
            if ws is not but:
                ws.send(dumps(news))


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        room = urlsplit(request.url).path.strip("/")
        if request.headers.get("upgrade") == "websocket":
            return await self.env.ROOM.get_by_name(room).fetch(request)
        if not room:
            return Response.redirect(f"{request.url.rstrip('/')}/lobby")
        return Response(PAGE, headers={"content-type": "text/html; charset=utf-8"})
