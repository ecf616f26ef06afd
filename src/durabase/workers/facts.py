"""What an observer of a runtime is told: of objects, and of the entrypoints of workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from durabase.durable_objects import ObjectFact
from durabase.web import Request
from durabase.workers.scheduled import ScheduledController

__all__ = ["EntrypointHandled", "RuntimeFact", "RuntimeObserver"]


@dataclass(frozen=True, slots=True)
class EntrypointHandled:
    """A ``fetch`` or ``scheduled`` of a worker is over.

    Attributes:
        worker: the worker's name.
        entrypoint: the class.
        kind: the handler's name.
        milliseconds: how long it took.
        started_ms: when it began, in milliseconds since 1970.
        event: what it was called with.
        error: what it raised.
        status: of its response, if it gave one.
    """

    worker: str
    entrypoint: str
    kind: str
    milliseconds: float
    started_ms: int
    event: Request | ScheduledController | None
    error: BaseException | None
    status: int | None


RuntimeFact: TypeAlias = ObjectFact | EntrypointHandled


class RuntimeObserver(Protocol):
    """Is told what happens, from the event loop."""

    def __call__(self, fact: RuntimeFact, /) -> object: ...
