"""Hooks that read: they show what is there, follow it, and draw nothing that has not changed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import reacton
import reacton.ipywidgets as w

from durabase import ui
from durabase.store import Store
from durabase.types import UNDEFINED

from ._pages import Page, Shown, drawings, home_of, page, seen, wait_until

Use = Callable[[Store], Any]


def pets() -> Store:
    store = Store().set_tables({"pets": {"fido": {"species": "dog"}, "felix": {"species": "cat"}}})
    return store.set_values({"open": True})


HOOKS: dict[str, tuple[Use, Any, Callable[[Store], object], Any]] = {
    "use_has_tables": (ui.use_has_tables, True, lambda store: store.del_tables(), False),
    "use_tables": (
        ui.use_tables,
        pets().get_tables(),
        lambda store: store.set_tables({"t": {"r": {"c": 1}}}),
        {"t": {"r": {"c": 1}}},
    ),
    "use_table_ids": (
        ui.use_table_ids,
        ["pets"],
        lambda store: store.set_cell("t", "r", "c", 1),
        ["pets", "t"],
    ),
    "use_has_table": (
        lambda store: ui.use_has_table("pets", store),
        True,
        lambda store: store.del_table("pets"),
        False,
    ),
    "use_table": (
        lambda store: ui.use_table("pets", store),
        pets().get_table("pets"),
        lambda store: store.del_row("pets", "fido"),
        {"felix": {"species": "cat"}},
    ),
    "use_table_cell_ids": (
        lambda store: ui.use_table_cell_ids("pets", store),
        ["species"],
        lambda store: store.set_cell("pets", "fido", "age", 1),
        ["species", "age"],
    ),
    "use_has_table_cell": (
        lambda store: ui.use_has_table_cell("pets", "age", store),
        False,
        lambda store: store.set_cell("pets", "fido", "age", 1),
        True,
    ),
    "use_row_count": (
        lambda store: ui.use_row_count("pets", store),
        2,
        lambda store: store.del_row("pets", "fido"),
        1,
    ),
    "use_row_ids": (
        lambda store: ui.use_row_ids("pets", store),
        ["fido", "felix"],
        lambda store: store.del_row("pets", "fido"),
        ["felix"],
    ),
    "use_sorted_row_ids": (
        lambda store: ui.use_sorted_row_ids("pets", "species", False, 0, 2, store),
        ["felix", "fido"],
        lambda store: store.set_cell("pets", "felix", "species", "elk"),
        ["fido", "felix"],
    ),
    "use_has_row": (
        lambda store: ui.use_has_row("pets", "rex", store),
        False,
        lambda store: store.set_row("pets", "rex", {"a": 1}),
        True,
    ),
    "use_row": (
        lambda store: ui.use_row("pets", "fido", store),
        {"species": "dog"},
        lambda store: store.set_cell("pets", "fido", "tags", ["a"]),
        {"species": "dog", "tags": ["a"]},
    ),
    "use_cell_ids": (
        lambda store: ui.use_cell_ids("pets", "fido", store),
        ["species"],
        lambda store: store.set_cell("pets", "fido", "age", 1),
        ["species", "age"],
    ),
    "use_has_cell": (
        lambda store: ui.use_has_cell("pets", "fido", "species", store),
        True,
        lambda store: store.del_row("pets", "fido"),
        False,
    ),
    "use_cell": (
        lambda store: ui.use_cell("pets", "fido", "age", store, default=UNDEFINED),
        UNDEFINED,
        lambda store: store.set_cell("pets", "fido", "age", None),
        None,
    ),
    "use_has_values": (ui.use_has_values, True, lambda store: store.del_values(), False),
    "use_values": (
        ui.use_values,
        {"open": True},
        lambda store: store.set_value("open", 1),
        {"open": 1},
    ),
    "use_value_ids": (ui.use_value_ids, ["open"], lambda store: store.del_values(), []),
    "use_has_value": (
        lambda store: ui.use_has_value("open", store),
        True,
        lambda store: store.del_values(),
        False,
    ),
    "use_value": (
        lambda store: ui.use_value("open", store),
        True,
        lambda store: store.set_value("open", 1),
        1,
    ),
}
STATES: dict[str, tuple[Use, Any, Any]] = {
    "use_tables_state": (ui.use_tables_state, {"t": {"r": {"c": 1}}}, lambda store: store.get_tables()),
    "use_table_state": (
        lambda store: ui.use_table_state("pets", store),
        {"r": {"c": 1}},
        lambda store: store.get_table("pets"),
    ),
    "use_row_state": (
        lambda store: ui.use_row_state("pets", "fido", store),
        {"c": 1},
        lambda store: store.get_row("pets", "fido"),
    ),
    "use_cell_state": (
        lambda store: ui.use_cell_state("pets", "fido", "c", store),
        [1],
        lambda store: store.get_cell("pets", "fido", "c"),
    ),
    "use_values_state": (ui.use_values_state, {"a": 1}, lambda store: store.get_values()),
    "use_value_state": (
        lambda store: ui.use_value_state("a", store),
        1,
        lambda store: store.get_value("a"),
    ),
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_shows_what_is_there_and_follows_it(name: str) -> None:
    use, before, edit, after = HOOKS[name]
    store = pets()
    with seen(lambda: use(store)) as shown:
        assert shown.texts() == [repr(before)]
        edit(store)
        assert shown.texts() == [repr(after)]
        assert drawings["it"] == 2
    assert set(store.get_listener_stats().values()) == {0}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_draws_nothing_for_other_changes(name: str) -> None:
    use = HOOKS[name][0]
    store = pets().set_cell("others", "r", "c", 1).set_value("others", 1)
    with seen(lambda: use(store)):
        store.set_value("open", True).set_cell("pets", "fido", "species", "dog")
        assert drawings["it"] == 1


@pytest.mark.parametrize("name", STATES)
def test_a_state_can_be_set(name: str) -> None:
    use, thing, read = STATES[name]
    store = pets()
    setters: list[Callable[[Any], None]] = []

    def use_state() -> Any:
        shown, set_state = use(store)
        setters.append(set_state)
        return shown

    with seen(use_state) as shown:
        setters[-1](thing)
        assert read(store) == thing
        assert shown.texts() == [repr(thing)]
    assert len({id(setter) for setter in setters}) == 1


def by_length(one: str, other: str) -> float:
    return len(one) - len(other)


def test_rows_may_be_sorted_by_a_function() -> None:
    store = pets().set_cell("pets", "rex", "species", "t-rex")
    with seen(
        lambda: ui.use_sorted_row_ids("pets", "species", True, store_or_id=store, sorter=by_length)
    ) as shown:
        assert shown.texts() == ["['rex', 'fido', 'felix']"]
        store.set_cell("pets", "felix", "species", "tom-cat")
        assert shown.texts() == ["['felix', 'rex', 'fido']"]


def test_without_reacton_it_says_what_to_install() -> None:
    program = "import sys; sys.modules['reacton'] = None; import durabase.ui"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ImportError: Reacton is needed: `pip install 'durabase[ui]'`" in done.stderr


def test_without_a_store_there_is_nothing() -> None:
    with seen(
        lambda: (ui.use_table("pets"), ui.use_cell("a", "b", "c", default=5), ui.use_row_count("pets"))
    ) as it:
        assert it.texts() == ["({}, 5, 0)"]


def test_only_the_components_are_drawn_whose_things_have_changed() -> None:
    store = pets()

    def cell_of(row_id: str) -> Callable[[], Any]:
        return lambda: ui.use_cell("pets", row_id, "species", store)

    uses = {row_id: cell_of(row_id) for row_id in ("fido", "felix")}

    @reacton.component
    def Both() -> Any:
        drawings["both"] += 1
        return w.VBox(children=[Shown(row_id, use) for row_id, use in uses.items()])

    with page(Both()) as shown:
        store.set_cell("pets", "felix", "species", "lion")
        assert shown.texts() == ["'dog'", "'lion'"]
        assert drawings == {"both": 1, "fido": 1, "felix": 2}


def test_a_transaction_is_drawn_once() -> None:
    store = pets()
    with seen(lambda: (ui.use_tables(store), ui.use_values(store), ui.use_row_ids("pets", store))) as shown:
        with store.transaction():
            store.set_cell("pets", "rex", "age", 1).set_value("open", False).del_row("pets", "fido")
        assert drawings["it"] == 2
        assert "rex" in shown.texts()[0]


def test_what_is_rolled_back_is_not_shown() -> None:
    store = pets()
    with seen(lambda: ui.use_value("open", store)) as shown:
        with store.transaction(lambda _store: True):
            store.set_value("open", False)
        assert shown.texts() == ["True"]


def test_a_hook_follows_another_row_when_its_arguments_change() -> None:
    store = pets()

    @reacton.component
    def Species(row_id: str) -> Any:
        return w.Label(value=ui.use_cell("pets", row_id, "species", store))

    with page(Species("fido")) as shown:
        shown.show(Species("felix"))
        assert shown.texts() == ["cat"]
        store.set_cell("pets", "felix", "species", "lion").set_cell("pets", "fido", "species", "wolf")
        assert shown.texts() == ["lion"]
        assert store.get_listener_stats()["cell"] == 1


def test_what_changes_while_it_is_drawn_first_is_shown() -> None:
    store = pets()

    @reacton.component
    def Writing() -> Any:
        reacton.use_effect(lambda: store.set_value("open", "later") and None, [])
        return w.Label(value=repr(ui.use_value("open", store)))

    with page(Writing()) as shown:
        assert shown.texts() == ["'later'"]


def test_a_store_of_another_thread_is_read_there_and_drawn_by_neither_thread_of_it() -> None:
    store = pets()
    readers: set[str] = set()

    def watched(store_: Store) -> Any:
        readers.add(threading.current_thread().name)
        return ui.use_table("pets", store_)

    with home_of(store) as home:
        with seen(lambda: watched(home)) as shown:  # type: ignore[arg-type]
            assert shown.texts() == [repr(store.get_table("pets"))]
            home.call(store.set_table, "pets", {"rex": {"age": 1}})
            wait_until(lambda: shown.texts() == ["{'rex': {'age': 1}}"])
            assert "test-home" not in readers
        assert set(home.call(store.get_listener_stats).values()) == {0}


def test_many_changes_of_another_thread_all_arrive() -> None:
    store = Store()

    def count() -> None:
        for number in range(200):
            store.set_value("number", number)

    with home_of(store) as home, seen(lambda: ui.use_value("number", home)) as shown:
        home.call(count)
        wait_until(lambda: shown.texts() == ["199"])
        assert drawings["it"] <= 202


def test_a_page_may_write_while_the_other_thread_does() -> None:
    store = Store()
    with home_of(store) as home:
        setters: list[Callable[[Any], None]] = []

        def use_both() -> Any:
            mine, set_mine = ui.use_value_state("mine", home)
            setters[:] = [set_mine]
            return mine, ui.use_value("theirs", home)

        with seen(use_both) as shown:
            for number in range(100):
                home.thread._submit(lambda number=number: store.set_value("theirs", number))  # type: ignore[misc]
                setters[0](number)
            wait_until(lambda: shown.texts() == ["(99, 99)"])


def test_when_its_thread_has_ended_a_store_belongs_to_whoever_uses_it() -> None:
    store = pets()
    with home_of(store) as home, seen(lambda: ui.use_value("open", home)) as shown:
        home.thread.close()
        ui._homes.at_home(store, lambda: store.set_value("open", 3))
        wait_until(lambda: shown.texts() == ["3"])


def test_something_else_is_no_store() -> None:
    with pytest.raises(TypeError, match="blocking room is needed, not int"):
        Page(Shown("it", lambda: ui.use_tables(5)))  # type: ignore[arg-type]
