"""Copies of objects as files: sent, taken in again by pieces, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, DurableObjectId, ObjectClass, ObjectHost
from durabase.errors import NoSuchObjectError, StorageError, StorageFileError
from durabase.operations.copies import ObjectCopies
from durabase.operations.objects import ObjectOperations
from durabase.testing.fake_clock import FakeClock
from durabase.web import Request

TOKEN = "0123456789abcdef" * 2


class Room(DurableObject):
    def keep(self, **entries: Any) -> None:
        self.ctx.storage.put(entries)

    def make_table(self) -> None:
        self.ctx.storage.sql.exec("CREATE TABLE t (k)")

    async def kept(self) -> dict[str, Any]:
        return dict(await self.ctx.storage.list())


class Scene:
    """A host with a class of each storage, and copies of its objects."""

    def __init__(self, host: ObjectHost, folder: Path) -> None:
        self.host = host
        self.copies = ObjectCopies(host)
        self.folder = folder

    def id(self, name: str, class_name: str = "Room") -> DurableObjectId:
        return self.host.namespace(class_name).id_from_name(name)

    def room(self, name: str, class_name: str = "Room") -> Any:
        return self.host.namespace(class_name).get_by_name(name)

    async def copy_of(self, name: str) -> bytes:
        return b"".join([chunk async for chunk in await self.copies.send("Room", self.id(name))])

    async def receive(self, data: bytes, token: str = TOKEN) -> None:
        await self.copies.receive(token, Request("http://h/", method="POST", body=data))

    def uploads(self) -> list[str]:
        return [path.name for folder in self.folder.glob("copies-*") for path in folder.iterdir()]


def run(folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        async with ObjectHost(folder, clock=FakeClock()) as host:
            host.register(ObjectClass("Room", "app-Room", Room, "sqlite"))
            host.register(ObjectClass("Box", "app-Box", Room, "kv"))
            scene = Scene(host, folder)
            async with asyncio.timeout(30):
                await scenario(scene)
            for _ in range(2):
                scene.copies.close()

    asyncio.run(main())
    assert list(folder.glob("copies-*")) == []


def test_an_object_is_the_same_elsewhere(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.room("a").keep(k=1, large="x" * 100_000)
        data = await scene.copy_of("a")
        assert scene.uploads() == []
        for start in range(0, len(data), 40_000):
            await scene.receive(data[start : start + 40_000])
        await scene.copies.restore("Room", scene.id("b"), TOKEN)
        assert await scene.room("b").kept() == {"k": 1, "large": "x" * 100_000}
        assert scene.uploads() == []

    run(tmp_path, scenario)


def test_what_keeps_nothing_has_no_copy(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.room("empty").kept()
        for name in ("empty", "never"):
            with pytest.raises(NoSuchObjectError, match=f"^Room {name} keeps nothing.$"):
                await scene.copies.send("Room", scene.id(name))

    run(tmp_path, scenario)


def test_what_is_there_is_replaced_only_if_that_is_said(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.room("a").keep(k=1)
        await scene.room("b").keep(other=2)
        data = await scene.copy_of("a")
        await scene.receive(data)
        with pytest.raises(StorageError, match=r"^Room b keeps something already: delete or replace it\.$"):
            await scene.copies.restore("Room", scene.id("b"), TOKEN)
        assert scene.uploads() == []
        assert await scene.room("b").kept() == {"other": 2}
        await scene.receive(data)
        await scene.copies.restore("Room", scene.id("b"), TOKEN, replace=True)
        assert await scene.room("b").kept() == {"k": 1}

    run(tmp_path, scenario)


def test_tables_are_for_classes_that_may_have_them(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.room("a").keep(k=1)
        await scene.receive(await scene.copy_of("a"))
        await scene.copies.restore("Box", scene.id("plain", "Box"), TOKEN)
        assert await scene.room("plain", "Box").kept() == {"k": 1}
        await scene.room("a").make_table()
        await scene.receive(await scene.copy_of("a"))
        with pytest.raises(
            StorageError, match=r"^The copy has tables; this class keeps keys and values only\.$"
        ):
            await scene.copies.restore("Box", scene.id("b", "Box"), TOKEN)

    run(tmp_path, scenario)


def test_the_name_comes_with_the_copy_where_only_the_id_is_said(tmp_path: Path) -> None:
    copy: list[bytes] = []

    async def send(scene: Scene) -> None:
        await scene.room("a").keep(k=1)
        copy.append(await scene.copy_of("a"))

    async def restore(scene: Scene) -> None:
        bare = DurableObjectId(scene.id("a").key, None)
        await scene.receive(copy[0])
        await scene.copies.restore("Room", bare, TOKEN)
        other = DurableObjectId(scene.id("b").key, None)
        await scene.receive(copy[0])
        await scene.copies.restore("Room", other, TOKEN)
        known = ObjectOperations(scene.host).list()["objects"]
        assert sorted((each["id"] == str(bare), each["name"]) for each in known) == [
            (False, None),
            (True, "a"),
        ]

    run(tmp_path / "one", send)
    run(tmp_path / "other", restore)


def test_what_is_no_copy_is_let_go(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.receive(b"something else" * 100)
        with pytest.raises(StorageFileError, match="is no copy of an object"):
            await scene.copies.restore("Room", scene.id("b"), TOKEN)
        assert scene.uploads() == []

    run(tmp_path, scenario)


@pytest.mark.parametrize("token", ["", "../x", TOKEN.upper(), TOKEN + "0", TOKEN[:-1], TOKEN + "\n"])
def test_what_is_no_token(tmp_path: Path, token: str) -> None:
    async def scenario(scene: Scene) -> None:
        with pytest.raises(ValueError, match=r"^`upload` has to be 32 hexadecimal digits$"):
            await scene.receive(b"", token)
        assert list(scene.folder.glob("copies-*")) == []

    run(tmp_path, scenario)


def test_what_has_come_and_was_not_restored_goes_at_the_end(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.receive(b"begun")
        assert scene.uploads() == [TOKEN]

    run(tmp_path, scenario)
