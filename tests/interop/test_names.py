"""Every method of the original's stores, persisters and synchronizers is here, under its name in Python."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import durabase
from durabase import MergeableStore, Store
from durabase.persisters import CustomPersister, FilePersister, RemotePersister
from durabase.synchronizers import LocalSynchronizer

HERE = Path(__file__).parent
OURS: dict[str, Any] = {
    "functions": durabase,
    "store": Store,
    "mergeable": MergeableStore,
    "custom": CustomPersister,
    "file": FilePersister,
    "remote": RemotePersister,
    "local": LocalSynchronizer,
}
RENAMED = {
    "forEachTable": "iter_tables",
    "forEachTableCell": "iter_table_cells",
    "forEachRow": "iter_rows",
    "forEachCell": "iter_cells",
    "forEachValue": "iter_values",
    "createStore": "Store",
    "createMergeableStore": "MergeableStore",
    "getHlcFunctions": "HybridClock",
}
LEFT_OUT = {  # what is built upon stores: other modules of the original
    "createCheckpoints",
    "createIndexes",
    "createMetrics",
    "createMiddleware",
    "createQueries",
    "createRelationships",
}


@pytest.fixture(scope="module")
def theirs() -> dict[str, list[str]]:
    node = shutil.which("node")
    assert node, "needs Node.js 20 or later: apt-get install nodejs, or https://nodejs.org"
    done = subprocess.run([node, "names.mjs"], cwd=HERE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    names: dict[str, list[str]] = json.loads(done.stdout)
    return names


@pytest.mark.parametrize("kind", OURS)
def test_nothing_is_missing(theirs: dict[str, list[str]], kind: str) -> None:
    names = {RENAMED.get(name) or snake_case(name) for name in theirs[kind] if name not in LEFT_OUT}
    assert len(names) > 10
    assert {name for name in names if not hasattr(OURS[kind], name)} == set()


@pytest.mark.parametrize("kind", OURS)
def test_what_is_there_is_typed_and_says_what_it_does(theirs: dict[str, list[str]], kind: str) -> None:
    for name in theirs[kind]:
        if name not in LEFT_OUT:
            found = getattr(OURS[kind], RENAMED.get(name) or snake_case(name))
            assert found.__doc__, name
            function = found.__init__ if isinstance(found, type) else found
            assert "return" in function.__annotations__, name


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
