"""The package's names, and what importing them must not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

from durabase import synchronizers


def test_every_name_is_there() -> None:
    for name in synchronizers.__all__:
        assert getattr(synchronizers, name).__name__ == name or name == "MessageCallback"
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        synchronizers.Nothing  # noqa: B018


def test_importing_loads_no_event_loop_and_no_database() -> None:
    code = (
        "import sys, durabase.persisters, durabase.synchronizers;"
        "print([name for name in ('asyncio', 'ssl', 'sqlite3', 'websockets') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
