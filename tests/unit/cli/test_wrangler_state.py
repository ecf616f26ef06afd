"""Taking over what ``wrangler dev`` keeps."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from durabase.cli.main import main
from unit.cli.running import running, write_project
from unit.operations.test_wrangler_state import STATE

pytestmark = [pytest.mark.feature("S-SX-3")]

TOML = """
name = "shop"
main = "index.py"
compatibility_date = "2026-11-01"

[[durable_objects.bindings]]
name = "BOX"
class_name = "Box"

[[durable_objects.bindings]]
name = "PLAIN"
class_name = "Plain"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Box"]
new_classes = ["Plain"]
"""
PROGRAM = dedent("""
    from durabase.workers import DurableObject, Response, WorkerEntrypoint

    class Box(DurableObject):
        def alarm(self):
            pass

        async def look(self):
            child = self.ctx.storage.sql.exec("SELECT data, r FROM child").one()
            return [self.ctx.id.name, await self.ctx.storage.get("int"), child.r, child.data.tobytes().hex()]

    class Plain(Box):
        pass

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return Response.json(await self.env.BOX.get_by_name("lobby").look())
""")

Run = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path, PROGRAM, TOML)
    shutil.copytree(STATE, tmp_path / ".wrangler" / "state")
    return tmp_path


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: Any, code: int = 0) -> str:
        capsys.readouterr()
        assert main([*map(str, arguments), "-c", str(project)]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


def test_it_is_all_there(run: Run) -> None:
    lines = run("import-wrangler").splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("[1/5] Box/lobby: imported, ")
    assert all(Path(line.rpartition(", ")[2]).is_file() for line in lines)
    listed = json.loads(run("objects", "list", "--json"))["objects"]
    assert sorted((each["class"], each["name"] or "") for each in listed) == [
        ("Box", ""),
        ("Box", "a/b"),
        ("Box", "lobby"),
        ("Box", "only"),
        ("Plain", ""),
    ]
    assert json.loads(run("objects", "show", "Plain", "lobby", "--json"))["alarm"] == 4_000_000_000_123
    assert run("objects", "entries", "Plain", "lobby", "--prefix", "bigint").splitlines() == [
        "bigint  12345678901234567890"
    ]
    assert run("objects", "sql", "Box", "a/b", "SELECT a FROM t").splitlines()[1] == "1"
    assert "keeps something already" in run("import-wrangler", code=1)
    assert len([json.loads(line) for line in run("import-wrangler", "--replace", "--json").splitlines()]) == 5


def test_while_a_server_runs(project: Path, run: Run) -> None:
    from urllib.request import urlopen

    with running(project, "serve", "--port", "0", "--admin", "0") as command:
        port = command.port()
        run("import-wrangler", project / ".wrangler")
        with urlopen(f"http://127.0.0.1:{port}/") as response:
            assert json.loads(response.read()) == ["lobby", 42, 2.5, "0001ff"]
        assert command.stop() == 0


def test_what_can_not_be_imported(project: Path, run: Run, tmp_path: Path) -> None:
    assert "There are no objects in" in run("import-wrangler", tmp_path / "nowhere", code=1)
    folder = project / ".wrangler" / "state" / "v3" / "do"
    (folder / "shop-Plain").rename(folder / "shop-Other")
    told = run("import-wrangler", code=1)
    assert "The configuration has no class for shop-Other; it has: shop-Box, shop-Plain." in told
    assert len(json.loads(run("objects", "list", "--json"))["objects"]) == 4
