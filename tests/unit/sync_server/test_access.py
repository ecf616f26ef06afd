"""Access: levels by name, expiry, JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from durabase.sync_server.access import Access, Level, level_of


def test_levels_have_names_and_an_order() -> None:
    assert [str(level) for level in Level] == ["none", "read", "write", "admin"]
    assert level_of("read") is level_of(Level.READ) is Level.READ
    assert Access("write").level > Level.READ


@pytest.mark.parametrize("level", ["root", "", "WRITE", "2", "nobody"])
def test_other_levels_are_refused(level: str) -> None:
    with pytest.raises(ValueError, match=r"is no level; those are none, read, write, admin"):
        Access(level)


def test_an_access_is_over_at_its_time() -> None:
    access = Access("read", expires_at=10)
    assert [access.is_over(now_ms) for now_ms in (9_999, 10_000, 10_001)] == [False, True, True]
    assert not Access("read").is_over(10**15)


def test_json_has_all_of_it() -> None:
    access = Access("admin", "ann", {"groups": ["a"]}, 12.5)
    assert Access.from_json(json.loads(json.dumps(access.to_json()))) == access


@pytest.mark.parametrize(
    "made", [None, {}, "admin", {"level": "root", "identity": "", "claims": {}, "expires_at": 1}]
)
def test_anything_else_is_no_access(made: Any) -> None:
    with pytest.raises(ValueError):
        Access.from_json(made)


def test_claims_are_a_copy() -> None:
    claims = {"a": 1}
    access = Access("read", claims=claims)
    claims["a"] = 2
    assert access.claims == {"a": 1}


def test_an_access_that_would_never_end_by_mistake_is_none() -> None:
    with pytest.raises(ValueError, match="NaN"):
        Access("read", expires_at=float("nan"))
