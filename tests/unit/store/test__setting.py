"""Setting a cell: what its ids become, and functions of the present cell."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.store import Store
from durabase.types import UNDEFINED


@pytest.mark.parametrize(
    ("id_", "text"), [(1, "1"), (1.5, "1.5"), (True, "true"), (None, "null"), ("x", "x")]
)
def test_each_id_becomes_the_text_that_javascript_makes_of_it(id_: Any, text: str) -> None:
    store = Store().set_cell(id_, "r", "c", 1).set_cell("t", id_, "c", 2).set_cell("t", "r", id_, 3)
    assert store.get_tables() == {text: {"r": {"c": 1}}, "t": {text: {"c": 2}, "r": {text: 3}}}


def test_a_function_gets_the_present_cell_decoded_and_gives_the_new_one() -> None:
    store = Store().set_cell("t", "r", "o", [1])
    seen: list[Any] = []

    def first(cell: Any) -> int:
        seen.append(cell)
        return 1

    chained = store.set_cell("t", "r", "c", first).set_cell("t", "r", "c", lambda cell: cell + 1)
    assert chained is store
    store.set_cell("t", "r", "o", lambda cell: [*cell, 2])
    assert seen == [UNDEFINED]
    assert store.get_row("t", "r") == {"o": [1, 2], "c": 2}


def test_a_function_that_fails_changes_nothing_and_what_it_gives_may_be_refused() -> None:
    store = Store().set_cell("t", "r", "c", 1)
    with pytest.raises(ZeroDivisionError):
        store.set_cell("t", "r", "c", lambda cell: cell / 0)
    store.set_cell("t", "r", "c", lambda cell: print)
    assert store.get_tables() == {"t": {"r": {"c": 1}}}
