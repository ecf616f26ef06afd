"""Changes that are given to a store: anything may be, and it is the store that is given back."""

from __future__ import annotations

from typing import Any

import pytest

from durabase import MergeableStore, Store
from durabase.testing import FakeClock

NOW = 1_800_000_000_000
HLC = "Nr4Xk0----00abcd"
CHANGES: list[Any] = [[{"t": [{"r": [{"c": ["there", HLC]}]}]}], [{}], 1]


def test_changes_and_content_are_merged() -> None:
    there = MergeableStore("there", clock=FakeClock(NOW)).set_cell("t", "r", "d", 2).set_value("v", True)
    here = MergeableStore("here", clock=FakeClock(NOW))
    assert here.apply_mergeable_changes(CHANGES) is here
    here.apply_mergeable_changes(there.get_mergeable_content())
    assert here.get_tables() == {"t": {"r": {"c": "there", "d": 2}}}
    assert here.get_values() == {"v": True}


@pytest.mark.parametrize("given", [None, 1, "x", (), [], {}, [[{}], [{}], 2], [[{}]]])
def test_what_is_malformed_changes_nothing(given: Any) -> None:
    store = MergeableStore("here").set_cell("t", "r", "c", 1)
    before = store.get_mergeable_content()
    assert store.apply_mergeable_changes(given) is store
    assert store.get_mergeable_content() == before


def test_a_store_of_ones_own_may_do_it_otherwise() -> None:
    class Counting(MergeableStore):
        count = 0

        def apply_mergeable_changes(self, mergeable_changes: Any) -> Counting:
            self.count += 1
            return super().apply_mergeable_changes(mergeable_changes)

    store = Counting("here", clock=FakeClock(NOW))
    assert store.apply_mergeable_changes(CHANGES).get_cell("t", "r", "c") == "there"
    assert store.count == 1
    assert isinstance(store, Store)
