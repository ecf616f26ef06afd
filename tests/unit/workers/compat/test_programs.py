"""Programs in the manner of Cloudflare's examples: what they import, and how they go about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from websockets.asyncio.server import ServerConnection, serve

from durabase.testing import WorkerHarness
from durabase.web import Request
from durabase.workers.loader import load_worker
from durabase.workers.runtime import Runtime
from unit.workers.programs import ROOM, TOML, program_config, write_program

T = TypeVar("T")


def run(
    directory: Path, program: str, use: Callable[[Runtime], Coroutine[Any, Any, T]], toml: str = TOML + ROOM
) -> T:
    config = program_config(directory, program, toml)

    async def main() -> T:
        async with asyncio.timeout(30), Runtime(config, load_worker(config), directory / "state") as runtime:
            return await use(runtime)

    return asyncio.run(main())


def with_harness(
    directory: Path, program: str, use: Callable[[WorkerHarness], Coroutine[Any, Any, T]], toml: str
) -> T:
    worker = WorkerHarness(write_program(directory, program, toml))
    return worker.run(lambda: asyncio.wait_for(use(worker), 30))


async def text_of(runtime: Runtime, path: str, **headers: str) -> str:
    return await (await runtime.dispatch(Request(f"http://host{path}", headers=headers))).text()


def test_hello(tmp_path: Path) -> None:
    program = """
        from workers import Response, WorkerEntrypoint

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return Response("Hello World!")
    """

    async def use(runtime: Runtime) -> tuple[str, str | None]:
        response = await runtime.dispatch(Request("http://host/"))
        return await response.text(), response.headers.get("Content-Type")

    assert run(tmp_path, program, use, TOML) == ("Hello World!", "text/plain;charset=UTF-8")


KV = """
[[kv_namespaces]]
binding = "FOO"
id = "<YOUR_KV_NAMESPACE_ID>"
"""


def test_a_key_value_namespace(tmp_path: Path) -> None:
    program = """
        from workers import Response, WorkerEntrypoint

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                await self.env.FOO.put("bar", "baz")
                bar = await self.env.FOO.get("bar")
                return Response(bar)  # returns "baz"
    """
    assert run(tmp_path, program, lambda runtime: text_of(runtime, "/"), TOML + KV) == "baz"


def test_an_object_that_has_written_waits_before_it_puts(tmp_path: Path) -> None:
    program = """
        from workers import DurableObject, Response, WorkerEntrypoint

        class Room(DurableObject):
            async def keep(self, value):
                await self.ctx.storage.put("value", value)
                await self.env.FOO.put("value", value)
                return await self.env.FOO.get("value")

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return Response(await self.env.ROOM.getByName("room").keep("kept"))
    """
    assert run(tmp_path, program, lambda runtime: text_of(runtime, "/"), TOML + KV + ROOM) == "kept"


def test_an_asgi_application_behind_a_handler(tmp_path: Path) -> None:
    program = """
        from workers import WorkerEntrypoint

        async def app(scope, receive, send):
            if scope["type"] != "http":
                raise NotImplementedError
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": scope["env"].MESSAGE.encode()})

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                import asgi
                return await asgi.fetch(app, request.js_object, self.env)
    """
    toml = TOML + '[vars]\nMESSAGE = "from vars"\n'
    assert run(tmp_path, program, lambda runtime: text_of(runtime, "/"), toml) == "from vars"


def test_a_handler_of_crons_and_one_without_a_request(tmp_path: Path) -> None:
    program = """
        from workers import Response, WorkerEntrypoint
        ran = []

        class Default(WorkerEntrypoint):
            async def scheduled(self, controller, env, ctx):
                ran.append(controller)

            async def fetch(self):
                return Response(",".join(ran))
    """

    async def use(runtime: Runtime) -> str:
        await runtime.scheduled("cron")
        return await text_of(runtime, "/")

    assert run(tmp_path, program, use, TOML) == "cron"


def test_a_consumer_of_a_stream(tmp_path: Path) -> None:
    program = """
        from urllib.parse import urlparse
        import js
        from pyodide.ffi import create_proxy
        from workers import DurableObject, Response, WorkerEntrypoint

        class Room(DurableObject):
            def __init__(self, state, env):
                super().__init__(state, env)
                self.seen = []

            async def fetch(self, request):
                if urlparse(request.url).path == "/status":
                    return Response(",".join(self.seen))
                self.socket = js.WebSocket.new(self.env.FEED)
                self.socket.addEventListener("open", create_proxy(self.on_open))
                self.socket.addEventListener("message", create_proxy(self.on_message))
                self.socket.addEventListener("close", create_proxy(self.on_close))
                return Response("connecting")

            async def on_open(self, event):
                self.seen.append("open")

            async def on_message(self, event):
                self.ctx.storage.kv.put("last", event.data)
                self.seen.append(self.ctx.storage.kv.get("last"))

            def on_close(self, event):
                self.seen.append(f"{event.code} {event.reason}")

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                namespace = self.env.ROOM
                return await namespace.get(namespace.idFromName("feed")).fetch(request)
    """

    async def feed(connection: ServerConnection) -> None:
        await connection.send("post 1")
        await connection.send("post 2")
        await connection.close(4000, "done")

    async def use(runtime: Runtime) -> str:
        assert await text_of(runtime, "/") == "connecting"
        while True:
            if (status := await text_of(runtime, "/status")).endswith("done"):
                return status
            await asyncio.sleep(0.01)

    async def main() -> str:
        async with serve(feed, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            toml = TOML + f'[vars]\nFEED = "ws://127.0.0.1:{port}/"\n'
            toml += ROOM.replace("new_classes", "new_sqlite_classes")
            config = program_config(tmp_path, program, toml)
            async with (
                asyncio.timeout(30),
                Runtime(config, load_worker(config), tmp_path / "state") as runtime,
            ):
                return await use(runtime)

    assert asyncio.run(main()) == "open,post 1,post 2,4000 done"


def test_a_chat_room(tmp_path: Path) -> None:
    program = """
        import json
        from datetime import UTC, datetime
        from pathlib import Path
        from urllib.parse import urlparse
        from js import WebSocketPair
        from workers import DurableObject, Response, WorkerEntrypoint

        PAGE = (Path(__file__).parent / "chat.html").read_text()

        class Room(DurableObject):
            def __init__(self, state, env):
                super().__init__(state, env)
                self.state = state
                self.env = env
                self.history = []

            async def fetch(self, request):
                if request.headers.get("Upgrade") != "websocket":
                    return Response(f"{len(self.state.getWebSockets())} here, {len(self.history)} said")
                client, server = WebSocketPair.new().object_values()
                self.state.acceptWebSocket(server)
                server.send(json.dumps({"type": "history", "messages": self.history}))
                return Response(None, status=101, web_socket=client)

            async def webSocketMessage(self, ws, message):
                entry = {"text": json.loads(message)["text"], "year": datetime.now(UTC).year > 2000}
                self.history.append(entry)
                for each in self.state.getWebSockets():
                    each.send(json.dumps(entry))

            async def webSocketClose(self, ws, code, reason, was_clean):
                ws.close(code, reason)

            async def webSocketError(self, ws, error):
                pass

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                path = urlparse(request.url).path
                if path == "/":
                    return Response(PAGE, headers={"content-type": "text/html"})
                return await self.env.ROOM.get(self.env.ROOM.idFromName(path)).fetch(request)
    """
    (tmp_path / "chat.html").write_text("the page")

    async def join(runtime: Runtime) -> tuple[Any, asyncio.Queue[Any]]:
        response = await runtime.dispatch(Request("http://host/room", headers={"upgrade": "websocket"}))
        socket = response.web_socket
        assert socket is not None
        heard: asyncio.Queue[Any] = asyncio.Queue()
        socket.add_event_listener("message", lambda event: heard.put_nowait(event.data))
        socket.add_event_listener("close", lambda event: heard.put_nowait(event.code))
        socket.accept()
        return socket, heard

    async def use(runtime: Runtime) -> list[Any]:
        assert await text_of(runtime, "/") == "the page"
        one, heard_by_one = await join(runtime)
        _, heard_by_two = await join(runtime)
        one.send('{"text": "hi"}')
        heard = [await queue.get() for queue in (heard_by_one, heard_by_one, heard_by_two, heard_by_two)]
        one.close(1000, "bye")
        heard.append(await heard_by_one.get())
        return [*heard, await text_of(runtime, "/room")]

    empty, entry = '{"type": "history", "messages": []}', '{"text": "hi", "year": true}'
    assert run(tmp_path, program, use) == [empty, entry, empty, entry, 1000, "1 here, 1 said"]


CONSTRUCTED = """
    from workers import DurableObject, Response, WorkerEntrypoint

    MADE = []

    class Room(DurableObject):
        def __init__(self, state, env):
            super().__init__(state, env)
            self.state = state
            MADE.append("room")

        def facts(self):
            return [self.ctx is self.state, str(self.ctx.id) == str(self.state.id), self.env.NAME]

    class Plain(DurableObject):
        def facts(self):
            return [self.ctx.id.name, self.env.NAME]

    class Default(WorkerEntrypoint):
        def __init__(self, ctx, env):
            super().__init__(ctx, env)
            self.calls = 0
            MADE.append("default")

        async def fetch(self):
            self.calls += 1
            rooms = self.env.ROOM
            facts = await rooms.getByName("r").facts() + await self.env.PLAIN.getByName("p").facts()
            return Response.json({"calls": self.calls, "made": MADE, "facts": facts})

    class Bare(WorkerEntrypoint):
        def facts(self):
            return [self.env.NAME, self.ctx.props]
