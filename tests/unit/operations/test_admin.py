"""What the admin address answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from durabase.durable_objects import DurableObject, ObjectClass, ObjectHost
from durabase.operations.admin import AdminApp
from durabase.operations.objects import ObjectOperations
from durabase.operations.telemetry import Telemetry
from durabase.testing.fake_clock import FakeClock
from durabase.web import Request, Response


class Room(DurableObject):
    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        if ctx.storage.kv.get("broken"):
            raise ValueError("broken")

    def keep(self, **entries: Any) -> None:
        self.ctx.storage.put(entries)

    def alarm(self, info: Any) -> None:
        self.ctx.storage.put("rang", True)


class Admin:
    """The app, asked."""

    def __init__(self, app: AdminApp, host: ObjectHost) -> None:
        self.app = app
        self.host = host

    async def response(self, method: str, target: str, body: Any = None) -> Response:
        content = None if body is None else json.dumps(body)
        return await self.app.fetch(Request(f"http://localhost{target}", method=method, body=content))

    async def ask(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        response = await self.response(method, target, body)
        return response.status, await response.json()


def run(folder: Path, scenario: Callable[[Admin], Awaitable[None]], history_ms: int | None = None) -> None:
    async def main() -> None:
        clock = FakeClock()
        telemetry = Telemetry("app", clock)
        async with ObjectHost(folder, clock=clock, observer=telemetry.observe) as host:
            host.register(ObjectClass("Room", "app-Room", Room, "sqlite", history_ms=history_ms))
            telemetry.attach(host)
            async with asyncio.timeout(30):
                await scenario(Admin(AdminApp(ObjectOperations(host), telemetry), host))

    asyncio.run(main())


@pytest.mark.feature("S-OB-6", "S-OB-5")
def test_ready_turns_false_on_drain(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        assert (await admin.response("GET", "/healthz")).status == 200
        assert (await admin.response("GET", "/readyz")).status == 503
        admin.app.is_ready = True
        assert (await admin.response("GET", "/readyz")).status == 200
        assert await admin.ask("POST", "/drain") == (200, {"ready": False})
        assert (await admin.response("GET", "/readyz")).status == 503
        assert (await admin.response("GET", "/healthz")).status == 200
        assert await admin.ask("DELETE", "/drain") == (200, {"ready": True})
        assert (await admin.response("GET", "/readyz")).status == 200

    run(tmp_path, scenario)


@pytest.mark.feature("S-OB-5")
def test_clients_are_let_go_if_asked_for(tmp_path: Path) -> None:
    class Server:
        told: ClassVar[list[float | None]] = []

        def start_draining(self, seconds: float) -> None:
            self.told.append(seconds)

        def stop_draining(self) -> None:
            self.told.append(None)

    async def scenario(admin: Admin) -> None:
        assert await admin.ask("POST", "/drain?close=yes") == (409, {"error": "No server is running."})
        admin.app.server = Server()
        admin.app.is_ready = True
        status, _ = await admin.ask("POST", "/drain?close=yes&seconds=soon")
        assert status == 400
        assert (await admin.response("GET", "/readyz")).status == 200
        for query in ("", "?close=yes", "?close=yes&seconds=30"):
            assert await admin.ask("POST", f"/drain{query}") == (200, {"ready": False})
        await admin.ask("DELETE", "/drain")
        assert Server.told == [10, 30, None]

    run(tmp_path, scenario)


@pytest.mark.feature("S-OB-4", "S-OB-5")
def test_objects(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        await admin.host.namespace("Room").get_by_name("a/b").keep(k=[1])
        assert await admin.ask("GET", "/classes") == (
            200,
            {"classes": [{"class": "Room", "storage": "sqlite", "objects": 1}]},
        )
        status, shown = await admin.ask("GET", "/object?class=Room&name=a/b")
        assert status == 200
        assert (shown["state"], shown["keys"], shown["tables"], shown["storage"]) == (
            "awake",
            1,
            {},
            "sqlite",
        )
        assert await admin.ask("GET", "/object/entries?class=Room&name=a/b") == (
            200,
            {"entries": {"k": [1]}, "printed": [], "more": False},
        )
        sql = {"query": "SELECT ? + 1 AS n, x'00' AS b", "parameters": [1]}
        assert await admin.ask("POST", "/object/sql?class=Room&name=a/b", sql) == (
            200,
            {"columns": ["n", "b"], "rows": [[2, "b'\\x00'"]], "rows_written": 0},
        )
        _, status = await admin.ask("GET", "/object/status?class=Room&name=a/b")
        _, listed = await admin.ask("GET", "/objects")
        assert listed == {"objects": [status], "cursor": None}
        assert status["file_bytes"] > 0
        await admin.host.evict(_key(admin.host, "a/b"))
        _, status = await admin.ask("GET", "/object/status?class=Room&name=a/b")
        assert status["state"] == "asleep"  # asking does not start it
        assert await admin.ask("DELETE", "/object?class=Room&name=a/b") == (200, {})
        assert await admin.ask("GET", "/objects") == (200, {"objects": [], "cursor": None})

    run(tmp_path, scenario)


@pytest.mark.feature("S-OB-4")
def test_pages(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        for number in range(5):
            await admin.host.namespace("Room").get_by_name(str(number)).keep(k=1)
        names: list[str] = []
        cursor = ""
        while cursor is not None:
            _, page = await admin.ask("GET", f"/objects?limit=2&cursor={cursor.replace(' ', '%20')}")
            names += [each["name"] for each in page["objects"]]
            cursor = page["cursor"]
        assert sorted(names) == ["0", "1", "2", "3", "4"]

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "text"),
    [
        ("GET", "/nothing", None, 404, "There is nothing at GET /nothing."),
        ("GET", "/object?name=x", None, 400, "the parameter `class` is missing"),
        ("GET", "/object?class=Room", None, 400, "the name of an object is needed, or its id"),
        ("GET", "/object?class=Hall&name=x", None, 404, "There is no class Hall; there is: Room."),
        ("GET", "/object?class=Room&name=x", None, 404, "There is no object x of Room."),
        ("GET", "/tail?colour=red", None, 400, "unknown filter: colour"),
        ("POST", "/object/sql?class=Room&name=a", {}, 400, "the body has to be a JSON object with a `query`"),
        (
            "POST",
            "/object/sql?class=Room&name=a",
            {"query": "SELEC"},
            409,
            "This statement writes: allow it to.",
        ),
        ("GET", "/objects?limit=x", None, 400, "`limit` is a number, not x"),
        ("GET", "/object?class=Room&name=broken", None, 409, "ValueError: broken"),
    ],
)
def test_what_is_refused(tmp_path: Path, method: str, target: str, body: Any, status: int, text: str) -> None:
    async def scenario(admin: Admin) -> None:
        await admin.host.namespace("Room").get_by_name("a").keep(k=1)
        await admin.host.namespace("Room").get_by_name("broken").keep(broken=True)
        await admin.host.evict(_key(admin.host, "broken"))
        assert await admin.ask(method, target, body) == (status, {"error": text})

    run(tmp_path, scenario)


def _key(host: ObjectHost, name: str) -> Any:
    from durabase.durable_objects import ObjectKey

    return ObjectKey("Room", host.namespace("Room").id_from_name(name))


@pytest.mark.feature("S-OB-4")
def test_entries_are_listed_page_by_page_and_changed(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        await admin.host.namespace("Room").get_by_name("a").keep(k=[1], l=2, m=3)
        room = "class=Room&name=a"
        assert await admin.ask("GET", f"/object/entries?{room}&limit=1&after=k") == (
            200,
            {"entries": {"l": 2}, "printed": [], "more": True},
        )
        assert await admin.ask("PUT", f"/object/entry?{room}&key=k", {"a": "\ud800"}) == (200, {})
        assert await admin.ask("DELETE", f"/object/entry?{room}&key=l") == (200, {})
        assert await admin.ask("DELETE", f"/object/entry?{room}") == (
            400,
            {"error": "the parameter `key` is missing"},
        )
        await admin.host.evict(_key(admin.host, "a"))
        _, found = await admin.ask("GET", f"/object/entries?{room}")
        assert found["entries"] == {"k": {"a": "\ud800"}, "m": 3}
        await admin.host.namespace("Room").get_by_name("a").keep(n=b"x")
        _, found = await admin.ask("GET", f"/object/entries?{room}&prefix=n")
        assert (found["entries"], found["printed"]) == ({"n": "b'x'"}, ["n"])

    run(tmp_path, scenario)


@pytest.mark.feature("S-OB-4")
def test_rows_over_the_limit_are_left_out(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        await admin.host.namespace("Room").get_by_name("a").keep(k=1)
        sql = {"query": "VALUES (1), (2), (3)", "limit": 2}
        _, found = await admin.ask("POST", "/object/sql?class=Room&name=a", sql)
        assert (found["rows"], found["more"]) == ([[1], [2]], True)
        _, found = await admin.ask("POST", "/object/sql?class=Room&name=a", sql | {"limit": 3})
        assert (found["rows"], found["more"]) == ([[1], [2], [3]], False)

    run(tmp_path, scenario)


@pytest.mark.feature("S-OB-4")
def test_alarms_are_set_run_and_deleted(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        await admin.host.namespace("Room").get_by_name("a").keep(k=1)
        room = "class=Room&name=a"
        later = FakeClock().now_ms() + 60_000
        assert await admin.ask("POST", f"/object/alarm?{room}", {"time": later}) == (200, {})
        _, shown = await admin.ask("GET", f"/object?{room}")
        assert shown["alarm"] == later
        await admin.ask("POST", f"/object/alarm?{room}", {"time": None})
        _, shown = await admin.ask("GET", f"/object?{room}")
        assert shown["alarm"] is None
        assert await admin.ask("POST", f"/object/alarm?{room}", {"time": 1}) == (200, {})
        _, found = await admin.ask("GET", f"/object/entries?{room}")
        while "rang" not in found["entries"]:
            await asyncio.sleep(0)
            _, found = await admin.ask("GET", f"/object/entries?{room}")

    run(tmp_path, scenario)


@pytest.mark.feature("S-OB-4")
def test_going_back_in_time(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        room = "class=Room&name=a"
        await admin.host.namespace("Room").get_by_name("a").keep(k="before")
        _, history = await admin.ask("GET", f"/object/history?{room}")
        assert history["kept"]
        assert isinstance(history["since"], int)
        await admin.host.namespace("Room").get_by_name("a").keep(k="after")
        status, undo = await admin.ask("POST", f"/object/rewind?{room}", {"to": history["bookmark"]})
        assert status == 200
        _, found = await admin.ask("GET", f"/object/entries?{room}")
        assert found["entries"] == {"k": "before"}
        await admin.ask("POST", f"/object/rewind?{room}", {"to": undo["undo"]})
        _, found = await admin.ask("GET", f"/object/entries?{room}")
        assert found["entries"] == {"k": "after"}
        assert await admin.ask("POST", f"/object/rewind?{room}", {"to": 1}) == (
            409,
            {"error": "There is no bookmark for that time: the history begins later."},
        )

    run(tmp_path, scenario, history_ms=86_400_000)


def test_no_history(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        await admin.host.namespace("Room").get_by_name("a").keep(k=1)
        assert await admin.ask("GET", "/object/history?class=Room&name=a") == (
            200,
            {"kept": False, "since": None, "bookmark": None},
        )
        assert (await admin.ask("POST", "/object/rewind?class=Room&name=a", {"to": 1}))[0] == 409

    run(tmp_path, scenario)


@pytest.mark.feature("S-OB-2")
def test_following(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        response = await admin.response("GET", "/tail?kind=keep")
        lines = response.iter_body()
        assert await anext(lines) == b"\n"
        following = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0)
        await admin.host.namespace("Room").get_by_name("a").keep(k=1)
        record = json.loads(await following)
        assert (record["kind"], record["event"]) == ("keep", {"rpcMethod": "keep"})
        admin.app.close()
        with pytest.raises(StopAsyncIteration):
            await anext(lines)

    run(tmp_path, scenario)


def test_large_results_are_cut_while_they_are_read(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        await admin.host.namespace("Room").get_by_name("a").keep(k=1, l=2)
        room = "class=Room&name=a"
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
        _, found = await admin.ask("POST", f"/object/sql?{room}", {"query": endless, "limit": 3})
        assert (found["rows"], found["more"]) == ([[1], [2], [3]], True)
        assert (await admin.ask("GET", f"/object?{room}"))[1]["keys"] == 2

    run(tmp_path, scenario)
