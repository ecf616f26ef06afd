"""The pytest plugin: the fixture ``durabase`` is a worker under test, and asynchronous tests may use it.

pytest loads it where durabase is installed; what it needs is imported when a test uses it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from durabase.testing.harness import WorkerHarness

__all__ = ["durabase", "durabase_options", "durabase_project"]

_FIXTURE = "durabase"


@pytest.fixture
def durabase_project(request: pytest.FixtureRequest) -> Path:
    """Where the configuration is looked for: the test's directory and those above. Override it to say so."""
    return request.path.parent


@pytest.fixture
def durabase_options() -> dict[str, Any]:
    """Further arguments of the ``WorkerHarness``. Override it to give any."""
    return {}


@pytest.fixture
def durabase(durabase_project: Path, durabase_options: dict[str, Any], tmp_path: Path) -> WorkerHarness:
    """The worker under test, with data of its own for each test. It runs while an asynchronous test does."""
    from durabase.testing.harness import WorkerHarness

    return WorkerHarness(durabase_project, **{"state_dir": tmp_path / "durabase", **durabase_options})


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an asynchronous test that uses the fixture, while its worker runs."""
    harness = _harness_of(pyfuncitem)
    if harness is None or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}

    async def run() -> None:
        async with harness:
            await pyfuncitem.obj(**arguments)

    asyncio.run(run())
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what has happened to the objects."""
    report = yield
    harness = _harness_of(item)
    if report.failed and harness is not None and harness.facts:
        report.sections.append(("durable objects", "\n".join(map(str, harness.facts))))
    return report


def _harness_of(item: pytest.Item) -> WorkerHarness | None:
    found: WorkerHarness | None = getattr(item, "funcargs", {}).get(_FIXTURE)
    return found
