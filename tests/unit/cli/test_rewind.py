"""``durabase objects history`` and ``durabase restore --at``, with no server that runs."""

from __future__ import annotations

import argparse
import json
import re
from datetime import datetime
from pathlib import Path
from textwrap import dedent

import pytest

from durabase.cli.changes import described_change, who
from durabase.cli.values import moment, with_times
from durabase.testing import WorkerHarness

from .running import Run, command_in, keep_in, write_project

TOML = """
name = "app"
main = "index.py"
compatibility_date = "2026-11-01"

[[durable_objects.bindings]]
name = "BOOK"
class_name = "Book"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Book"]
"""
PROGRAM = dedent("""
    from durabase.workers import DurableObject, WorkerEntrypoint

    class Book(DurableObject):
        def keep(self, **entries):
            self.ctx.storage.put(entries)

    class Default(WorkerEntrypoint):
        pass
""")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path, PROGRAM, TOML)

    async def keep(harness: WorkerHarness) -> None:
        book = harness.env.BOOK.get_by_name("moby")
        await book.keep(title="Moby Dick")
        (tmp_path / "bookmark").write_text(
            await harness.run_in_durable_object(book, lambda _, ctx: ctx.storage.get_current_bookmark())
        )
        await book.keep(title="A mistake", more="x" * 100)

    keep_in(tmp_path, keep, history_days=30)
    return tmp_path


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return command_in(project, capsys)


def test_who_changed_what(run: Run) -> None:
    lines = run("objects", "history", "Book", "moby").splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}Z  the call keep", lines[0])
    assert lines[1] == '    key title: "Moby Dick" → "A mistake"'
    assert lines[2].startswith('    key more: nothing → "xxxx')
    assert lines[4:] == ['    key title: nothing → "Moby Dick"']
    assert "more" not in run("objects", "history", "Book", "moby", "--key", "title")
    assert run("objects", "history", "Book", "moby", "--cell", "pets/fido").startswith("Nothing is known")
    found = json.loads(run("objects", "history", "Book", "moby", "--json", "--limit", "1"))
    assert found["entries"][0]["changes"][0] == {"key": "title", "old": "Moby Dick", "new": "A mistake"}
    paged = run("objects", "history", "Book", "moby", "--before", str(found["cursor"]))
    assert "A mistake" not in paged


def test_going_back_and_undoing_it(run: Run, project: Path) -> None:
    bookmark = (project / "bookmark").read_text()
    shown = run("restore", "--object", "Book/moby", "--at", bookmark, "--dry-run").splitlines()
    assert shown[0].startswith("Back to 20")
    assert '  key title: "A mistake" → "Moby Dick"' in shown
    assert "A mistake" in run("objects", "entries", "Book", "moby")
    done = run("restore", "--object", "Book/moby", "--at", bookmark)
    assert run("objects", "entries", "Book", "moby") == 'title  "Moby Dick"\n'
    undo = done.split("--at ")[1].strip()
    assert json.loads(run("restore", "--object", "Book/moby", "--at", undo, "--json"))["problem"] is None
    assert "A mistake" in run("objects", "entries", "Book", "moby")
    assert "an administrator, a restore" in run("objects", "history", "Book", "moby")


def test_what_can_not_be_done(run: Run) -> None:
    assert "history begins later" in run("restore", "--object", "Book/moby", "--at", "1990-01-01", code=1)
    assert "no bookmark for a time in the future" in run(
        "restore", "--object", "Book/moby", "--at", "2100-01-01", code=1
    )
    assert "There is no object" in run("restore", "--object", "Book/other", "--at", "-1m", code=1)
    assert "--object with --at" in run("restore", code=1)
    assert "--object with --at" in run("restore", "--at", "-1m", code=1)


def test_moments() -> None:
    assert moment("-10m") == moment("10 minutes ago") == moment("10 min ago") == moment("10M") == 600.0
    assert [moment(text) for text in ("1 hour ago", "2d", "3 days ago", "30s")] == [3600, 172800, 259200, 30]
    assert moment("2026-11-29T13:00:00+00:00") == datetime.fromisoformat("2026-11-29T13:00:00+00:00")
    bookmark = "00000001-00000002-00000003-" + "0" * 32
    assert moment(bookmark) == bookmark
    for wrong in ("yesterday", "10", "10x", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="is no time"):
            moment(wrong)
    assert with_times(["restore", "--at", "-10m", "--json"]) == ["restore", "--at=-10m", "--json"]
    assert with_times(["restore", "--at", "--json"]) == ["restore", "--at", "--json"]


def test_words() -> None:
    client = {"event": "web_socket_message", "client": "c1"}
    assert who(client) == "client c1, by a message"
    assert who(client | {"identity": "ann"}) == "ann, client c1, by a message"
    assert who({"event": "fetch", "address": "10.0.0.1"}) == "10.0.0.1, by a request"
    assert who({"event": "run", "admin": True}) == "an administrator"
    assert who({}) == "the server"
    cell = {"cell": ["pets", "fido", "age"], "old": 4, "new": None, "stamp": "x", "times": 2}
    assert described_change(cell) == "pets/fido/age: 4 → null  (2 times)"
    assert described_change({"value": "open", "old": True}) == "value open: true → nothing"
    assert described_change({"key": "k", "new_bytes": 5000}) == "key k: nothing → (5000 bytes)"
    assert described_change({"sql": "INSERT\n INTO t", "rows": 2}) == "INSERT INTO t  (2 rows)"
    assert described_change({"alarm": True, "new": 0}) == "alarm: none → 1970-01-01T00:00:00Z"
    assert described_change({"restored": None}) == "went back to the beginning"
    assert described_change({"more": 7}) == "and 7 more"
