"""What can happen to an object, as frozen dataclasses; and what an observer is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from durabase._names import js_names
from durabase.durable_objects.ids import DurableObjectId
from durabase.web.request import Request

__all__ = [
    "Alarm",
    "AlarmInfo",
    "Call",
    "EventHandled",
    "Fetch",
    "Loan",
    "ObjectConstructed",
    "ObjectEvent",
    "ObjectFact",
    "ObjectHibernated",
    "ObjectObserver",
    "ObjectReset",
    "Read",
    "Run",
    "Served",
    "ShutdownInfo",
    "SocketEvent",
]


@js_names
@dataclass(frozen=True, slots=True)
class AlarmInfo:
    """What an alarm handler is told: ``scheduled_time`` in milliseconds since 1970."""

    retry_count: int
    is_retry: bool
    scheduled_time: int


@js_names
@dataclass(frozen=True, slots=True)
class ShutdownInfo:
    """What ``pre_shutdown`` is told.

    ``reason`` is ``"inactive"`` (the object has been quiet for long, or is evicted), ``"codeUpdated"`` (the
    program has changed) or ``"stopped"`` (the server stops).
    """

    reason: str


class Loan(Protocol):
    """What was handed out for the time of a call."""

    def destroy(self) -> None:
        """That time is over."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request; the result is a response."""

    request: Request


@dataclass(frozen=True, slots=True)
class Call:
    """A method call from outside. Arguments are copies already.

    ``lent`` are the stubs among them, that go back at its end; ``size`` is what the copies take, in bytes.
    """

    method: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    lent: Sequence[Loan] = field(default=(), repr=False, compare=False)
    size: int = field(default=0, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The method's."""
        return self.method


@dataclass(frozen=True, slots=True)
class Read:
    """A property is read from outside."""

    name: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """The object's alarm is due; ``serial`` tells it from one that is set meanwhile."""

    info: AlarmInfo
    serial: int


@dataclass(frozen=True, slots=True)
class Run:
    """Call ``function(instance, ctx)`` as an event of the object: for tests, administration, edits."""

    function: Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Served:
    """A call of something that the object gave away; ``check`` makes of the result what may leave."""

    call: Callable[[], Any]
    check: Callable[[Any], Any]
    name: str


ObjectEvent: TypeAlias = Fetch | Call | Read | Served | Alarm | Run
"""An event that gives a result. What sockets say comes as calls of :mod:`.hibernation`'s ``Deliver``."""


@dataclass(frozen=True, slots=True)
class SocketEvent:
    """What a socket said: ``message``, ``close`` (with its code) or ``error``."""

    type: str
    code: int | None = None
    was_clean: bool | None = None


@dataclass(frozen=True, slots=True)
class ObjectConstructed:
    """A life began."""

    class_name: str
    id: DurableObjectId
    milliseconds: float


@dataclass(frozen=True, slots=True)
class ObjectHibernated:
    """A life ended in sleep; ``sockets`` stay connected."""

    class_name: str
    id: DurableObjectId
    sockets: int


@dataclass(frozen=True, slots=True)
class ObjectReset:
    """A life ended because of ``error``; its sockets are dropped."""

    class_name: str
    id: DurableObjectId
    error: BaseException


@dataclass(frozen=True, slots=True)
class EventHandled:
    """An event is over: ``kind`` is the handler's or method's name, ``error`` what it raised.

    A socket's message is told of only if its handler had to wait or failed, or each is to be told of.

    Attributes:
        started_ms: when it entered, in milliseconds since 1970.
        event: what it was; ``None`` for a timer or a socket's listener.
        status: of the response, if it is one.
        cpu_milliseconds: the CPU time of its code in the event loop; ``None`` if it was not measured.
    """

    class_name: str
    id: DurableObjectId
    kind: str
    milliseconds: float
    error: BaseException | None
    started_ms: int = 0
    event: ObjectEvent | SocketEvent | None = None
    status: int | None = None
    cpu_milliseconds: float | None = None


ObjectFact: TypeAlias = ObjectConstructed | ObjectHibernated | ObjectReset | EventHandled


class ObjectObserver(Protocol):
    """Is told what happens, from the event loop."""

    def __call__(self, fact: ObjectFact, /) -> object: ...
