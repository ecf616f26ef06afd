"""docs/features.md says what is there, and each thing that it says is there has a test that shows it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "features.md"

_ROW = re.compile(
    r"^\| (?P<id>[MSCW](?:-[A-Z]{2})?-\d+) \| (?P<feature>.+) \| (?P<state>.+) \|$", re.MULTILINE
)
_STATE = re.compile(r"yes(?:: .+)?|(?:differs|no): .+|not yet tested")


@cache
def rows() -> dict[str, str]:
    """The rows of the page, and the state of each."""
    return {row["id"]: row["state"] for row in _ROW.finditer(PAGE.read_text(encoding="utf-8"))}


@cache
def tagged() -> dict[str, list[str]]:
    """The ids that tests carry, and where."""
    places = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if "mark.feature" in source:
            for place, id in _tags(path, ast.parse(source)):
                places[id].append(place)
    return places


def _tags(path: Path, tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(ast.Attribute(attr="mark"), "feature"), arguments):
                for argument in arguments:
                    place = f"{path.relative_to(TESTS)}:{argument.lineno}"
                    assert isinstance(argument, ast.Constant), f"{place}: write the row's name as it is"
                    yield place, str(argument.value)


def test_every_row_is_there_once_and_has_a_state() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| [MSCW]-", line)]
    assert [line for line in lines if not _ROW.match(line)] == []
    assert len(lines) == len(rows())
    assert {id: state for id, state in rows().items() if not _STATE.fullmatch(state)} == {}


def test_what_the_page_says_is_there_has_a_test_that_shows_it() -> None:
    there = [id for id, state in rows().items() if state.startswith(("yes", "differs"))]
    assert [id for id in there if id not in tagged()] == []


def test_no_test_carries_a_row_that_is_not_there() -> None:
    assert {id: places for id, places in tagged().items() if id not in rows()} == {}


def test_the_finder_finds_marks_wherever_they_stand() -> None:
    source = """
pytestmark = [pytest.mark.feature("M-NS-1")]

@pytest.mark.feature("M-NS-2", "M-NS-3")
def test_it(): ...

pytest.param(1, marks=pytest.mark.feature("M-NS-4"))
"""
    found = [id for _, id in _tags(TESTS / "test_x.py", ast.parse(source))]
    assert sorted(found) == ["M-NS-1", "M-NS-2", "M-NS-3", "M-NS-4"]
