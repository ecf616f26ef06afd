"""Resources of rooms that several processes share: whichever process a request comes to, it is answered."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from e2e._server import Server
from hostile._project import ROOM, write_project

PROGRAM = ROOM.replace('Objects")', 'Objects", rest="/api")')
NAMES = [f"room{number}" for number in range(8)]
PATIENCE = 30
FOLLOW = """() => {
    window.told = [];
    window.opened = 0;
    const events = new EventSource('/api/rooms/a/events');
    events.addEventListener('open', () => { opened += 1; });
    for (const kind of ['snapshot', 'changes'])
        events.addEventListener(kind, ({data}) => { told.push([kind, JSON.parse(data)]); });
}"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    project = write_project(tmp_path, PROGRAM)
    server = Server(tmp_path, "serve", str(project), "--processes", "2").start()
    yield server
    server.kill()


def ask(server: Server, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    text = None if body is None else json.dumps(body)
    connection.request(method, f"/api/rooms/{path}", text, {"content-type": "application/json"})
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_every_process_answers_for_every_room(server: Server) -> None:
    for name in NAMES:
        for turn in range(3):
            row = f"{name}/tables/t/rows/{turn}"
            assert ask(server, "PUT", row, {"turn": turn}) == (201, b"")
            assert ask(server, "GET", f"{row}/cells/turn") == (200, str(turn).encode())
        assert ask(server, "PUT", f"{name}/values", [])[0] == 422
        rows = {str(turn): {"turn": turn} for turn in range(3)}
        assert json.loads(ask(server, "GET", f"{name}/tables/t")[1]) == rows


def test_events_of_every_room_come_through_every_process(server: Server) -> None:
    for name in NAMES:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.request("GET", f"/api/rooms/{name}/events")
        events = connection.getresponse()
        assert events.readline().startswith(b"id: ")
        assert events.readline() == b"event: snapshot\n"
        ask(server, "PUT", f"{name}/values/v", 1)
        lines = [events.readline() for _ in range(5)]
        assert lines[-1] == b'data: {"tables":{},"values":{"v":1},"deleted":[]}\n'
        connection.close()


def test_a_page_follows_a_room_over_a_restart(browser: Browser, tmp_path: Path) -> None:
    server = Server(tmp_path, "serve", str(write_project(tmp_path, PROGRAM))).start()
    context = browser.new_context()
    context.set_default_timeout(PATIENCE * 1000)
    try:
        page = context.new_page()
        page.goto(f"{server.url}/api/openapi.json")  # a page of the same origin
        page.evaluate(FOLLOW)
        page.wait_for_function("told.length == 1")
        ask(server, "PUT", "a/values/v", 1)
        page.wait_for_function("told.length == 2")
        server.kill()
        server.start()
        page.wait_for_function("opened == 2")  # it has come back by itself, and has missed nothing
        ask(server, "PUT", "a/values/v", 2)
        page.wait_for_function("told.length == 3")
        told = page.evaluate("told")
        assert told[0] == ["snapshot", [{}, {}]]
        assert [(kind, data["values"]) for kind, data in told[1:]] == [
            ("changes", {"v": 1}),
            ("changes", {"v": 2}),
        ]
    finally:
        context.close()
        server.kill()
