"""A PostgreSQL server for all tests of this folder, and an empty database for each."""

from __future__ import annotations

from unit.persisters.conftest import database, postgres

__all__ = ["database", "postgres"]
