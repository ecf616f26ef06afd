"""What a ``Provider`` provides to the components within it: stores, persisters and synchronizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeAlias, TypeVar

import reacton
import reacton.ipywidgets

from durabase.persisters import Persister
from durabase.store import Store
from durabase.synchronizers import Synchronizer
from durabase.synchronizers.blocking import BlockingSynchronizer
from durabase.types import Id
from durabase.ui._homes import StoreOrHome, settle, store_of

__all__ = [
    "PersisterOrId",
    "Provider",
    "StoreOrId",
    "SynchronizerOrId",
    "persister_of",
    "use_persister",
    "use_persister_ids",
    "use_persister_or_persister_by_id",
    "use_provide_persister",
    "use_provide_store",
    "use_provide_synchronizer",
    "use_store",
    "use_store_ids",
    "use_store_or_store_by_id",
    "use_stores",
    "use_synchronizer",
    "use_synchronizer_ids",
    "use_synchronizer_or_synchronizer_by_id",
]

T = TypeVar("T")
StoreOrId: TypeAlias = StoreOrHome | Id | None
"""A store, what it is reached through, the id that it is provided by, or ``None`` for the default store."""
PersisterOrId: TypeAlias = Persister | Id | None
"""A persister, the id that it is provided by, or ``None`` for the default persister."""
SynchronizerOrId: TypeAlias = Synchronizer | BlockingSynchronizer | Id | None
"""A synchronizer, the id that it is provided by, or ``None`` for the default synchronizer."""


@dataclass(frozen=True)
class _Things(Generic[T]):
    """Things of one kind: the default one, and those with ids."""

    default: T | None = None
    by_id: Mapping[Id, T] = field(default_factory=dict)

    def within(self, default: T | None, by_id: Mapping[Id, T] | None) -> _Things[T]:
        """These, with others put over them."""
        return _Things(self.default if default is None else default, {**self.by_id, **(by_id or {})})

    def find(self, thing: T | Id | None) -> T | None:
        """The thing itself, the one of this id, or the default one."""
        if thing is None:
            return self.default
        return self.by_id.get(thing) if isinstance(thing, str) else thing


@dataclass(frozen=True)
class _Provided:
    stores: _Things[StoreOrHome] = field(default_factory=_Things)
    persisters: _Things[Persister] = field(default_factory=_Things)
    synchronizers: _Things[Synchronizer | BlockingSynchronizer] = field(default_factory=_Things)
    provide: Callable[[str, Id, Any], Callable[[], None]] | None = None


_NOTHING = _Provided()
_context: Any = reacton.create_context(_NOTHING)


@reacton.component
def Provider(  # noqa: N802 (components are written like classes)
    children: list[Any] = [],  # noqa: B006 (as Reacton wants it)
    store: StoreOrHome | None = None,
    stores_by_id: Mapping[Id, StoreOrHome] | None = None,
    persister: Persister | None = None,
    persisters_by_id: Mapping[Id, Persister] | None = None,
    synchronizer: Synchronizer | BlockingSynchronizer | None = None,
    synchronizers_by_id: Mapping[Id, Synchronizer | BlockingSynchronizer] | None = None,
) -> Any:
    """A component that lets the hooks of those within it do without naming a store.

    Providers may be nested: what an inner one does not provide comes from the outer.

    Args:
        children: what is within; or use it with ``with``.
        store: the default store. stores_by_id: more of them.
        persister: the default persister. persisters_by_id: more of them.
        synchronizer: the default synchronizer. synchronizers_by_id: more of them.
    """
    outer = reacton.use_context(_context)
    added, set_added = reacton.use_state(_NOTHING)

    def provide(kind: str, thing_id: Id, thing: Any) -> Callable[[], None]:
        def with_things(old: _Provided, things: _Things[Any]) -> Any:
            return replace(old, **{kind: things})  # type: ignore[arg-type]

        set_added(lambda old: with_things(old, getattr(old, kind).within(None, {thing_id: thing})))
        return lambda: set_added(lambda old: with_things(old, _without(getattr(old, kind), thing_id)))

    stores = {**(stores_by_id or {}), **added.stores.by_id}
    persisters = {**(persisters_by_id or {}), **added.persisters.by_id}
    synchronizers = {**(synchronizers_by_id or {}), **added.synchronizers.by_id}
    _context.provide(
        _Provided(
            outer.stores.within(store, stores),
            outer.persisters.within(persister, persisters),
            outer.synchronizers.within(synchronizer, synchronizers),
            reacton.use_memo(lambda: provide, []),
        )
    )
    return reacton.ipywidgets.VBox(children=children)


def _without(things: _Things[T], thing_id: Id) -> _Things[T]:
    return _Things(None, {each: thing for each, thing in things.by_id.items() if each != thing_id})


def _use_provided() -> _Provided:
    provided: _Provided = reacton.use_context(_context)
    return provided


def _use_provide(kind: str, thing_id: Id, thing: Any) -> None:
    provide = _use_provided().provide
    reacton.use_effect(lambda: None if provide is None else provide(kind, thing_id, thing), [thing_id, thing])


# Stores


def use_store(store_id: Id | None = None) -> Store | None:
    """The default store of the provider, or the one of this id; ``None`` if there is none."""
    return use_store_or_store_by_id(store_id)


def use_stores() -> dict[Id, Store]:
    """The stores that are provided with ids."""
    return {store_id: store_of(store) for store_id, store in _use_provided().stores.by_id.items()}


def use_store_ids() -> list[Id]:
    """The ids of the stores that are provided with ids."""
    return list(_use_provided().stores.by_id)


def use_store_or_store_by_id(store_or_id: StoreOrId = None) -> Store | None:
    """The store that is given, or that is provided by this id, or by default."""
    found = _use_provided().stores.find(store_or_id)
    return None if found is None else store_of(found)


def use_provide_store(store_id: Id, store: StoreOrHome) -> None:
    """Provide a store to everything in the nearest provider, as long as this component is there."""
    _use_provide("stores", store_id, store)


# Persisters


def use_persister(persister_id: Id | None = None) -> Persister | None:
    """The default persister of the provider, or the one of this id; ``None`` if there is none."""
    return use_persister_or_persister_by_id(persister_id)


def use_persister_ids() -> list[Id]:
    """The ids of the persisters that are provided with ids."""
    return list(_use_provided().persisters.by_id)


def use_persister_or_persister_by_id(persister_or_id: PersisterOrId = None) -> Persister | None:
    """The persister that is given, or that is provided by this id, or by default."""
    return _use_provided().persisters.find(persister_or_id)


def use_provide_persister(persister_id: Id, persister: Persister) -> None:
    """Provide a persister to everything in the nearest provider, as long as this component is there."""
    _use_provide("persisters", persister_id, persister)


# Synchronizers


def use_synchronizer(synchronizer_id: Id | None = None) -> Synchronizer | BlockingSynchronizer | None:
    """The default synchronizer of the provider, or the one of this id; ``None`` if there is none."""
    return use_synchronizer_or_synchronizer_by_id(synchronizer_id)


def use_synchronizer_ids() -> list[Id]:
    """The ids of the synchronizers that are provided with ids."""
    return list(_use_provided().synchronizers.by_id)


def use_synchronizer_or_synchronizer_by_id(
    synchronizer_or_id: SynchronizerOrId = None,
) -> Synchronizer | BlockingSynchronizer | None:
    """The synchronizer that is given, or that is provided by this id, or by default."""
    return _use_provided().synchronizers.find(synchronizer_or_id)


def use_provide_synchronizer(synchronizer_id: Id, synchronizer: Synchronizer | BlockingSynchronizer) -> None:
    """Provide a synchronizer to everything in the nearest provider, as long as this component is there."""
    _use_provide("synchronizers", synchronizer_id, synchronizer)


def persister_of(thing: Persister | BlockingSynchronizer) -> Persister:
    """The persister itself; one that has a thread of its own is remembered as its store's home."""
    if isinstance(thing, BlockingSynchronizer):
        settle(thing.get_store(), thing)
        return thing.get_synchronizer()
    return thing
