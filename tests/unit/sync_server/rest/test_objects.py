"""Rooms in Durable Objects as resources."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

from durabase.durable_objects.events import ObjectConstructed
from durabase.sync_server import object_room
from durabase.sync_server.rest.events import HEARTBEAT_SECONDS
from durabase.testing import WorkerHarness
from durabase.web import Response
from unit.sync_server.test_object_room import PROGRAM, TOML
from unit.workers.programs import write_program

REST = PROGRAM.replace('ws_server_fetch("ROOM")', 'ws_server_fetch("ROOM", rest="/api")')
RELAYS = PROGRAM.replace('ws_server_fetch("ROOM")', 'ws_server_fetch("RELAY", rest="/api")')


def run(tmp_path: Path, test: Callable[[WorkerHarness], Awaitable[None]], program: str = REST) -> None:
    worker = WorkerHarness(write_program(tmp_path, program, TOML), leak_check=True)

    async def use() -> None:
        await test(worker)

    worker.run(use)


async def ask(worker: WorkerHarness, method: str, path: str, body: Any = None) -> Response:
    headers = {} if body is None else {"content-type": "application/json"}
    text = None if body is None else json.dumps(body)
    return await worker.fetch(path, method=method, headers=headers, body=text)


def test_what_was_answered_outlives_a_crash_and_keeps_its_tag(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        put = await ask(worker, "PUT", "/api/rooms/a%2Fb/values/v", {"x": 1})
        assert put.status == 201
        await worker.crash()
        got = await ask(worker, "GET", "/api/rooms/a%2Fb/values/v")
        assert (got.status, await got.json()) == (200, {"x": 1})
        assert got.headers["etag"] == put.headers["etag"]
        async with object_room(worker.env.ROOM, "a/b") as room:
            assert room.store.get_values() == {"v": {"x": 1}}
        assert (await ask(worker, "GET", "/api/rooms/b/values/v")).status == 404

    run(tmp_path, test)


def test_problems_are_told_through_the_object(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        response = await ask(worker, "PUT", "/api/rooms/a/tables/t/rows/r", {})
        assert (response.status, response.headers["content-type"]) == (422, "application/problem+json")
        assert (await ask(worker, "POST", "/api/rooms/a/values", 1)).headers["allow"].startswith("GET")

    run(tmp_path, test)


def test_a_room_without_a_store_is_404(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        response = await ask(worker, "GET", "/api/rooms/a/values")
        assert response.status == 404
        assert "keeps no store" in (await response.json())["detail"]

    run(tmp_path, test, RELAYS)


AUTHORITATIVE = REST.replace(
    """        async def stored(self):""",
    """        authoritative = True

        def validate(self, proposal):
            proposal.refuse_all("never")

        async def stored(self):""",
)


def test_an_authoritative_room_asks_its_program(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        response = await ask(worker, "PUT", "/api/rooms/a/values/v", 1)
        assert response.status == 422
        assert (await response.json())["invalid"] == [{"path": ["values", "v"], "detail": "never"}]
        assert await (await ask(worker, "GET", "/api/rooms/a/values")).json() == {}

    run(tmp_path, test, AUTHORITATIVE)


def test_the_document_wakes_no_object_and_elsewhere_nothing_has_changed(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        assert (await ask(worker, "GET", "/api/openapi.json")).status == 200
        assert (await ask(worker, "GET", "/a")).status == 426
        stub = worker.env.ROOM.get_by_name("a")
        assert (await stub.fetch("http://h/api/rooms/a/values")).status == 426

    run(tmp_path, test)


def test_events_keep_the_object_awake_while_they_are_read(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        def lives() -> int:
            return sum(isinstance(fact, ObjectConstructed) for fact in worker.facts)

        response = await ask(worker, "GET", "/api/rooms/a/events")
        async with aclosing(response.iter_body()) as body:
            assert b"event: snapshot" in await anext(body)
            await worker.advance(60)  # longer than objects stay awake
            waiting = asyncio.ensure_future(anext(body))
            await ask(worker, "PUT", "/api/rooms/a/values/v", 1)
            assert b'"values":{"v":1}' in await waiting
        assert lives() == 1
        await worker.advance(60)
        await ask(worker, "GET", "/api/rooms/a/values")
        assert lives() == 2

    run(tmp_path, test)


def test_a_client_that_leaves_is_forgotten_at_the_next_heartbeat(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        async def listeners() -> int:
            async with object_room(worker.env.ROOM, "a") as room:
                return room.store._listeners.count

        before = await listeners()
        response = await ask(worker, "GET", "/api/rooms/a/events")
        body = response.iter_body()
        await anext(body)
        waiting = asyncio.ensure_future(anext(body))
        await worker.settle()
        waiting.cancel()
        await asyncio.wait([waiting])
        del body, response, waiting
        assert await listeners() == before + 1
        await worker.advance(HEARTBEAT_SECONDS)
        worker.facts.clear()  # they hold on to calls, and so to the stream
        await worker.settle()
        assert await listeners() == before

    run(tmp_path, test)


def test_a_stream_goes_on_where_it_was_after_a_crash(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        await ask(worker, "PUT", "/api/rooms/a/values/v", 1)
        response = await ask(worker, "GET", "/api/rooms/a/events")
        async with aclosing(response.iter_body()) as body:
            first = await anext(body)
        seen = first.decode().partition("\n")[0].removeprefix("id: ")
        await worker.crash()
        response = await worker.fetch("/api/rooms/a/events", headers={"last-event-id": seen})
        async with aclosing(response.iter_body()) as body:
            assert await anext(body) == b":\n\n"

    run(tmp_path, test)


HOOK = "lambda request, path_id: ACCESS.get(request.headers.get('x-name'))"
USERS = """from durabase.sync_server import Access
    ACCESS = {"ann": Access("write"), "rita": Access("read")}

    class Default"""
ASKS = REST.replace('"ROOM", rest', f'"ROOM", {HOOK}, rest').replace("class Default", USERS)


def test_requests_are_asked_for_before_the_object_is_reached(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        for name, method, status in (
            ("", "GET", 401),
            ("rita", "PUT", 403),
            ("ann", "PUT", 201),
            ("rita", "GET", 200),
        ):
            headers = {"content-type": "application/json", "x-name": name}
            body = "1" if method == "PUT" else None
            response = await worker.fetch("/api/rooms/r/values/v", method=method, headers=headers, body=body)
            assert response.status == status, (name, method, await response.text())

    run(tmp_path, test, ASKS)
