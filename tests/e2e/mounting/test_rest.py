"""Rooms as resources, mounted: requests of all kinds through real ASGI servers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ._outer import SERVERS, AsgiServer

ORIGIN = "https://app.example"
MAIN = f"""
from urllib.parse import quote

from fastapi import FastAPI

from durabase import MergeableStore
from durabase.asgi import asgi_app
from durabase.persisters import FilePersister
from durabase.sync_server import WsServer


def persister(path_id):
    return FilePersister(MergeableStore(), quote(path_id, safe="") + ".json")


sync = asgi_app(WsServer(persister, rest="/api"), origins=["{ORIGIN}"])
app = FastAPI(lifespan=sync.lifespan)
app.mount("/sync", sync)
"""


@pytest.fixture(scope="module", params=SERVERS)
def outer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsgiServer]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    (folder / "main.py").write_text(MAIN)
    server = AsgiServer(request.param, folder).start()
    yield server
    server.stop()
    server.kill()


@contextmanager
def asked(
    outer: AsgiServer, method: str, path: str, body: Any = None, **headers: str
) -> Iterator[http.client.HTTPResponse]:
    """Send a request; the response, whose body is still to be read."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        fields["content-type"] = "application/json"
    with closing(http.client.HTTPConnection("127.0.0.1", outer.port, timeout=20)) as connection:
        text = None if body is None else json.dumps(body)
        connection.request(method, f"/sync/api/rooms/{path}", text, fields)
        with connection.getresponse() as response:
            yield response


def ask(
    outer: AsgiServer, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, http.client.HTTPMessage]:
    with asked(outer, method, path, body, **headers) as response:
        text = response.read()
        return response.status, json.loads(text) if text else None, response.headers


def test_the_segment_of_a_room_arrives_as_it_was_sent(outer: AsgiServer) -> None:
    status, _, headers = ask(outer, "PUT", "a%2Fb/values/v", 1)
    assert status == 201
    assert ask(outer, "GET", "a%2Fb/values")[:2] == (200, {"v": 1})
    assert ask(outer, "GET", "a%252Fb/values")[:2] == (200, {})
    tag = headers["etag"]
    assert ask(outer, "GET", "a%2Fb/values/v", if_none_match=tag)[0] == 304
    assert ask(outer, "PUT", "a%2Fb/values/v", 2, if_match='"0"')[0] == 412
    assert ask(outer, "HEAD", "a%2Fb/values/v")[:2] == (200, None)
    assert ask(outer, "PUT", "a%2Fb/values", [])[0] == 422


def test_pages_of_other_origins_that_are_allowed(outer: AsgiServer) -> None:
    wants = {"access_control_request_method": "PUT", "access_control_request_headers": "if-match"}
    status, _, headers = ask(outer, "OPTIONS", "c/values", origin=ORIGIN, **wants)
    assert (status, headers["access-control-allow-origin"]) == (204, ORIGIN)
    status, _, headers = ask(outer, "GET", "c/values", origin=ORIGIN)
    assert (status, headers["access-control-allow-origin"]) == (200, ORIGIN)
    for method, extra in (("OPTIONS", wants), ("GET", {})):
        headers = ask(outer, method, "c/values", origin="https://evil.example", **extra)[2]
        assert headers["access-control-allow-origin"] is None


def test_events_come_while_they_happen(outer: AsgiServer) -> None:
    with asked(outer, "GET", "d/events") as events:
        assert events.readline().startswith(b"id: ")
        assert [events.readline() for _ in range(3)] == [b"event: snapshot\n", b"data: [{},{}]\n", b"\n"]
        assert ask(outer, "PUT", "d/values/v", 1)[0] == 201
        state = events.readline().removeprefix(b"id: ").strip().decode()
        assert events.readline() == b"event: changes\n"
        assert events.readline() == b'data: {"tables":{},"values":{"v":1},"deleted":[]}\n'
    with asked(outer, "GET", "d/events", last_event_id=state) as events:
        assert events.readline() == b":\n"  # it has everything
