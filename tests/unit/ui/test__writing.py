"""Hooks that give callbacks: what is written, and what is told afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reacton
import reacton.ipywidgets as w

from durabase import ui
from durabase.store import Store
from durabase.types import UNDEFINED

from ._pages import home_of, page, seen

Told = list[tuple[Any, ...]]
Then = Callable[..., object]


def pets() -> Store:
    return Store().set_content([{"pets": {"fido": {"species": "dog"}}}, {"open": True, "count": 1}])


def called(use: Callable[[], Callable[..., None]], parameter: Any) -> Callable[..., None]:
    """Draws a component with a callback, and calls it."""
    got: list[Callable[..., None]] = []

    def use_callback() -> None:
        got.append(use())

    with seen(use_callback):
        got[-1](parameter)
    return got[-1]


SETS: dict[str, tuple[Callable[[Any, Any, Then], Any], Any, Any]] = {
    "use_set_tables_callback": (
        lambda store, get, then: ui.use_set_tables_callback(get, (), store, then),
        {"t": {"r": {"c": 1}}},
        [{"t": {"r": {"c": 1}}}, {"open": True, "count": 1}],
    ),
    "use_set_table_callback": (
        lambda store, get, then: ui.use_set_table_callback("pets", get, (), store, then),
        {"r": {"c": 1}},
        [{"pets": {"r": {"c": 1}}}, {"open": True, "count": 1}],
    ),
    "use_set_row_callback": (
        lambda store, get, then: ui.use_set_row_callback("pets", "fido", get, (), store, then),
        {"c": 1},
        [{"pets": {"fido": {"c": 1}}}, {"open": True, "count": 1}],
    ),
    "use_set_partial_row_callback": (
        lambda store, get, then: ui.use_set_partial_row_callback("pets", "fido", get, (), store, then),
        {"c": 1},
        [{"pets": {"fido": {"species": "dog", "c": 1}}}, {"open": True, "count": 1}],
    ),
    "use_set_cell_callback": (
        lambda store, get, then: ui.use_set_cell_callback("pets", "fido", "c", get, (), store, then),
        None,
        [{"pets": {"fido": {"species": "dog", "c": None}}}, {"open": True, "count": 1}],
    ),
    "use_set_values_callback": (
        lambda store, get, then: ui.use_set_values_callback(get, (), store, then),
        {"a": 1},
        [{"pets": {"fido": {"species": "dog"}}}, {"a": 1}],
    ),
    "use_set_partial_values_callback": (
        lambda store, get, then: ui.use_set_partial_values_callback(get, (), store, then),
        {"a": 1},
        [{"pets": {"fido": {"species": "dog"}}}, {"open": True, "count": 1, "a": 1}],
    ),
    "use_set_value_callback": (
        lambda store, get, then: ui.use_set_value_callback("open", get, (), store, then),
        [1],
        [{"pets": {"fido": {"species": "dog"}}}, {"open": [1], "count": 1}],
    ),
}
DELS: dict[str, tuple[Callable[[Any, Then], Any], Any]] = {
    "use_del_tables_callback": (ui.use_del_tables_callback, [{}, {"open": True, "count": 1}]),
    "use_del_table_callback": (
        lambda store, then: ui.use_del_table_callback("pets", store, then),
        [{}, {"open": True, "count": 1}],
    ),
    "use_del_row_callback": (
        lambda store, then: ui.use_del_row_callback("pets", "fido", store, then),
        [{}, {"open": True, "count": 1}],
    ),
    "use_del_cell_callback": (
        lambda store, then: ui.use_del_cell_callback("pets", "fido", "species", False, store, then),
        [{}, {"open": True, "count": 1}],
    ),
    "use_del_values_callback": (ui.use_del_values_callback, [{"pets": {"fido": {"species": "dog"}}}, {}]),
    "use_del_value_callback": (
        lambda store, then: ui.use_del_value_callback("open", store, then),
        [{"pets": {"fido": {"species": "dog"}}}, {"count": 1}],
    ),
}


@pytest.mark.parametrize("name", SETS)
def test_a_callback_sets_what_its_function_gives(name: str) -> None:
    use, thing, content = SETS[name]
    known = {"it": thing}
    store, told = pets(), Told()
    called(lambda: use(store, lambda clicked, _store: known[clicked], lambda *it: told.append(it)), "it")
    assert store.get_content() == content
    assert told == [(store, thing)]


@pytest.mark.parametrize("name", SETS)
def test_a_callback_sets_nothing_if_its_function_gives_nothing(name: str) -> None:
    store, told = pets(), Told()
    called(lambda: SETS[name][0](store, lambda *_: UNDEFINED, lambda *it: told.append(it)), "it")
    assert (store.get_content(), told) == (pets().get_content(), [])


@pytest.mark.parametrize("name", DELS)
def test_a_callback_deletes(name: str) -> None:
    use, content = DELS[name]
    store, told = pets(), Told()
    called(lambda: use(store, lambda *it: told.append(it)), None)
    assert store.get_content() == content
    assert told == [(store,)]


def test_a_row_is_added_and_its_id_told() -> None:
    store, told = pets(), Told()
    called(
        lambda: ui.use_add_row_callback(
            "pets", lambda name, _store: {"name": name}, (), store, lambda *it: told.append(it)
        ),
        "rex",
    )
    assert store.get_row("pets", "0") == {"name": "rex"}
    assert told == [("0", store, {"name": "rex"})]


def test_ids_may_come_from_what_the_callback_gets() -> None:
    store = pets()
    for parameter in ("rex", None):
        called(
            lambda: ui.use_set_cell_callback("pets", lambda name, _: name, "age", lambda *_: 1, (), store),
            parameter,
        )
        called(lambda: ui.use_del_value_callback(lambda name, _: name and "open", store), parameter)
    assert store.get_content() == [{"pets": {"fido": {"species": "dog"}, "rex": {"age": 1}}}, {"count": 1}]


def test_a_cell_and_a_value_may_be_mapped() -> None:
    store = pets()
    called(lambda: ui.use_set_value_callback("count", lambda *_: lambda old: old + 1, (), store), None)
    assert store.get_value("count") == 2


def test_without_a_store_a_callback_does_nothing() -> None:
    called(lambda: ui.use_set_value_callback("count", lambda *_: 1), None)


def test_a_callback_stays_the_same_until_what_it_depends_on_changes() -> None:
    store = pets()
    got: list[Any] = []

    @reacton.component
    def Button(step: int, other: int) -> Any:
        got.append(ui.use_set_value_callback("count", lambda *_: step, [step], store))
        return w.Label(value=str(other))

    with page(Button(1, 1)) as shown:
        shown.show(Button(1, 2))
        shown.show(Button(2, 2))
    assert got[0] is got[1]
    got[2]()
    assert store.get_value("count") == 2


def test_what_is_drawn_after_a_callback_may_write() -> None:
    store = pets()
    got: list[Callable[..., None]] = []

    @reacton.component
    def Doubled() -> Any:
        count = ui.use_value("count", store)
        got[:] = [ui.use_set_value_callback("count", lambda *_: 5, (), store)]
        reacton.use_effect(lambda: store.set_value("doubled", count * 2) and None, [count])
        return w.Label(value=repr(ui.use_value("doubled", store)))

    with page(Doubled()) as shown:
        got[0]()
        assert store.get_value("doubled") == 10
        assert shown.texts() == ["10"]


def test_a_store_of_another_thread_is_written_to_there() -> None:
    store, told = pets(), Told()
    with home_of(store) as home:

        def has_turn(*_: Any) -> bool:
            return home.thread.has_turn()

        def use() -> Any:
            then = lambda *_: told.append((has_turn(),))  # noqa: E731
            return ui.use_set_value_callback("by", has_turn, (), home, then)

        called(use, None)
    assert store.get_value("by") is True
    assert told == [(False,)]
