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
from interop.differential_programs import make_colliding_program, make_program
from vectors._load import difference, untag

HERE = Path(__file__).parent
PROGRAMS = int(os.environ.get("DURABASE_DIFFERENTIAL_PROGRAMS", "150"))
FIRST_SEED = int(os.environ.get("DURABASE_DIFFERENTIAL_SEED", "1"))
PATIENCE_SECONDS = 30.0
NOW = 1_700_000_000_000


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


def check_programs(original: Original, programs: dict[int, dict[str, Any]]) -> None:
    for seed, program in programs.items():
        if first_difference(original, program) is not None:
            program = shortest(original, program)
            found = first_difference(original, program)
            pytest.fail(f"seed {seed}: {found}\n{json.dumps(program, indent=1)}", pytrace=False)
    print(
        f"{len(programs)} programs, {sum(len(program['steps']) for program in programs.values())} operations"
    )


def test_programs_do_the_same_as_in_the_original(original: Original) -> None:
    seeds = range(FIRST_SEED, FIRST_SEED + PROGRAMS)
    check_programs(original, {seed: make_program(seed) for seed in seeds})


def test_programs_of_stores_with_one_id_do_the_same_as_in_the_original(original: Original) -> None:
    seeds = range(FIRST_SEED, FIRST_SEED + PROGRAMS // 3)
    check_programs(original, {seed: make_colliding_program(seed) for seed in seeds})


def test_two_stores_with_one_id_that_edit_in_one_millisecond(original: Original) -> None:
    """Both edits get one time, so neither wins, whatever is exchanged; the next edit of either does."""
    edits = [
        {"op": "setCell", "store": 0, "args": ["t", "r", "c", "zero"]},
        {"op": "setCell", "store": 1, "args": ["t", "r", "c", "one"]},
        {"op": "setValue", "store": 0, "args": ["v", 0]},
        {"op": "setValue", "store": 1, "args": ["v", 1]},
    ]
    exchanges = [
        {"op": "deliver", "store": 1, "message": 0},
        {"op": "pull", "store": 0, "other": 1},
        {"op": "merge", "store": 0, "other": 1},
        {"op": "give", "store": 1, "other": 0},
    ]
    later = [
        {"op": "setCell", "store": 1, "args": ["t", "r", "c", "later"]},
        {"op": "merge", "store": 0, "other": 1},
    ]
    zero, one = the_same_ends(original, [*edits, *exchanges])
    assert zero["content"] == [{"t": {"r": {"c": "zero"}}}, {"v": 0}]
    assert one["content"] == [{"t": {"r": {"c": "one"}}}, {"v": 1}]
    assert time_of_cell(zero) == time_of_cell(one)
    zero, one = the_same_ends(original, [*edits, *exchanges, *later])
    assert zero["content"][0] == one["content"][0] == {"t": {"r": {"c": "later"}}}
    assert zero["mergeable"][0] == one["mergeable"][0]


def the_same_ends(original: Original, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How two stores of one id look after operations of one millisecond, in both worlds."""
    steps = [{"now": NOW, **operation} for operation in operations]
    program = {"start": NOW, "eager": True, "stores": ["same", "same"], "steps": steps}
    assert first_difference(original, program) is None
    ends: list[dict[str, Any]] = run_program(program)["end"]
    return ends


def time_of_cell(end: dict[str, Any]) -> Any:
    return end["mergeable"][0][0]["t"][0]["r"][0]["c"][1]
