"""Cloudflare's examples as their users run them: ``durabase dev`` in the folder, requests from outside."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from e2e._server import Server

EXAMPLES = Path(__file__).parents[1] / "unit" / "workers" / "examples"

pytestmark = pytest.mark.feature("M-PY-1")

Serve = Callable[[str], Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    servers: list[Server] = []

    def start(name: str) -> Server:
        ignore, folder = shutil.ignore_patterns("__pycache__"), tmp_path / f"{name} runs"
        folder.mkdir()
        project = shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=ignore)
        servers.append(Server(folder, "dev", "--config", str(project / "wrangler.jsonc")))
        return servers[-1].start()

    yield start
    for server in servers:
        server.kill()


def got(server: Server, path: str = "/") -> tuple[str, str | None]:
    with urllib.request.urlopen(server.url + path, timeout=30) as response:  # noqa: S310
        return response.read().decode("utf-8", "replace"), response.headers["content-type"]


def test_hello_and_a_binding(serve: Serve) -> None:
    assert got(serve("hello")) == ("Good morning!", "text/plain;charset=UTF-8")
    server = serve("binding")
    assert got(server)[0] == "plum"
    assert server.stop() == 0
    assert got(server.start())[0] == "plum"


def test_fastapi(serve: Serve) -> None:
    server = serve("fastapi")
    assert got(server) == ('{"message":"The page of Good morning, all!"}', "application/json")
    assert got(server, "/env")[0] == '{"message":"What the configuration says."}'
    assert got(server, "/hi/Ada")[0] == '{"message":"Good morning, Ada!"}'


def test_django(serve: Serve) -> None:
    text, content_type = got(serve("django"), "/?page=2")
    assert (json.loads(text)["asked"], content_type) == ("/?page=2", "application/json")


def test_assets(serve: Serve) -> None:
    server = serve("assets")
    assert got(server, "/look.css")[1] == "text/css; charset=utf-8"
    assert got(server, "/favicon.ico")[1] == "image/vnd.microsoft.icon"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        got(server, "/nothing")


def test_durable_objects(serve: Serve) -> None:
    server = serve("durable_objects")
    assert got(server, "/food/list")[0] == "No messages"
    got(server, "/food/add/bread")
    server.kill()
    server.start()
    got(server, "/food/add/salt")
    assert got(server, "/food/list")[0] == "bread\nsalt"
    assert got(server, "/tools/list")[0] == "No messages"


def test_cron(serve: Serve) -> None:
    server = serve("cron")
    assert got(server)[0] == "Wait for the minute to end"
    got(server, "/cdn-cgi/handler/scheduled?cron=*/1+*+*+*+*")
    server.wait_for_log("It is time: */1 * * * *")


def test_a_chat_room(serve: Serve) -> None:
    server = serve("chatroom")
    assert "<title>A room to talk in</title>" in got(server)[0]
    with connect(f"{server.ws_url}/tea") as ada, connect(f"{server.ws_url}/tea") as ben:
        assert [json.loads(ada.recv(30))["type"] for _ in range(3)] == ["history", "here", "here"]
        ben.send('{"text": "hello"}')
        assert json.loads(ada.recv(30))["text"] == "hello"
        ben.close(1000, "bye")
        assert json.loads(ada.recv(30)) == {"type": "here", "count": 1}
