"""Looking at objects and changing them, with and without a server that runs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from durabase.cli.main import main
from durabase.testing import WorkerHarness

from .running import Run, command_in, keep_in, running, write_project

TOML = """
name = "app"
main = "index.py"
compatibility_date = "2026-11-01"

[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"

[[durable_objects.bindings]]
name = "BOOK"
class_name = "Book"

[[migrations]]
tag = "v1"
new_classes = ["Room"]
new_sqlite_classes = ["Book"]
"""
PROGRAM = dedent("""
    from durabase.workers import DurableObject, Response, WorkerEntrypoint

    class Room(DurableObject):
        async def keep(self, **entries):
            await self.ctx.storage.put(entries)
            await self.ctx.storage.set_alarm(1_900_000_000_000)

        def alarm(self):
            pass

    class Book(DurableObject):
        def __init__(self, ctx, env):
            super().__init__(ctx, env)
            ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS pages (number, text)")

        def add(self, number, text):
            self.ctx.storage.sql.exec("INSERT INTO pages VALUES (?, ?)", number, text)

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            await self.env.ROOM.get_by_name("lobby").keep(a=1, b={"c": [2]}, d={1, 2})
            await self.env.BOOK.get_by_name("a/b").add(1, "one")
            return Response("kept")
""")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two objects, that no server uses."""
    write_project(tmp_path, PROGRAM, TOML)

    async def keep(harness: WorkerHarness) -> None:
        await harness.fetch("/")

    keep_in(tmp_path, keep)
    return tmp_path


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return command_in(project, capsys, "objects")


@pytest.mark.feature("S-OB-4")
def test_listing(run: Run) -> None:
    listed = run("list").splitlines()
    assert [line.split() for line in listed] == [
        ["CLASS", "NAME", "STATE", "SOCKETS", "ALARM", "DATA"],
        ["Book", "a/b", "asleep", "0", "-", "yes"],
        ["Room", "lobby", "asleep", "0", "2030-03-17T17:46:40Z", "yes"],
    ]
    assert "Book" not in run("list", "Room")
    assert "lobby" in run("list", "--search", "obb")
    assert "lobby" not in run("list", "--search", "other")
    assert run("list", "--limit", "1").splitlines()[-1] == "… and more: use --limit or --search"
    found: Any = json.loads(run("list", "--json"))["objects"]
    assert [(each["class"], each["name"]) for each in found] == [("Book", "a/b"), ("Room", "lobby")]


@pytest.mark.feature("S-OB-4")
def test_looking_into_an_object(run: Run) -> None:
    shown = run("show", "Book", "a/b")
    assert "table            pages (1 rows)" in shown
    assert "keys             3" in run("show", "Room", "lobby")
    assert run("entries", "Room", "lobby").splitlines() == ["a  1", 'b  {"c": [2]}', 'd  "{1, 2}"']
    assert run("entries", "Room", "lobby", "--prefix", "b").splitlines() == ['b  {"c": [2]}']
    assert run("entries", "Room", "lobby", "--limit", "1").splitlines()[1].startswith("… and more")
    id = json.loads(run("show", "Room", "lobby", "--json"))["id"]
    assert "a  1" in run("entries", "Room", id, "--id")


@pytest.mark.feature("S-OB-4")
def test_sql_reads_unless_it_may_write(run: Run) -> None:
    query = "SELECT number, text FROM pages WHERE number = ?"
    assert run("sql", "Book", "a/b", query, "1").splitlines() == ["number  text", "1       one"]
    insert = "INSERT INTO pages VALUES (2, 'two')"
    assert "This statement writes" in run("sql", "Book", "a/b", insert, code=1)
    hidden = "WITH new AS (SELECT 2) INSERT INTO pages SELECT 2, 'two' FROM new"
    assert "This statement writes" in run("sql", "Book", "a/b", hidden, code=1)
    assert len(run("sql", "Book", "a/b", "SELECT * FROM pages").splitlines()) == 2
    assert run("sql", "Book", "a/b", insert, "--write") == "1 rows written\n"
    assert len(run("sql", "Book", "a/b", "SELECT * FROM pages").splitlines()) == 3
    assert "no such table" in run("sql", "Book", "a/b", "SELECT * FROM nowhere", code=1)


@pytest.mark.feature("S-OB-5")
def test_deleting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    run("delete", "Room", "lobby", code=1)
    assert "lobby" in run("list")
    assert run("delete", "Room", "lobby", "--yes") == "Room lobby: deleted\n"
    run("delete", "Book", "a/b", "--yes")
    assert len(run("list").splitlines()) == 1
    assert run("list", "Room").splitlines() == ["CLASS  NAME  STATE  SOCKETS  ALARM  DATA"]


@pytest.mark.feature("S-OB-5")
def test_exporting_and_importing(run: Run, tmp_path: Path) -> None:
    for class_name, name in (("Room", "lobby"), ("Book", "a/b")):
        file = str(tmp_path / f"{class_name}.json")
        before = json.loads(run("show", class_name, name, "--json"))
        assert "exported to" in run("export", class_name, name, "-o", file)
        assert json.loads(run("export", class_name, name))["format"] == "durabase.object/1"
        assert run("import", class_name, "copy", file) == f"{class_name} copy: imported\n"
        after = json.loads(run("show", class_name, "copy", "--json"))
        for same in ("keys", "alarm", "storage"):
            assert after[same] == before[same]
        assert "keeps something already" in run("import", class_name, "copy", file, code=1)
        run("import", class_name, "copy", file, "--replace")
    assert run("entries", "Room", "copy").splitlines() == ["a  1", 'b  {"c": [2]}', 'd  "{1, 2}"']
    assert "one" in run("sql", "Book", "copy", "SELECT * FROM pages")


def test_what_can_not_be_imported(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("{}")
    assert "This is no durabase.object/1 document." in run("import", "Room", "x", str(file), code=1)
    book = str(tmp_path / "book.json")
    run("export", "Book", "a/b", "-o", book)
    assert "keeps keys and values only" in run("import", "Room", "x", book, code=1)
    assert "There is no object x" in run("show", "Room", "x", code=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "Room", "other"), "There is no object other of Room."),
        (("show", "Rooms", "lobby"), "There is no class Rooms; there is: Book, Room."),
        (("show", "Room", "xyz", "--id"), "Invalid Durable Object ID"),
        (("sql", "Room", "lobby", "SELECT 1"), "new_sqlite_classes"),
    ],
)
def test_what_is_not_there(run: Run, arguments: tuple[str, ...], message: str) -> None:
    assert message in run(*arguments, code=1)


