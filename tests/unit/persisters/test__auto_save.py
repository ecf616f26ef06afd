"""Following a store: everything once, then each transaction, and what could not be saved at its time."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import PersisterError
from durabase.mergeable import MergeableStore
from durabase.persisters import Persister, Persists, Status
from durabase.store import Store
from durabase.testing import FakeClock
from durabase.types import UNDEFINED

from ._places import Place, cells, changes, content, set_cell


def test_two_edits_while_writing() -> None:
    place, store = Place(), Store()
    place.persister(store).start_auto_save()
    place.is_slow = True
    place.log.clear()
    set_cell(store, a=1, b=2)
    assert place.log == [2, changes(a=1)]
    place.go_on()
    assert place.log == [2, changes(a=1), changes(b=2)]
    place.go_on()
    assert place.log[3:] == [0]


def test_loaded_content_is_not_written_back() -> None:
    place, store = Place(content(a=1)), Store()
    persister = place.persister(store)
    persister.start_auto_persisting()
    place.log.clear()
    place.content = content(a=2)
    persister.load()
    assert place.log == [1, "get", 0]
    assert cells(store) == {"a": 2}


def test_edits_made_while_loading_are_saved_afterwards() -> None:
    place, store = Place(), Store()
    persister = place.persister(store)
    persister.start_auto_persisting()
    place.is_slow = True
    persister.load()
    set_cell(store, a=1)
    place.log.clear()
    place.content = UNDEFINED
    place.go_on()
    assert place.log == [0, 2, "set all"]
    place.go_on()
    assert place.content == content(a=1)


def test_after_a_failed_load_nothing_is_overwritten() -> None:
    place, store = Place(content(old=1)), Store()
    place.read_error = OSError("broken")
    persister = place.persister(store)
    persister.start_auto_persisting()
    set_cell(store, new=1)
    assert place.content == content(old=1)
    assert persister.is_auto_saving()
    assert persister.get_stats() == {"loads": 1, "saves": 0}
    assert persister.get_status() is Status.IDLE
    first, second = place.errors
    assert str(first) == "broken"
    assert isinstance(second, PersisterError)
    assert second.__cause__ is first
    assert "withheld" in str(second)


def test_it_is_said_again_for_another_failure() -> None:
    place, store = Place(content(old=1)), Store()
    place.read_error = OSError("broken")
    persister = place.persister(store)
    persister.start_auto_persisting()
    place.read_error = OSError("still broken")
    persister.load()
    set_cell(store, new=1)
    assert [str(error)[:12] for error in place.errors] == [
        "broken",
        "automatic sa",
        "still broken",
        "automatic sa",
    ]


def test_what_is_no_content_is_not_overwritten_either() -> None:
    place = Place(5)
    place.persister(Store()).start_auto_persisting()
    assert place.content == 5


def test_a_load_that_succeeds_ends_it() -> None:
    place, store = Place(content(old=1)), Store()
    place.read_error = OSError("broken")
    persister = place.persister(store)
    persister.start_auto_persisting()
    place.read_error = None
    persister.load()
    assert cells(store) == {"old": 1}
    set_cell(store, new=1)
    assert place.content == content(old=1, new=1)


def test_the_caller_may_decide_to_overwrite() -> None:
    place, store = Place(content(old=1)), Store()
    place.read_error = OSError("broken")
    persister = place.persister(store)
    persister.start_auto_persisting(content(c=1))
    persister.save()
    assert place.content == content(c=1)
    set_cell(store, c=2)
    assert place.content == content(c=2)


def test_a_save_that_is_skipped_when_following_starts_is_made_up_for() -> None:
    place, store = Place(), Store()
    place.is_slow = True
    persister = place.persister(store)
    set_cell(store, a=1)
    persister.load()
    persister.start_auto_save()
    place.go_on()
    place.go_on()
    assert place.content == content(a=1)


def test_after_a_failed_save_the_next_one_is_followed_by_one_of_everything() -> None:
    place, store = Place(), Store()
    persister = place.persister(store)
    persister.start_auto_persisting()
    place.write_error = OSError("full")
    set_cell(store, a=1)
    place.write_error = None
    place.log.clear()
    set_cell(store, b=2)
    set_cell(store, c=3)
    assert place.log == [2, changes(b=2), 0, 2, "set all", 0, 2, changes(c=3), 0]
    assert [str(error) for error in place.errors] == ["full"]


def test_as_long_as_saves_fail_each_tries_its_own_changes_only() -> None:
    place, store = Place(), Store()
    persister = place.persister(store)
    persister.start_auto_persisting()
    place.write_error = OSError("full")
    place.log.clear()
    set_cell(store, a=1)
    set_cell(store, b=2)
    assert place.log == [2, changes(a=1), 0, 2, changes(b=2), 0]
    place.write_error = None
    persister.save()
    set_cell(store, c=3)
    assert place.log[6:] == [2, "set all", 0, 2, changes(c=3), 0]


def test_what_is_held_back_is_saved_as_a_whole_when_it_is_let_go() -> None:
    place, store = Place(), Store()
    persister = place.persister(store)
    persister.start_auto_save()
    place.log.clear()
    for has_edits in (True, False):
        persister._auto_save.hold()
        if has_edits:
            set_cell(store, a=1, b=2)
        assert place.log == []
        persister._auto_save.let_go()
        assert place.log == ([2, "set all", 0] if has_edits else [])
        place.log.clear()
    set_cell(store, c=3)
    assert place.log == [2, changes(c=3), 0]


def test_it_listens_to_the_store_while_it_is_on_only() -> None:
    store = Store()
    persister = Place().persister(store)
    counts = []
    for act in ("start_auto_save", "start_auto_save", "stop_auto_save", "stop_auto_save"):
        getattr(persister, act)()
        counts.append((persister.is_auto_saving(), sum(store.get_listener_stats().values())))
    assert counts == [(True, 1), (True, 1), (False, 0), (False, 0)]


def test_whether_changes_would_be_saved_at_once() -> None:
    place, store = Place(), Store()
    persister = Persister(store)
    auto_save = persister._auto_save
    assert auto_save.can_save_at_once()
    listener_id = persister.add_status_listener(print)
    assert not auto_save.can_save_at_once()
    persister.del_listener(listener_id)
    assert auto_save.can_save_at_once()
    auto_save.note_unsaved_edits()
    assert not auto_save.can_save_at_once()
    other = place.persister(store)
    place.read_error = OSError("broken")
    other.load()
    assert not other._auto_save.can_save_at_once()


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
