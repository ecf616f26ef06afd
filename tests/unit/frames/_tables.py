"""Tables for frames: anything that a store may hold."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from durabase.mergeable import MergeableStore
from durabase.types import Table

texts = st.text(st.characters(exclude_characters="\ufffc\ufffd"), max_size=4)
ids = st.text(max_size=3)
numbers = st.integers(-(2**53), 2**53)
floats = st.floats(allow_nan=False, allow_infinity=False)
nested = st.recursive(
    st.none() | st.booleans() | numbers | floats | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(ids, inner, max_size=2),
    max_leaves=4,
)
columns = st.sampled_from([st.booleans(), numbers, floats, numbers | floats, texts, nested])


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table in which columns are often of one kind."""
    kinds = draw(st.dictionaries(ids, columns, min_size=1, max_size=3))
    row = st.fixed_dictionaries({}, optional={cell_id: st.none() | kind for cell_id, kind in kinds.items()})
    return draw(st.dictionaries(ids, row.filter(bool), max_size=4))


def store_with(table: Table) -> MergeableStore:
    return MergeableStore("s").set_table("t", table)


def without_nulls(table: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What is left of a table if what is null is not there."""
    rows = {
        row_id: {cell_id: cell for cell_id, cell in row.items() if cell is not None}
        for row_id, row in table.items()
    }
    return {row_id: row for row_id, row in rows.items() if row}
