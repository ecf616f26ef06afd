"""The plugin in a pytest of its own, as users have it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent

import pytest

from .project import write_project

TESTS = """
    import pytest

    @pytest.fixture
    def name():
        return "a"

    async def test_counts(durabase, name):
        assert await durabase.env.COUNTER.get_by_name(name).increment() == 1

    @pytest.mark.parametrize("times", [1, 2])
    async def test_has_data_of_its_own(durabase, times):
        for expected in range(times):
            assert await durabase.env.COUNTER.get_by_name("a").increment() == expected + 1

    def test_plain(durabase):
        async def main():
            return await durabase.env.COUNTER.get_by_name("a").increment()
        assert durabase.run(main) == 1

    def test_without_a_worker():
        pass

    class TestInAClass:
        async def test_method(self, durabase):
            assert await (await durabase.fetch("/")).text() == "hello http://localhost/"
"""

FAILING = """
    async def test_fails(durabase):
        assert await durabase.env.COUNTER.get_by_name("a").increment() == 2
"""

OPTIONS = """
    import pytest
    from pathlib import Path

    @pytest.fixture
    def durabase_project():
        return Path(__file__).parents[1]

    @pytest.fixture
    def durabase_options():
        return {"vars": {"GREETING": "hey"}}

    async def test_options(durabase):
        assert await (await durabase.fetch("/")).text() == "hey http://localhost/"
"""


def pytest_in(directory: Path, text: str, *arguments: str) -> tuple[int, str]:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "test_it.py").write_text(dedent(text))
    command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments]
    done = subprocess.run(
        command,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
    )
    return done.returncode, done.stdout + done.stderr


def test_the_package_names_the_plugin() -> None:
    found = [each.value for each in entry_points(group="pytest11") if each.name == "durabase"]
    assert found == ["durabase.testing.plugin"]


@pytest.mark.feature("M-TH-1", "M-TH-5")
def test_asynchronous_tests_run_while_the_worker_runs(tmp_path: Path) -> None:
    code, output = pytest_in(write_project(tmp_path), TESTS)
    assert "6 passed" in output
    assert code == 0


def test_a_failure_is_shown_with_what_happened_to_objects(tmp_path: Path) -> None:
    code, output = pytest_in(write_project(tmp_path), FAILING)
    assert "assert 1 == 2" in output
    assert "durable objects" in output
    assert "ObjectConstructed(class_name='Counter'" in output
    assert code == 1


def test_project_and_options_can_be_overridden(tmp_path: Path) -> None:
    write_project(tmp_path)
    code, output = pytest_in(tmp_path / "tests", OPTIONS)
    assert "1 passed" in output
    assert code == 0


def test_loading_the_plugin_loads_nothing_else() -> None:
    program = "import sys, pytest, durabase.testing.plugin; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not {"durabase.workers", "durabase.store", "durabase.server", "sqlite3"} & loaded
