"""The MergeableStore, and the hooks by which its writes are stamped."""

from __future__ import annotations

from typing import Any

import pytest

import durabase
from durabase.errors import ClockError
from durabase.mergeable import MergeableStore
from durabase.store import Store
from durabase.testing import FakeClock
from durabase.types import UNDEFINED

START = 1_700_000_000_000
EMPTY = [[{}, "", 0], [{}, "", 0]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def store(clock: FakeClock) -> MergeableStore:
    return MergeableStore("s1", clock=clock)


def row_stamp(store: MergeableStore) -> Any:
    return store._get_encoded_mergeable_content()[0][0]["t"][0]["r"]


def test_what_it_is(store: MergeableStore) -> None:
    assert store.is_mergeable()
    assert isinstance(store, Store)
    assert store.set_cell("t", "r", "c", 1).del_tables().set_mergeable_content(EMPTY) is store
    assert store.get_mergeable_content() == EMPTY
    assert store.get_mergeable_content_hashes() == [0, 0]


def test_the_worked_example(store: MergeableStore, clock: FakeClock) -> None:
    store.set_cell("pets", "fido", "species", "dog").set_cell("pets", "fido", "age", 5).set_value(
        "open", True
    )
    assert store.get_mergeable_content_hashes() == [863299361, 444181903]
    store.del_cell("pets", "fido", "age")
    clock.set_now_ms(START + 5)
    store.set_cell("pets", "fido", "meta", {"a": [1, 2]})
    assert store.get_mergeable_content_hashes()[0] == 484585765
    store.del_tables()
    row = store.get_mergeable_content()[0][0]["pets"][0]["fido"]
    assert row[0]["meta"] == [UNDEFINED, "NjEtLV4---17JQY8", 2318490772]
    assert (row[2], store.get_mergeable_content_hashes()[0]) == (3931542961, 689231386)


def test_default_content_gives_way(store: MergeableStore, clock: FakeClock) -> None:
    other = MergeableStore("s2", clock=clock).set_cell("t", "r", "c", 2)
    store.set_default_content(lambda: [{"t": {"r": {"c": 1}}}, {"v": 1}])
    assert store.get_mergeable_content()[0][2] == 2037115030
    assert store.merge(other).get_content() == other.get_content() == [{"t": {"r": {"c": 2}}}, {"v": 1}]
    store.set_value("v", 3)
    assert store.get_mergeable_content()[1][0]["v"][1] != ""


def test_transaction_changes(store: MergeableStore) -> None:
    seen: list[Any] = []

    def look(finished: MergeableStore) -> None:
        seen.append(finished.get_transaction_mergeable_changes())
        seen.append(finished._get_encoded_transaction_mergeable_changes(True))

    store.add_did_finish_transaction_listener(look)
    store.set_value("v", [1])
    assert seen[0] == [[{}], [{"v": [[1], "NjEtLV-----7JQY8"]}], 1]
    assert seen[1][1][0]["v"][0] == "\ufffd[1]"
    assert len(seen[1][1]) == 3
    assert store.get_transaction_mergeable_changes() == [[{}], [{}], 1]
    assert store.get_transaction_mergeable_changes(True)[0] == [{}, "", 0]


class Saved:
    """Keeps what is to be saved of the last transaction."""

    def __init__(self, store: MergeableStore) -> None:
        self.changes: Any = None
        store.add_did_finish_transaction_listener(self._look)

    def _look(self, store: MergeableStore) -> None:
        self.changes = store._get_encoded_transaction_stamp_changes()


def test_all_stamps_are_to_be_saved(store: MergeableStore) -> None:
    saved = Saved(store)
    store.set_cell("t", "r", "c", 1)
    assert saved.changes == [*store._get_encoded_mergeable_content(), 1]
    newer = [
        [{"t": [{"r": [{"c": [1, "NjEtLV4----4JQFF"], "d": [UNDEFINED, "NjEtLV4----4JQFF"]}]}]}],
        [{}],
        1,
    ]
    store._apply_encoded_mergeable_changes(newer)
    assert saved.changes == [*store._get_encoded_mergeable_content(), 1]
    store._apply_encoded_mergeable_changes(newer)
    assert saved.changes[0][0] == {}
    store.set_value("v", 1)
    assert saved.changes == [
        [{}, *store._get_encoded_mergeable_content()[0][1:]],
        store._get_encoded_mergeable_content()[1],
        1,
    ]


def test_replaced_content_is_to_be_saved_as_a_whole(store: MergeableStore, clock: FakeClock) -> None:
    other = (
        MergeableStore("s2", clock=clock).set_row("t", "r", {"c": 1, "d": 2}).set_value("w", 1).del_value("w")
    )
    saved = Saved(store.set_value("old", 1))
    content = other._get_encoded_mergeable_content()
    store._set_encoded_mergeable_content(content)
    assert saved.changes == [*content, 1]
    store.set_value("v", 1)
    assert list(saved.changes[1][0]) == ["v"]
    with store.transaction(lambda _store: True):
        store._set_encoded_mergeable_content(EMPTY)
    assert saved.changes[0][0] == saved.changes[1][0] == {}
    assert list(store._get_encoded_mergeable_content()[0][0]) == ["t"]


def test_a_rollback_restores_stamps_but_not_the_clock(store: MergeableStore) -> None:
    store.set_cell("t", "r", "c", 1)
    before = store.get_mergeable_content()
    with store.transaction(lambda _store: True):
        store.set_cell("t", "r", "c", 2).set_value("v", 1).apply_mergeable_changes([[{"u": [{}]}], [{}], 1])
    assert store.get_mergeable_content() == before
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.set_cell("t", "r", "c", 1 / store.set_cell("t", "r", "c", 3).get_cell("t", "r", "none", 0))
    assert store.get_mergeable_content() == before
    store.set_value("v", 1)
    hlc = store.get_mergeable_content()[1][0]["v"][1]
    assert hlc[:7] == "NjEtLV-"
    assert hlc[7:11] > "---3"


def test_mutators_are_noticed(store: MergeableStore) -> None:
    store.add_value_listener("v", lambda it, *_: it.set_value("w", 1), mutator=True)
    assert not store._had_mutated()
    store.apply_mergeable_changes([[{}], [{"v": [1, "NjEtLV-----4JQFF"]}], 1])
    assert store._had_mutated()
    assert not store._had_mutated()
    assert store.get_mergeable_content()[1][0]["w"][1] != ""
    with store.transaction(lambda _store: True):
        store.set_value("v", 2).set_value("w", 5)
    assert not store._had_mutated()


def test_the_end_of_time(store: MergeableStore) -> None:
    end = "z" * 16
    store._set_encoded_mergeable_content([[{}, "", 0], [{"v": [1, "", 5]}, "", 6]])
    clock = FakeClock(2**42)
    late = MergeableStore("s", clock=clock)
    late.apply_mergeable_changes([[{}], [{"v": [1, end]}], 1])
    assert late.get_value("v") == 1
    with pytest.raises(ClockError, match="tinybase:13"):
        late.set_value("v", 2)
    assert late.get_value("v") == 1
    assert late.get_mergeable_content()[1][0]["v"][1] == end


def test_nothing_is_merged_while_listeners_only_look(store: MergeableStore) -> None:
    changes = [[{}], [{"v": [1, "NjEtLV-----4JQFF"]}], 1]

    def write(it: MergeableStore) -> None:
        it.apply_mergeable_changes(changes).set_mergeable_content(EMPTY).set_default_content([{}, {"d": 1}])

    store.add_did_finish_transaction_listener(write)
    store.set_cell("t", "r", "c", 1)
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {}]
    assert store.get_mergeable_content()[1] == [{}, "", 0]


