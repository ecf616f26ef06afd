from __future__ import annotations

from pathlib import Path

import pytest

from durabase.cli.reload import is_watched


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/app/index.py", True),
        ("/app/pets/prices.py", True),
        ("/app/wrangler.toml", True),
        ("/app/wrangler.jsonc", True),
        ("/app/.dev.vars", True),
        ("/app/.dev.vars.staging", True),
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
