"""Administration of all processes by way of one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from durabase.cluster import admin
from durabase.cluster.admin import ClusterAdmin
from durabase.durable_objects import DurableObject
from durabase.operations.admin import AdminApp
from durabase.operations.objects import ObjectOperations
from durabase.operations.telemetry import Telemetry
from durabase.web import Request, Response
from unit.cluster.pair import Pair, run


class Room(DurableObject):
    async def write(self, text: str) -> None:
        await self.ctx.storage.put("text", text)


class Admins:
    """The applications of both processes, and what the first one answers for both."""

    def __init__(self, pair: Pair) -> None:
        self.apps = []
        self.telemetries = [Telemetry("test") for _ in pair.hosts]
        for host, router, telemetry in zip(pair.hosts, pair.routers, self.telemetries, strict=True):
            telemetry.attach(host)
            self.apps.append(AdminApp(ObjectOperations(host), telemetry))
            router.admin = self.apps[-1].fetch
        self._all = ClusterAdmin(self.apps[0], ObjectOperations(pair.hosts[0]), pair.routers[0])

    async def ask(self, path: str, method: str = "GET", **query: Any) -> Response:
        url = f"http://localhost{path}?{urlencode(query)}"
        return await self._all.fetch(Request(url, method=method))

    async def json(self, path: str, **query: Any) -> Any:
        return await (await self.ask(path, **query)).json()


async def filled(pair: Pair) -> Admins:
    for number in range(10):
        await pair.hosts[number % 2].namespace("Room").get_by_name(f"room {number}").write(str(number))
    return Admins(pair)


def test_lists_are_of_all_objects_in_order_and_in_pages() -> None:
    async def scenario(pair: Pair) -> None:
        admins = await filled(pair)
        assert await admins.json("/classes") == {
            "classes": [{"class": "Room", "storage": "kv", "objects": 10}]
        }
        every = (await admins.json("/objects"))["objects"]
        assert sorted(each["name"] for each in every) == [f"room {number}" for number in range(10)]
        assert [each["id"] for each in every] == sorted(each["id"] for each in every)
        paged, cursor = [], ""
        while cursor is not None:
            page = await admins.json("/objects", limit=3, cursor=cursor)
            paged += page["objects"]
            cursor = page["cursor"]
        assert paged == every
        found = await admins.json("/objects", search="room 7")
        assert [each["name"] for each in found["objects"]] == ["room 7"]

    run(scenario, Room)


def test_who_has_an_object_answers_for_it() -> None:
    async def scenario(pair: Pair) -> None:
        admins = await filled(pair)
        for number in range(10):
            query = {"class": "Room", "name": f"room {number}"}
            assert (await admins.json("/object/entries", **query))["entries"] == {"text": str(number)}
        assert (await admins.ask("/object", "DELETE", **{"class": "Room", "name": "room 3"})).status == 200
        assert len((await admins.json("/objects"))["objects"]) == 9
        missing = await admins.ask("/object", **{"class": "Room", "name": "nobody"})
        assert (missing.status, "nobody" in await missing.text()) == (404, True)
        assert (await admins.ask("/object")).status == 400
        assert (await admins.ask("/objects", limit="x")).status == 400
        assert (await admins.ask("/healthz")).status == 200

    run(scenario, Room)


def test_all_are_ready_or_none_is_and_all_are_drained() -> None:
    async def scenario(pair: Pair) -> None:
        admins = Admins(pair)
        assert (await admins.ask("/readyz")).status == 503
        admins.apps[0].is_ready = True
        assert (await admins.ask("/readyz")).status == 503
        admins.apps[1].is_ready = True
        assert (await admins.ask("/readyz")).status == 200
        await admins.ask("/drain", "POST")
        for app in admins.apps:
            assert (await app.fetch(Request("http://localhost/readyz"))).status == 503
        await admins.ask("/drain", "DELETE")
        assert (await admins.ask("/readyz")).status == 200

    run(scenario, Room)


def test_metrics_tell_the_processes_apart() -> None:
    async def scenario(pair: Pair) -> None:
        admins = await filled(pair)
        lines = (await (await admins.ask("/metrics")).text()).splitlines()
        failures = [line for line in lines if line.startswith("durabase_sync_failures_total{")]
        assert failures == [f'durabase_sync_failures_total{{process="{index}"}} 0' for index in (0, 1)]
        comments = [line for line in lines if line.startswith("# TYPE")]
        assert len(comments) == len(set(comments))

    run(scenario, Room)


def test_samples_get_a_label_more() -> None:
    assert admin._labelled("a 1", 0) == 'a{process="0"} 1'
    assert admin._labelled('a{b="c d"} 1.5', 1) == 'a{b="c d",process="1"} 1.5'


def test_records_of_all_processes_are_followed() -> None:
    async def scenario(pair: Pair) -> None:
        admins = Admins(pair)
        answer = await admins.ask("/tail")
        lines = answer.iter_body()
        assert [piece async for piece in _first(lines, 2)] == [b"\n", b"\n"]
        for telemetry in admins.telemetries:
            await pair.until(lambda telemetry=telemetry: telemetry.tail.is_followed)  # type: ignore[misc]
            telemetry.log(None, "log", "said", None)
        got = [json.loads(piece) async for piece in _first(lines, 2)]
        assert [record["message"] for record in got] == ["said", "said"]
        await lines.aclose()

    run(scenario, Room)


def test_what_objects_do_is_told_by_all_processes() -> None:
    async def scenario(pair: Pair) -> None:
        admins = await filled(pair)
        lines = (await admins.ask("/activity", limit=100)).iter_body()
        got = [json.loads(piece) async for piece in _first(lines, 4) if piece.strip()]
        assert len(got) == 2
        listed = [each["name"] for document in got for each in document["objects"]]
        assert sorted(listed) == [f"room {number}" for number in range(10)]
        await lines.aclose()

    run(scenario, Room)


async def _first(lines: AsyncIterator[bytes], count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield await anext(lines)
