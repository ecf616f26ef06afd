"""Hooks that listen: every kind of listener, with the arguments that the store's own has."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import reacton
import reacton.ipywidgets as w

from durabase import ui
from durabase.store import Store

from ._pages import page, seen

IDS = {"table_id": "t", "row_id": "r", "cell_id": "c", "value_id": "v"}
PAGE = {"descending": False, "offset": 0, "limit": 5}
NAMES = [name for name in ui.__all__ if name.endswith("_listener") and "status" not in name]


def test_there_is_one_for_every_kind_of_the_original() -> None:
    adders = [name for name in dir(Store) if name.startswith("add_") and name.endswith("_listener")]
    kinds = {name.removeprefix("add_") for name in adders if "invalid" not in name}
    assert {name.removeprefix("use_") for name in NAMES} == kinds


@pytest.mark.parametrize("name", NAMES)
def test_a_listener_is_there_as_long_as_its_component(name: str) -> None:
    store = Store()
    use, add = getattr(ui, name), getattr(store, name.replace("use_", "add_"))
    by_hook: list[tuple[Any, ...]] = []
    by_store: list[tuple[Any, ...]] = []
    known = IDS | PAGE
    ids = [known[each] for each in inspect.signature(use).parameters if each in known]
    add(*ids, lambda *heard: by_store.append(heard))
    with seen(lambda: use(*ids, lambda *heard: by_hook.append(heard), store_or_id=store)):
        store.set_cell("t", "r", "c", 1).set_value("v", 1).del_tables().del_values()
    count = len(by_hook)
    assert count > 0
    store.set_cell("t", "r", "c", 1).set_value("v", 1)
    assert len(by_hook) == count
    assert [plain(heard) for heard in by_hook] == [plain(heard) for heard in by_store[:count]]


def plain(heard: tuple[Any, ...]) -> list[Any]:
    return ["a function" if callable(each) else each for each in heard]


def test_a_mutator_may_write() -> None:
    store = Store()

    def mutate(written: Store, *_: Any) -> None:
        written.set_value("sum", 5)

    with seen(lambda: ui.use_value_listener("v", mutate, (), True, store)):
        store.set_value("v", 1)
    assert store.get_value("sum") == 5


def test_a_listener_is_exchanged_when_what_it_depends_on_changes() -> None:
    store = Store()
    heard: list[int] = []

    @reacton.component
    def Listening(number: int, kept: int) -> Any:
        ui.use_value_listener(None, lambda *_: heard.append(number), [kept], store_or_id=store)
        return w.Label(value="")

    with page(Listening(1, 0)) as shown:
        for number, kept in ((2, 0), (3, 1)):
            shown.show(Listening(number, kept))
            store.set_value("v", number)
    assert heard == [1, 3]
