"""Objects as files and back, with and without a server that runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from durabase.cli import copies
from durabase.cli.main import main
from unit.cli.running import running
from unit.cli.test_objects import project as project

pytestmark = [pytest.mark.feature("S-SX-4")]

Run = Callable[..., str]


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: Any, code: int = 0) -> str:
        capsys.readouterr()
        assert main([*map(str, arguments), "-c", str(project)]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


def test_one_object(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "book.sqlite"
    assert run("backup", file, "--object", "Book/a/b").startswith("Book/a/b: backed up, ")
    run("objects", "sql", "Book", "a/b", "DELETE FROM pages", "--write")
    assert "keeps something already" in run("restore", file, code=1)
    assert run("restore", file, "--replace").startswith("Book/a/b: restored, ")
    assert "one" in run("objects", "sql", "Book", "a/b", "SELECT * FROM pages")
    run("restore", file, "--object", "Book/copy")
    assert "one" in run("objects", "sql", "Book", "copy", "SELECT * FROM pages")
    assert "keeps keys and values only" in run("restore", file, "--object", "Room/copy", code=1)


def test_everything(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "PIECE_BYTES", 5000)
    folder = tmp_path / "backup"
    lines = run("backup", folder).splitlines()
    assert [line for line in lines if line.startswith("[1/2] Book/a/b: backed up")]
    assert len(lines) == 2
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.sqlite")) == [
        "Book/a%2Fb.sqlite",
        "Room/lobby.sqlite",
    ]
    for name in (("Book", "a/b"), ("Room", "lobby")):
        run("objects", "delete", *name, "--yes")
    restored = [json.loads(line)["restored"] for line in run("restore", folder, "--json").splitlines()]
    assert [(each["class"], each["name"]) for each in restored] == [("Book", "a/b"), ("Room", "lobby")]
    assert run("objects", "entries", "Room", "lobby").splitlines() == ["a  1", 'b  {"c": [2]}', 'd  "{1, 2}"']
    assert json.loads(run("objects", "show", "Room", "lobby", "--json"))["alarm"] == 1_900_000_000_000
    assert "one" in run("objects", "sql", "Book", "a/b", "SELECT * FROM pages")
    assert list((tmp_path / ".durabase" / "state").glob("copies-*")) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("backup", "{}/x", "--object", "Book"), "not of the form CLASS/NAME"),
        (("backup", "{}/x", "--object", "Book/other"), "Book other keeps nothing"),
        (("backup", "{}/x", "--object", "Books/other"), "There is no class Books"),
        (("restore", "{}/index.py"), "is no copy of an object"),
        (("restore", "{}/index.py", "--object", "Room/new"), "is no copy of an object"),
        (("restore", "{}/nothing"), "unable to open database file"),
        (("restore", "{}/empty"), "There are no copies in"),
        (("restore", "{}", "--object", "Room/x"), "give the file of one copy"),
    ],
)
def test_what_can_not_be_done(run: Run, tmp_path: Path, arguments: tuple[str, ...], text: str) -> None:
    (tmp_path / "empty").mkdir()
    assert text in run(*(each.format(tmp_path) for each in arguments), code=1)
    assert not list(tmp_path.glob("x*"))


def test_while_a_server_runs(project: Path, run: Run, tmp_path: Path) -> None:
    with running(project, "serve", "--port", "0", "--admin", "0") as command:
        command.port()
        run("backup", tmp_path / "all")
        run("objects", "sql", "Book", "a/b", "DELETE FROM pages", "--write")
        run("restore", tmp_path / "all" / "Book" / "a%2Fb.sqlite", "--replace")
        assert "one" in run("objects", "sql", "Book", "a/b", "SELECT * FROM pages")
        assert "keeps nothing" in run("backup", tmp_path / "x", "--object", "Room/other", code=1)
        assert command.stop() == 0
    assert list((project / ".durabase" / "state").glob("copies-*")) == []


def test_while_several_processes_share_the_objects(project: Path, run: Run, tmp_path: Path) -> None:
    with running(project, "serve", "--port", "0", "--admin", "0", "--processes", "2") as command:
        command.expect("2 processes")
        run("backup", tmp_path / "all")
        copies = sorted((tmp_path / "all").rglob("*.sqlite"))
        assert len(copies) == 2
        for number in range(4):  # some of each process
            run("restore", copies[0], "--object", f"Book/{number}")
            assert "one" in run("objects", "sql", "Book", str(number), "SELECT * FROM pages")
        assert command.stop() == 0
