"""A disk that is full or fails: nothing that depends on the lost writes is sent, objects start anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import StorageError
from durabase.web import WebSocket
from unit.durable_objects.rig import Accepting, Rig, run


class Saving(Accepting):
    def web_socket_message(self, ws: WebSocket, message: str) -> None:
        ws.send("before")
        self.ctx.storage.put("k", message)
        ws.send("saved")

    async def save(self, value: str) -> str:
        await self.ctx.storage.put("k", value)
        return "saved"

    async def read(self) -> Any:
        return await self.ctx.storage.get("k")


def database_of(rig: Rig) -> Path:
    (path,) = Path(rig.folder).glob("*/objects.sqlite")
    return path


def spoil(database: Path) -> None:
    database.write_bytes(b"this is no database" * 100)


def limit_pages(rig: Rig, pages: int) -> None:
    for hosted in rig.host._classes.values():
        hosted._open_database().connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_resets_the_objects_of_the_group_and_sends_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        other = await rig.connect(rig.stub("y"))
        await rig.stub("z").save("fine")
        limit_pages(rig, 8)
        wire.sink.on_text("x" * 100_000)
        other.sink.on_text("short")
        call = rig.stub("w").save("y" * 100_000)
        with pytest.raises(Exception, match="full"):
            await call
        await rig.settle()
        assert wire.sent == other.sent == ["before", "abort"]
        limit_pages(rig, 1_000_000)
        assert await rig.stub().read() is None
        assert await rig.stub("y").read() is None
        assert await rig.stub("z").read() == "fine"
        assert await rig.stub("w").save("now") == "saved"

    run(scenario, Saving)


def test_after_a_failed_sync_nothing_is_acknowledged_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    async def scenario(rig: Rig) -> None:
        wire = await rig.connect()
        assert await rig.stub().save("fine") == "saved"
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", fails)
            wire.sink.on_text("m")
            await rig.settle()
        assert wire.sent == ["before", "abort"]
        with pytest.raises(StorageError, match="Input/output"):
            await rig.stub().save("again")

    run(scenario, Saving)


def test_a_database_that_is_none_is_reported() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.host.__aexit__(None, None, None)
        database = database_of(rig)
        spoil(database)
        rig.host = rig._made()
        with pytest.raises(StorageError, match="can't be used"):
            await rig.host.__aenter__()
        os.remove(database)
        rig.host = rig._made()
        await rig.host.__aenter__()

    run(scenario, DurableObject)


def test_a_second_host_on_the_same_folder_is_refused() -> None:
    async def scenario(rig: Rig) -> None:
        other = rig._made()
        with pytest.raises(Exception, match="in use by another process"):
            await other.__aenter__()

    run(scenario, DurableObject)
