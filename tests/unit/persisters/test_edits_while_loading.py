"""What is edited while a slow place is being read is neither lost nor lost sight of."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.persisters import Persists
from durabase.store import Store
from durabase.testing import FakeClock
from unit.persisters._places import Place


def slow(store: Any) -> tuple[Place, Any]:
    """A place that another has written to, and a persister that follows both sides."""
    place = Place(other_content(store, 1))
    persister = place.persister(store, persists=Persists.STORE_OR_MERGEABLE_STORE)
    persister.start_auto_persisting()
    assert persister.get_store().get_tables() == {"t": {"r": {"x": 1}, "s": {"x": 1}}}
    place.is_slow = True
    return place, persister


def other_content(store: Any, x: int) -> list[Any]:
    tables = {"t": {"r": {"x": x}, "s": {"x": 1}}}
    if not store.is_mergeable():
        return [tables, {}]
    other = MergeableStore(f"other{x}", clock=FakeClock(1_700_000_000_000 + x))
    return other.set_tables(tables)._get_encoded_mergeable_content()


@pytest.fixture(params=["plain", "mergeable"])
def store(request: pytest.FixtureRequest) -> Any:
    is_plain = request.param == "plain"
    return Store() if is_plain else MergeableStore("mine", clock=FakeClock(1_700_000_001_000))


def test_edits_stay_on_top_of_what_was_loaded_and_are_saved(store: Any) -> None:
    place, _ = slow(store)
    place.content = other_content(store, 2)
    assert place.listener is not None
    place.listener()
    store.set_cell("t", "r", "y", 1).set_value("v", 1).del_row("t", "s")
    place.go_on()
    place.go_on()
    expected = [{"t": {"r": {"x": 2, "y": 1}}}, {"v": 1}]
    assert store.get_content() == expected
    again = type(store)()
    assert place.errors == []
    place.is_slow = False
    place.persister(again, persists=Persists.STORE_OR_MERGEABLE_STORE).load()
    assert again.get_content() == expected


def test_they_are_told_to_listeners_once(store: Any) -> None:
    place, _ = slow(store)
    assert place.listener is not None
    place.listener()
    store.set_cell("t", "r", "x", 5)
    heard: list[Any] = []
    store.add_cell_listener(None, None, None, lambda _store, *change: heard.append(change))
    place.go_on()
    assert heard == []
    assert store.get_cell("t", "r", "x") == 5


def test_a_later_load_takes_what_is_there(store: Any) -> None:
    place, _ = slow(store)
    assert place.listener is not None
    place.listener()
    store.set_value("v", 1)
    place.go_on()
    place.go_on()
    place.content = other_content(store, 3)
    place.listener()
    place.go_on()
    assert store.get_content() == [{"t": {"r": {"x": 3}, "s": {"x": 1}}}, {}]
