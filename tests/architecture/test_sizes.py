"""Modules and functions stay small; the few that may be larger are listed here with a reason each."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src" / "durabase"
MODULE_CAP = 400
FUNCTION_CAP = 40

LARGER_MODULES: dict[str, tuple[int, str]] = {}
LARGER_FUNCTIONS: dict[str, str] = {}


def modules() -> list[Path]:
    templates = SOURCES / "templates"
    return sorted(path for path in SOURCES.rglob("*.py") if templates not in path.parents[1:])


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and len(body) > 1:
                body = body[1:]  # the docstring does not count
            last = body[-1].end_lineno
            assert last is not None
            yield f"{path.relative_to(SOURCES)}:{node.name}", last - body[0].lineno + 1


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCES)))
def test_a_module_has_one_responsibility_and_its_size(path: Path) -> None:
    cap, _ = LARGER_MODULES.get(str(path.relative_to(SOURCES)), (MODULE_CAP, ""))
    assert len(path.read_text(encoding="utf-8").splitlines()) <= cap


def test_functions_are_small() -> None:
    sizes = [(name, size) for path in modules() for name, size in functions(path)]
    too_large = {name: size for name, size in sizes if size > FUNCTION_CAP and name not in LARGER_FUNCTIONS}
    assert not too_large
    assert statistics.median(size for _, size in sizes) < 10


def test_no_exception_is_listed_in_vain() -> None:
    sizes = dict(pair for path in modules() for pair in functions(path))
    assert all(sizes[name] > FUNCTION_CAP for name in LARGER_FUNCTIONS)
    lengths = {
        str(path.relative_to(SOURCES)): len(path.read_text("utf-8").splitlines()) for path in modules()
    }
    assert all(lengths[name] > MODULE_CAP for name in LARGER_MODULES)


def test_every_public_module_class_and_function_says_what_it_is() -> None:
    missing = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = str(path.relative_to(SOURCES))
        if tree.body and ast.get_docstring(tree) is None:
            missing.append(name)
        for node in tree.body:
            public = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            if public and not node.name.startswith("_") and ast.get_docstring(node) is None:
                missing.append(f"{name}:{node.name}")
    assert not missing
