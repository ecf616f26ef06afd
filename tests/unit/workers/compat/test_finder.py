"""Which modules programs see, and that nobody else sees them."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from durabase.errors import WorkerLoadError
from durabase.testing import WorkerHarness
from durabase.workers.loader import load_worker, unload_workers
from unit.workers.programs import program_config, write_program

pytestmark = pytest.mark.feature("M-PY-5")

PROGRAM = """
    import js
    from workers import Response, WorkerEntrypoint

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            import asgi
            return Response(f"{asgi.fetch.__module__} {js.Response.new('x').status}")
"""


def test_they_are_not_there_without_a_program() -> None:
    code = """
import durabase.testing, durabase.cli.main, durabase.workers.compat.finder
for name in ("asgi", "js", "pyodide", "pyodide.ffi", "workers"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(name)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_installed_package_of_the_same_name_is_there_before_and_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site"
    (installed / "workers").mkdir(parents=True)
    text = "WHO = 'the SDK for editors'"
    (installed / "workers" / "__init__.py").write_text(text)
    monkeypatch.syspath_prepend(str(installed))
    import workers  # type: ignore[import-not-found, unused-ignore]

    async def use(worker: WorkerHarness) -> str:
        import workers as meanwhile  # type: ignore[import-not-found, unused-ignore]

        assert meanwhile is not workers
        assert hasattr(meanwhile, "WorkerEntrypoint")
        return await (await worker.fetch("/")).text()

    harness = WorkerHarness(write_program(tmp_path / "app", PROGRAM))
    assert harness.run(lambda: use(harness)) == "durabase.workers.compat.asgi 200"
    assert sys.modules["workers"] is workers
    assert workers.WHO == "the SDK for editors"
    assert "js" not in sys.modules
    del sys.modules["workers"]
    import workers as again  # type: ignore[import-not-found, unused-ignore]

    assert again.WHO == workers.WHO
    assert (installed / "workers" / "__init__.py").read_text() == text
    del sys.modules["workers"]


def test_a_package_of_the_same_name_stays_if_the_program_does_not_import_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "workers").mkdir(parents=True)
    (tmp_path / "site" / "workers" / "__init__.py").touch()
    (tmp_path / "site" / "workers" / "tasks.py").write_text("WHO = 'the application around'")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    import workers  # type: ignore[import-not-found, unused-ignore]

    loaded = load_worker(program_config(tmp_path / "app", "from durabase.workers import WorkerEntrypoint"))
    assert sys.modules["workers"] is workers
    tasks = importlib.import_module("workers.tasks")
    assert tasks.WHO == "the application around"
    unload_workers([loaded])
    assert sys.modules["workers"] is workers
    del sys.modules["workers"], sys.modules["workers.tasks"]


def test_a_program_that_can_not_be_loaded_leaves_none_behind(tmp_path: Path) -> None:
    before = list(sys.meta_path)
    with pytest.raises(WorkerLoadError):
        load_worker(program_config(tmp_path, "import js\nimport nothing_of_this_name"))
    assert "js" not in sys.modules
    assert sys.meta_path == before


def test_only_the_program_that_is_there_can_be_taken_out(tmp_path: Path) -> None:
    first = load_worker(program_config(tmp_path / "one", "import js"))
    second = load_worker(program_config(tmp_path / "two", "import js"))
    unload_workers([first])
    assert "js" in sys.modules
    unload_workers([second])
    assert "js" not in sys.modules
    assert str(tmp_path / "two") not in sys.path


@pytest.mark.feature("M-PY-7")
@pytest.mark.parametrize(
    ("name", "alternative"),
    [
        ("Math", "the module math"),
        ("RegExp", "the module re"),
        ("document", "nothing: there is no page"),
    ],
)
def test_importing_a_global_that_is_not_there_names_what_python_has(
    tmp_path: Path, name: str, alternative: str
) -> None:
    with pytest.raises(WorkerLoadError) as caught:
        load_worker(program_config(tmp_path, f"from js import {name}"))
    assert isinstance(caught.value.__cause__, ImportError)
    message = f"js.{name}: this JavaScript global is not offered here; use {alternative}"
    assert message in str(caught.value)
    with pytest.raises(WorkerLoadError, match=r"js\.Frobnicator: this .* is not offered here$"):
        load_worker(program_config(tmp_path, "from js import Frobnicator"))


@pytest.mark.feature("M-PY-7")
def test_asking_for_such_a_global_is_an_attribute_error(tmp_path: Path) -> None:
    program = """
        import js
        THERE = hasattr(js, "document"), getattr(js, "Math", None)
        try:
            js.Math.floor(1.5)
        except AttributeError as error:
            SAID = str(error)
    """
    module: Any = load_worker(program_config(tmp_path, program)).module
    assert module.THERE == (False, None)
    assert module.SAID == "js.Math: this JavaScript global is not offered here; use the module math"


def test_imports_within_functions_find_them_as_long_as_the_program_is_there(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> list[str]:
        return [await (await worker.fetch("/")).text() for _ in range(2)]

    harness = WorkerHarness(write_program(tmp_path, PROGRAM))
    assert harness.run(lambda: use(harness)) == ["durabase.workers.compat.asgi 200"] * 2
    with pytest.raises(ModuleNotFoundError):
        __import__("workers")
