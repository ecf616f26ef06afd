"""``durabase check``: what it says, as text and as JSON, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from durabase.cli.main import main

from .running import PROGRAM, TOML, write_project

pytestmark = pytest.mark.feature("S-DX-4")


@pytest.fixture(name="project")
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_project(tmp_path)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main(["check", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_a_project_that_would_start(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    out, err = capsys.readouterr()
    assert out == dedent("""
        ..app    wrangler.toml

        ..Program  index.py
        ..Class    Room     key-value storage
        ..Class    Default  entrypoint
        ..Objects  env.ROOM → Room (key-value storage)
        ..Pending  v1: creates Room (key-value storage)

        ..✓ Nothing is wrong
    """).replace("..", "  ")
    assert err == ""
    assert sorted(path.name for path in project.iterdir()) == ["index.py", "wrangler.toml"]


def test_base_classes_that_are_imported_are_not_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported = "from durabase.sync_server import WsServerDurableObject\n"
    (project / "index.py").write_text(f"{imported}{PROGRAM}\nclass Spare(WsServerDurableObject): ...\n")
    _, found = answer(capsys)
    classes = {"Room": "key-value storage", "Spare": "not configured", "Default": "entrypoint"}
    assert found["workers"][0]["classes"] == classes


def test_names_that_are_not_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "index.py").write_text(f"import js\nprint('said')\n{PROGRAM}\nlater = lambda: js.RegExp\n")
    (project / "helper.py").write_text("from js import Intl\n")
    (project / "node_modules" / "x").mkdir(parents=True)
    (project / "node_modules" / "x" / "y.py").write_text("from js import Intl\n")
    code, found = answer(capsys)
    assert (code, found["ok"]) == (2, False)
    line = len((project / "index.py").read_text().splitlines())
    assert found["errors"] == [
        "helper.py:1: js.Intl: this JavaScript global is not offered here; use the package babel",
        f"index.py:{line}: js.RegExp: this JavaScript global is not offered here; use the module re",
    ]
    assert found["workers"][0]["classes"] == {"Room": "key-value storage", "Default": "entrypoint"}


def test_a_program_that_can_not_be_loaded(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "index.py").write_text("from js import Intl\n1 / 0\n")
    code, found = answer(capsys)
    assert code == 2
    assert (
        found["errors"][0]
        == "index.py:1: js.Intl: this JavaScript global is not offered here; use the package babel"
    )
    assert "index.py can't be imported" in found["errors"][1]
    assert main(["check"]) == 2
    out, err = capsys.readouterr()
    assert out.endswith("  2 errors\n")
    assert "✘ [ERROR] index.py:1: js.Intl" in err


def test_a_configuration_with_errors(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "wrangler.toml").write_text("name = 5\n")
    code, found = answer(capsys)
    assert (code, found["workers"]) == (2, [])
    assert 'Expected "name" to be of type string' in found["errors"][0]


def test_warnings_and_hints_are_no_errors(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "wrangler.toml").write_text(f"bogus = 1\nlogpush = true\n{TOML}")
    (project / "index.py").write_text(
        PROGRAM.replace(
            "class Room(DurableObject):",
            dedent("""
        class Room(DurableObject):
            def _reset(self): ...
            def __init__(self, ctx, env): ...
    """).strip(),
        )
    )
    code, found = answer(capsys)
    assert (code, found["ok"], found["errors"]) == (0, True, [])
    assert 'Unexpected fields found in top-level field: "bogus"' in found["warnings"][0]
    cloud, hint = found["notes"]
    assert "of use on Cloudflare only" in cloud
    assert hint.startswith("Room: whoever has a stub can call _reset.")
    assert main(["check"]) == 0
    assert capsys.readouterr().out.endswith("  1 warning\n")


def test_migrations_that_are_pending(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = project / "data"
    state.mkdir()
    classes = {
        "Room": {"class_name": "Room", "storage": "kv", "original_name": "Room", "original_worker": None}
    }
    record = {"tags": ["v1"], "table": {"classes": classes, "created": {"Room": 1}}}
    text = json.dumps({"format": 1, "workers": {"app": record}})
    (state / "classes.json").write_text(text)
    code, found = answer(capsys, "--persist-to", "data")
    assert (code, found["workers"][0]["pending"]) == (0, [])
    more = """
        [[migrations]]
        tag = "v2"
        new_sqlite_classes = ["Hall", "Attic"]
        renamed_classes = [{ from = "Room", to = "Suite" }]
        transferred_classes = [{ from = "Yard", from_script = "old", to = "Garden" }]
        [[migrations]]
        tag = "v3"
        deleted_classes = ["Hall"]
    """
    (project / "wrangler.toml").write_text(TOML.replace('"Room"\n\n', '"Suite"\n\n') + dedent(more))
    (project / "index.py").write_text(PROGRAM.replace("class Room", "class Suite"))
    code, found = answer(capsys, "--persist-to", "data")
    assert code == 0
    assert found["workers"][0]["pending"] == [
        "v2: creates Hall (SQLite storage), creates Attic (SQLite storage), renames Room to Suite, "
        "takes Yard of old over as Garden",
        "v3: deletes Hall with all its objects",
    ]
    assert (state / "classes.json").read_text() == text
    (project / "wrangler.toml").write_text(TOML.replace("v1", "vX"))
    (project / "index.py").write_text(PROGRAM)
    code, found = answer(capsys, "--persist-to", "data")
    assert code == 2
    assert "has had the migrations v1" in found["errors"][0]


def test_exports_that_are_pending(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = TOML.partition("[[migrations]]")[0] + '[exports.Room]\ntype = "durable-object"\n'
    (project / "wrangler.toml").write_text(toml)
    assert answer(capsys)[1]["workers"][0]["pending"] == ["creates Room (SQLite storage)"]


def test_several_workers(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(project / "b", toml=TOML.replace('"app"', '"b"'))
    code, found = answer(capsys, "-c", "wrangler.toml", "-c", "b/wrangler.toml")
    assert code == 0
    assert [worker["name"] for worker in found["workers"]] == ["app", "b"]


def test_workers_that_can_not_be_together(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service = '[[services]]\nbinding = "B"\nservice = "b"\nentrypoint = "Nope"\n'
    (project / "wrangler.toml").write_text(TOML + service)
    write_project(project / "b", toml=TOML.replace('"app"', '"b"'))
    code, found = answer(capsys, "-c", "wrangler.toml", "-c", "b/wrangler.toml")
    assert code == 2
    assert 'binds B to the class Nope of the worker "b", which has no such class.' in found["errors"][0]
    write_project(project / "b", toml=TOML)
    code, found = answer(capsys, "-c", "wrangler.toml", "-c", "b/wrangler.toml")
    assert code == 2
    assert 'there are several workers named "app"' in found["errors"][0]
