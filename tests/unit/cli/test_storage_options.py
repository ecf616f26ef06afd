"""What ``--durability``, ``--history`` and ``--strict`` say reaches the objects."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from urllib.request import urlopen

import pytest

from unit.cli.running import running, write_project

TOML = """
name = "app"
main = "index.py"
compatibility_date = "2026-11-01"

[[durable_objects.bindings]]
name = "BOX"
class_name = "Box"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Box"]
"""
PROGRAM = dedent("""
    from durabase.workers import DurableObject, Response, WorkerEntrypoint

    class Box(DurableObject):
        async def keep(self):
            storage = self.ctx.storage
            await storage.put("number", 1.0)
            kind = type(await storage.get("number")).__name__
            return [kind, await storage.get_current_bookmark() > "1"]

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return Response.json(await self.env.BOX.get_by_name("a").keep())
""")


@pytest.mark.feature("S-SX-2", "S-SA-2", "C-SX-1")
@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ((), ["float", False]),
        (("--history", "--durability", "normal"), ["float", True]),
        (("--history", "0.5", "--strict", "--durability", "off"), ["int", True]),
    ],
)
def test_options(tmp_path: Path, options: tuple[str, ...], answer: list[object]) -> None:
    write_project(tmp_path, PROGRAM, TOML)
    with running(tmp_path, "serve", "--port", "0", *options) as command:
        with urlopen(f"http://127.0.0.1:{command.port()}/") as response:
            assert json.loads(response.read()) == answer
        assert command.stop() == 0
    histories = list((tmp_path / ".durabase" / "state").rglob("*.history"))
    assert bool(histories) is ("--history" in options)
