"""``durabase doctor``: a machine and its disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from durabase.cli.main import main
from durabase.durable_objects.storage.lock import FolderLock
from unit.cli.running import write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    capsys.readouterr()
    code = main(["doctor", *arguments, "--json"])
    return code, {each["name"]: each for each in json.loads(capsys.readouterr().out)}


def test_the_machine_and_its_disk(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, findings = found(capsys, str(project), "--sockets", "10")
    assert set(findings) == {"SQLite", "Open files", "Data", "Disk", "Free space"}
    assert "is made when it is needed" in findings["Data"]["text"]
    assert not (project / ".durabase").exists()


def test_data_in_use_and_too_few_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = project / "state"
    lock = FolderLock(state)
    lock.acquire()
    arguments = (str(project), "--persist-to", str(state), "--sockets", "1000000000")
    code, findings = found(capsys, *arguments)
    assert (code, findings["Open files"]["level"]) == (1, "fail")
    assert "in use by a server" in findings["Data"]["text"]
    lock.release()
    assert "no server uses it" in found(capsys, *arguments)[1]["Data"]["text"]
    assert main(["doctor", *arguments]) == 1
    assert "LimitNOFILE=" in capsys.readouterr().out
