"""Resources of rooms that several processes share: whichever process a request comes to, it is answered."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e._server import Server
from hostile._project import ROOM, write_project

PROGRAM = ROOM.replace('Objects")', 'Objects", rest="/api")')
NAMES = [f"room{number}" for number in range(8)]
PATIENCE = 30


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
