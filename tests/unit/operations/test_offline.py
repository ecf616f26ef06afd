"""Objects that no server uses, without their program."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from durabase.errors import StorageInUseError
from durabase.operations.objects import ObjectOperations
from durabase.operations.offline import offline_host
from durabase.testing.fake_clock import FakeClock
from durabase.workers.loader import load_worker
from durabase.workers.runtime import Runtime
from unit.workers.programs import ROOM, TOML, program_config

PROGRAM = """
    from durabase.workers import DurableObject

    class Room(DurableObject):
        async def keep(self):
            await self.ctx.storage.put("k", 1)
            await self.ctx.storage.set_alarm(1000)

        def alarm(self):
            self.ctx.storage.put("rang", True)
"""


def test_what_was_kept_is_there_and_neither_code_of_the_program_nor_an_alarm_runs(tmp_path: Path) -> None:
    config = program_config(tmp_path / "p", PROGRAM, TOML + ROOM)

    async def keep() -> None:
        async with Runtime(config, load_worker(config), tmp_path / "state", clock=FakeClock(0)) as runtime:
            await runtime.env.ROOM.get_by_name("a").keep()

    async def look() -> Any:
        async with offline_host(tmp_path / "state", [config]) as host:  # whose clock is long past the alarm
            operations = ObjectOperations(host)
            with pytest.raises(TypeError, match="Method keep does not exist"):
                await host.namespace("Room").get_by_name("a").keep()
            for _ in range(20):
                await asyncio.sleep(0)

            async def kept(_: object, ctx: Any) -> Any:
                return dict(await ctx.storage.list()), await ctx.storage.get_alarm()

            return await operations.run("Room", operations.id_of("Room", name="a"), kept)

    asyncio.run(keep())
    assert asyncio.run(look()) == ({"k": 1}, 1000)


def test_a_directory_that_is_in_use(tmp_path: Path) -> None:
    config = program_config(tmp_path / "p", "", TOML + ROOM)

    async def main() -> None:
        async with offline_host(tmp_path / "state", [config]):
            with pytest.raises(StorageInUseError):
                async with offline_host(tmp_path / "state", [config]):
                    pass

    asyncio.run(main())


def test_classes_of_further_workers_have_their_worker_before_their_names(tmp_path: Path) -> None:
    first = program_config(tmp_path / "a", "", TOML + ROOM)
    other = program_config(tmp_path / "b", "", (TOML + ROOM).replace('"app"', '"b"'))

    async def main() -> list[str]:
        async with offline_host(tmp_path / "state", [first, other]) as host:
            return list(host.classes)

    assert asyncio.run(main()) == ["Room", "b:Room"]
