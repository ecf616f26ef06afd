"""What a persister is doing, and who is told when that changes."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final, TypeAlias

from durabase.types import Id

__all__ = ["Persists", "Status", "StatusBoard"]


class Status(IntEnum):
    """What a persister is doing."""

    IDLE = 0
    LOADING = 1
    SAVING = 2


_IDLE: Final = Status.IDLE


class Persists(IntEnum):
    """Which kinds of store a persister takes, and so which kind of content it handles."""

    STORE_ONLY = 1
    """Plain content; a mergeable store is taken, too, and stamps what is loaded as local edits."""
    MERGEABLE_STORE_ONLY = 2
    """Content with stamps and hashes."""
    STORE_OR_MERGEABLE_STORE = 3
    """The one or the other, as the store is."""


_Listener: TypeAlias = Callable[[Status], object]


class StatusBoard:
    """The status of one persister; listeners are called with each new one."""

    __slots__ = ("_listeners", "_next_id", "status")

    def __init__(self) -> None:
        self.status = _IDLE
        self._listeners: dict[Id, _Listener] = {}
        self._next_id = 0

    def add_listener(self, listener: _Listener) -> Id:
        """Have ``listener`` called on each change; returns its id."""
        listener_id = str(self._next_id)
        self._next_id += 1
        self._listeners[listener_id] = listener
        return listener_id

    def del_listener(self, listener_id: Id) -> None:
        """Forget a listener. Harmless for an unknown id."""
        self._listeners.pop(listener_id, None)

    def is_quiet(self) -> bool:
        """Whether nothing is done just now, and nobody would be told if something were."""
        return self.status is _IDLE and not self._listeners

    def set(self, status: Status) -> None:
        """Change the status; nothing happens if it is the same."""
        if status is not self.status:
            self.status = status
            for listener in list(self._listeners.values()):
                listener(status)