def test_no_data_and_no_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wrangler.toml").write_text(TOML)
    (tmp_path / "index.py").write_text(PROGRAM)
    assert main(["objects", "list", "-c", str(tmp_path)]) == 1
    assert "There are no objects in" in capsys.readouterr().err
    assert main(["objects", "list", "-c", str(tmp_path), "--admin", "http://127.0.0.1:9"]) == 1
    assert "http://127.0.0.1:9 does not answer" in capsys.readouterr().err


@pytest.mark.feature("S-OB-2", "S-OB-4", "S-OB-5")
def test_while_a_server_runs(project: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with running(project, "serve", "--port", "0") as command:
        command.port()
        assert "has no admin address" in run("list", code=1)
        assert command.stop() == 0
    with running(project, "serve", "--port", "0", "--admin", "0") as command:
        command.port()
        with running(project, "tail", "--class", "Book") as tail:
            tail.expect("Connected")
            assert "Book" in run("show", "Book", "a/b")
            assert "awake" in run("list", "Book")
            assert run("evict", "Book", "a/b") == "Book a/b: evicted\n"
            assert "asleep" in run("list", "Book")
            assert run("abort", "Room", "lobby", "--reason", "why") == "Room lobby: aborted\n"
            tail.expect(r"^Book\(a/b\) constructed @ ")
            tail.expect(r"^Book\(a/b\)\.run - Ok @ .* \(\d+ms\)$")
            tail.expect(r"^Book\(a/b\) hibernated @ ")
            assert command.stop() == 0
            assert tail.finish() == 0
    assert main(["tail", "-c", str(project)]) == 1
    assert "No server is running here" in capsys.readouterr().err
