"""Whole workers, with real objects and storage in a directory of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from durabase.durable_objects import EventHandled, ObjectConstructed, ObjectFact
from durabase.errors import ConfigError, ObjectError, WorkerLoadError
from durabase.web import Request, Response
from durabase.workers.config import load_config
from durabase.workers.loader import load_worker
from durabase.workers.runtime import Runtime

from .programs import ROOM, TOML, program_config, write_program

T = TypeVar("T")

NATIVE = """
    from durabase.workers import DurableObject, Response, WebSocketPair, WorkerEntrypoint

    VERSION = 1

    class Room(DurableObject):
        async def fetch(self, request):
            if request.headers.get("upgrade") == "websocket":
                client, server = WebSocketPair()
                self.ctx.accept_web_socket(server)
                return Response(None, status=101, web_socket=client)
            count = (await self.ctx.storage.get("count") or 0) + 1
            await self.ctx.storage.put("count", count)
            return Response(f"{self.ctx.id.name} {count} version {VERSION}")

        def web_socket_message(self, ws, message):
            ws.send(f"{message} version {VERSION}")

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            name = request.url.rsplit("/", 1)[1]
            return await self.env.ROOM.get_by_name(name).fetch(request)
"""

CLOUDFLARE = """
    from urllib.parse import urlparse
    from js import WebSocketPair
    from pyodide.ffi import to_js
    from workers import DurableObject, Response, WorkerEntrypoint

    class Room(DurableObject):
        async def add_message(self, message):
            messages = await self.ctx.storage.get("messages") or []
            messages.append(message)
            await self.ctx.storage.put("messages", to_js(messages))
            return messages

        async def fetch(self, request):
            client, server = WebSocketPair.new().object_values()
            self.ctx.acceptWebSocket(server, to_js(["tag"]))
            return Response(None, status=101, web_socket=client)

        async def webSocketMessage(self, ws, message):
            for each in self.ctx.getWebSockets("tag"):
                each.send(message.upper())

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            path = urlparse(request.url).path
            id = self.env.ROOM.idFromName("room")
            stub = self.env.ROOM.get(id)
            if request.headers.get("Upgrade") == "websocket":
                return await stub.fetch(request)
            return Response(",".join(await stub.add_message(path)), status=200)
"""


def run(
    directory: Path,
    program: str,
    use: Callable[[Runtime], Coroutine[Any, Any, T]],
    toml: str = TOML + ROOM,
    observer: Callable[[ObjectFact], None] | None = None,
) -> T:
    config = program_config(directory, program, toml)

    async def main() -> T:
        state = directory / ".durabase" / "state"
        async with Runtime(config, load_worker(config), state, observer=observer) as runtime:
            return await use(runtime)

    return asyncio.run(main())


async def text_of(runtime: Runtime, path: str) -> str:
    return await (await runtime.dispatch(Request(f"http://host/{path}"))).text()


class Client:
    """The client's end of a socket that a program accepted."""

    def __init__(self, response: Response) -> None:
        assert response.web_socket is not None
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self.socket = response.web_socket
        self.socket.add_event_listener("message", lambda event: self.messages.put_nowait(event.data))
        self.socket.add_event_listener("close", lambda event: self.messages.put_nowait(event.code))
        self.socket.accept()

    async def ask(self, message: str) -> Any:
        self.socket.send(message)
        async with asyncio.timeout(5):
            return await self.messages.get()


async def connected(runtime: Runtime, path: str = "room") -> Client:
    request = Request(f"http://host/{path}", headers={"upgrade": "websocket"})
    return Client(await runtime.dispatch(request))


