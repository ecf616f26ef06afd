"""What importing costs: the data wing alone loads nothing it does not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "asyncio",
    "ssl",
    "sqlite3",
    "socket",
    "http",
    "websockets",
    "h11",
    "pydantic",
    "psycopg",
    "pandas",
    "polars",
    "durabase.server",
    "durabase.workers",
    "durabase.durable_objects",
)


def loaded_by(statement: str) -> set[str]:
    program = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("heavy", HEAVY)
def test_a_store_needs_no_event_loop_database_or_server(heavy: str) -> None:
    assert heavy not in loaded_by("from durabase import Store, MergeableStore; MergeableStore('s')")


@pytest.mark.parametrize(
    "package", ["store", "mergeable", "schematizers", "frames", "persisters", "synchronizers"]
)
def test_importing_the_data_wing_needs_none_of_these_either(package: str) -> None:
    assert loaded_by(f"import durabase.{package}").isdisjoint(HEAVY)


def test_the_runtime_wing_does_not_load_the_data_wing() -> None:
    names = loaded_by("import durabase.workers, durabase.server")
    assert not [name for name in names if name.startswith(("durabase.store", "durabase.mergeable"))]
