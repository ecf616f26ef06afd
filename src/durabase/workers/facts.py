"""What an observer of a runtime is told: of objects, and of the entrypoints of workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from durabase.durable_objects import ObjectFact
from durabase.web import Request
from durabase.workers.scheduled import ScheduledController

__all__ = ["EntrypointHandled", "LoopHeldUp", "RuntimeFact", "RuntimeObserver"]


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
        cpu_milliseconds: the CPU time of its code in the event loop; ``None`` if it was not measured.
    """

    worker: str
    entrypoint: str
    kind: str
    milliseconds: float
    started_ms: int
    event: Request | ScheduledController | None
    error: BaseException | None
    status: int | None
    cpu_milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class LoopHeldUp:
    """Code has held up the event loop for too long.

    Attributes:
        class_name: the class of the object whose code it was; empty if it was no object's.
        event: the function of the program that was called, perhaps a handler.
        seconds: for how long.
        stack: what ran, as text.
    """

    class_name: str
    event: str
    seconds: float
    stack: str


RuntimeFact: TypeAlias = ObjectFact | EntrypointHandled | LoopHeldUp


class RuntimeObserver(Protocol):
    """Is told what happens, from the event loop."""

    def __call__(self, fact: RuntimeFact, /) -> object: ...
