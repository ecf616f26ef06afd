"""Options of the adapters of ASGI and WSGI."""

from __future__ import annotations

import pytest

from durabase.workers.compat.gateway import BaseOptions


def test_how_bodies_are_encoded() -> None:
    assert BaseOptions().encode_body == "automatic"
    assert BaseOptions(encode_body="manual").encode_body == "manual"
    with pytest.raises(ValueError, match=r"^encode_body must be one of \('automatic', 'manual'\), got 'x'$"):
        BaseOptions(encode_body="x")  # type: ignore[arg-type]
