"""Which thread a store belongs to, and doing things there.

A store belongs to whoever uses it, unless a synchronizer runs on a thread of its own, or a room is served
by one: then everything that touches the store takes turns with that thread. Knows no toolkit.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar, cast, runtime_checkable
from weakref import WeakKeyDictionary, ref

from durabase.errors import SyncClosedError
from durabase.store import Store

__all__ = ["Home", "StoreOrHome", "afterwards", "at_home", "has_home", "settle", "store_of"]

T = TypeVar("T")


@runtime_checkable
class Home(Protocol):
    """What lets other threads take turns: a ``BlockingSynchronizer``, or a ``BlockingRoom``."""

    def call(self, function: Callable[..., Any], /) -> Any:
        """The result of a function, called on the thread that the store belongs to."""


StoreOrHome: TypeAlias = Store | Home
"""A store, or what it is to be reached through."""

_homes: WeakKeyDictionary[Store, ref[Home]] = WeakKeyDictionary()


def settle(store: Store, home: Home | None) -> None:
    """Have a store be touched through ``home`` from now on; with ``None`` by whoever uses it."""
    if home is None:
        _homes.pop(store, None)
    else:
        _homes[store] = ref(home)


def store_of(thing: StoreOrHome) -> Store:
    """The store that is meant; if it is reached through something, that is remembered.

    Raises:
        TypeError: this is neither a store nor a way to one.
    """
    if isinstance(thing, Store):
        return thing
    store = _store_behind(thing)
    if not isinstance(thing, Home) or not isinstance(store, Store):
        raise TypeError(
            f"a store, a blocking synchronizer or a blocking room is needed, not {type(thing).__name__}"
        )
    settle(store, thing)
    return store


def _store_behind(thing: object) -> object:
    get_store = getattr(thing, "get_store", None)
    return getattr(thing, "store", None) if get_store is None else get_store()


def has_home(store: Store) -> bool:
    """Whether a store belongs to a thread of its own."""
    return _home_of(store) is not None


def at_home(store: Store, function: Callable[[], T]) -> T:
    """The result of ``function()``, called where the store may be touched; the caller waits for it.

    Raises:
        Exception: what the function raises.
    """
    home = _home_of(store)
    if home is None:
        return _turns.run(function)
    begun: list[bool] = []

    def run() -> T:
        begun.append(True)
        return function()

    try:
        return cast("T", home.call(run))
    except SyncClosedError:
        if begun:
            raise
        return _turns.run(function)  # that thread does not run: nobody else touches the store


def afterwards(action: Callable[[], object]) -> None:
    """Do something once the store can be written to again, on this thread: a transaction is ending now.

    That is after what :func:`at_home` does, else in the next turn of the thread's event loop; without one
    it is at once.
    """
    if _turns.depth:
        _turns.waiting.append(action)
    elif "asyncio" not in sys.modules or not _call_soon(action):
        action()


def _call_soon(action: Callable[[], object]) -> bool:
    import asyncio  # here, for importing hooks must not load asyncio

    try:
        asyncio.get_running_loop().call_soon(action)
    except RuntimeError:
        return False
    return True


class _Turns(threading.local):
    """What the current thread does with stores, and what it has put off until then."""

    def __init__(self) -> None:
        self.depth = 0
        self.waiting: list[Callable[[], object]] = []

    def run(self, function: Callable[[], T]) -> T:
        self.depth += 1
        try:
            return function()
        finally:
            self.depth -= 1
            while not self.depth and self.waiting:
                self.waiting.pop(0)()


_turns = _Turns()


def _home_of(store: Store) -> Home | None:
    reference = _homes.get(store)
    return None if reference is None else reference()
