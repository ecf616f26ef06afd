"""A persister whose place is known through functions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.errors import StoreTypeError
from durabase.mergeable import MergeableStore
from durabase.persisters import CustomPersister, Persists
from durabase.store import Store
from durabase.types import UNDEFINED


def test_two_functions_are_enough_and_without_others_the_place_is_loaded_once() -> None:
    saved: list[Any] = []
    errors: list[Exception] = []
    store = Store()
    persister = CustomPersister(
        store,
        lambda: [{"t": {"r": {"a": 1}}}, {}],
        lambda get, changes: saved.append((get(), changes)),
        on_ignored_error=errors.append,
    )
    assert persister.start_auto_persisting().done()
    assert store.get_row("t", "r") == {"a": 1}
    assert saved == [([{"t": {"r": {"a": 1}}}, {}], None)]
    store.set_value("v", 1)
    assert saved[1:] == [([{"t": {"r": {"a": 1}}}, {"v": 1}], [{}, {"v": 1}, 1])]
    assert persister.stop_auto_persisting().done()
    assert not persister.is_auto_loading()
    assert errors == []


def test_the_handle_of_the_listener_is_given_back() -> None:
    heard: list[Any] = []
    deleted: list[Any] = []
    handle = object()

    def add(listener: Any) -> object:
        heard.append(listener)
        return handle

    store = Store()
    persister = CustomPersister(store, lambda: UNDEFINED, lambda get, changes: None, add, deleted.append)
    persister.start_auto_load()
    heard[0]([{}, {"v": 1}])
    assert store.get_values() == {"v": 1}
    assert deleted == []
    persister.stop_auto_load()
    assert deleted == [handle]


def test_the_functions_may_be_asynchronous() -> None:
    log: list[str] = []

    def later(name: str, result: Any = None) -> Any:
        async def function(*_: Any) -> Any:
            await asyncio.sleep(0)
            log.append(name)
            return result

        return function

    async def main() -> None:
        store = Store()
        persister = CustomPersister(
            store, later("get", [{}, {"v": 1}]), later("set"), later("add", 1), later("delete")
        )
        await persister.start_auto_persisting()
        assert store.get_values() == {"v": 1}
        await persister.stop_auto_persisting()

    asyncio.run(main())
    assert log == ["add", "get", "set", "delete"]


def test_errors_go_to_the_handler() -> None:
    errors: list[Exception] = []

    def broken(*_: Any) -> Any:
        raise OSError("broken")

    CustomPersister(Store(), broken, broken, broken, broken, errors.append).load()
    assert [str(error) for error in errors] == ["broken"]


@pytest.mark.parametrize(
    ("persists", "fits"),
    [
        (Persists.STORE_ONLY, (True, True)),
        (Persists.MERGEABLE_STORE_ONLY, (False, True)),
        (Persists.STORE_OR_MERGEABLE_STORE, (True, True)),
    ],
)
def test_kinds_of_stores(persists: Persists, fits: tuple[bool, bool]) -> None:
    for store, does_fit in zip((Store(), MergeableStore("s")), fits, strict=True):
        arguments: Any = (store, lambda: UNDEFINED, lambda get, changes: None)
        if does_fit:
            CustomPersister(*arguments, persists=persists)
        else:
            with pytest.raises(StoreTypeError):
                CustomPersister(*arguments, persists=persists)
