"""Merging within a transaction: what comes in, what is undone, and when nothing happens."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.testing import FakeClock

NOW = 1_700_000_000_000
EARLIER = "NjEtLV-----7JQY8"
CHANGES: list[Any] = [[{"t": [{"r": [{"c": [1, EARLIER]}]}]}], [{"v": [2, EARLIER]}], 1]


@pytest.fixture
def store() -> MergeableStore:
    return MergeableStore("s1", clock=FakeClock(NOW))


def test_a_merge_is_a_transaction_that_keeps_stamps(store: MergeableStore) -> None:
    calls: list[Any] = []
    store.add_cell_listener(None, None, None, lambda _store, *told: calls.append(told[:4]))
    store.apply_mergeable_changes(CHANGES)
    assert calls == [("t", "r", "c", 1)]
    assert store.get_mergeable_content()[0][0]["t"][0]["r"][0]["c"][:2] == [1, EARLIER]


def test_what_is_merged_in_another_transaction_ends_with_it(store: MergeableStore) -> None:
    with store.transaction(lambda _: True):
        store.apply_mergeable_changes(CHANGES)
        assert store.get_value("v") == 2
    assert store.get_content() == [{}, {}]
    assert store.get_mergeable_content_hashes() == [0, 0]


def test_a_failure_undoes_it_and_edits_are_stamped_again(store: MergeableStore) -> None:
    def fail(_store: Any, *_told: Any) -> None:
        raise RuntimeError("no")

    listener = store.add_cell_listener("t", None, None, fail, mutator=True)
    with pytest.raises(RuntimeError, match="no"):
        store.apply_mergeable_changes(CHANGES)
    assert store.get_content() == [{}, {}]
    assert store.get_mergeable_content_hashes() == [0, 0]
    store.del_listener(listener)
    store.set_value("v", 3)
    assert store.get_mergeable_content()[1][0]["v"][1] != ""


def test_in_the_final_phase_nothing_is_merged(store: MergeableStore) -> None:
    store.add_did_finish_transaction_listener(lambda _store: store.apply_mergeable_changes(CHANGES))
    store.set_value("w", 1)
    assert store.get_content() == [{}, {"w": 1}]


def test_content_takes_the_place_of_what_there_was(store: MergeableStore) -> None:
    other = MergeableStore("s2", clock=FakeClock(NOW)).apply_mergeable_changes(CHANGES)
    store.set_cell("gone", "r", "c", 1).set_value("gone", 1)
    store.set_mergeable_content(other.get_mergeable_content())
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {"v": 2}]
    assert store.get_mergeable_content_hashes() == other.get_mergeable_content_hashes()


def test_several_are_merged_as_one_transaction_without_the_bad_ones(store: MergeableStore) -> None:
    calls: list[Any] = []
    store.add_did_finish_transaction_listener(lambda _: calls.append(store.get_content()))
    later = [[{"t": [{"r": [{"c": [3, EARLIER[:-1] + "Z"]}]}]}], [{}], 1]
    ahead = [[{}], [{"w": [4, "z" * 16]}], 1]
    assert store._apply_encoded_mergeable_changes_together([CHANGES, ahead, later])
    assert calls == [[{"t": {"r": {"c": 3}}}, {"v": 2}]]
    one_by_one = MergeableStore("s2", clock=FakeClock(NOW))
    for changes in (CHANGES, later):
        one_by_one.apply_mergeable_changes(changes)
    assert store.get_mergeable_content() == one_by_one.get_mergeable_content()


@pytest.mark.parametrize("mutating", [False, True])
def test_several_may_be_cells_that_were_found_to_be_such(store: MergeableStore, mutating: bool) -> None:
    several = [one_cell(Random(seed)) for seed in range(20)] + [CHANGES]
    found = [store._stamping.only_cell(changes) or changes for changes in several]
    assert sum(type(one) is tuple for one in found) == 20

    def merge(into: MergeableStore, given: list[Any]) -> None:
        if mutating:
            into.add_cell_listener(
                "x",
                None,
                None,
                lambda *_: into._apply_encoded_mergeable_changes_together(given),
                mutator=True,
            )
            into.set_cell("x", "r", "c", 1)
        else:
            into._apply_encoded_mergeable_changes_together(given)

    merge(store, found)
    as_changes = MergeableStore("s1", clock=FakeClock(NOW))
    merge(as_changes, several)
    assert store.get_mergeable_content() == as_changes.get_mergeable_content()
    assert store.get_content() == as_changes.get_content()


def test_the_clock_is_later_than_all_of_several(store: MergeableStore) -> None:
    later = [[{}], [{"v": [1, "NjEtLVz----7JQY8"]}], 1]
    store._apply_encoded_mergeable_changes_together([later, CHANGES])
    store.set_value("v", 2)
    assert store.get_mergeable_content()[1][0]["v"][1] > "NjEtLVz----7JQY8"


def test_if_one_of_several_fails_none_is_merged(store: MergeableStore) -> None:
    def fail(_store: Any, *_told: Any) -> None:
        raise RuntimeError("no")

    store.add_cell_listener("t", None, None, fail, mutator=True)
    with pytest.raises(RuntimeError, match="no"):
        store._apply_encoded_mergeable_changes_together([[[{}], [{"v": [1, EARLIER]}], 1], CHANGES])
    assert store.get_content() == [{}, {}]
    assert store.get_mergeable_content_hashes() == [0, 0]


def test_several_are_not_merged_while_a_transaction_ends(store: MergeableStore) -> None:
    done: list[bool] = []
    store.add_did_finish_transaction_listener(
        lambda _: done.append(store._apply_encoded_mergeable_changes_together([CHANGES]))
    )
    store.set_value("x", 1)
    assert done == [False]
    assert store.get_content() == [{}, {"x": 1}]


def one_cell(random: Random) -> list[Any]:
    """A change of one cell, as it usually comes."""
    hlc = f"NjEtL{random.choice('TUV')}----{random.randrange(4)}7JQY8"
    cell = {random.choice("cd"): [random.choice([1, 2, "x"]), hlc]}
    return [[{random.choice("tu"): [{random.choice("rs"): [cell]}]}], [{}], 1]


def observed(store: MergeableStore) -> list[Any]:
    """What listeners are told from now on."""
    told: list[Any] = []
    store.add_cell_listener(None, None, None, lambda _store, *path: told.append(path[:5]))
    store.add_will_finish_transaction_listener(
        lambda _store: told.append(
            [store.get_transaction_log(), store._get_encoded_transaction_stamp_changes()]
        )
    )
    return told


def double(store: MergeableStore, *path: Any) -> None:
    if path[3] == 2:
        store.set_cell("t", "r", "d", 4)


@pytest.mark.parametrize("seed", range(30))
def test_one_cell_merges_as_many_do(seed: int) -> None:
    random = Random(seed)
    stores = [MergeableStore("s1", clock=FakeClock(NOW)) for _ in range(2)]
    for store in stores:
        if seed % 3 == 1:
            store.add_cell_listener(None, None, None, double, mutator=True)
        elif seed % 3 == 2:
            store.set_tables_schema({"t": {"c": {"type": "number", "default": 9}}})
    told = [observed(store) for store in stores]
    for _ in range(30):
        change, rolled_back = one_cell(random), random.random() < 0.2
        for store, form in zip(stores, (change, [*change[:2]]), strict=True):
            with store.transaction(lambda _, undo=rolled_back: undo):
                store.apply_mergeable_changes(form).set_cell("t", "r", "e", 1)
            store.apply_mergeable_changes(form)
            if random.random() < 0.2:
                store.get_mergeable_content_hashes()
        assert told[0] == told[1]
        assert stores[0].get_mergeable_content() == stores[1].get_mergeable_content()
        assert stores[0].get_content() == stores[1].get_content()