def test_objects_keep_their_data_over_restarts(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> list[str]:
        return [await text_of(runtime, path) for path in ("a", "a", "b")]

    assert run(tmp_path, NATIVE, use) == ["a 1 version 1", "a 2 version 1", "b 1 version 1"]
    assert run(tmp_path, NATIVE, use) == ["a 3 version 1", "a 4 version 1", "b 2 version 1"]


def test_a_program_of_cloudflares(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> list[Any]:
        client = await connected(runtime)
        return [await text_of(runtime, "x"), await text_of(runtime, "y"), await client.ask("hi")]

    assert run(tmp_path, CLOUDFLARE, use) == ["/x", "/x,/y", "HI"]


def test_ids_are_those_of_wrangler(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> str:
        return str(runtime.env.ROOM.id_from_name("a"))

    toml = (TOML + ROOM).replace('"app"', '"chat-demo"')
    assert (
        run(tmp_path, NATIVE, use, toml) == "aaa4840407384e50b564523c3a39a3bb9da9cf15fbb3b906e2c7981638558249"
    )


def test_reloading_keeps_sockets_and_data(tmp_path: Path) -> None:
    facts: list[ObjectFact] = []

    async def use(runtime: Runtime) -> list[Any]:
        client = await connected(runtime)
        answers = [await text_of(runtime, "room"), await client.ask("one")]
        write_program(tmp_path, NATIVE.replace("VERSION = 1", "VERSION = 2"), TOML + ROOM)
        config, _ = load_config(tmp_path)
        await runtime.reload(config, load_worker(config))
        return [*answers, await client.ask("two"), await text_of(runtime, "room")]

    assert run(tmp_path, NATIVE, use, observer=facts.append) == [
        "room 1 version 1",
        "one version 1",
        "two version 2",
        "room 2 version 2",
    ]
    assert sum(isinstance(fact, ObjectConstructed) for fact in facts) == 2


def test_reloading_replaces_the_bindings_of_all_who_hold_the_env(tmp_path: Path) -> None:
    program = """
        from durabase.workers import Response, WorkerEntrypoint, env

        class Default(WorkerEntrypoint):
            def fetch(self):
                return Response(f"{env.A} {self.env.A}")
    """

    async def use(runtime: Runtime) -> list[str]:
        first = await text_of(runtime, "")
        config = program_config(tmp_path, program, TOML + "[vars]\nA = 2\n")
        await runtime.reload(config, load_worker(config))
        return [first, await text_of(runtime, "")]

    assert run(tmp_path, program, use, TOML + "[vars]\nA = 1\n") == ["1 1", "2 2"]


def test_reloading_adds_classes(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> str:
        config = program_config(tmp_path, NATIVE, TOML + ROOM)
        await runtime.reload(config, load_worker(config))
        return await text_of(runtime, "a")

    assert run(tmp_path, "", use, TOML) == "a 1 version 1"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"app"', '"other"', "The configuration is for other now, and was for app"),
        ("new_classes", "new_sqlite_classes", "that can't be changed to SQLite storage"),
    ],
)
def test_reloading_can_not_change_what_ids_come_from(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    async def use(runtime: Runtime) -> str:
        config = program_config(tmp_path, NATIVE, (TOML + ROOM).replace(old, new))
        with pytest.raises((ConfigError, ObjectError), match=complaint):
            await runtime.reload(config, load_worker(config))
        return await text_of(runtime, "a")

    assert run(tmp_path, NATIVE, use) == "a 1 version 1"


@pytest.mark.parametrize(
    "body",
    [
        "async def fetch(self, request): return Response('ok')",
        "def fetch(self, request): return Response('ok')",
        "def fetch(self): return Response('ok')",
        "def fetch(self, *anything): return Response(f'{len(anything)}'.replace('1', 'ok'))",
        "fetch = make_fetch()",
        "@staticmethod\n            def fetch(request): return Response('ok')",
    ],
)
def test_forms_of_fetch(tmp_path: Path, body: str) -> None:
    program = f"""
        from durabase.workers import Response, WorkerEntrypoint

        def make_fetch():
            async def fetch(self, request):
                return Response("ok")
            return fetch

        class Default(WorkerEntrypoint):
            {body}
    """

    async def use(runtime: Runtime) -> list[str]:
        return [await text_of(runtime, ""), await text_of(runtime, "")]

    assert run(tmp_path, program, use, TOML) == ["ok", "ok"]


def test_what_is_no_answer_is_named(tmp_path: Path) -> None:
    program = """
        from durabase.workers import WorkerEntrypoint

        class Default(WorkerEntrypoint):
            def fetch(self, request):
                return None if request.url.endswith("/none") else {"a": 1}
    """

    async def use(runtime: Runtime) -> list[str]:
        notes = []
        for path in ("none", "dict"):
            with pytest.raises(TypeError) as caught:
                await runtime.dispatch(Request(f"http://host/{path}"))
            notes += caught.value.__notes__
        return notes

    nothing, mapping = run(tmp_path, program, use, TOML)
    assert nothing.startswith("fetch returned nothing; ")
    assert mapping.startswith("fetch returned an object of type dict; ")


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("", r"Handler does not export a fetch\(\) function: there is no class Default"),
        ("class Default(WorkerEntrypoint): pass", r"Handler does not export a fetch\(\) function"),
        (
            "class Default(WorkerEntrypoint):\n    def fetch(self): return 'text'",
            "did not resolve to 'Response'",
        ),
    ],
)
def test_what_is_no_answer(tmp_path: Path, program: str, expected: str) -> None:
    async def use(runtime: Runtime) -> None:
        with pytest.raises(TypeError, match=expected):
            await runtime.dispatch(Request("http://host/"))

    run(tmp_path, "from durabase.workers import WorkerEntrypoint\n" + program, use, TOML)


def test_scheduled_and_background_work(tmp_path: Path) -> None:
    program = """
        from durabase.workers import WorkerEntrypoint, wait_until
        seen = []

        async def later(what):
            seen.append(what)

        class Default(WorkerEntrypoint):
            async def scheduled(self, controller, env, ctx):
                seen.append((controller, env, ctx))
                self.ctx.wait_until(later("mine"))
                wait_until(later("ambient"))
    """
    seen: list[Any] = []

    async def use(runtime: Runtime) -> None:
        await runtime.scheduled("cron")
        seen.append(runtime.worker.module)

    run(tmp_path, program, use, TOML)
    assert seen[0].seen == [("cron", None, None), "mine", "ambient"]


def test_assets_come_before_the_worker(tmp_path: Path) -> None:
    program = """
        from durabase.workers import Response, WorkerEntrypoint

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                if request.method == "POST":
                    return await self.env.ASSETS.fetch("http://host/about")
                return Response("worker")
    """
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "about.html").write_text("about")
    toml = TOML + '[assets]\ndirectory = "public"\nbinding = "ASSETS"\n'

    async def use(runtime: Runtime) -> list[str]:
        post = await runtime.dispatch(Request("http://host/about", method="POST"))
        return [await text_of(runtime, "about"), await text_of(runtime, "other"), await post.text()]

    assert run(tmp_path, program, use, toml) == ["about", "worker", "about"]
    assert run(tmp_path, program, use, toml + "run_worker_first = true\n") == ["worker", "worker", "about"]
    for paths, expected in (('"/a*"', "worker"), ('"/b*"', "about"), ('"/*", "!/about"', "about")):
        first = f"run_worker_first = [{paths}]\n"
        assert run(tmp_path, program, use, toml + first) == [expected, "worker", "about"]


