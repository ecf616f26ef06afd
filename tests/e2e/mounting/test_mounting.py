"""The recipes of the guide, served by real ASGI servers to real TinyBase clients."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from interop.clients._node import NodeHost

from ._outer import FRAMEWORKS, SERVERS, AsgiServer, write_outer

STOP_SECONDS = 15.0  # far more than it takes, far less than a server that hangs
ROOM = "/sync/a%2Fb"


def closed_with(socket: ClientConnection) -> int | None:
    """Wait until the other side closes; gives its code."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=STOP_SECONDS)
    return socket.close_code


def get(url: str, method: str = "GET") -> object:
    request = urllib.request.Request(url, method=method)  # noqa: S310 - of this test's own server
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
        return json.load(response)


def post(url: str) -> object:
    return get(url, "POST")


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "not within a minute"
        time.sleep(0.02)


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_clients_meet_in_a_mounted_room_that_is_kept(
    framework: str, server: str, node: NodeHost, tmp_path: Path
) -> None:
    write_outer(tmp_path, framework)
    outer = AsgiServer(server, tmp_path).start()
    try:
        assert get(f"{outer.url}/health") == {"ok": True}
        name = f"{framework}-{server}"
        first, second = (node.client(f"{name}-{each}").connect(outer.ws_url + ROOM) for each in "ab")
        first.call("setCell", "pets", "fido", "species", "dog")
        second.call("setValue", "open", True)
        content = node.converge([first, second])
        other = node.client(f"{name}-other").connect(f"{outer.ws_url}/sync/a/b")
        with connect(outer.ws_url + ROOM) as socket:
            started = time.monotonic()
            outer.stop()
            assert time.monotonic() - started < STOP_SECONDS
            assert closed_with(socket) in {1012, 1001, 1006}
        assert "Traceback" not in outer.log or server == "hypercorn", outer.log  # it cancels, and says so
        outer.start()
        third = node.client(f"{name}-c").connect(outer.ws_url + ROOM)
        until(lambda: third.content() == content)
        assert other.content() == [{}, {}]
        outer.stop()
    finally:
        outer.kill()


@pytest.mark.parametrize("server", SERVERS)
def test_handlers_edit_a_room_and_clients_see_it(server: str, node: NodeHost, tmp_path: Path) -> None:
    write_outer(tmp_path, "FastAPI")
    outer = AsgiServer(server, tmp_path).start()
    try:
        assert post(f"{outer.url}/pets/fido/sold") == {"saved": True}  # with nobody there
        client = node.client(f"edits-{server}").connect(f"{outer.ws_url}/sync/my-room")
        until(lambda: client.call("getCell", "pets", "fido", "sold") is True)
        assert post(f"{outer.url}/pets/fido/price/5") == {"saved": True}
        until(lambda: client.call("getCell", "pets", "fido", "price") == 5)
        outer.kill()  # what was saved is there without a stop in good order
        outer.start()
        other = node.client(f"edits-{server}-later").connect(f"{outer.ws_url}/sync/my-room")
        row = {"sold": True, "price": 5}
        until(lambda: other.call("getRow", "pets", "fido") == row)
        outer.stop()
    finally:
        outer.kill()


@pytest.mark.parametrize("server", SERVERS)
def test_without_a_lifespan_it_starts_with_the_first_client(
    server: str, node: NodeHost, tmp_path: Path
) -> None:
    write_outer(tmp_path, "FastAPI")
    main = tmp_path / "main.py"
    main.write_text(main.read_text().replace("lifespan=sync.lifespan", ""))
    outer = AsgiServer(server, tmp_path).start()
    try:
        first = node.client(f"lazy-{server}").connect(outer.ws_url + ROOM)
        first.call("setCell", "pets", "fido", "species", "dog")
        second = node.client(f"lazy-{server}-too").connect(outer.ws_url + ROOM)
        node.converge([first, second])
        started = time.monotonic()
        outer.stop()
        assert time.monotonic() - started < STOP_SECONDS
    finally:
        outer.kill()


@pytest.mark.parametrize("server", SERVERS)
def test_a_refusal_has_the_programs_status(server: str, tmp_path: Path) -> None:
    write_outer(tmp_path, "FastAPI")
    (tmp_path / "index.py").write_text(
        "from durabase.workers import DurableObject, Response, WorkerEntrypoint\n"
        "class TinyBaseDurableObject(DurableObject): ...\n"
        "class Default(WorkerEntrypoint):\n"
        "    async def fetch(self, request): return Response('members only', 401)\n"
    )
    outer = AsgiServer(server, tmp_path).start()
    try:
        with pytest.raises(InvalidStatus) as refused, connect(outer.ws_url + ROOM):
            pass
        response = refused.value.response
        assert (response.status_code, response.body) == (401, b"members only")
        outer.stop()
    finally:
        outer.kill()


@pytest.mark.parametrize(
    ("server", "options", "ready", "codes"),
    [
        ("uvicorn", ["--reload-include", "main.py"], "Application startup complete", {1012}),
        ("hypercorn", [], "Running on", {1001}),
        ("granian", ["--reload-paths", "main.py"], "Started worker-1", {1001, 1006}),
    ],
)
def test_a_reload_does_not_wait_for_open_sockets(
    server: str, options: list[str], ready: str, codes: set[int], tmp_path: Path
) -> None:
    write_outer(tmp_path, "FastAPI")
    outer = AsgiServer(server, tmp_path, "--reload", *options).start()
    try:
        outer.wait_for_log(ready)
        with connect(outer.ws_url + ROOM) as socket:
            main = tmp_path / "main.py"
            main.write_text(main.read_text() + "\n# edited\n")
            assert closed_with(socket) in codes
        outer.wait_for_log(ready, count=2, seconds=STOP_SECONDS)
        with connect(outer.ws_url + ROOM):
            outer.stop()
    finally:
        outer.kill()


def test_a_second_worker_process_is_refused_with_the_reason(tmp_path: Path) -> None:
    write_outer(tmp_path, "FastAPI")
    outer = AsgiServer("uvicorn", tmp_path, "--workers", "2").start()
    try:
        outer.wait_for_log("in use by another process")
        outer.wait_for_log("--workers 1")
    finally:
        outer.kill()
