"""Watching a room."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from unit.inspector._rooms import Asking, run

HLC = "NrbEJxl---0dmwzH"
DIFF = f'\n["abcdefghijk",3,[[{{"pets":[{{"fido":[{{"age":[5,"{HLC}"]}}]}}]}}],[{{"name":["￼","{HLC}"]}}],1]]'


@asynccontextmanager
async def following(asking: Asking, **query: Any) -> AsyncIterator[AsyncIterator[Any]]:
    async with aclosing((await asking.response("GET", "watch", **query)).iter_body()) as lines:  # type: ignore[type-var]
        assert await anext(lines) == b"\n"
        records = (json.loads(line) async for line in lines)
        assert await anext(records) == {"type": "watching"}
        yield records


def test_changes_and_messages(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        socket = await asking.connect()
        async with following(asking, messages="yes") as records:
            socket.send(DIFF)
            message = await anext(records)
            assert (message["type"], message["kind"]) == ("message", "content_diff")
            assert (message["from"], message["to"]) == ("c1", "")
            cell, value = message["things"]
            assert (cell["table"], cell["row"], cell["cell"], cell["value"]) == ("pets", "fido", "age", 5)
            assert (value["value_id"], value["deleted"]) == ("name", True)
            assert await anext(records) == {"type": "changed"}
            await asking.edit("set_value", "count", 1)
            said = [await anext(records), await anext(records)]
            assert sorted((each["type"], each.get("from")) for each in said) == [
                ("changed", None),
                ("message", "S"),
            ]
        socket.close()

    run(tmp_path, test)


def test_messages_are_told_to_who_asks_only_and_it_ends(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        socket = await asking.connect()
        async with following(asking) as records:
            socket.send(DIFF)
            assert await anext(records) == {"type": "changed"}

            def watchers(instance: Any, ctx: Any) -> tuple[int, int]:
                return len(instance._passing.watchers), instance._passing.seat.store._listeners.count

            id = asking.worker.env.ROOM.id_from_name("pets")
            assert await asking.objects.run("Room", id, watchers) == (0, 3)
            await asking.objects.evict("Room", id)
            assert [record async for record in records] == []  # the object's life has ended
            assert await asking.objects.run("Room", id, watchers) == (0, 2)
        socket.close()

    run(tmp_path, test)


def test_who_is_watched_stays_awake(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        socket = await asking.connect()
        async with following(asking, messages="yes"):
            await asking.worker.advance(60)
            assert (await asking.ask("GET", "store"))["kind"] == "store"
            (listed,) = asking.objects.list()["objects"]
            assert listed["state"] == "awake"
        socket.close()

    run(tmp_path, test)


def test_all_are_let_go(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        async with following(asking) as records:
            asking.stores.close()
            assert [record async for record in records] == []

    run(tmp_path, test)
