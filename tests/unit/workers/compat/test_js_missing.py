"""What to use in place of globals that are not offered."""

from __future__ import annotations

import pytest

from durabase.workers.compat import js
from durabase.workers.compat.js_missing import _OF_NAME, alternative


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("Math", "the module math"),
        ("BigInt64Array", "the module array, or bytes and memoryview"),
        ("Uint8ClampedArray", "the module array, or bytes and memoryview"),
        ("URIError", "an exception of Python's own"),
        ("nonsense", None),
        ("", None),
    ],
)
def test_alternatives(name: str, instead: str | None) -> None:
    assert alternative(name) == instead


def test_none_of_them_is_offered() -> None:
    assert [name for name in _OF_NAME if hasattr(js, name)] == []
