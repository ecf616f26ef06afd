"""The seam between callers and hosts: deliver this event to that object, wherever it lives."""

from __future__ import annotations

from collections.abc import Awaitable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Protocol

from durabase.durable_objects.events import ObjectEvent
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.limits import ObjectLimits

__all__ = ["Caller", "Holder", "ObjectKey", "ObjectRouter", "current_caller"]


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One object among all: its class and its id. The id's name is not part of it."""

    class_name: str
    id: DurableObjectId


class Caller(Protocol):
    """Whose code runs: an object's, or one call of a worker."""

    @property
    def has_open_events(self) -> bool:
        """Whether something of it is under way."""


current_caller: Final[ContextVar[Caller | None]] = ContextVar("current_caller", default=None)
"""Whose code is running; ``None`` outside of objects and workers."""


class Holder(Protocol):
    """Has used an object, and may go on to use it: a stub."""

    def _rpc_in_use(self) -> bool:
        """Whether what used it is still under way."""


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

    def hosts(self, key: ObjectKey) -> bool:
        """Whether that object lives in this process."""

    def hold(self, key: ObjectKey, holder: Holder) -> None:
        """Keep that object awake for as long as ``holder`` is there and in use."""
