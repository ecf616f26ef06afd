"""JavaScript's globals do what they do in workerd: ``scripts/workerd_globals.py`` has recorded it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from durabase.workers.compat import js

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "recorded" / "js_globals.json").read_text("utf-8")
)


def made(expression: str) -> Any:
    names = {**js._GLOBALS, "bytes_of": list}
    result = eval(expression, names)  # noqa: S307 (our own text)
    return result if isinstance(result, (type(None), bool, int, float, list, dict)) else str(result)


@pytest.mark.feature("M-PY-4")
@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["expression"])
def test_it_gives_what_it_gives_in_workerd(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises((TypeError, ValueError)) as caught:
            made(case["expression"])
        assert str(caught.value) == case["error"]
    else:
        assert made(case["expression"]) == case["result"]
