"""A PostgreSQL server for all tests of this folder; places of a kind for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.databases._sides import Places
from unit.persisters.postgres_server import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def places(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Places]:
    if kind not in ("pg", "postgres"):
        yield Places(kind, tmp_path, None)
        return
    database = request.getfixturevalue("postgres").database()
    yield Places(kind, tmp_path, database)
    database.close()
