"""Views of a store: read once, refreshed after transactions, and shown anew when they have changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from durabase.store import Store
from durabase.ui._homes import settle
from durabase.ui._views import Show, View, is_same

from ._pages import home_of


class Screen:
    """Remembers what it was to show, and does so at once."""

    def __init__(self) -> None:
        self.drawings: list[tuple[int, bool]] = []

    def redraw(self, shows: Sequence[Show], *, at_once: bool) -> None:
        self.drawings.append((len(shows), at_once))
        for show in shows:
            show()


def row(store: Store, read: Callable[[], Any] | None = None) -> View:
    return View(store, "row", ("t", "r"), read or (lambda: store.get_row("t", "r")))


def listeners(store: Store) -> int:
    stats = store.get_listener_stats()
    return sum(stats.values()) if isinstance(stats, dict) else sum(vars(stats).values())


def nothing() -> None: ...


def test_a_view_is_read_when_it_is_made_and_follows_only_when_it_is_open() -> None:
    store = Store().set_row("t", "r", {"a": 1})
    view = row(store)
    assert view.snapshot == {"a": 1}
    store.set_cell("t", "r", "a", 2)
    assert view.snapshot == {"a": 1}
    view.refresh()
    assert view.snapshot == {"a": 2}


def test_what_has_changed_until_it_is_opened_is_shown() -> None:
    store, screen = Store().set_row("t", "r", {"a": 1}), Screen()
    view = row(store)
    store.set_cell("t", "r", "a", 2)
    view.open(screen, nothing)
    assert (view.snapshot, screen.drawings) == ({"a": 2}, [(1, True)])
    other, screen = row(store), Screen()
    other.open(screen, nothing)
    assert screen.drawings == []
    for each in (view, other):
        each.close()


def test_a_transaction_is_one_drawing_of_what_it_has_changed() -> None:
    store, one, two = Store(), Screen(), Screen()
    shown: list[str] = []
    views = {name: row(store) if name != "v" else values(store) for name in "abv"}
    for name, screen in (("a", one), ("b", one), ("v", two)):
        views[name].open(screen, lambda name=name: shown.append(name))  # type: ignore[misc]
    with store.transaction():
        store.set_cell("t", "r", "a", 1).set_cell("t", "r", "a", 2)
        assert views["a"].snapshot == {}
    assert (one.drawings, two.drawings, shown) == ([(2, True)], [], ["a", "b"])
    assert views["a"].snapshot == views["b"].snapshot == {"a": 2}
    store.set_value("v", 1)
    store.set_cell("other", "r", "a", 1)
    assert (len(one.drawings), len(two.drawings)) == (1, 1)
    for view in views.values():
        view.close()


def values(store: Store) -> View:
    return View(store, "values", (), store.get_values)


def test_closed_ones_are_neither_read_nor_shown_and_leave_nothing() -> None:
    store, screen = Store(), Screen()
    before = listeners(store)
    one, other = row(store), row(store)
    one.open(screen, nothing)
    other.open(screen, nothing)
    one.close()
    one.close()
    store.set_cell("t", "r", "a", 1)
    assert (one.snapshot, other.snapshot, screen.drawings) == ({}, {"a": 1}, [(1, True)])
    other.close()
    assert listeners(store) == before


def test_one_that_is_closed_within_the_transaction_is_not_shown() -> None:
    store, screen = Store(), Screen()
    one, other = row(store), row(store)
    one.open(screen, nothing)
    other.open(screen, nothing)
    store.add_will_finish_transaction_listener(lambda _: one.close())
    store.set_cell("t", "r", "a", 1)
    assert screen.drawings == [(1, True)]
    other.close()


def test_views_of_a_store_with_a_thread_of_its_own_do_not_keep_it_waiting() -> None:
    store, screen = Store(), Screen()
    with home_of(store) as home:
        settle(store, home)
        view = row(store)
        view.open(screen, nothing)
        home.call(store.set_cell, "t", "r", "a", 1)
        assert (view.snapshot, screen.drawings) == ({"a": 1}, [(1, False)])
        view.close()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (None, None, True),
        ("1", 1, False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": [1, {"b": 0}]}, {"a": [1, {"b": False}]}, False),
        ([1, 2], [1], False),
        ([1, 2], [2, 1], False),
        ([], {}, False),
    ],
)
def test_what_is_the_same_for_javascript(one: Any, other: Any, same: bool) -> None:
    assert is_same(one, other) is is_same(other, one) is same
