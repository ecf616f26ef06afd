"""What providers provide, nested ones and those of components within them."""

from __future__ import annotations

from typing import Any

import pytest
import reacton
import reacton.ipywidgets as w

from durabase import ui
from durabase.mergeable import MergeableStore
from durabase.persisters import CustomPersister
from durabase.store import Store
from durabase.synchronizers import LocalBus, LocalSynchronizer
from durabase.types import UNDEFINED

from ._pages import Shown, home_of, page


def named(name: str) -> Store:
    return Store().set_value("name", name)


def use_name(store_id: str | None = None) -> Any:
    return ui.use_value("name", store_id)


def persister(store: Store) -> CustomPersister:
    return CustomPersister(store, lambda: UNDEFINED, lambda *_: None)


def test_the_default_store_and_those_with_ids() -> None:
    element = ui.Provider(
        store=named("default"),
        stores_by_id={"a": named("A")},
        children=[Shown("it", lambda: (use_name(), use_name("a"), use_name("b"), ui.use_store_ids()))],
    )
    with page(element) as shown:
        assert shown.texts() == ["('default', 'A', None, ['a'])"]


def test_inner_providers_add_to_outer_ones() -> None:
    a, b = named("A"), named("B")

    @reacton.component
    def Nested() -> Any:
        with ui.Provider(store=named("outer"), stores_by_id={"a": a, "b": named("hidden")}) as main:
            Shown("outer", use_name)
            with ui.Provider(stores_by_id={"b": b}):
                Shown("inner", lambda: (use_name(), use_name("b"), ui.use_stores() == {"a": a, "b": b}))
        return main

    with page(Nested()) as shown:
        assert shown.texts() == ["'outer'", "('outer', 'B', True)"]


def test_another_store_is_shown_when_it_is_provided() -> None:
    it = Shown("it", use_name)
    with page(ui.Provider(store=named("one"), children=[it])) as shown:
        two = named("two")
        shown.show(ui.Provider(store=two, children=[it]))
        assert shown.texts() == ["'two'"]
        two.set_value("name", "2")
        assert shown.texts() == ["'2'"]


def test_a_component_provides_as_long_as_it_is_there() -> None:
    added = named("added")

    @reacton.component
    def Adding() -> Any:
        ui.use_provide_store("added", added)
        return w.Label(value="adding")

    it = Shown("it", lambda: use_name("added"))
    with page(ui.Provider(children=[it, Adding()])) as shown:
        assert shown.texts() == ["'added'", "adding"]
        shown.show(ui.Provider(children=[it]))
        assert shown.texts() == ["None"]


def test_persisters_and_synchronizers() -> None:
    store = MergeableStore("s")
    kept, other = persister(store), persister(store)
    synchronizer = LocalSynchronizer(store, bus=LocalBus())

    @reacton.component
    def Adding() -> Any:
        ui.use_provide_persister("more", other)
        ui.use_provide_synchronizer("more", synchronizer)
        found = [
            ui.use_persister() is kept,
            ui.use_persister("more") is other,
            ui.use_persister_or_persister_by_id(other) is other,
            ui.use_synchronizer("s") is synchronizer,
            ui.use_synchronizer() is None,
            ui.use_synchronizer_or_synchronizer_by_id("more") is synchronizer,
            ui.use_persister_ids(),
            ui.use_synchronizer_ids(),
        ]
        return w.Label(value=repr(found))

    provider = ui.Provider(persister=kept, synchronizers_by_id={"s": synchronizer}, children=[Adding()])
    with page(provider) as shown:
        assert shown.texts() == [repr([True] * 6 + [["more"], ["s", "more"]])]


def test_a_store_is_found_behind_what_it_is_reached_through() -> None:
    store = named("far")
    with home_of(store) as home:
        element = ui.Provider(
            store=home, children=[Shown("it", lambda: (use_name(), ui.use_store() is store))]
        )
        with page(element) as shown:
            assert shown.texts() == ["('far', True)"]


def test_components_outside_of_a_provider_have_no_store() -> None:
    with page(Shown("it", lambda: (ui.use_store(), ui.use_stores(), ui.use_persister()))) as shown:
        assert shown.texts() == ["(None, {}, None)"]
    with pytest.raises(TypeError, match="not str"):
        ui._homes.store_of("x")  # type: ignore[arg-type]
