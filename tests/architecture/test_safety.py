"""Nothing that comes from outside or from disk can be run as code: what could run it is not there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src" / "durabase"
DECODERS = {"cloudpickle", "dill", "marshal", "pickle", "shelve", "yaml"}
RUNNERS = {"compile", "eval", "exec"}


def found_in(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                yield from DECODERS & {name.name.partition(".")[0] for name in names}
            case ast.ImportFrom(str(module)):
                yield from DECODERS & {module.partition(".")[0]}
            case ast.Call(ast.Name(name)):
                yield from RUNNERS & {name}


@pytest.mark.feature("M-SC-2")
def test_no_module_decodes_with_what_runs_code() -> None:
    found = {
        str(path.relative_to(SOURCES)): names
        for path in SOURCES.rglob("*.py")
        if (names := list(found_in(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


def test_the_search_finds_them() -> None:
    assert list(found_in("import pickle as p\nfrom yaml import load\nx = eval(y)\nre.compile('')")) != []
    assert set(found_in("import pickle as p\nfrom yaml import load\nx = eval(y)")) == {
        "pickle",
        "yaml",
        "eval",
    }
    assert list(found_in("re.compile('')")) == []
