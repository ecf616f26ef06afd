"""What may be done with objects by class and name, and what is said of those that there are not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, ObjectClass, ObjectHost
from durabase.errors import NoSuchObjectError, ObjectError, ObjectResetError, StorageError
from durabase.operations.objects import ObjectOperations
from durabase.testing.fake_clock import FakeClock


class Room(DurableObject):
    def keep(self, **entries: Any) -> None:
        self.ctx.storage.put(entries)

    def make_table(self) -> None:
        self.ctx.storage.sql.exec("CREATE TABLE t (k)")
        self.ctx.storage.sql.exec("INSERT INTO t VALUES (1), (x'00')")

    async def kept(self) -> dict[str, Any]:
        return dict(await self.ctx.storage.list())


class Broken(Room):
    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        if ctx.storage.kv.get("broken"):
            raise ValueError("broken")


class Scene:
    """A host with two classes, and the operations on their objects."""

    def __init__(self, host: ObjectHost) -> None:
        self.host = host
        self.operations = ObjectOperations(host)

    def room(self, name: str, class_name: str = "Room") -> Any:
        return self.host.namespace(class_name).get_by_name(name)

    def id(self, name: str, class_name: str = "Room") -> Any:
        return self.operations.id_of(class_name, name=name)


def run(folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        async with ObjectHost(folder, clock=FakeClock()) as host:
            host.register(ObjectClass("Room", "app-Room", Room, "sqlite"))
            host.register(ObjectClass("Box", "app-Box", Room, "kv"))
            host.register(ObjectClass("Broken", "app-Broken", Broken, "sqlite"))
            async with asyncio.timeout(30):
                await scenario(Scene(host))

    asyncio.run(main())


def test_ids(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        found = scene.operations.id_of("Room", name="a")
        assert scene.operations.id_of("Room", id=str(found)).key == found.key
        assert scene.operations.id_of("Room", name="b", id=str(found)).key == found.key
        with pytest.raises(TypeError, match=r"^the name of an object is needed, or its id$"):
            scene.operations.id_of("Room")
        with pytest.raises(TypeError):
            scene.operations.id_of("Box", id=str(found))
        with pytest.raises(
            NoSuchObjectError, match=r"^There is no class Nope; there is: Box, Broken, Room\.$"
        ):
            scene.operations.id_of("Nope", name="a")

    run(tmp_path, scenario)


def test_objects_that_there_are_not(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        operations, id = scene.operations, scene.id("a")
        for ask in (
            *(operations.show, operations.entries, operations.evict, operations.delete, operations.export),
            lambda *which: operations.put_entry(*which, "k", 1),
            lambda *which: operations.delete_entry(*which, "k"),
            lambda *which: operations.set_alarm(*which, None),
            lambda *which: operations.sql(*which, "SELECT 1"),
            lambda *which: operations.run(*which, lambda instance, ctx: None),
        ):
            with pytest.raises(NoSuchObjectError, match=r"^There is no object a of Room\.$"):
                await ask("Room", id)
        for look in (operations.status, operations.abort, operations.hosted):
            with pytest.raises(NoSuchObjectError, match="There is no object"):
                look("Room", id)
        assert operations.list() == {"objects": [], "cursor": None}

    run(tmp_path, scenario)


def test_pages_of_objects(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        for name in ("a", "ab", "b"):
            await scene.room(name).keep(k=1)
        await scene.room("a", "Box").keep(k=1)
        operations = scene.operations
        assert [(each["class"], each["objects"]) for each in operations.classes()] == [
            ("Room", 3),
            ("Box", 1),
            ("Broken", 0),
        ]
        everything = operations.list()
        assert everything["cursor"] is None
        classes = [each["class"] for each in everything["objects"]]
        assert classes == ["Box", "Room", "Room", "Room"]
        paged, after = [], ""
        while after is not None:
            page = operations.list(after=after, limit=1)
            assert len(page["objects"]) == 1
            paged += page["objects"]
            after = page["cursor"]
        assert paged == everything["objects"]
        assert {each["name"] for each in operations.list("Room", search="a")["objects"]} == {"a", "ab"}
        assert [each["class"] for each in operations.list("Box")["objects"]] == ["Box"]
        with pytest.raises(NoSuchObjectError, match="There is no class Nope"):
            operations.list("Nope")

    run(tmp_path, scenario)


def test_what_an_object_keeps(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.room("a").keep(k=1, l=2)
        await scene.room("a").make_table()
        shown = await scene.operations.show("Room", scene.id("a"))
        assert (shown["storage"], shown["keys"], shown["tables"]) == ("sqlite", 2, {"t": 2})
        assert shown["bytes"] > 0
        assert (shown["name"], shown["state"], shown["has_stored_data"]) == ("a", "awake", True)
        await scene.room("a", "Box").keep(k=1)
        shown = await scene.operations.show("Box", scene.id("a", "Box"))
        assert (shown["storage"], shown["keys"], "tables" in shown) == ("kv", 1, False)
        assert scene.operations.status("Room", scene.id("a"))["file_bytes"] > 0

    run(tmp_path, scenario)


def test_entries(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.room("a").keep(b1=1, b2=b"x", b3=[3], c=4)
        look, id = scene.operations.entries, scene.id("a")
        assert await look("Room", id, prefix="b", limit=2) == {
            "entries": {"b1": 1, "b2": "b'x'"},
            "printed": ["b2"],
            "more": True,
        }
        assert await look("Room", id, after="b2") == {
            "entries": {"b3": [3], "c": 4},
            "printed": [],
            "more": False,
        }
        await scene.operations.put_entry("Room", id, "c", 5)
        await scene.operations.delete_entry("Room", id, "b1")
        assert list((await look("Room", id))["entries"].items())[1:] == [("b3", [3]), ("c", 5)]

    run(tmp_path, scenario)


def test_sql_changes_nothing_unless_it_may(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.room("a").make_table()
        id, sql = scene.id("a"), scene.operations.sql
        found = await sql("Room", id, " select k AS n FROM t WHERE k = ?", [1])
        assert found == {"columns": ["n"], "rows": [[1]], "rows_written": 0}
        assert (await sql("Room", id, "SELECT k FROM t"))["rows"] == [[1], ["b'\\x00'"]]
        cut = await sql("Room", id, "VALUES (1), (2), (3)", limit=2)
        assert (cut["rows"], cut["more"]) == ([[1], [2]], True)
        assert (await sql("Room", id, "VALUES (1), (2)", limit=2))["more"] is False
        with pytest.raises(StorageError, match=r"^This statement writes: allow it to\.$"):
            await sql("Room", id, "DELETE FROM t")
        with pytest.raises(
            StorageError, match=r"^This statement writes: allow it to\. Nothing was changed\.$"
        ):
            await sql("Room", id, "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x")
        assert (await sql("Room", id, "SELECT count(*) FROM t"))["rows"] == [[2]]
        assert (await sql("Room", id, "DELETE FROM t", write=True))["rows_written"] == 2
        assert (await sql("Room", id, "SELECT count(*) FROM t"))["rows"] == [[0]]

    run(tmp_path, scenario)


def test_ending_and_deleting(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        operations, id = scene.operations, scene.id("a")
        await scene.room("a").keep(k=1)
        operations.abort("Room", id)
        with pytest.raises(ObjectResetError, match="aborted by an administrator"):
            await operations.run(
                "Room", id, lambda instance, ctx: operations.abort("Room", id) or asyncio.sleep(0)
            )
        await operations.evict("Room", id)
        assert operations.status("Room", id)["state"] != "awake"
        assert await scene.room("a").kept() == {"k": 1}
        await operations.delete("Room", id)
        assert operations.list()["objects"] == []
        assert await scene.room("a").kept() == {}

    run(tmp_path, scenario)


def test_what_the_program_raises_is_told(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.room("a").keep(k=1)

        def fail(instance: Any, ctx: Any) -> None:
            raise KeyError("no")

        with pytest.raises(ObjectError, match=r"^KeyError: 'no'$"):
            await scene.operations.run("Room", scene.id("a"), fail)
        await scene.room("a", "Broken").keep(broken=True)
        await scene.operations.evict("Broken", scene.id("a", "Broken"))
        with pytest.raises(ObjectError, match="ValueError: broken"):
            await scene.operations.show("Broken", scene.id("a", "Broken"))

    run(tmp_path, scenario)


def test_work_for_an_object_that_may_be_gone(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        run_it = scene.operations.run
        assert await run_it("Room", scene.id("a"), lambda _, ctx: str(ctx.id.name), gone=True) == "a"

    run(tmp_path, scenario)