"""


@pytest.mark.feature("M-PY-2")
def test_entrypoints_are_made_for_each_call_and_objects_for_each_life(tmp_path: Path) -> None:
    plain = ROOM.replace("ROOM", "PLAIN").replace("Room", "Plain").replace("v1", "v2")
    toml = TOML + '[vars]\nNAME = "app"\n' + ROOM + plain

    async def use(worker: WorkerHarness) -> list[Any]:
        answers = [await (await worker.fetch("/")).json() for _ in range(2)]
        await worker.evict_all()
        return [*answers, await (await worker.fetch("/")).json()]

    first, second, third = with_harness(tmp_path, CONSTRUCTED, use, toml)
    facts = [True, True, "app", "p", "app"]
    assert first == {"calls": 1, "made": ["default", "room"], "facts": facts}
    assert second == {"calls": 1, "made": ["default", "room", "default"], "facts": facts}
    assert third["made"] == ["default", "room", "default", "default", "room"]


LOOPBACK = """
    from workers import DurableObject, Response, WorkerEntrypoint

    class Room(DurableObject):
        async def ask(self):
            return [
                await self.ctx.exports.Greeter.greet("object"),
                await self.ctx.exports.Greeter(props={"polite": True}).greet("object"),
                await self.ctx.exports.Room.getByName("other").who(),
                self.ctx.props,
            ]

        def who(self):
            return self.ctx.id.name

    class Greeter(WorkerEntrypoint):
        def greet(self, name):
            return f"{'Good morning' if self.ctx.props.get('polite') else 'Hi'}, {name}"

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            exports = self.ctx.exports
            return Response.json([
                await exports.Greeter.greet("worker"),
                await exports.Greeter({"props": {"polite": True}}).greet("worker"),
                await exports.Room.getByName("r").ask(),
                self.ctx.props,
                sorted(dir(exports)),
            ])
