"""Which thread a store belongs to, and what is done there."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from durabase.errors import SyncClosedError
from durabase.store import Store
from durabase.ui._homes import afterwards, at_home, has_home, settle, store_of

from ._pages import home_of


class Home:
    """A home that remembers what was asked of it; closed ones do not run anything."""

    def __init__(self, store: Any, *, is_closed: bool = False) -> None:
        self.store = store
        self.is_closed = is_closed
        self.calls = 0

    def call(self, function: Callable[..., Any], /) -> Any:
        if self.is_closed:
            raise SyncClosedError("closed")
        self.calls += 1
        return function()


class Reached(Home):
    """Gives its store by a method, as synchronizers do."""

    def __init__(self, store: Any) -> None:
        super().__init__("none")
        self._own = store

    def get_store(self) -> Any:
        return self._own


def test_a_store_belongs_to_whoever_uses_it() -> None:
    store = Store()
    assert store_of(store) is store
    assert not has_home(store)
    assert at_home(store, threading.get_ident) == threading.get_ident()


def test_a_store_that_is_reached_through_something_is_touched_there() -> None:
    for make in (Home, Reached):
        store = Store()
        home = make(store)
        assert store_of(home) is store
        assert has_home(store)
        assert at_home(store, lambda: "done") == "done"
        assert home.calls == 1
        settle(store, None)
        settle(store, None)
        assert not has_home(store)
        at_home(store, lambda: None)
        assert home.calls == 1


def test_that_is_another_thread() -> None:
    store = Store()
    with home_of(store) as home:
        settle(store_of(home), home)
        assert at_home(store, threading.get_ident) != threading.get_ident()


def test_a_home_that_is_gone_is_none() -> None:
    store = Store()
    home = Home(store)
    settle(store, home)
    del home
    gc.collect()
    assert not has_home(store)
    assert at_home(store, lambda: 1) == 1


@pytest.mark.parametrize("thing", [None, "store", Home("no store"), type("Only", (), {"store": Store()})()])
def test_what_is_no_store(thing: Any) -> None:
    with pytest.raises(TypeError, match=f"blocking room is needed, not {type(thing).__name__}$"):
        store_of(thing)


def test_where_no_thread_runs_any_more_nobody_else_touches_the_store() -> None:
    store = Store()
    home = Home(store, is_closed=True)
    settle(store, home)
    assert at_home(store, lambda: "done") == "done"
    assert home.calls == 0


def test_what_was_begun_is_not_done_twice() -> None:
    store = Store()
    home = Home(store)
    settle(store, home)
    done: list[int] = []

    def fail() -> None:
        done.append(1)
        raise SyncClosedError("of its own")

    with pytest.raises(SyncClosedError, match="of its own"):
        at_home(store, fail)
    assert done == [1]


def test_afterwards_is_when_the_outermost_turn_is_over() -> None:
    store, order = Store(), list[str]()

    def outer() -> None:
        afterwards(lambda: order.append("first"))
        at_home(store, inner)
        order.append("outer")

    def inner() -> None:
        afterwards(lambda: order.append("second"))
        order.append("inner")

    at_home(store, outer)
    assert order == ["inner", "outer", "first", "second"]


def test_afterwards_is_also_when_the_turn_has_failed() -> None:
    order: list[str] = []

    def fail() -> None:
        afterwards(lambda: order.append("afterwards"))
        raise KeyError

    with pytest.raises(KeyError):
        at_home(Store(), fail)
    assert order == ["afterwards"]
    at_home(Store(), lambda: None)
    assert order == ["afterwards"]


def test_afterwards_without_a_turn_is_the_loops_next_one_or_now() -> None:
    order: list[str] = []

    async def main() -> None:
        afterwards(lambda: order.append("next"))
        order.append("this")
        await asyncio.sleep(0)

    asyncio.run(main())
    afterwards(lambda: order.append("now"))
    assert order == ["this", "next", "now"]
