"""A process that is killed at any moment has lost nothing that it acknowledged, and no half of a turn."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from faults.writer import OBJECTS, opened


def acknowledged_until_killed(folder: Path, seconds: float, kind: str) -> dict[str, int]:
    """Run the program for a while, kill it, and read what it had acknowledged."""
    program = Path(__file__).with_name("writer.py")
    with subprocess.Popen(
        [sys.executable, str(program), str(folder)],
        stdout=subprocess.PIPE,
        env=os.environ | {"STORAGE": kind},
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()  # it is writing
        time.sleep(seconds)
        process.kill()
        lines = [first, *process.stdout.read().splitlines()]
    acknowledged: dict[str, int] = {}
    for line in lines:
        name, _, number = line.decode().strip().partition(" ")
        if number:
            acknowledged[name] = int(number)
    return acknowledged


async def contents(folder: Path, kind: str) -> dict[str, dict[str, Any]]:
    async with opened(str(folder), kind) as host:
        namespace = host.namespace("Ledger")
        return {name: await namespace.get_by_name(name).read() for name in (f"o{n}" for n in range(OBJECTS))}


def check(content: dict[str, Any], acknowledged: int) -> None:
    assert content.get("left", 0) >= acknowledged
    assert content.get("left") == content.get("right")
    last = content.get("left", 0)
    entries = [f"entry {number:06}" for number in range(max(1, last - 19), last + 1)]
    assert [key for key in content if key.startswith("entry")] == entries
    for entry in entries:
        assert len(content[entry]) == int(entry[6:]) % 50 * 100


@pytest.mark.parametrize(("kind", "kills"), [("kv", 9), ("sqlite", 3)])
def test_acknowledged_turns_are_there_after_kills(tmp_path: Path, kind: str, kills: int) -> None:
    rng = random.Random(20)
    acknowledged: dict[str, int] = {}
    for kill in range(kills):
        acknowledged |= acknowledged_until_killed(tmp_path, rng.uniform(0, 0.3), kind)
        if kill % 3 == 2:  # the others are found by the next program, which goes on from there
            for name, content in asyncio.run(contents(tmp_path, kind)).items():
                check(content, acknowledged.get(name, 0))
    assert sum(acknowledged.values()) > kills
