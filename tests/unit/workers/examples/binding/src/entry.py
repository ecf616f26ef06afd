from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        await self.env.FOO.put("fruit", "plum")
        return Response(await self.env.FOO.get("fruit"))
