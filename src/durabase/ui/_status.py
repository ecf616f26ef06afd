"""Hooks that tell what persisters and synchronizers are doing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import reacton

from durabase.persisters.base import Persister, Status
from durabase.synchronizers.blocking import BlockingSynchronizer
from durabase.ui._homes import at_home, has_home
from durabase.ui._provided import (
    PersisterOrId,
    SynchronizerOrId,
    persister_of,
    use_persister_or_persister_by_id,
    use_synchronizer_or_synchronizer_by_id,
)
from durabase.ui._screens import current_screen

__all__ = [
    "use_persister_status",
    "use_persister_status_listener",
    "use_synchronizer_status",
    "use_synchronizer_status_listener",
]

StatusListener: TypeAlias = Callable[[Any, Status], object]
Deps: TypeAlias = Sequence[Any]


def use_persister_status(persister_or_id: PersisterOrId = None) -> Status:
    """What a persister is doing; idle if there is none."""
    return _use_status(use_persister_or_persister_by_id(persister_or_id))


def use_persister_status_listener(
    listener: StatusListener, listener_deps: Deps = (), persister_or_id: PersisterOrId = None
) -> None:
    """Have ``listener(persister, status)`` called when the status changes, on the store's thread."""
    _use_status_listener(use_persister_or_persister_by_id(persister_or_id), listener, listener_deps)


def use_synchronizer_status(synchronizer_or_id: SynchronizerOrId = None) -> Status:
    """What a synchronizer is doing; idle if there is none."""
    return _use_status(use_synchronizer_or_synchronizer_by_id(synchronizer_or_id))


def use_synchronizer_status_listener(
    listener: StatusListener, listener_deps: Deps = (), synchronizer_or_id: SynchronizerOrId = None
) -> None:
    """Have ``listener(synchronizer, status)`` called when the status changes, on the store's thread."""
    _use_status_listener(use_synchronizer_or_synchronizer_by_id(synchronizer_or_id), listener, listener_deps)


def _use_status(thing: Persister | BlockingSynchronizer | None) -> Status:
    persister = None if thing is None else persister_of(thing)
    _, set_drawings = reacton.use_state(0)
    screen = current_screen()

    def show() -> None:
        set_drawings(lambda drawings: drawings + 1)

    def tell(changed: Persister, _status: Status) -> None:
        screen.redraw([show], at_once=not has_home(changed.get_store()))

    _use_status_listener(thing, tell, ())
    return Status.IDLE if persister is None else persister.get_status()


def _use_status_listener(
    thing: Persister | BlockingSynchronizer | None, listener: StatusListener, deps: Deps
) -> None:
    persister = None if thing is None else persister_of(thing)

    def listen() -> Callable[[], None] | None:
        if persister is None:
            return None
        store = persister.get_store()
        listener_id = at_home(store, lambda: persister.add_status_listener(listener))

        def leave() -> None:
            at_home(store, lambda: persister.del_listener(listener_id))

        return leave

    reacton.use_effect(listen, [persister, *deps])
