"""Counters with names, that never miss a count: each is a Durable Object."""

from urllib.parse import parse_qs, urlsplit

from durabase.workers import DurableObject, Response, WorkerEntrypoint


class Counter(DurableObject):
    """Other code calls these methods by a stub: ``await env.COUNTER.get_by_name("cats").add(1)``."""

    async def value(self) -> int:
        return await self.ctx.storage.get("count") or 0

    async def add(self, amount: int) -> int:
        count = await self.value() + amount
        await self.ctx.storage.put("count", count)
        return count

    async def reset(self) -> None:
        await self.ctx.storage.delete_all()


class Default(WorkerEntrypoint):
    """``GET /cats`` reads the counter "cats", ``POST /cats?by=2`` adds to it, ``DELETE /cats`` forgets it."""

    async def fetch(self, request):
        url = urlsplit(request.url)
        name = url.path.strip("/")
        if not name:
            return Response("Name a counter: curl -X POST http://…/cats\n", status=404)
        counter = self.env.COUNTER.get_by_name(name)
        match request.method:
            case "GET":
                count = await counter.value()
            case "POST":
                by = parse_qs(url.query).get("by", ["1"])[0]
                if not by.lstrip("-").isdecimal():
                    return Response(f"by={by} is no whole number\n", status=400)
                count = await counter.add(int(by))
            case "DELETE":
                await counter.reset()
                count = 0
            case _:
                return Response("GET, POST or DELETE\n", status=405)
        return Response.json({"name": name, "count": count})
