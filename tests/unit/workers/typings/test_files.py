"""All stubs, by their files: they can be parsed, and have what the modules themselves have."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module

import pytest

from durabase.workers.compat.finder import COMPAT_MODULES
from durabase.workers.loader import load_workers, unload_workers
from durabase.workers.typings.files import typings
from unit.workers.programs import ROOM, TOML, program_config

PROGRAM = """
    from workers import DurableObject

    class Room(DurableObject):
        def visit(self, name: str) -> int: ...
"""


@pytest.fixture(scope="module", name="files")
def make_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    config = program_config(tmp_path_factory.mktemp("program"), PROGRAM, TOML + ROOM)
    [worker] = load_workers([config])
    yield typings([(config, worker)])
    unload_workers([worker])


def names_of(text: str) -> set[str]:
    """What a stub gives names to."""
    names: set[str] = set()
    for node in ast.parse(text).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.ImportFrom(names=imported):
                names |= {each.asname or each.name for each in imported}
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def test_there_is_one_for_each_module_at_its_place(files: dict[str, str]) -> None:
    for module in COMPAT_MODULES:
        path = module.replace(".", "/")
        is_package = any(other.startswith(f"{module}.") for other in COMPAT_MODULES)
        assert (f"{path}/__init__.pyi" in files) is is_package
        assert (f"{path}.pyi" in files) is not is_package
    assert {"worker_env.pyi", "workers/_runtime.pyi", "workers/__init__.pyi", "js.pyi"} <= set(files)


def test_all_names_of_a_module_are_there(files: dict[str, str]) -> None:
    for module, source in COMPAT_MODULES.items():
        path = module.replace(".", "/")
        text = files.get(f"{path}.pyi") or files[f"{path}/__init__.pyi"]
        assert set(import_module(source).__all__) - names_of(text) == set()
        assert text.startswith('"""')
        assert "Written by `durabase types`." in text.partition("\n")[0]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("workers/__init__.pyi", "from workers._runtime import DurableObject as DurableObject"),
        ("workers/__init__.pyi", "from workers._runtime import Request as Request"),
        ("workers/__init__.pyi", "from worker_env import Env\nenv: Env"),
        ("workers/workflows.pyi", "class NonRetryableError(Exception): ..."),
        (
            "workers/gateway/__init__.pyi",
            "class BaseOptions:\n    def __getattr__(self, name: str) -> Any: ...",
        ),
        ("js.pyi", "URL: Any"),
        ("pyodide/http.pyi", "async def pyfetch(url: "),
        ("pyodide/code.pyi", "def run_js(code: str) -> Any: ..."),
        ("pyodide/__init__.pyi", "__version__: str"),
        ("worker_env.pyi", "class Env"),
        ("workers/_runtime.pyi", "class WebSocket"),
    ],
)
def test_what_is_said_of_a_name(files: dict[str, str], path: str, line: str) -> None:
    assert f"\n{line}" in files[path]


def test_the_runtime_s_classes_are_whole(files: dict[str, str]) -> None:
    text = files["workers/_runtime.pyi"]
    names = names_of(text)
    for name in (
        "DurableObject",
        "DurableObjectNamespace",
        "Response",
        "SqlStorage",
        "KvNamespace",
        "Assets",
    ):
        assert name in names
    assert "{imports}" not in text
