"""A PostgreSQL server for all tests of this folder, and an empty database for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.persisters.postgres_server import Database, PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    empty = postgres.database()
    yield empty
    empty.close()
