from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def scheduled(self, controller, env, ctx):
        assert (env, ctx) == (None, None)
        print(f"It is time: {controller.cron}")

    async def fetch(self):
        return Response("Wait for the minute to end")
