"""Programs that use what Cloudflare's nine published examples use, in the same ways, unmodified.

Each folder here is a project: its configuration has the keys of the example, its program the names.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from durabase.errors import ObjectResetError
from durabase.testing import WorkerHarness

HERE = Path(__file__).parent
USED = {
    "hello": "Response WorkerEntrypoint Default fetch",
    "binding": "kv_namespaces self.env.FOO.put self.env.FOO.get",
    "fastapi": "python_dedicated_snapshot fastapi jinja2 asgi.fetch request.js_object self.env "
    'req.scope["env"] env.MESSAGE',
    "assets": "assets directory ASSETS self.env.ASSETS.fetch",
    "durable_objects": "new_sqlite_classes urlparse to_js idFromName LISTS.get stub.add_message "
    "stub.get_messages ctx.storage.get ctx.storage.put status=",
    "cron": "triggers crons scheduled(self,controller,env,ctx) fetch(self)",
    "stream_consumer": "super().__init__(state,env) storage.setAlarm( storage.kv.put storage.kv.get "
    'ctx.abort( alarm(self) js.WebSocket.new addEventListener("open" addEventListener("message" '
    'addEventListener("error" addEventListener("close" create_proxy(self. event.data '
    "event.code event.reason namespace.idFromName namespace.get stub.fetch(request)",
    "chatroom": "datetimeimportUTC pathlib urlparse WebSocketPair.new().object_values() headers.get( "
    "state.acceptWebSocket(server) server.send( Response(None,status=101,web_socket=client) webSocketMessage "
    "webSocketClose webSocketError ws.close(code,reason) len(self.state.getWebSockets()) ws.send( "
    "self.env=env Path(__file__).parent headers={ stub.fetch(request)",
    "django": "os.environ.setdefault hello_django.wsgi wsgi.fetch(application,request,self.env)",
}
"""What each example uses that the others do not, as it stands in the project, without spaces."""

pytestmark = pytest.mark.feature("M-PY-1")


def example(name: str, folder: Path, use: Callable[[WorkerHarness], Awaitable[None]], **vars: str) -> None:
    project = shutil.copytree(HERE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    worker = WorkerHarness(project, vars=vars)
    worker.run(lambda: asyncio.wait_for(use(worker), 30))


async def text(worker: WorkerHarness, path: str = "/") -> str:
    return await (await worker.fetch(path)).text()


@pytest.mark.parametrize("name", USED)
def test_the_project_uses_every_name_of_the_example(name: str) -> None:
    files = [path for pattern in ("*.py", "*.jsonc") for path in (HERE / name).rglob(pattern)]
    source = "".join("".join(path.read_text("utf-8").split()) for path in files)
    assert [used for used in USED[name].split() if used not in source] == []
    for key in ("compatibility_date", '"python_workers"', "observability"):
        assert key in source


def test_hello(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> None:
        response = await worker.fetch("/")
        assert await response.text() == "Good morning!"
        assert response.headers["content-type"] == "text/plain;charset=UTF-8"

    example("hello", tmp_path, use)


@pytest.mark.feature("S-CF-6")
def test_binding(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> None:
        assert await text(worker) == "plum"
        await worker.crash()
        assert await worker.env.FOO.get("fruit") == "plum"

    example("binding", tmp_path, use)


@pytest.mark.feature("M-PY-6")
def test_fastapi(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> None:
        response = await worker.fetch("/")
        assert response.headers["content-type"] == "application/json"
        assert await response.text() == '{"message":"The page of Good morning, all!"}'
        assert await text(worker, "/env") == '{"message":"What the configuration says."}'
        assert await text(worker, "/hi/Ada") == '{"message":"Good morning, Ada!"}'

    example("fastapi", tmp_path, use)


@pytest.mark.feature("S-CF-4")
def test_assets(tmp_path: Path) -> None:
    types = {
        "/": "text/html; charset=utf-8",
        "/look.css": "text/css; charset=utf-8",
        "/code.js": "text/javascript; charset=utf-8",
        "/dot.svg": "image/svg+xml",
        "/photo.jpg": "image/jpeg",
        "/favicon.ico": "image/vnd.microsoft.icon",
    }

    async def use(worker: WorkerHarness) -> None:
        for path, content_type in types.items():
            response = await worker.fetch(path)
            assert (response.status, response.headers["content-type"]) == (200, content_type)
        assert (await worker.fetch("/nothing")).status == 404

    example("assets", tmp_path, use)


def test_durable_objects(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> None:
        assert await text(worker, "/food/list") == "No messages"
        await worker.fetch("/food/add/bread")
        await worker.fetch("/food/add/salt")
        await worker.evict_all()
        assert await text(worker, "/food/list") == "bread\nsalt"
        assert await text(worker, "/tools/list") == "No messages"
        assert (await worker.fetch("/food")).status == 404

    example("durable_objects", tmp_path, use)


@pytest.mark.feature("S-CF-5", "M-PY-3")
def test_cron(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def use(worker: WorkerHarness) -> None:
        assert await text(worker) == "Wait for the minute to end"
        await worker.advance(120)

    example("cron", tmp_path, use)
    assert capsys.readouterr().out.count("It is time: */1 * * * *\n") == 2


@pytest.mark.feature("M-PY-4", "S-WS-2")
def test_stream_consumer(tmp_path: Path) -> None:
    over = asyncio.Event()

    async def feed(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"text": "first", "time_us": 1}))
        await connection.send(json.dumps({"text": "second", "time_us": 2}))
        await over.wait()
        await connection.close(4000, "enough")

    async def status(worker: WorkerHarness, ready: Callable[[dict[str, object]], bool]) -> dict[str, object]:
        while True:
            found: dict[str, object] = json.loads(await text(worker, "/status"))
            if ready(found):
                return found
            await asyncio.sleep(0.01)

    async def use(worker: WorkerHarness) -> None:
        async with serve(feed, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with worker.env.patched(worker.env, {"FEED": f"ws://127.0.0.1:{port}/"}):
                assert await text(worker) == "listening"
                heard = await status(worker, lambda found: found["last"] == 2)
                assert heard == {"posts": ["first", "second"], "log": ["open"], "last": 2}
                namespace = worker.env.BLUESKY_FIREHOSE
                assert await worker.run_durable_object_alarm(namespace.get(namespace.idFromName("feed")))
                assert "alarm" in (await status(worker, lambda found: True))["log"]  # type: ignore[operator]
                over.set()
                try:
                    after = await status(worker, lambda found: not found["posts"])
                except ObjectResetError:  # the request came while the listener aborted
                    after = await status(worker, lambda found: True)
                assert after == {"posts": [], "log": [], "last": 2}

    example("stream_consumer", tmp_path, use)


def test_chatroom(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> None:
        page = await worker.fetch("/")
        assert page.headers["content-type"] == "text/html"
        assert "<title>A room to talk in</title>" in await page.text()
        assert (await worker.fetch("/tea")).status == 426
        ada = await worker.connect("/tea")
        assert json.loads(await ada.receive()) == {"type": "history", "messages": []}
        assert json.loads(await ada.receive()) == {"type": "here", "count": 1}
        ada.send('{"text": "hello"}')
        said = json.loads(await ada.receive())
        assert said["text"] == "hello"
        ben = await worker.connect("/tea")
        assert json.loads(await ben.receive()) == {"type": "history", "messages": [said]}
        assert (
            json.loads(await ben.receive()) == json.loads(await ada.receive()) == {"type": "here", "count": 2}
        )
        ben.close(1000, "bye")
        assert await ben.closed() == (1000, "bye", True)
        assert json.loads(await ada.receive()) == {"type": "here", "count": 1}
        await worker.advance(11)
        late = await worker.connect("/tea")
        assert json.loads(await late.receive()) == {"type": "history", "messages": []}

    example("chatroom", tmp_path, use)


@pytest.mark.feature("M-PY-6")
def test_django(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> None:
        response = await worker.fetch("/?page=2")
        assert response.headers["content-type"] == "application/json"
        assert await response.text() == '{"message": "Good morning from Django", "asked": "/?page=2"}'

    example("django", tmp_path, use)
