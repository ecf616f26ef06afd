"""Merging as recorded: several stores, single changes, malformed ones, diffs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from typing import Any

import pytest

from durabase.errors import ContentError
from durabase.mergeable import MergeableStore
from durabase.testing import FakeClock
from vectors._load import cases, difference, load, run_operation, same, untag, unwire


def _name(case: dict[str, Any]) -> str:
    return str(case["name"])


class _Broadcasts:
    """Keeps the changes that a store would broadcast."""

    def __init__(self, store: MergeableStore) -> None:
        self.sent: list[Any] = []
        store.add_did_finish_transaction_listener(self._see)

    def _see(self, store: MergeableStore) -> None:
        changes = store._get_encoded_transaction_mergeable_changes(False)
        if changes != [[{}], [{}], 1]:
            self.sent.append(changes)

    def take(self) -> list[Any]:
        sent, self.sent = self.sent, []
        return sent


@pytest.mark.parametrize("case", cases("merge"), ids=_name)
def test_several_stores(case: dict[str, Any]) -> None:
    clock = FakeClock(case["start"])
    stores = [MergeableStore(unique_id, clock=clock) for unique_id in case["ids"]]
    broadcasts = [_Broadcasts(store) for store in stores]
    messages: dict[int, Any] = {}
    for number, step in enumerate(case["steps"]):
        clock.set_now_ms(step["now"])
        run_operation(stores[step["store"]], step)
        expected = [unwire(untag(message["changes"])) for message in step["out"]]
        assert difference(broadcasts[step["store"]].take(), expected, f"step {number}") is None
        messages |= {message["id"]: unwire(untag(message["changes"])) for message in step["out"]}
    for delivery in case["deliveries"]:
        store = stores[delivery["to"]]
        store._apply_encoded_mergeable_changes(messages[delivery["deliver"]])
        assert store.get_mergeable_content_hashes() == delivery["hashes"]
    contents = [store._get_encoded_mergeable_content() for store in stores]
    for giver, taker in permutations(range(len(stores)), 2):
        stores[taker]._apply_encoded_mergeable_changes(contents[giver])
    _check_final(stores, case)


def _check_final(stores: list[MergeableStore], case: dict[str, Any]) -> None:
    for store, final in zip(stores, case["final"], strict=True):
        assert difference(store.get_content(), untag(final["content"])) is None
        if "hashes" in final:
            assert store.get_mergeable_content_hashes() == final["hashes"]
        if "stored" in final:
            stored = unwire(untag(final["stored"]))
            assert difference(store._get_encoded_mergeable_content(), stored) is None
        assert set(final) <= {"content", "hashes", "stored", "mergeable"}
        if "mergeable" in final:
            assert difference(store.get_mergeable_content(), untag(final["mergeable"])) is None
    hashes = [store.get_mergeable_content_hashes() for store in stores]
    assert all(one == hashes[0] for one in hashes) == case["equalHashes"]


@pytest.mark.parametrize("case", cases("merge", "single"), ids=_name)
def test_changes_one_by_one(case: dict[str, Any]) -> None:
    store = MergeableStore("s1", clock=FakeClock(case["start"]))
    if "set" in case:
        store._set_encoded_mergeable_content(unwire(untag(case["set"])))
    for number, step in enumerate(case["steps"]):
        before = store._get_encoded_mergeable_content()
        store._apply_encoded_mergeable_changes(unwire(untag(step["changes"])))
        after = store._get_encoded_mergeable_content()
        assert difference(after, unwire(untag(step["stored"])), f"step {number}") is None
        assert (after != before) == step["changed"], f"step {number}"
        assert difference(store.get_content(), untag(step["content"]), f"step {number}") is None
    store.set_value("next", 1)
    assert store._get_encoded_mergeable_content()[1][0]["next"][1] == case["nextHlc"]
    if case.get("getMergeableContentThrows"):
        with pytest.raises(ContentError):
            store.get_mergeable_content()
    else:
        assert difference(store.get_mergeable_content(), untag(case["mergeable"])) is None


@contextmanager
def _changed(store: MergeableStore, expected: bool) -> Iterator[None]:
    before = store._get_encoded_mergeable_content()
    yield
    assert (store._get_encoded_mergeable_content() != before) == expected


def _store_with_keep() -> MergeableStore:
    store = MergeableStore("s1", clock=FakeClock(load("merge")["start"]))
    return store.set_cell("keep", "r", "c", 1)


def _untag_functions(tagged: Any) -> Any:
    """A function as a thing is anything that can be called; the recording has one without a meaning."""
    if isinstance(tagged, list):
        return [_untag_functions(element) for element in tagged]
    if isinstance(tagged, dict):
        if tagged.get("$") == "fn":
            return len
        if "$" in tagged:
            return untag(tagged)
        return {key: _untag_functions(member) for key, member in tagged.items()}
    return tagged


@pytest.mark.parametrize("case", cases("merge", "malformed"), ids=lambda case: str(case["changes"])[:80])
def test_malformed_changes(case: dict[str, Any]) -> None:
    changes = _untag_functions(case["changes"])
    store = _store_with_keep()
    with _changed(store, case["accepted"]):
        store.apply_mergeable_changes(changes)
    store = _store_with_keep()
    with _changed(store, case["acceptedEncoded"]):
        store._apply_encoded_mergeable_changes(changes)


@pytest.mark.parametrize("case", cases("merge", "contentMutants"), ids=lambda case: str(case["content"])[:80])
def test_malformed_content(case: dict[str, Any]) -> None:
    store = _store_with_keep()
    with _changed(store, case["accepted"]):
        store.set_mergeable_content(untag(case["content"]))
    assert difference(store.get_mergeable_content(), untag(case["mergeable"])) is None


@pytest.mark.parametrize("case", cases("merge", "publicApi"), ids=lambda case: str(case["cell"]))
def test_public_functions(case: dict[str, Any]) -> None:
    clock = FakeClock(case["start"])
    source, applied, set_, merged = (MergeableStore(name, clock=clock) for name in "abcd")
    source.set_cell("t", "r", "c", untag(case["cell"]))
    content = source.get_mergeable_content()
    assert same(content, untag(case["source"]))
    applied.apply_mergeable_changes(content)
    assert same(applied.get_mergeable_content(), untag(case["applied"]))
    set_.set_mergeable_content(content)
    assert same(set_.get_mergeable_content(), untag(case["set"]))
    assert set_.get_mergeable_content_hashes() == case["setHashes"]
    merged.set_value("v", 1)
    merged.merge(source)
    assert same(merged.get_mergeable_content(), untag(case["merged"]))
    assert same(source.get_mergeable_content(), untag(case["sourceAfterMerge"]))


def _run_all(store: MergeableStore, clock: FakeClock, operations: list[dict[str, Any]]) -> None:
    for operation in operations:
        clock.set_now_ms(operation["now"])
        run_operation(store, operation)


@pytest.mark.parametrize("case", cases("merge", "diffs"), ids=lambda case: str(case["contentHashes"]))
def test_diffs(case: dict[str, Any]) -> None:
    clock = FakeClock(case["start"])
    ours, theirs = (MergeableStore(unique_id, clock=clock) for unique_id in case["ids"])
    _run_all(ours, clock, case["opsA"])
    theirs._apply_encoded_mergeable_changes(ours._get_encoded_mergeable_content())
    _run_all(theirs, clock, case["opsB"])
    _run_all(ours, clock, case["opsA2"])

    def check(name: str, actual: Any) -> Any:
        assert difference(actual, unwire(untag(case[name])), name) is None
        return actual

    check("contentHashes", [ours.get_mergeable_content_hashes(), theirs.get_mergeable_content_hashes()])
    tables = check("tableHashes", theirs.get_mergeable_table_hashes())
    _, differing_tables = check("tableDiff", ours.get_mergeable_table_diff(tables))
    rows = check("rowHashes", theirs.get_mergeable_row_hashes(differing_tables))
    _, differing_rows = check("rowDiff", ours.get_mergeable_row_diff(rows))
    cells = check("cellHashes", theirs.get_mergeable_cell_hashes(differing_rows))
    check("cellDiff", ours.get_mergeable_cell_diff(cells))
    values = check("valueHashes", theirs.get_mergeable_value_hashes())
    check("valueDiff", ours.get_mergeable_value_diff(values))
    check("storedA", ours._get_encoded_mergeable_content())
    check("storedB", theirs._get_encoded_mergeable_content())
