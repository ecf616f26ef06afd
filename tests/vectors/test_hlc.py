"""Hybrid logical clocks as recorded."""

from __future__ import annotations

from typing import Any

import pytest

from durabase._codec import id_from_bytes
from durabase.mergeable import HybridClock, MergeableStore
from durabase.mergeable.hashes import get_hash
from durabase.testing import FakeClock
from durabase.types import UNDEFINED
from vectors._load import cases, untag


def _run(hybrid: HybridClock, step: dict[str, Any]) -> Any:
    argument = untag(step.get("arg", {"$": "undefined"}))
    match step["op"]:
        case "next":
            return hybrid.next()
        case "seen":
            return hybrid.seen() if argument is UNDEFINED else hybrid.seen(argument)
        case "encode":
            return hybrid.encode(*argument)
        case "decode":
            return [*hybrid.decode(argument)]
    raise AssertionError(step)


@pytest.mark.parametrize("case", cases("hlc"), ids=lambda case: str(case["name"]))
def test_clock(case: dict[str, Any]) -> None:
    clock = FakeClock(case["start"])
    hybrid = HybridClock(case["uniqueId"], clock=clock)
    assert hybrid.client_id == case["clientId"]
    for number, step in enumerate(case["steps"]):
        clock.set_now_ms(step.get("now", clock.now_ms()))
        out = _run(hybrid, step)
        if "out" in step:
            assert out == untag(step["out"]), f"step {number}"
        assert [hybrid.last_time, hybrid.last_counter] == step["state"], f"step {number}"


@pytest.mark.parametrize("case", cases("hlc", "clientIds"), ids=lambda case: repr(case["uniqueId"]))
def test_client_id(case: dict[str, Any]) -> None:
    unique_id = untag(case["uniqueId"])
    assert get_hash(unique_id) == case["hash"]
    assert HybridClock(unique_id).client_id == case["clientId"]


@pytest.mark.parametrize("case", cases("hlc", "uniqueIds"), ids=lambda case: str(case["id"]))
def test_unique_id(case: dict[str, Any]) -> None:
    assert id_from_bytes(bytes(case["bytes"])) == case["id"]


@pytest.mark.parametrize("case", cases("hlc", "validity"), ids=lambda case: repr(case["hlc"]))
def test_validity(case: dict[str, Any]) -> None:
    store = MergeableStore("s1", clock=FakeClock(case["now"]))
    store.apply_mergeable_changes([[{}], [{"v": [1, untag(case["hlc"])]}], 1])
    assert store.has_value("v") == case["accepted"]
