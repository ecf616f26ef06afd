"""``AbortController`` and ``AbortSignal``: telling code that its result is not wanted any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from durabase._names import js_names
from durabase.web.connection import SocketOwner, socket_owner

__all__ = ["AbortController", "AbortError", "AbortEvent", "AbortSignal"]


class AbortError(Exception):
    """The default reason of an abort."""

    name = "AbortError"


@dataclass(frozen=True, slots=True)
class AbortEvent:
    """What listeners are called with: ``target`` is the signal."""

    target: AbortSignal
    type: str = "abort"


@js_names
class AbortSignal:
    """Says whether, and why, something was aborted. Aborting is once and for all.

    Attributes:
        onabort: called when that happens, besides the listeners.
        reason: why; ``None`` until then.
    """

    aborted: bool
    reason: Any
    onabort: Callable[[AbortEvent], Any] | None

    def __init__(self) -> None:
        self.aborted = False
        self.reason = None
        self.onabort = None
        self._listeners: dict[Callable[[AbortEvent], Any], SocketOwner | None] = {}

    @classmethod
    def abort(cls, reason: Any = None) -> AbortSignal:
        """A signal that is aborted already."""
        signal = cls()
        signal._abort(reason)
        return signal

    @classmethod
    def any(cls, signals: Iterable[AbortSignal]) -> AbortSignal:
        """A signal that is aborted with the first of ``signals``."""
        made = cls()
        for signal in signals:
            if signal.aborted:
                made._abort(signal.reason)
            else:
                signal.add_event_listener("abort", lambda event: made._abort(event.target.reason))
        return made

    def throw_if_aborted(self) -> None:
        """Raise the reason if it was aborted.

        Raises:
            BaseException: the reason; an :class:`AbortError` with its text if that is no exception.
        """
        if self.aborted:
            raise self.reason if isinstance(self.reason, BaseException) else AbortError(str(self.reason))

    def add_event_listener(
        self, type: str, listener: Callable[[AbortEvent], Any], options: Any = None
    ) -> None:
        """Call ``listener`` when it is aborted; in an object that is an event of it."""
        if type == "abort" and not self.aborted:
            self._listeners.setdefault(listener, socket_owner.get())

    def remove_event_listener(self, type: str, listener: Callable[[AbortEvent], Any]) -> None:
        """Do not call it any more."""
        if type == "abort":
            self._listeners.pop(listener, None)

    def _abort(self, reason: Any) -> None:
        if self.aborted:
            return
        self.aborted = True
        self.reason = AbortError("The operation was aborted") if reason is None else reason
        event, listeners = AbortEvent(self), list(self._listeners.items())
        self._listeners.clear()
        if self.onabort is not None:
            listeners.insert(0, (self.onabort, socket_owner.get()))
        for listener, owner in listeners:
            if owner is None:
                listener(event)
            else:
                owner.enter(partial(listener, event))


class AbortController:
    """Aborts its ``signal``."""

    def __init__(self) -> None:
        self.signal = AbortSignal()

    def abort(self, reason: Any = None) -> None:
        """Abort; only the first time has an effect."""
        self.signal._abort(reason)
