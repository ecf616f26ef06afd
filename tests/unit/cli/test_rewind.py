"""``durabase objects history`` and ``durabase restore --at``, with no server that runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent

import pytest

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
