"""Random programs do the same in durabase as in the original, in everything that can be observed.

``DURABASE_DIFFERENTIAL_PROGRAMS`` is how many are run, ``DURABASE_DIFFERENTIAL_SEED`` the first one's seed.
A program that makes a difference is made as short as can be and printed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from interop.differential_durabase import run_program
from interop.differential_programs import make_program
from vectors._load import difference, untag

HERE = Path(__file__).parent
PROGRAMS = int(os.environ.get("DURABASE_DIFFERENTIAL_PROGRAMS", "150"))
FIRST_SEED = int(os.environ.get("DURABASE_DIFFERENTIAL_SEED", "1"))
PATIENCE_SECONDS = 30.0


class Original:
    """The original, in a Node process."""

    def __init__(self, node: str) -> None:
        self._process = subprocess.Popen(
            [node, "differential.mjs"],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, program: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = Timer(PATIENCE_SECONDS, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps(program) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        assert line, f"Node ended or took more than {PATIENCE_SECONDS} s with {json.dumps(program)}"
        observed: dict[str, Any] = untag(json.loads(line))
        return observed

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def original() -> Iterator[Original]:
    node = shutil.which("node")
    assert node, "needs Node.js 20 or later: apt-get install nodejs, or https://nodejs.org"
    installed = HERE / "node_modules" / "tinybase" / "package.json"
    assert installed.exists(), "needs the original: npm ci --prefix tests/interop"
    process = Original(node)
    yield process
    process.close()


def first_difference(original: Original, program: dict[str, Any]) -> str | None:
    """Where durabase differs from the original in a program."""
    expected, actual = original.run(program), run_program(program)
    for number, (ours, theirs) in enumerate(zip(actual["steps"], expected["steps"], strict=True)):
        trace = ours.pop("trace")
        found = difference(ours, theirs, f"step {number}")
        if found is not None:
            return f"{found}\n{trace}"
    return difference(actual["end"], expected["end"], "end")


def shortest(original: Original, program: dict[str, Any]) -> dict[str, Any]:
    """A program that still makes a difference, but does not without any one of its operations."""
    shortened = True
    while shortened:
        shortened = False
        for candidate in shorter(program):
            if first_difference(original, candidate) is not None:
                program = candidate
                shortened = True
                break
    return program


def shorter(program: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The program with one half, quarter, …, one step, or one inner operation less."""
    for steps in fewer(program["steps"]):
        yield {**program, "steps": steps}
    for number, step in enumerate(program["steps"]):
        for ops in fewer(step.get("ops", [])):
            steps = [*program["steps"]]
            steps[number] = {**step, "ops": ops}
            yield {**program, "steps": steps}


def fewer(items: list[Any]) -> Iterator[list[Any]]:
    size = len(items) // 2
    while size:
        for start in range(0, len(items), size):
            yield items[:start] + items[start + size :]
        size //= 2
    if len(items) == 1:
        yield []


def test_programs_do_the_same_as_in_the_original(original: Original) -> None:
    operations = 0
    for seed in range(FIRST_SEED, FIRST_SEED + PROGRAMS):
        program = make_program(seed)
        operations += len(program["steps"])
        if first_difference(original, program) is not None:
            program = shortest(original, program)
            found = first_difference(original, program)
            pytest.fail(f"seed {seed}: {found}\n{json.dumps(program, indent=1)}", pytrace=False)
    print(f"{PROGRAMS} programs, {operations} operations")
