"""The wheel in an environment of its own, without extras: what it brings along, loads on import, and does."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("wheel_program.py")
DATA_WING = ("store", "mergeable", "schematizers", "persisters", "synchronizers")

# What importing may load of the standard library, by first names: nothing that opens, waits, or listens.
LIGHT = """
__future__ _abc _collections _collections_abc _functools _operator _py_abc _sre _types _typing abc
annotationlib collections contextlib copyreg enum functools importlib itertools keyword operator re reprlib
sys types typing warnings
"""
LIGHT_ENOUGH = """
_ast _bisect _colorize _datetime _json _opcode _opcode_metadata _random _sha2 _sha512 _string
_struct _tokenize _weakref _weakrefset ast atexit bisect copy dataclasses datetime dis errno fnmatch
gc glob grp inspect ipaddress json linecache logging math ntpath opcode pathlib pwd random string
struct textwrap threading time token tokenize traceback urllib weakref zlib
"""
REFUSED_PARTS = ("urllib.request", "urllib.error", "logging.handlers", "logging.config")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("DURABASE_COMPILE", "0")  # `make compiled-test` is for the other kind
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, PROJECT)
    monkeypatch.undo()
    (built,) = folder.glob("durabase-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment in which the wheel was installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    found = folder / "bin" / "python"
    run(found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    return found


def run(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def loaded_by(python: Path, module: str) -> set[str]:
    """What an import loads that a bare interpreter has not loaded already."""
    program = (
        f"import sys; before = set(sys.modules); import {module}; print(*sorted(set(sys.modules) - before))"
    )
    return set(run(python, "-I", "-c", program).split())


def test_it_brings_along_a_web_socket_client_and_nothing_else(python: Path) -> None:
    listed = json.loads(
        run(python, "-m", "pip", "list", "--format=json", "--exclude=pip", "--exclude=setuptools")
    )
    assert sorted(package["name"] for package in listed) == ["durabase", "websockets"]


def test_stores_persisters_and_synchronizers_work_with_that(python: Path, tmp_path: Path) -> None:
    assert run(python, "-I", "-W", "error", PROGRAM) == "all of it works\n"


def test_importing_the_package_loads_next_to_nothing(python: Path) -> None:
    names = loaded_by(python, "durabase")
    assert {name for name in names if name.startswith("durabase")} == {"durabase", "durabase.errors"}
    assert {name.partition(".")[0] for name in names} - {"durabase"} - set(LIGHT.split()) == set()


@pytest.mark.parametrize("package", DATA_WING)
def test_importing_the_data_wing_loads_nothing_heavy(python: Path, package: str) -> None:
    names = loaded_by(python, f"durabase.{package}")
    allowed = {"durabase", *LIGHT.split(), *LIGHT_ENOUGH.split()}
    assert {name.partition(".")[0] for name in names} - allowed == set()
    assert names.isdisjoint(REFUSED_PARTS)