@pytest.mark.feature("M-CF-6")
def test_bindings_of_products_that_are_not_there(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> None:
        with pytest.raises(
            AttributeError, match=r"env\.DB: d1_databases \(configured in .* is not supported"
        ):
            _ = runtime.env.DB

    run(tmp_path, NATIVE, use, TOML + ROOM + '[[d1_databases]]\nbinding = "DB"\n')


def test_variables(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> list[Any]:
        return [runtime.env.TEXT, runtime.env.OBJ.a["b"], runtime.env.LIST[0].c]

    toml = TOML + '[vars]\nTEXT = "t"\nOBJ = { a = { b = 1 } }\nLIST = [{ c = 2 }]\n'
    assert run(tmp_path, "", use, toml) == ["t", 1, 2]


def test_a_value_that_is_too_large_for_key_value_classes(tmp_path: Path) -> None:
    program = """
        from durabase.workers import DurableObject

        class Room(DurableObject):
            async def put(self, size):
                await self.ctx.storage.put("key", "x" * size)
    """

    async def use(runtime: Runtime) -> None:
        stub = runtime.env.ROOM.get_by_name("a")
        await stub.put(100_000)
        with pytest.raises(ObjectError, match="cannot be larger than 131072 bytes"):
            await stub.put(200_000)

    run(tmp_path, program, use)

    async def use_sqlite(runtime: Runtime) -> None:
        await runtime.env.ROOM.get_by_name("a").put(200_000)

    run(tmp_path / "sqlite", program, use_sqlite, TOML + ROOM.replace("new_classes", "new_sqlite_classes"))


def test_a_class_that_can_not_be_used(tmp_path: Path) -> None:
    program = """
        from durabase.workers import DurableObject

        class Room(DurableObject):
            def webSocketMessage(self, ws, message): pass
            def web_socket_message(self, ws, message): pass
    """
    with pytest.raises(WorkerLoadError, match="defines both"):
        load_worker(program_config(tmp_path, program, TOML + ROOM))


def test_the_observer_is_told(tmp_path: Path) -> None:
    facts: list[ObjectFact] = []

    async def use(runtime: Runtime) -> None:
        await text_of(runtime, "a")
        assert runtime.stats().live == 1

    run(tmp_path, NATIVE, use, observer=facts.append)
    kinds = [type(fact) for fact in facts]
    assert ObjectConstructed in kinds
    assert EventHandled in kinds


def test_wait_until_in_an_object(tmp_path: Path) -> None:
    program = """
        import asyncio
        from durabase.workers import DurableObject, wait_until

        class Room(DurableObject):
            async def begin(self):
                self.begun, self.ended = asyncio.Event(), False
                wait_until(self.end())

            async def end(self):
                await self.begun.wait()
                self.ended = True

            async def go(self):
                self.begun.set()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                return self.ended
    """

    async def use(runtime: Runtime) -> bool:
        stub = runtime.env.ROOM.get_by_name("a")
        await stub.begin()
        async with asyncio.timeout(5):
            return bool(await stub.go())

    assert run(tmp_path, program, use)
