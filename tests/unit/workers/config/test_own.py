"""The keys that Cloudflare does not know."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from durabase.workers.config.normalise import normalise

from .test_normalise import GOOD, PATH, errors_of, warnings_of


@pytest.mark.feature("S-LC-2")
def test_how_long_objects_are_quiet_before_they_sleep() -> None:
    table = {"durabase": {"idle_seconds": {"Room": 0, "Log": 2.5, "Desk": "never"}}}
    config, diagnostics = normalise(GOOD | table, None, PATH)
    assert config.idle_seconds == {"Room": 0, "Log": 2.5, "Desk": inf}
    assert (diagnostics.render_errors(), diagnostics.render_warnings()) == ("", "")
    assert normalise(GOOD, None, PATH)[0].idle_seconds == {}


@pytest.mark.parametrize("wrong", [-1, True, "soon", None, [1]])
def test_what_is_no_time(wrong: Any) -> None:
    text = errors_of({"durabase": {"idle_seconds": {"Room": wrong}}})
    assert 'Expected "durabase.idle_seconds.Room" to be a number of seconds or "never"' in text


def test_unknown_keys_are_a_warning() -> None:
    assert '"idle"' in warnings_of({"durabase": {"idle": 1}})
