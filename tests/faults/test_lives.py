"""Hundreds of processes are killed within commits, syncs, checkpoints and starts: nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.feature("M-AL-1", "M-SX-1", "C-SX-1")
@pytest.mark.parametrize(("kind", "lives"), [("kv", 300), ("sqlite", 300), ("history", 200)])
def test_every_life_finds_what_those_before_it_have_acknowledged(
    tmp_path: Path, kind: str, lives: int
) -> None:
    program = Path(__file__).with_name("lives.py")
    run = subprocess.run(
        [sys.executable, str(program), str(tmp_path), kind, str(lives), "29"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.splitlines()[-1])
    assert sum(result["killed"].values()) == lives
    assert {"commit", "sync", "checkpoint", "start"} <= set(result["killed"])
    assert min(result["acknowledged"].values()) > 0
