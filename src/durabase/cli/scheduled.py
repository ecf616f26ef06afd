"""Running the program's ``scheduled`` handler when asked, at the paths where wrangler has it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from durabase.clock import Clock
from durabase.web import Request, Response
from durabase.workers.runtime import Runtime
from durabase.workers.scheduled import ScheduledController

__all__ = ["ScheduledTrigger"]

_PATH = "/cdn-cgi/handler/scheduled"
_TEST_PATH = "/__scheduled"
_ANY_TIME = "* * * * *"


class ScheduledTrigger:
    """The program, with the path that triggers its handler before it; with ``test``, one more such path."""

    def __init__(self, runtime: Runtime, clock: Clock, *, test: bool = False) -> None:
        self._paths = {_PATH, _TEST_PATH} if test else {_PATH}
        self._runtime = runtime
        self._clock = clock

    async def fetch(self, request: Request) -> Response:
        """Trigger the handler, or pass the request on."""
        url = urlsplit(request.url)
        if url.path not in self._paths:
            return await self._runtime.dispatch(request)
        cron = parse_qs(url.query).get("cron", [_ANY_TIME])[0]
        await self._runtime.scheduled(ScheduledController(cron, self._clock.now_ms()))
        return Response("ok")
