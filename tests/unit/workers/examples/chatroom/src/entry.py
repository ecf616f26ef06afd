import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlparse

from js import WebSocketPair
from workers import DurableObject, Response, WorkerEntrypoint


class ChatRoom(DurableObject):
    def __init__(self, state, env):
        super().__init__(state, env)
        self.state = state
        self.env = env
        self.history = []

    async def fetch(self, request):
        if request.headers.get("Upgrade") != "websocket":
            return Response("A WebSocket is expected here", status=426)
        client, server = WebSocketPair.new().object_values()
        self.state.acceptWebSocket(server)
        server.send(json.dumps({"type": "history", "messages": self.history}))
        self.tell_all({"type": "here", "count": len(self.state.getWebSockets())})
        return Response(None, status=101, web_socket=client)

    async def webSocketMessage(self, ws, message):
        text = json.loads(message)["text"]
        entry = {"type": "message", "text": text, "at": datetime.now(UTC).isoformat()}
        self.history.append(entry)
        self.tell_all(entry)

    async def webSocketClose(self, ws, code, reason, wasClean):
        ws.close(code, reason)
        self.tell_all({"type": "here", "count": len(self.state.getWebSockets()) - 1}, but=ws)

    async def webSocketError(self, ws, error):
        print(f"A socket failed: {error}")

    def tell_all(self, message, but=None):
        for ws in self.state.getWebSockets():
            if ws is not but:
                ws.send(json.dumps(message))


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = urlparse(request.url).path
        if path == "/":
            page = (Path(__file__).parent / "chatroom.html").read_text()
            return Response(page, headers={"Content-Type": "text/html"})
        stub = self.env.CHATROOM.get(self.env.CHATROOM.idFromName(path))
        return await stub.fetch(request)
