"""``durabase types``: what a type checker makes of programs then."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from durabase.cli.main import main
from durabase.templates import create_project

pytestmark = pytest.mark.feature("S-DX-5")

TOML = """
name = "typed"
main = "entry.py"
compatibility_date = "2025-11-02"

[vars]
TITLE = "hello"
LIMIT = 5

[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Room"]

[[kv_namespaces]]
binding = "KV"
id = "x"
"""
PROGRAM = dedent("""
    from __future__ import annotations

    import js
    from js import WebSocketPair
    from pyodide.ffi import create_proxy, to_js
    from workers import DurableObject, Request, Response, WorkerEntrypoint, env, fetch, wait_until


    class Room(DurableObject):
        async def visit(self, name: str, times: int = 1) -> list[str]:
            names: list[str] = await self.ctx.storage.get("names") or []
            names += [name] * times
            await self.ctx.storage.put("names", to_js(names))
            await self.ctx.storage.setAlarm(js.Date.now() + 1000)
            row = self.ctx.storage.sql.exec("SELECT ? AS n", 1).one()
            wait_until(self.ctx.storage.sync())
            return names + [row.n, row["n"]]

        async def fetch(self, request: Request) -> Response:
            client, server = WebSocketPair.new().object_values()
            self.ctx.acceptWebSocket(server, ["tag"])
            server.addEventListener("message", create_proxy(print))
            server.send(str(self.env.LIMIT + 1))
            return Response(None, status=101, web_socket=client)


    class Default(WorkerEntrypoint):
        async def fetch(self, request: Request) -> Response:
            room = self.env.ROOM.getByName("a")
            if request.headers.get("upgrade"):
                return await room.fetch(request)
            names = await room.visit("x")
            await self.env.KV.put("name", names[0].upper())
            other = await fetch("http://example.com/", method="POST")
            title = env.TITLE.upper()
            return Response.json({"title": title, "names": names, "other": await other.json()})
""")


def checked(directory: Path, *arguments: str) -> str:
    """Return what mypy says, apart from its summary."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--cache-dir",
        os.devnull,
        *arguments,
    ]
    environment = {**os.environ, "MYPYPATH": "typings"}
    ended = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ended.stderr == ""
    return ended.stdout


@pytest.fixture(name="project")
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrangler.toml").write_text(TOML)
    (tmp_path / "entry.py").write_text(PROGRAM)
    return tmp_path


def test_a_program_of_cloudflares(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["types"]) == 0
    assert "stubs into typings\n" in capsys.readouterr().out
    assert checked(project, "entry.py", "typings") == ""
    wrong = {
        'room.visit("x")': "room.visit(5)",
        "env.TITLE": "env.TITEL",
        "acceptWebSocket(": "acceptWebSockets(",
        "getByName": "getByNames",
        "import WebSocketPair": "import WebSocketPair, Intl",
    }
    text = PROGRAM
    for right, replacement in wrong.items():
        assert right in text
        text = text.replace(right, replacement)
    (project / "entry.py").write_text(text)
    found = checked(project, "entry.py")
    assert 'Module "js" has no attribute "Intl"' in found
    assert '"DurableObjectState" has no attribute "acceptWebSockets"' in found
    assert '"DurableObjectNamespace[RoomStub]" has no attribute "getByNames"' in found
    assert '"Env" has no attribute "TITEL"' in found


def test_a_program_of_ours(project: Path) -> None:
    text = dedent("""
        from __future__ import annotations

        from typing import TYPE_CHECKING

        from durabase.workers import DurableObject, Request, Response, WorkerEntrypoint

        if TYPE_CHECKING:
            from worker_env import Env


        class Room(DurableObject):
            env: Env

            async def visit(self, name: str) -> int:
                count: int = await self.ctx.storage.get("count") or 0
                return count + self.env.LIMIT


        class Default(WorkerEntrypoint):
            env: Env

            async def fetch(self, request: Request) -> Response:
                return Response.json(await self.env.ROOM.get_by_name("a").visit("x"))
    """)
    (project / "entry.py").write_text(text)
    assert main(["types"]) == 0
    assert checked(project, "entry.py") == ""
    (project / "entry.py").write_text(text.replace("env.LIMIT", "env.MOST").replace(".storage.", ".store."))
    found = checked(project, "entry.py")
    assert '"Env" has no attribute "MOST"' in found
    assert '"DurableObjectState" has no attribute "store"' in found


def test_whether_they_are_up_to_date(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["types", "--output", "stubs"]) == 0
    assert main(["types", "--output", "stubs", "--check"]) == 0
    assert capsys.readouterr().out.endswith("  stubs is up to date\n")
    (project / "wrangler.toml").write_text(TOML.replace("LIMIT", "MOST"))
    assert main(["types", "--output", "stubs", "--check"]) == 2
    assert "stubs is out of date: worker_env.pyi. Run: durabase types" in capsys.readouterr().err


def test_beside_client_and_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = create_project("app", tmp_path)
    monkeypatch.chdir(project / "server")
    assert main(["types"]) == 0
    assert (project / "typings" / "worker_env.pyi").is_file()


def test_what_can_not_be_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "typings").write_text("a file")
    assert main(["types"]) == 2
    assert "cannot write" in capsys.readouterr().err
