"""The seam between callers and hosts: deliver this event to that object, wherever it lives."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol

from durabase.durable_objects.events import ObjectEvent
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.limits import ObjectLimits

__all__ = ["ObjectKey", "ObjectRouter"]


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One object among all: its class and its id. The id's name is not part of it."""

    class_name: str
    id: DurableObjectId


class ObjectRouter(Protocol):
    """Knows where objects live. In one process it is the host.

    Attributes:
        limits: what objects take on.
    """

    @property
    def limits(self) -> ObjectLimits: ...

    def deliver(self, key: ObjectKey, event: ObjectEvent) -> Awaitable[Any]:
        """Let the object have the event; events of one caller arrive in the order of these calls.

        The delivery has happened when this returns. The awaitable gives the result, or raises what
        the object raised; it may be dropped.
        """
