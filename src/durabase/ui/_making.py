"""Hooks that make stores, persisters and synchronizers, and let go of them with their component."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import reacton

from durabase.persisters import Persister
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.store import Store
from durabase.synchronizers import Synchronizer
from durabase.synchronizers.blocking import BlockingSynchronizer
from durabase.ui._homes import at_home, has_home, settle
from durabase.ui._screens import RenderScreen, current_screen

if TYPE_CHECKING:
    from durabase.mergeable import MergeableStore

__all__ = [
    "use_create_mergeable_store",
    "use_create_persister",
    "use_create_store",
    "use_create_synchronizer",
]

_log = logging.getLogger(__name__)
StoreT = TypeVar("StoreT", bound=Store)
Deps: TypeAlias = Sequence[Any]
AnySynchronizer: TypeAlias = Synchronizer | BlockingSynchronizer


def use_create_store(create: Callable[[], StoreT], create_deps: Deps = ()) -> StoreT:
    """A store of this component: made when it is drawn first, and again when ``create_deps`` change."""
    store: StoreT = reacton.use_memo(create, list(create_deps))
    return store


def use_create_mergeable_store(
    create: Callable[[], MergeableStore], create_deps: Deps = ()
) -> MergeableStore:
    """A mergeable store of this component, as :func:`use_create_store` makes it."""
    return use_create_store(create, create_deps)


def use_create_persister(
    store: Store | None,
    create: Callable[[Store], Any],
    create_deps: Deps = (),
    then: Callable[[Persister], Any] | None = None,
    then_deps: Deps = (),
    destroy: Callable[[Persister], object] | None = None,
    destroy_deps: Deps = (),
) -> Persister | None:
    """A persister of this component, once there is one; it is destroyed when the component goes.

    Args:
        store: what it persists; nothing is made while this is ``None``.
        create: ``create(store)`` makes it, or gives an awaitable of it, or ``None``.
        create_deps: it is made anew when these change.
        then: ``then(persister)`` starts what it is to do, such as ``persister.start_auto_save()``.
        then_deps: as ``create_deps``.
        destroy: is called before it is destroyed.
        destroy_deps: not needed in Python; here for the order of the arguments.

    What fails is logged.
    """
    persister, set_persister = reacton.use_state(None)

    def live() -> Callable[[], None] | None:
        if store is None:
            return None
        life = _PersisterLife(store, create, then, destroy, _teller(screen, store, set_persister))
        at_home(store, life.begin)
        return life.end

    screen = current_screen()
    reacton.use_effect(live, [store, *create_deps, *then_deps])
    return persister if store is not None else None


def _teller(screen: RenderScreen, store: Store, set_thing: Callable[[Any], None]) -> Callable[[Any], None]:
    """What sets the state of a component from the thread that the store belongs to."""
    return lambda thing: screen.redraw([lambda: set_thing(thing)], at_once=not has_home(store))


class _PersisterLife:
    """From the making of a persister to its end, which may come before it is made."""

    def __init__(
        self,
        store: Store,
        create: Callable[[Store], Any],
        then: Callable[[Persister], Any] | None,
        destroy: Callable[[Persister], object] | None,
        show: Callable[[Any], object],
    ) -> None:
        self._store = store
        self._create = create
        self._then = then
        self._destroy = destroy
        self._show = show
        self._is_over = False
        self._persister: Persister | None = None

    def begin(self) -> None:
        """Make it, and start it, without waiting until that is done."""
        start_steps(self._begin_steps()).add_done_callback(_log_failure)

    def end(self) -> None:
        """Destroy it."""
        self._is_over = True
        self._show(None)
        if self._persister is not None:
            at_home(self._store, self._destroy_it)

    def _begin_steps(self) -> Steps[None]:
        persister = yield self._create(self._store)
        if persister is None:
            return
        self._persister = persister
        if self._is_over:
            self._destroy_it()
            return
        if self._then is not None:
            yield self._then(persister)
        self._show(persister)

    def _destroy_it(self) -> Any:
        persister = self._persister
        if persister is None:
            return None
        if self._destroy is not None:
            self._destroy(persister)
        return persister.destroy()


def _log_failure(completion: Completion[Any]) -> None:
    try:
        completion.result()
    except Exception:
        _log.exception("a persister could not be made or started")


def use_create_synchronizer(
    store: MergeableStore | None,
    create: Callable[[MergeableStore], Any],
    create_deps: Deps = (),
    destroy: Callable[[Any], object] | None = None,
    destroy_deps: Deps = (),
) -> Any:
    """A synchronizer of this component, once there is one; it ends when the component goes.

    One that ``connect_blocking`` makes is opened and starts to sync here; it has a thread of its own, to
    which the store belongs until the component goes. All other hooks know that. Any other synchronizer is
    started by ``create``, as in the original: ``lambda store: LocalSynchronizer(store, bus).start_sync()``.

    Args:
        store: what is synchronized; nothing is made while this is ``None``.
        create: ``create(store)`` makes it, or gives an awaitable of it, or ``None``.
        create_deps: it is made anew when these change.
        destroy: ``destroy(synchronizer)`` is called before it ends.
        destroy_deps: not needed in Python; here for the order of the arguments.

    What ``create`` raises passes on; what fails later is logged.
    """
    synchronizer, set_synchronizer = reacton.use_state(None)

    def live() -> Callable[[], None] | None:
        if store is None:
            return None
        made = create(store)
        if isinstance(made, BlockingSynchronizer):
            return _live_on_a_thread(store, made, destroy, set_synchronizer)
        tell = _teller(screen, store, set_synchronizer)
        life = _PersisterLife(store, lambda _: made, None, destroy, tell)
        life.begin()
        return life.end

    screen = current_screen()
    reacton.use_effect(live, [store, *create_deps])
    return synchronizer if store is not None else None


def _live_on_a_thread(
    store: MergeableStore,
    synchronizer: BlockingSynchronizer,
    destroy: Callable[[Any], object] | None,
    show: Callable[[Any], object],
) -> Callable[[], None]:
    synchronizer.open()
    settle(store, synchronizer)
    synchronizer.start_sync(timeout=0)
    show(synchronizer)

    def end() -> None:
        if destroy is not None:
            destroy(synchronizer)
        synchronizer.close()
        settle(store, None)
        show(None)

    return end
