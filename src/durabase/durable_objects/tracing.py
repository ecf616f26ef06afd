"""The seam for tracing: what a tracer is told of events, and what callers hand on to those they call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from durabase.durable_objects.origin import Origin

__all__ = ["Around", "EventSpan", "Tracer"]

Around: TypeAlias = Callable[[Callable[[], Any]], Callable[[], Any]]
"""Makes of what is called something that does the same, watched."""


class EventSpan(Protocol):
    """One event of an object, from its beginning on."""

    def around(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """``call`` as what the event does; it is over when that is, or what it gives to await."""


class Tracer(Protocol):
    """Makes spans of events."""

    def carried(self) -> Any:
        """What the current code hands on to whom it calls."""

    def sent(self) -> Mapping[str, str]:
        """The same for another process."""

    def within(self, sent: Mapping[str, str], call: Callable[[], Any]) -> Any:
        """Call it as code of whoever has sent that."""

    def begin(self, origin: Origin, event: object, carried: Any) -> EventSpan:
        """An event, of an object or an entrypoint, begins that was caused by what is ``carried``."""
