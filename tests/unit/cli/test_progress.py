"""How far long work has come is shown at a terminal, and nowhere else."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from shutil import copytree

import pytest

from durabase.cli.progress import bar
from unit.cli.test_hotkeys import terminal
from unit.cli.test_objects import project as project

from . import test_wrangler_state as wrangler
from .running import finished, write_project

pytestmark = pytest.mark.feature("S-SX-4")

BAR = r"\r\[[#.]{24}\] +\d+ % "


def shown(directory: Path, *arguments: str) -> str:
    """All that the command writes to a terminal, which is not much."""
    with terminal(directory, *arguments) as command:
        assert command.process.wait(30) == 0
        return os.read(command.master, 1 << 16).decode()


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, f"[{'.' * 24}]   0 %"), (0.5, f"[{'#' * 12}{'.' * 12}]  50 %"), (1, f"[{'#' * 24}] 100 %")],
)
def test_the_bar(share: float, text: str) -> None:
    assert bar(share) == text


def test_backup_and_restore(project: Path) -> None:
    text = shown(project, "backup", "copies")
    assert re.search(
        BAR + r"0/2  Book/a/b: 0\.\d MiB of 0\.\d MiB\x1b\[K\r\x1b\[K\[1/2\] Book/a/b: backed up", text
    )
    assert re.search(BAR + "1/2  Room/lobby", text)
    text = shown(project, "restore", "copies", "--replace")
    assert re.search(r"\r\[#{24}\] 100 % 1/2  Room/lobby: .*\r\x1b\[K\[2/2\] Room/lobby: restored", text)


def test_export_and_import(project: Path) -> None:
    text = shown(project, "objects", "export", "Room", "lobby", "-o", "lobby.json")
    assert "\rRoom lobby: exporting, 0.0 MiB ...\x1b[K\r\x1b[KRoom lobby: exported to lobby.json" in text
    text = shown(project, "objects", "import", "Room", "copy", "lobby.json")
    assert "\rRoom copy: importing 0.0 MiB ...\x1b[K\r\x1b[KRoom copy: imported" in text


def test_taking_over(tmp_path: Path) -> None:
    project = write_project(tmp_path, wrangler.PROGRAM, wrangler.TOML)
    copytree(wrangler.STATE, project / ".wrangler" / "state")
    text = shown(project, "import-wrangler")
    assert re.search(BAR + r"0/\d  \w+/.*\r\x1b\[K\[1/\d\] \w+/.*: imported", text)


def test_nothing_of_it_for_programs_or_without_a_terminal(project: Path) -> None:
    code, text = finished(project, "backup", "copies")
    assert (code, "\r" in text, "\x1b" in text) == (0, False, False)
    text = shown(project, "restore", "copies", "--replace", "--json")
    assert "\x1b" not in text
    assert [list(json.loads(line)) for line in text.split("\r\n") if line] == [["restored"], ["restored"]]
    text = shown(project, "objects", "export", "Room", "lobby", "--json")
    assert "\x1b" not in text
