"""Hashes that are settled now and then equal hashes that are always up to date."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from durabase.mergeable._journal import Journal
from durabase.mergeable._merge import Outcome, content_from, merge_changes
from durabase.mergeable._shapes import as_encoded, content_shape
from durabase.mergeable.stamps import ContentStamps
from durabase.types import UNDEFINED
from property.eager_stamps import EagerStamps

ids = st.sampled_from(["a", "b", "1"])
hlcs = st.sampled_from(["", "NjEtLV-----7JQY8", "NjEtLV----07JQY8", "NjEtLV----14JQFF", "NjEtLV4----4JQFF"])
container_hlcs = st.one_of(st.just(""), st.just(""), hlcs)
things = st.sampled_from([1, "x", UNDEFINED, None])
thing_stamps = st.tuples(things, hlcs).map(list)


def container(children: st.SearchStrategy[Any], max_size: int) -> st.SearchStrategy[Any]:
    return st.tuples(st.dictionaries(ids, children, max_size=max_size), container_hlcs).map(list)


row_stamps = container(thing_stamps, 2)
tables_stamps = container(container(row_stamps, 2), 2)
changes = st.tuples(tables_stamps, row_stamps, st.just(1)).map(list)
step = st.one_of(
    changes.map(lambda change: ("merge", change)),
    changes.map(lambda change: ("merge", change)),
    st.sampled_from([("settle", None), ("begin", None), ("undo", None), ("end", None), ("reload", None)]),
    st.just(("shape", None)),
    ids.map(lambda id_: ("settle table", id_)),
    st.tuples(ids, ids).map(lambda path: ("settle row", path)),
)


class Pair:
    """Lazy and eager stamps to which the same is done."""

    def __init__(self) -> None:
        self.stamps = ContentStamps()
        self.journal = Journal()
        self.eager = EagerStamps()
        self.saved: list[Any] | None = None

    def run(self, name: str, argument: Any) -> None:
        getattr(self, name.replace(" ", "_"))(argument)

    def merge(self, change: Any) -> None:
        if self.saved is None:
            self.begin(None)
            self.merge(change)
            self.end(None)
        else:
            merge_changes(self.stamps, change, self.journal, Outcome())
            self.eager.merge(change)

    def settle(self, _: Any) -> None:
        assert list(self.stamps.settle(self.journal)) == [self.eager.tables[2], self.eager.values[2]]
        assert content_shape(self.stamps, self.journal, as_encoded) == self.eager.content()

    def shape(self, _: Any) -> None:
        assert content_shape(self.stamps, self.journal, as_encoded) == self.eager.content()

    def settle_row(self, path: tuple[str, str]) -> None:
        table = self.stamps.tables.children.get(path[0])
        row = None if table is None else table.children.get(path[1])
        if row is not None:
            assert row.settle(self.journal) == self.eager.tables[0][path[0]][0][path[1]][2]

    def settle_table(self, id_: str) -> None:
        table = self.stamps.tables.children.get(id_)
        if table is not None:
            assert table.settle(self.journal) == self.eager.tables[0][id_][2]

    def begin(self, _: Any) -> None:
        if self.saved is None:
            self.journal.begin()
            self.saved = self.eager.content()

    def undo(self, _: Any) -> None:
        if self.saved is not None:
            self.journal.undo()
            self.eager.restore(self.saved)

    def end(self, _: Any) -> None:
        self.journal.end()
        self.saved = None

    def reload(self, _: Any) -> None:
        if self.saved is None:
            self.stamps = content_from(content_shape(self.stamps, self.journal, as_encoded))[0]


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(st.lists(step, max_size=14))
def test_settled_now_and_then_equals_always_up_to_date(steps: list[tuple[str, Any]]) -> None:
    pair = Pair()
    for name, argument in steps:
        pair.run(name, argument)
    pair.settle(None)
