"""The stream of events of a room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from durabase.sync_server.rest.events import HEARTBEAT_SECONDS, MAX_WAITING_BYTES
from durabase.web import Response
from unit.sync_server._fakes import FakePort, settle
from unit.sync_server.rest._asking import PETS, Asking, ask_all

HEARTBEAT = b":\n\n"


def events_in(piece: bytes) -> list[tuple[str, str, Any]]:
    """Id, type and data of the events in a piece."""
    found = []
    for event in piece.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in event.split("\n"))
        found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


def body_of(response: Response) -> Any:
    assert (response.status, response.headers["content-type"]) == (200, "text/event-stream")
    return aclosing(response.iter_body())


async def next_event(body: AsyncIterator[bytes]) -> tuple[str, str, Any]:
    (event,) = events_in(await anext(body))
    return event


def test_first_comes_everything_then_each_transaction() -> None:
    async def test(ask: Asking) -> None:
        await ask.has_pets()
        async with body_of(await ask("GET", "/events")) as body:
            assert (await next_event(body))[1:] == ("snapshot", [{"pets": PETS}, {}])
            await ask("PATCH", "/tables/pets/rows/fido", {"price": 6, "sold": None})
            first = await next_event(body)
            edits = [
                {"method": "DELETE", "path": ["tables", "pets", "rows", "felix"]},
                {"method": "DELETE", "path": ["tables", "pets", "rows", "fido", "cells", "sold"]},
                {"method": "PUT", "path": ["values", "open"], "body": {"since": 9}},
            ]
            await ask("POST", "/transactions", edits)
            second = await next_event(body)
            await ask("DELETE", "/tables/pets")
            third = await next_event(body)
        assert first[1:] == (
            "changes",
            {"tables": {"pets": {"fido": {"price": 6, "sold": None}}}, "values": {}, "deleted": []},
        )
        assert second[2] == {
            "tables": {},
            "values": {"open": {"since": 9}},
            "deleted": [edits[0]["path"], edits[1]["path"]],
        }
        assert third[2] == {"tables": {}, "values": {}, "deleted": [["tables", "pets"]]}
        assert len({first[0], second[0], third[0]}) == 3

    ask_all(test)


def test_what_clients_say_is_told_as_well_and_what_is_undone_is_not() -> None:
    async def test(ask: Asking) -> None:
        ask.server.connect(FakePort(), "/pets", "A").on_text(
            'S\n["abcdefghijk",3,[[{}],[{"v":[7,"NjEtLV----z-abcd"]}],1]]'
        )
        async with body_of(await ask("GET", "/events")) as body:
            assert (await next_event(body))[2] == [{}, {"v": 7}]
            await ask("POST", "/transactions", [{"method": "PUT", "path": ["values", "v"], "body": "\ufffc"}])
            await ask("PUT", "/values/v", 8)
            assert (await next_event(body))[2]["values"] == {"v": 8}

    ask_all(test)


def test_a_client_that_missed_nothing_gets_no_snapshot() -> None:
    async def test(ask: Asking) -> None:
        await ask.has_pets()
        async with body_of(await ask("GET", "/events")) as body:
            seen = (await next_event(body))[0]
        async with body_of(await ask("GET", "/events", last_event_id=seen)) as body:
            assert await anext(body) == HEARTBEAT
            await ask("PUT", "/values/v", 8)
            seen, kind, _ = await next_event(body)
            assert kind == "changes"
        await ask("PUT", "/values/v", 9)
        for stale in (seen, "x", ""):
            async with body_of(await ask("GET", "/events", last_event_id=stale)) as body:
                assert (await next_event(body))[1:] == ("snapshot", [{"pets": PETS}, {"v": 9}])

    ask_all(test)


def test_a_heartbeat_comes_when_nothing_else_does() -> None:
    async def test(ask: Asking) -> None:
        async with body_of(await ask("GET", "/events")) as body:
            await anext(body)
            waiting = asyncio.ensure_future(anext(body))
            await settle()
            ask.clock.advance(HEARTBEAT_SECONDS * 1000 - 1)
            await settle()
            assert not waiting.done()
            ask.clock.advance(1)
            assert await waiting == HEARTBEAT
            await ask("PUT", "/values/v", 1)
            assert (await next_event(body))[1] == "changes"

    ask_all(test)


def test_what_waits_comes_together_and_too_much_ends_the_stream() -> None:
    async def test(ask: Asking) -> None:
        async with body_of(await ask("GET", "/events")) as body:
            await anext(body)
            ask.store.set_value("a", 1).set_value("b", 2)
            assert [event[2]["values"] for event in events_in(await anext(body))] == [{"a": 1}, {"b": 2}]
            much = "x" * MAX_WAITING_BYTES
            ask.store.set_value("a", much)
            assert len(await anext(body)) > MAX_WAITING_BYTES
            ask.store.set_value("a", 1).set_value("b", much).set_value("c", 1)
            with pytest.raises(StopAsyncIteration):
                await anext(body)

    ask_all(test)


def test_the_path_is_open_while_somebody_reads_and_no_listener_stays() -> None:
    async def run() -> None:
        ask = Asking()
        async with ask.server:
            await ask("PUT", "/values/v", 1)
            response = await ask("GET", "/events")
            assert ask.server.get_path_ids() == []
            async with body_of(response) as body:
                await anext(body)
                assert ask.server.get_path_ids() == ["pets"]
                assert ask.store._listeners.count == 3
                waiting = asyncio.ensure_future(anext(body))
                await settle()
                waiting.cancel()
                await asyncio.wait([waiting])
                assert (ask.server.get_path_ids(), ask.store._listeners.count) == ([], 0)

    asyncio.run(run())


def test_a_stream_ends_with_the_server() -> None:
    async def test(ask: Asking) -> None:
        async with body_of(await ask("GET", "/events")) as body:
            await anext(body)
            waiting = asyncio.ensure_future(anext(body, None))
            await settle()
            await ask.server.destroy()
            ask.clock.advance(HEARTBEAT_SECONDS * 1000)
            assert await waiting is None

    ask_all(test)


def test_only_get_is_there_and_no_query() -> None:
    async def test(ask: Asking) -> None:
        assert (await ask("POST", "/events", 1)).headers["allow"] == "GET"
        assert (await ask("GET", "/events?x=1")).status == 400
        assert (await ask.at("GET", "/api/rooms/relayed/events")).status == 404

    ask_all(test)
