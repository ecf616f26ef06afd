"""Merging is commutative, associative and idempotent; a good exchange heals whatever went wrong before."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from durabase.mergeable import MergeableStore, hashes
from durabase.testing import FakeClock
from durabase.types import UNDEFINED

START = 1_700_000_000_000
quick = settings(max_examples=60, derandomize=True, deadline=None, database=None)

# -- changes as they come from others: a time is given once, so it says what the thing is

table_ids = st.sampled_from(["t1", "t2", "7"])
row_ids = st.sampled_from(["r1", "0"])
cell_ids = st.sampled_from(["a", "b", "1"])
edits = st.tuples(table_ids, row_ids, cell_ids, st.integers(0, 40))
THINGS = [1, "x", UNDEFINED, None, True, '\ufffd{"a":[1,2]}', -0.5, "Zoë 😀", '\ufffd["b"]']


def stamp_of(number: int) -> list[Any]:
    return [THINGS[number % len(THINGS)], f"NjEtLV{number // 6:01d}---{number % 6:01d}7JQY8"]


def as_changes(some_edits: list[tuple[str, str, str, int]]) -> list[Any]:
    """Edits of cells; those with an even number are of values also."""
    tables: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for table_id, row_id, cell_id, number in some_edits:
        rows = tables.setdefault(table_id, [{}])[0]
        rows.setdefault(row_id, [{}])[0][cell_id] = stamp_of(number)
        if number % 2 == 0:
            values[cell_id] = stamp_of(number)
    return [[tables], [values], 1]


changes = st.lists(edits, max_size=8).map(as_changes)


def store_with(*several: Any) -> MergeableStore:
    store = MergeableStore("s", clock=FakeClock(START))
    for one in several:
        store._apply_encoded_mergeable_changes(one)
    return store


def state(store: MergeableStore) -> list[Any]:
    return [store._get_encoded_mergeable_content(), store.get_content()]


@quick
@given(changes, changes)
def test_commutative(one: Any, other: Any) -> None:
    assert state(store_with(one, other)) == state(store_with(other, one))


@quick
@given(changes, changes, changes)
def test_associative(first: Any, second: Any, third: Any) -> None:
    together = store_with(second, third)._get_encoded_mergeable_content()
    before = store_with(first, second)._get_encoded_mergeable_content()
    assert state(store_with(first, together)) == state(store_with(before, third))


@quick
@given(changes, changes)
def test_idempotent(one: Any, other: Any) -> None:
    store = store_with(one, other)
    before = state(store)
    store._apply_encoded_mergeable_changes(one)
    store._apply_encoded_mergeable_changes(store._get_encoded_mergeable_content())
    assert state(store) == before


@quick
@given(changes, changes, st.integers(1, 5))
def test_slice_by_slice_comes_to_the_same(one: Any, other: Any, things: int) -> None:
    whole = store_with(one, other)
    content = whole._get_encoded_mergeable_content()
    for several in ([one, other], [one, content], [content, other]):
        store = store_with(several[0])
        for _ in store._encoded_mergeable_changes_in_slices(several[1], things):
            pass
        assert state(store) == state(whole)


def from_scratch(content: Any) -> list[int]:
    """The content hashes by their definition."""

    def things(node: Any) -> int:
        return hashes.get_row_hash(
            {id_: hashes.get_cell_hash(stamp[0], stamp[1]) for id_, stamp in node[0].items()}
        )

    def table(node: Any) -> int:
        return hashes.get_table_hash({row_id: things(row) for row_id, row in node[0].items()})

    tables = hashes.get_tables_hash({table_id: table(node) for table_id, node in content[0][0].items()})
    return [tables, things(content[1])]


@quick
@given(st.lists(changes, max_size=4))
def test_hashes_are_those_from_scratch(several: list[Any]) -> None:
    store = store_with(*several)
    assert store.get_mergeable_content_hashes() == from_scratch(store._get_encoded_mergeable_content())


@quick
@given(st.lists(changes, max_size=4))
def test_what_is_to_be_saved_gives_all_hashes_back(several: list[Any]) -> None:
    store = MergeableStore("s", clock=FakeClock(START))
    saved: list[Any] = [[{}, "", 0], [{}, "", 0]]

    def save(finished: MergeableStore) -> None:
        overlay(saved, finished._get_encoded_transaction_stamp_changes())

    store.add_did_finish_transaction_listener(save)
    for one in several:
        store._apply_encoded_mergeable_changes(one)
        store.set_value("own", len(several))
    assert saved == store._get_encoded_mergeable_content()


def overlay(saved: list[Any], stamps: list[Any]) -> None:
    saved_tables, saved_values = saved
    tables, values = stamps[0], stamps[1]
    saved_tables[1:], saved_values[1:] = tables[1:], values[1:]
    saved_values[0].update(values[0])
    for table_id, table in tables[0].items():
        saved_table = saved_tables[0].setdefault(table_id, [{}, "", 0])
        saved_table[1:] = table[1:]
        for row_id, row in table[0].items():
            saved_row = saved_table[0].setdefault(row_id, [{}, "", 0])
            saved_row[1:] = row[1:]
            saved_row[0].update(row[0])


# -- stores that talk over a bad network

operations = st.one_of(
    st.tuples(st.just("set_cell"), table_ids, row_ids, cell_ids, st.sampled_from([1, 2, {"a": 1}, None])),
    st.tuples(st.just("del_row"), table_ids, row_ids),
    st.tuples(st.just("set_value"), cell_ids, st.sampled_from([1, 2, [3]])),
    st.tuples(st.just("del_value"), cell_ids),
)
network_steps = st.one_of(
    st.tuples(st.just("edit"), st.integers(0, 2), operations),
    st.tuples(st.just("deliver"), st.integers(0, 2), st.integers(0, 30)),
    st.tuples(st.just("wait"), st.integers(0, 3), st.just(0)),
)


class Network:
    """Three stores; messages are delivered in any order, several times, or never."""

    def __init__(self) -> None:
        self.clock = FakeClock(START)
        self.stores = [MergeableStore(f"s{number}", clock=self.clock) for number in range(3)]
        self.messages: list[Any] = []
        for store in self.stores:
            store.add_did_finish_transaction_listener(
                lambda it: self.messages.append(it._get_encoded_transaction_mergeable_changes(False))
            )

    def run(self, kind: str, number: int, argument: Any) -> None:
        if kind == "edit":
            name, *arguments = argument
            getattr(self.stores[number], name)(*arguments)
        elif kind == "wait":
            self.clock.set_now_ms(self.clock.now_ms() + number)
        elif self.messages:
            message = self.messages[argument % len(self.messages)]
            self.stores[number]._apply_encoded_mergeable_changes(message)

    def exchange(self) -> None:
        """What synchronizers do: everybody asks everybody for what differs, twice over."""
        for _ in range(2):
            for ours in self.stores:
                for theirs in self.stores:
                    pull(ours, theirs)


def pull(ours: MergeableStore, theirs: MergeableStore) -> None:
    tables, differing_tables = theirs.get_mergeable_table_diff(ours.get_mergeable_table_hashes())
    rows, differing_rows = theirs.get_mergeable_row_diff(ours.get_mergeable_row_hashes(differing_tables))
    cells = theirs.get_mergeable_cell_diff(ours.get_mergeable_cell_hashes(differing_rows))
    values = theirs.get_mergeable_value_diff(ours.get_mergeable_value_hashes())
    for stamp in (tables, rows, cells):
        ours._apply_encoded_mergeable_changes([stamp, [{}], 1])
    ours._apply_encoded_mergeable_changes([[{}], values, 1])


@quick
@given(st.lists(network_steps, max_size=25))
def test_a_good_exchange_heals_everything(steps: list[tuple[str, int, Any]]) -> None:
    network = Network()
    for step in steps:
        network.run(*step)
    network.exchange()
    states = [[store.get_content(), store._get_encoded_mergeable_content()] for store in network.stores]
    assert states[0] == states[1] == states[2]
    content = network.stores[0]._get_encoded_mergeable_content()
    assert network.stores[0].get_mergeable_content_hashes() == from_scratch(content)


@quick
@given(st.lists(operations, min_size=1, max_size=6), st.lists(operations, max_size=6))
def test_a_rollback_restores_all_but_the_clock(before: list[Any], inside: list[Any]) -> None:
    store = MergeableStore("s", clock=FakeClock(START))
    for name, *arguments in before:
        getattr(store, name)(*arguments)
    stamps = store._get_encoded_mergeable_content()
    with store.transaction(lambda _store: True):
        for name, *arguments in inside:
            getattr(store, name)(*arguments)
        store.get_mergeable_content_hashes()
    assert store._get_encoded_mergeable_content() == stamps


# -- the quick way into an empty store, which is taken when nobody can see it


def watched() -> MergeableStore:
    store = MergeableStore("s", clock=FakeClock(START))
    store.add_will_finish_transaction_listener(lambda _store: None)
    return store


def whole(store: MergeableStore) -> list[Any]:
    """All there is, in its order, and what later edits depend on."""
    new_row_ids = [store.add_row(table_id, {"a": 1}) for table_id in ["t1", "t2", "7"]]
    cell_ids = [[table_id, store.get_table_cell_ids(table_id)] for table_id in store.get_table_ids()]
    store.del_cell("t1", "r1", "a")
    return [repr(state(store)), new_row_ids, cell_ids, store.get_tables_json(), store.get_values_json()]


@quick
@given(changes, changes)
def test_loading_unobserved_is_loading(one: Any, other: Any) -> None:
    content = store_with(one)._get_encoded_mergeable_content()
    loaded, seen = MergeableStore("s", clock=FakeClock(START)), watched()
    for store in (loaded, seen):
        store._set_encoded_mergeable_content(content)
        store._apply_encoded_mergeable_changes(other)
    assert whole(loaded) == whole(seen)


@quick
@given(changes)
def test_merging_unobserved_is_merging(one: Any) -> None:
    merged, seen = MergeableStore("s", clock=FakeClock(START)), watched()
    for store in (merged, seen):
        store._apply_encoded_mergeable_changes(one)
    assert whole(merged) == whole(seen)


def test_a_transaction_around_sees_what_is_merged_into_an_empty_store() -> None:
    store = MergeableStore("s", clock=FakeClock(START))
    with store.transaction():
        store._apply_encoded_mergeable_changes(as_changes([("t1", "r1", "a", 6)]))
        assert store.get_transaction_changes()[0] == {"t1": {"r1": {"a": THINGS[6]}}}
    assert store.get_cell("t1", "r1", "a") == THINGS[6]


def test_schemas_hold_when_an_empty_store_is_loaded() -> None:
    store = MergeableStore("s", clock=FakeClock(START))
    store.set_tables_schema({"t1": {"a": {"type": "string"}}})
    store._apply_encoded_mergeable_changes(as_changes([("t1", "r1", "a", 6), ("t2", "r1", "a", 1)]))
    assert store.get_tables() == {}
    assert store.get_mergeable_table_hashes().keys() == {"t1", "t2"}
