"""Resources of rooms over ASGI, below the place of mounting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from durabase import MergeableStore
from durabase.asgi import AsgiApp, asgi_app
from durabase.persisters import FilePersister
from durabase.sync_server import WsServer
from unit.asgi.driver import Call, Message, answer, run, scope
from unit.sync_server.test_object_room import PROGRAM, TOML
from unit.workers.programs import write_program

DISCONNECT = {"type": "http.disconnect"}
OBJECTS = PROGRAM.replace('ws_server_fetch("ROOM")', 'ws_server_fetch("ROOM", rest="/api")')


def worker(folder: Path) -> AsgiApp:
    return asgi_app(write_program(folder, OBJECTS, TOML), state_dir=folder / "state")


def files(folder: Path) -> AsgiApp:
    persister = lambda path_id: FilePersister(MergeableStore(), folder / f"{path_id}.json")  # noqa: E731
    return asgi_app(WsServer(persister, rest="/api"))


def at(method: str, path: str) -> Message:
    headers = [(b"host", b"example.com"), (b"content-type", b"application/json")]
    return scope(path=f"/sync/api/rooms{path}", root_path="/sync", method=method, headers=headers)


async def ask(app: AsgiApp, method: str, path: str, *pieces: bytes) -> tuple[int, Any]:
    more = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    start, *body = await answer(app, at(method, path), *more, {"type": "http.request"})
    text = b"".join(message["body"] for message in body)
    return start["status"], json.loads(text) if text else None


@pytest.mark.parametrize(("make", "binding"), [(worker, "ROOM"), (files, None)])
def test_it_is_read_and_edited_below_the_place_of_mounting(
    make: Any, binding: str | None, tmp_path: Path
) -> None:
    async def main() -> None:
        async with make(tmp_path) as app:
            assert await ask(app, "PUT", "/a%252Fb/values/v", b'{"x"', b":1}") == (201, None)
            assert await ask(app, "GET", "/a%252Fb/values") == (200, {"v": {"x": 1}})
            assert (await ask(app, "PUT", "/a%252Fb/values/v", b"{"))[0] == 400
            async with app.room("a%2Fb", binding) as room:
                assert room.store.get_values() == {"v": {"x": 1}}

    run(main())


@pytest.mark.parametrize("make", [worker, files])
def test_events_are_streamed(make: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with make(tmp_path) as app:
            async with Call(app, at("GET", "/a/events"), {"type": "http.request"}) as call:
                headers = dict((await call.next())["headers"])
                assert headers[b"content-type"] == b"text/event-stream"
                assert b"event: snapshot" in (await call.next())["body"]
                await ask(app, "PUT", "/a/values/v", b"1")
                assert b'"values":{"v":1}' in (await call.next())["body"]
                call.give(DISCONNECT)
                await call.over()
            assert await ask(app, "GET", "/a/values") == (200, {"v": 1})

    run(main())