"""


@pytest.mark.feature("S-PY-4")
def test_the_workers_own_classes_as_bindings(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> Any:
        return await (await worker.fetch("/")).json()

    assert with_harness(tmp_path, LOOPBACK, use, TOML + ROOM) == [
        "Hi, worker",
        "Good morning, worker",
        ["Hi, object", "Good morning, object", "other", None],
        {},
        ["Default", "Greeter", "Room"],
    ]


def test_a_timer_keeps_an_object_awake_until_it_is_cleared(tmp_path: Path) -> None:
    program = """
        import js
        from workers import DurableObject, WorkerEntrypoint

        class Room(DurableObject):
            def start(self):
                self.timer = js.setTimeout(print, 3_600_000, "late")

            def stop(self):
                js.clearTimeout(self.timer)

        class Default(WorkerEntrypoint):
            pass
    """

    async def use(worker: WorkerHarness) -> tuple[int, int]:
        room = worker.env.ROOM.get_by_name("a")
        await room.start()
        await worker.advance(60)
        waiting = worker.runtime.stats().live
        await room.stop()
        await worker.advance(60)
        return waiting, worker.runtime.stats().live

    assert with_harness(tmp_path, program, use, TOML + ROOM) == (1, 0)


RAW = """
    from js import WebSocketPair
    from pyodide.ffi import JsException, to_js
    from workers import DurableObject, Response, WorkerEntrypoint

    class Room(DurableObject):
        async def fetch(self, request):
            client, server = WebSocketPair.new().object_values()
            self.ctx.acceptWebSocket(server, to_js(["a", "b"]))
            server.serializeAttachment(to_js({"name": "Ada", "list": [1]}))
            return Response(None, status=101, web_socket=client)

        async def webSocketMessage(self, ws, message):
            attachment = ws.deserializeAttachment()
            facts = [
                self.ctx.getTags(ws).to_py(),
                len(self.ctx.getWebSockets().to_py()),
                attachment.name, attachment.to_py()["name"], attachment.object_keys(),
                message.to_bytes().decode(), bytes(message.to_py()).decode(), message.byteLength,
            ]
            ws.serializeAttachment(to_js([1, 2]))
            facts.append(ws.deserializeAttachment().to_py())
            try:
                await self.env.ROOM.getByName("other").fail()
            except JsException as error:
                facts.append([error.name, error.message, error.remote])
            ws.send(repr(facts))

        def fail(self):
            raise ValueError("as it is")

        async def kept(self):
            await self.ctx.storage.put("data", b"bytes")
            data = await self.ctx.storage.get("data")
            found = await self.ctx.storage.get(["data"])
            found.more = 1
            return [data.tobytes(), data.to_py(), found.more]

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return await self.env.ROOM.getByName("r").fetch(request)
"""


@pytest.mark.feature("M-PY-4")
def test_what_programs_call_on_proxies_of_javascripts_objects(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> list[Any]:
        socket = await worker.connect("/")
        socket.send(b"hi")
        return [await socket.receive(), await worker.env.ROOM.getByName("r").kept()]

    sqlite = ROOM.replace("new_classes", "new_sqlite_classes")
    facts, kept = with_harness(tmp_path, RAW, use, TOML + sqlite)
    assert facts == repr(
        [
            *(["a", "b"], 1, "Ada", "Ada", ["name", "list"], "hi", "hi", 2, [1, 2]),
            ["ValueError", "as it is", True],
        ]
    )
    assert kept == [b"bytes", b"bytes", 1]
