"""docs/conformance.md names tests that are there, for each observation at least one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "conformance.md"

_ROW = re.compile(r"^\| (?P<observation>.+?) \| (?P<tests>`.+`) \|$", re.MULTILINE)
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
_SUBJECTS = 8
_FEWEST_ROWS = 60


@cache
def names_in(path: Path) -> set[str]:
    """The names of the test functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_")}


def test_every_row_has_the_form() -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| Obs")]
    assert [line for line in lines if not _ROW.match(line)] == []
    assert len(lines) >= _FEWEST_ROWS
    assert text.count("\n## ") == _SUBJECTS


def test_every_test_that_is_named_is_there() -> None:
    rows = list(_ROW.finditer(PAGE.read_text(encoding="utf-8")))
    named = [(row["observation"], _TEST.findall(row["tests"])) for row in rows]
    assert [observation for observation, tests in named if not tests] == []
    missing = [
        f"{file}::{name}"
        for _, tests in named
        for file, name in tests
        if not (TESTS / file).is_file() or name not in names_in(TESTS / file)
    ]
    assert missing == []
