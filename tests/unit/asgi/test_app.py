"""The life of an ASGI application: lifespans, lazy starts, stops."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import pytest

from durabase.asgi import AsgiApp
from durabase.asgi.life import Served
from durabase.errors import ServerError
from durabase.server.bridge import LOST
from durabase.testing import FakeClock
from durabase.web import Request, Response
from unit.asgi.driver import (
    CONNECT,
    Call,
    answer,
    app_of,
    no_room,
    run,
    scope,
    settings,
    turns,
    web_socket_scope,
)
from unit.server.live import Hub

STARTUP, SHUTDOWN = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
LIFESPAN = {"type": "lifespan"}


async def hello(_: Request) -> Response:
    return Response("hello")


async def status(app: AsgiApp) -> int:
    number: int = (await answer(app, scope()))[0]["status"]
    return number


def test_the_lifespan_starts_and_stops_it() -> None:
    events: list[str] = []

    async def main() -> None:
        app = app_of(hello, events=events)
        async with Call(app, LIFESPAN, STARTUP) as call:
            assert await call.next() == {"type": "lifespan.startup.complete"}
            assert events == ["open"]
            assert await status(app) == 200
            call.give(SHUTDOWN)
            assert await call.next() == {"type": "lifespan.shutdown.complete"}
            assert events == ["open", "close"]
            await call.over()
        assert await status(app) == 503

    run(main())


def test_a_start_that_fails_is_told_and_can_be_tried_again() -> None:
    events: list[str] = []

    async def main() -> None:
        app = app_of(hello, events=events, failing=[ServerError("no data"), OSError()])
        async with Call(app, LIFESPAN, STARTUP) as call:
            assert await call.next() == {"type": "lifespan.startup.failed", "message": "no data"}
            await call.over()
        with pytest.raises(OSError, match=r"^$"):
            await answer(app, scope())
        assert await status(app) == 200

    run(main())


def test_a_stop_that_fails_is_told() -> None:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Served]:
        yield Served(hello, no_room)
        raise OSError("disk full")

    async def main() -> None:
        async with Call(AsgiApp(opened, settings(), ""), LIFESPAN, STARTUP, SHUTDOWN) as call:
            assert (await call.next())["type"] == "lifespan.startup.complete"
            assert await call.next() == {"type": "lifespan.shutdown.failed", "message": "disk full"}

    run(main())


def test_without_a_lifespan_the_first_requests_start_it_once() -> None:
    events: list[str] = []

    async def main() -> None:
        app = app_of(hello, events=events)
        assert await asyncio.gather(*(status(app) for _ in range(5))) == [200] * 5
        assert events == ["open"]

    run(main())
    assert events == ["open", "close"]  # the end of the event loop has stopped it


def test_each_event_loop_has_a_life_of_its_own() -> None:
    events: list[str] = []
    app = app_of(hello, events=events)

    async def main() -> None:
        assert await status(app) == 200

    run(main())
    run(main())
    assert events == ["open", "close"] * 2


def test_one_loop_at_a_time() -> None:
    async def main() -> None:
        app = app_of(hello)
        await status(app)
        with pytest.raises(ServerError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, status(app))

    run(main())


def test_outer_applications_can_have_its_lifespan() -> None:
    events: list[str] = []

    async def main() -> None:
        app = app_of(hello, events=events)
        for _ in range(2):
            async with app.lifespan(object()) as state:
                assert state is None
                assert await status(app) == 200
        assert events == ["open", "close"] * 2

    run(main())


request_id: ContextVar[str] = ContextVar("request_id", default="none")


def test_what_it_serves_does_not_live_in_the_first_requests_context() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def opened() -> AsyncIterator[Served]:
        seen.append(request_id.get())
        yield Served(hello, no_room)

    async def main() -> None:
        request_id.set("first")
        await status(AsgiApp(opened, settings(), ""))

    run(main())
    assert seen == ["none"]


def test_stopping_says_goodbye_and_waits_for_who_is_there() -> None:
    async def main() -> None:
        hub, clock = Hub(), FakeClock()
        app = app_of(hub.fetch, clock=clock)
        async with app, Call(app, web_socket_scope(), CONNECT) as call:
            await call.next()
            stopping = asyncio.create_task(app.__aexit__(None, None, None))
            assert await call.next() == {
                "type": "websocket.close",
                "code": 1001,
                "reason": "the server stops",
            }
            await turns()
            assert not stopping.done()
            call.give({"type": "websocket.disconnect", "code": 1001})
            await stopping
            assert hub.sinks[0].events == [("close", 1001, "the server stops", True)]

    run(main())


def test_stopping_has_a_bound() -> None:
    async def main() -> None:
        started = asyncio.Event()

        async def fetch(_: Request) -> Response:
            started.set()
            await asyncio.sleep(3600)
            return Response()

        hub, clock = Hub(), FakeClock()
        app = app_of(lambda r: (fetch if r.method == "POST" else hub.fetch)(r), clock=clock)
        async with (
            app,
            Call(app, web_socket_scope(), CONNECT) as socket,
            Call(app, scope(method="POST"), {"type": "http.request"}) as request,
        ):
            await socket.next()
            await started.wait()
            stopping = asyncio.create_task(app.__aexit__(None, None, None))
            await turns()
            clock.advance(5_000)
            await turns()
            assert request.task.cancelled()
            assert socket.task.done()
            await stopping
            assert hub.sinks[0].events == [("close", 1006, LOST, False)]

    run(main())


def test_unknown_scopes_are_refused() -> None:
    async def main() -> None:
        with pytest.raises(ServerError, match="'mqtt'"):
            await answer(app_of(hello), {"type": "mqtt"})

    run(main())


def test_without_h11_it_says_what_to_install() -> None:
    program = "import sys; sys.modules['h11'] = None; import durabase.asgi"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: h11 is missing: pip install 'durabase[server]'" in done.stderr
