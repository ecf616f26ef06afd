"""Which event the running code belongs to: what logs and prints are labelled with."""

from __future__ import annotations

from contextvars import Context, ContextVar
from typing import Final, NamedTuple

from durabase.durable_objects.ids import DurableObjectId

__all__ = ["Origin", "current_origin", "labelled"]


class Origin(NamedTuple):
    """An event of an object, or, without an ``id``, of a worker's entrypoint.

    ``class_name`` is the object's class or the entrypoint, ``event`` the name of the handler or method.
    """

    class_name: str
    id: DurableObjectId | None
    event: str


current_origin: Final[ContextVar[Origin | None]] = ContextVar("current_origin", default=None)
"""The event that the current code is part of; what it starts in tasks is part of it, too."""


def labelled(context: Context, origin: Origin) -> Context:
    """A copy of ``context`` for code that is part of the event."""
    own = context.copy()
    own.run(current_origin.set, origin)
    return own
