"""What is watched, and what becomes of a change."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from durabase.cli import reload as module
from durabase.cli.console import Console
from durabase.cli.reload import is_watched, watch
from durabase.workers.config import Config


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/app/index.py", True),
        ("/app/pets/prices.py", True),
        ("/app/wrangler.toml", True),
        ("/app/wrangler.jsonc", True),
        ("/app/.dev.vars", True),
        ("/app/.dev.vars.staging", True),
        ("/app/.env", True),
        ("/app/notes.txt", False),
        ("/app/node_modules/x/setup.py", False),
        ("/app/.venv/lib/python3.11/site-packages/x.py", False),
        ("/app/.durabase/state/x.py", False),
        ("/app/__pycache__/index.py", False),
        ("/other/index.py", False),
    ],
)
def test_what_is_watched(path: str, expected: bool) -> None:
    assert is_watched(Path("/app"), Path(path)) is expected


def watched(monkeypatch: pytest.MonkeyPatch, config: Config, failing: str = "") -> tuple[list[Any], int, str]:
    """Give each watched directory one change, and say which there were."""
    directories: list[Any] = []
    text = io.StringIO()
    changes = 0

    async def awatch(directory: Path, *, recursive: bool, **options: Any) -> AsyncIterator[set[Any]]:
        directories.append((str(directory), recursive))
        if str(directory) == failing:
            raise OSError("no more watches")
        yield {1}

    async def changed() -> None:
        nonlocal changes
        changes += 1

    monkeypatch.setattr(module, "awatch", awatch)
    asyncio.run(watch([config], changed, Console(text, text)))
    return sorted(directories), changes, text.getvalue()


def test_the_program_is_watched_with_all_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config("/app/wrangler.toml", "app", "/app/index.py")
    assert watched(monkeypatch, config) == ([("/app", True)], 1, "")


def test_a_configuration_elsewhere_is_watched_without(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config("/app/wrangler.toml", "app", "/app/src/index.py")
    assert watched(monkeypatch, config) == ([("/app", False), ("/app/src", True)], 2, "")


def test_what_can_not_be_watched_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config("/app/wrangler.toml", "app", "/app/index.py")
    _, changes, text = watched(monkeypatch, config, failing="/app")
    assert changes == 0
    assert text == "▲ [WARNING] Changes are not followed: no more watches\n"
