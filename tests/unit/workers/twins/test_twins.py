"""A program in JavaScript under workerd, and its twin in Python here, observe the same.

``scripts/record_workerd.py`` has run the former.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from durabase.testing import WorkerHarness

HERE = Path(__file__).parent
RECORDED: dict[str, list[Any]] = json.loads((HERE / "recorded.json").read_text("utf-8"))


@cache
def observed() -> dict[str, list[Any]]:
    async def use(worker: WorkerHarness) -> dict[str, list[Any]]:
        answer: dict[str, list[Any]] = await (await worker.fetch("/")).json()
        return answer

    with TemporaryDirectory() as folder:
        for name in ("program.py", "wrangler.toml"):
            shutil.copy(HERE / name, folder)
        worker = WorkerHarness(folder)
        return worker.run(lambda: asyncio.wait_for(use(worker), 30))


def test_both_have_the_same_scenarios() -> None:
    assert observed().keys() == RECORDED.keys()


@pytest.mark.feature("C-TH-1")
@pytest.mark.parametrize("scenario", RECORDED)
def test_a_program_observes_what_it_does_under_workerd(scenario: str) -> None:
    recorded = re.sub(" at offset [0-9]+", "", json.dumps(RECORDED[scenario]))  # Python's SQLite knows it not
    assert observed()[scenario] == json.loads(recorded)
