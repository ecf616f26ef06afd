"""A program's modules, which come into the process and leave it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import durabase
from durabase.workers.imports import ProgramImports


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    paths, hooks, modules = list(sys.path), list(sys.path_hooks), dict(sys.modules)
    yield
    assert (sys.path, sys.path_hooks) == (paths, hooks)
    assert [name for name in sys.modules if name.startswith("its_")] == []
    assert sys.modules == sys.modules | modules


def program(directory: Path, **modules: str) -> ProgramImports:
    """A program with these modules; two underscores stand for a slash."""
    for name, text in modules.items():
        file = directory / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return ProgramImports(directory)


def imported(name: str) -> Any:
    return importlib.import_module(name)


def test_modules_are_seen_while_it_is_installed(tmp_path: Path) -> None:
    imports = program(tmp_path, its_a="import its_b", its_b="VALUE = 1", its_package__c="VALUE = 2")
    imports.install()
    assert sys.path[0] == str(tmp_path)
    assert imports.import_file(tmp_path / "its_a.py").its_b.VALUE == 1
    assert imported("its_package.c").VALUE == 2
    imports.remove()
    assert "its_a" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        imported("its_b")


def test_modules_are_back_when_it_is_installed_again(tmp_path: Path) -> None:
    imports = program(tmp_path, its_a="")
    imports.install()
    module = imported("its_a")
    imports.remove()
    imports.install()
    assert imported("its_a") is module
    imports.remove()


def test_a_program_behind_leaves_others_their_names(tmp_path: Path) -> None:
    one, two = program(tmp_path / "1", its_a="N = 1"), program(tmp_path / "2", its_a="N = 2", its_b="N = 2")
    two.install()
    theirs = imported("its_a")
    two.remove()
    one.install()
    ours = imported("its_a")
    two.install(behind=True)
    assert sys.path[-1] == str(tmp_path / "2")
    assert imported("its_a") is ours
    assert imported("its_b").N == 2
    two.remove()
    one.remove()
    two.install()
    assert imported("its_a") is theirs
    two.remove()


def test_code_is_compiled_from_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    imports = program(tmp_path, its_a="VALUE = 1")
    imports.install()
    assert imported("its_a").VALUE == 1
    imports.remove()
    (tmp_path / "its_a.py").write_text("VALUE = 2")  # of the same size, within the same second
    again = ProgramImports(tmp_path)
    again.install()
    assert imported("its_a").VALUE == 2
    again.remove()
    assert not (tmp_path / "__pycache__").exists()


def test_packages_are_imported_from_and_are_not_part_of_it(tmp_path: Path) -> None:
    program(tmp_path / "python_modules", its_vendored="")
    imports = ProgramImports(tmp_path, [tmp_path / "python_modules"])
    imports.install()
    module = imported("its_vendored")
    imports.remove()
    assert sys.modules.pop("its_vendored") is module


def test_this_package_is_never_the_program_s_own() -> None:
    imports = ProgramImports(Path(durabase.__file__).parent)
    imports.install()
    imports.remove()
    assert sys.modules["durabase"] is durabase
    assert sys.modules["durabase.workers.imports"].ProgramImports is ProgramImports


def test_a_file_whose_name_is_taken(tmp_path: Path) -> None:
    imports = program(tmp_path, json="")
    imports.install()
    with pytest.raises(ImportError, match=r"^a module named 'json' exists already; give json\.py another"):
        imports.import_file(tmp_path / "json.py")
    imports.remove()


def test_words_in_the_source_of_what_is_imported(tmp_path: Path) -> None:
    imports = program(tmp_path, its_a="NAME = 'run_sync'", its_b="OTHER = 'ä'")
    imports.install()
    imported("its_b")
    assert not imports.mentions("run_sync")
    assert imports.mentions("ä")
    imported("its_a")
    assert imports.mentions("run_sync")
    imports.remove()
    assert not imports.mentions("run_sync")
