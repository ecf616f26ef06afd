"""Persisters over mergeable stores: which content goes where."""

from __future__ import annotations

from typing import Any

from durabase.errors import PersisterError
from durabase.mergeable import MergeableStore
from durabase.persisters import Persists
from durabase.testing import FakeClock
from durabase.types import UNDEFINED

from ._places import MERGEABLE, Place

EARLY, LATE = "NjEtLV-----7JQY8", "NjEtLV4----7JQY8"
EMPTY = [[{}, "", 0], [{}, "", 0]]


def new_store(unique_id: str = "s1") -> MergeableStore:
    return MergeableStore(unique_id, clock=FakeClock())


def stored(**values: Any) -> Any:
    """What is persisted of a store with these values."""
    return new_store("other").set_values(values)._get_encoded_mergeable_content()


class TestMergeableContent:
    def test_hashes_and_stamps_come_back(self) -> None:
        place, store = Place(), new_store()
        place.persister(store, persists=MERGEABLE).start_auto_persisting()
        store.set_cell("t", "r", "c", [1]).set_value("v", 1).del_value("v")
        other = new_store("s2")
        place.persister(other, persists=MERGEABLE).load()
        assert other.get_mergeable_content_hashes() == store.get_mergeable_content_hashes()
        assert other.get_content() == [{"t": {"r": {"c": [1]}}}, {}]

    def test_initial_content_never_wins(self) -> None:
        place, store = Place(), new_store()
        place.persister(store, persists=MERGEABLE).load([{}, {"v": 1}])
        assert store._get_encoded_mergeable_content()[1][0]["v"][1] == ""

    def test_changes_are_applied_and_merged(self) -> None:
        place, store = Place(), new_store()
        store.set_value("mine", 1)
        place.persister(store, persists=MERGEABLE).start_auto_load()
        assert place.listener is not None
        place.listener(None, [[{}], [{"theirs": [1, EARLY]}], 1])
        assert store.get_values() == {"mine": 1, "theirs": 1}

    def test_plain_content_is_taken_as_local_edits(self) -> None:
        store = new_store()
        Place([{}, {"v": 1}]).persister(store, persists=MERGEABLE).load()
        assert store.get_mergeable_content_hashes() != [0, 0]
        assert store._get_encoded_mergeable_content()[1][0]["v"][1] != ""

    def test_plain_persisters_stamp_what_they_load(self) -> None:
        place, store = Place([{}, {"v": 1}]), new_store()
        place.persister(store, persists=Persists.STORE_ONLY).start_auto_persisting()
        assert store._get_encoded_mergeable_content()[1][0]["v"][1] != ""
        store.set_value("w", 2)
        assert place.log[-2] == ("set", [{}, {"w": 2}, 1])

    def test_all_accepted_stamps_are_saved(self) -> None:
        place, store = Place(), new_store()
        store.set_value("v", 1)
        place.persister(store, persists=MERGEABLE).start_auto_persisting()
        store._apply_encoded_mergeable_changes([[{}], [{"v": [1, LATE], "gone": [UNDEFINED, LATE]}], 1])
        assert place.log[-2][1][1][0].keys() == {"v", "gone"}


class TestMutatorsWhileLoading:
    def test_what_they_change_is_saved(self) -> None:
        place, store = Place(), new_store()
        store.add_value_listener(
            "v", lambda one, *_: one.set_value("double", one.get_value("v") * 2), mutator=True
        )
        persister = place.persister(store, persists=MERGEABLE)
        persister.start_auto_persisting()
        place.log.clear()
        assert place.listener is not None
        place.listener(None, [[{}], [{"v": [4, LATE]}], 1])
        assert place.log == [1, 0, 2, "set all", 0]
        assert place.content[1][0]["double"][0] == 8
        place.listener(None, [[{}], [{"w": [4, LATE]}], 1])
        assert place.log[5:] == [1, 0]


class TestDataSafety:
    def test_what_was_edited_after_a_failed_load_is_merged_with_what_a_later_one_finds(self) -> None:
        place, store = Place(stored(old=1)), new_store()
        place.read_error = OSError("broken")
        persister = place.persister(store, persists=MERGEABLE)
        persister.start_auto_persisting()
        store.set_value("new", 1)
        assert place.content == stored(old=1)
        place.read_error = None
        persister.load()
        assert store.get_values() == {"new": 1, "old": 1}
        assert place.content[1][0].keys() == {"old", "new"}

    def test_plain_content_found_by_a_later_load(self) -> None:
        place, store = Place([{}, {"old": 1}]), new_store()
        place.read_error = OSError("broken")
        persister = place.persister(store, persists=MERGEABLE)
        persister.load()
        place.read_error = None
        persister.load()
        assert store.get_values() == {"old": 1}

    def test_refused_content_is_not_overwritten(self) -> None:
        for content in (
            [[{}, "", 0], [{"v": [1, "zzzzzzzzzzzzzzzz", 5]}, "", 0]],
            [[{"t": [{"r": [{"c": ["x", "bad", 1]}, "", 1]}, "", 1]}, "", 1], [{}, "", 0]],
            [[5, "", 0], [{}, "", 0]],
        ):
            place, store = Place(content), new_store()
            place.persister(store, persists=MERGEABLE).start_auto_persisting([{}, {"v": 1}])
            store.set_value("w", 1)
            assert place.content == content
            assert isinstance(place.errors[0], PersisterError)
            assert "refuses" in str(place.errors[0])

    def test_content_without_cells_is_taken(self) -> None:
        for content in (EMPTY, [[{"t": [{}, "", 0]}, "", 0], [{}, "", 0]], [[{"t": [{}]}], [{}], 1]):
            place, store = Place(content), new_store()
            place.persister(store, persists=MERGEABLE).start_auto_persisting()
            assert place.errors == []


class TestTogether:
    def test_two_places_of_one_store_are_kept_in_step(self) -> None:
        one, other, store = Place(), Place(), new_store()
        one.persister(store, persists=MERGEABLE).start_auto_persisting()
        other.persister(store, persists=MERGEABLE).start_auto_persisting()
        store.set_value("v", 1)
        assert one.listener is not None
        one.listener(None, [[{}], [{"theirs": [1, EARLY]}], 1])
        assert other.content == store._get_encoded_mergeable_content()
        store.set_value("w", 1)
        assert one.content == other.content == store._get_encoded_mergeable_content()

    def test_edits_while_one_of_them_is_slow_are_saved_by_both(self) -> None:
        slow, quick, store = Place(), Place(), new_store()
        slow.persister(store, persists=MERGEABLE).start_auto_save()
        quick.persister(store, persists=MERGEABLE).start_auto_save()
        slow.is_slow = True
        for number in range(3):
            store.set_value("v", number)
        assert quick.content == store._get_encoded_mergeable_content()
        for _ in range(3):
            slow.go_on()
        assert slow.content == quick.content
