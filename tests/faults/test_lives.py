"""Hundreds of processes are killed within commits, syncs, checkpoints and starts: nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LIVES = 300


@pytest.mark.feature("M-AL-1", "M-SX-1")
@pytest.mark.parametrize("kind", ["kv", "sqlite"])
def test_every_life_finds_what_those_before_it_have_acknowledged(tmp_path: Path, kind: str) -> None:
    program = Path(__file__).with_name("lives.py")
    run = subprocess.run(
        [sys.executable, str(program), str(tmp_path), kind, str(LIVES), "29"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.splitlines()[-1])
    assert sum(result["killed"].values()) == LIVES
    assert {"commit", "sync", "checkpoint", "start"} <= set(result["killed"])
    assert min(result["acknowledged"].values()) > 0
