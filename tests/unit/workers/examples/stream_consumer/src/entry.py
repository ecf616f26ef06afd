import json
import time
from urllib.parse import urlparse

import js
from pyodide.ffi import create_proxy
from workers import DurableObject, Response, WorkerEntrypoint


class Firehose(DurableObject):
    """Listens to a feed for as long as it lives, and remembers where it was."""

    def __init__(self, state, env):
        super().__init__(state, env)
        self.socket = None
        self.posts = []
        self.log = []

    async def fetch(self, request):
        path = urlparse(request.url).path
        if path == "/status":
            state = {"posts": self.posts, "log": self.log, "last": self.ctx.storage.kv.get("last")}
            return Response(json.dumps(state))
        if self.socket is None:
            await self.schedule_next()
            self.connect(self.env.FEED)
        return Response("listening")

    async def schedule_next(self):
        self.ctx.storage.setAlarm(int(time.time() * 1000) + 60_000)

    async def alarm(self):
        self.log.append("alarm")
        await self.schedule_next()

    def connect(self, url):
        self.socket = js.WebSocket.new(url)
        self.socket.addEventListener("open", create_proxy(self.on_open))
        self.socket.addEventListener("message", create_proxy(self.on_message))
        self.socket.addEventListener("error", create_proxy(self.on_error))
        self.socket.addEventListener("close", create_proxy(self.on_close))

    async def on_open(self, event):
        self.log.append("open")

    async def on_message(self, event):
        post = json.loads(event.data)
        self.posts.append(post["text"])
        self.ctx.storage.kv.put("last", post["time_us"])

    def on_error(self, event):
        self.ctx.abort("the feed failed")

    async def on_close(self, event):
        self.log.append(f"close {event.code} {event.reason}")
        self.ctx.abort("the feed is over")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        namespace = self.env.BLUESKY_FIREHOSE
        id = namespace.idFromName("feed")
        stub = namespace.get(id)
        return await stub.fetch(request)