def test_malformed_changes_change_nothing(store: MergeableStore) -> None:
    store.set_cell("t", "r", "c", 1)
    before = store.get_mergeable_content()
    saved = Saved(store)
    for changes in (
        None,
        [],
        [[{}], [{"good": [1], "v": [float("nan")]}], 1],
        [[{}], [{"v": [1, "NjF0000----4JQFF"]}], 1],
    ):
        store.apply_mergeable_changes(changes)  # type: ignore[arg-type]
        store.set_mergeable_content(changes)  # type: ignore[arg-type]
    assert store.get_mergeable_content() == before
    assert saved.changes is None


def test_public_content_is_a_copy(store: MergeableStore) -> None:
    store.set_cell("t", "r", "c", {"a": 1})
    content = store.get_mergeable_content()
    content[0][0]["t"][0]["r"][0]["c"][0]["a"] = 2
    content[0][0].clear()
    assert row_stamp(store)[0]["c"][0] == '\ufffd{"a":1}'


def test_the_front_door() -> None:
    for name in durabase.__all__:
        assert getattr(durabase, name) is not None
    assert durabase.MergeableStore is MergeableStore
    assert set(durabase.__all__) <= set(dir(durabase))
    assert len(durabase.get_unique_id()) == 16
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = durabase.nothing
