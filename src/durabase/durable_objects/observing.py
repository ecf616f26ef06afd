"""Watching the events of objects: telling an observer, measuring, tracing; each only if somebody wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from durabase.clock import Clock
from durabase.durable_objects.cpu_time import CpuTime
from durabase.durable_objects.events import (
    EventHandled,
    ObjectConstructed,
    ObjectEvent,
    ObjectFact,
    ObjectHibernated,
    ObjectObserver,
    ObjectReset,
    SocketEvent,
)
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.origin import Origin
from durabase.durable_objects.tracing import Tracer

__all__ = ["Observation", "Watch", "Watched"]


class Watch:
    """How closely the events of a host's objects are watched.

    Args:
        observer: is told of them.
        clock: the time.

    Attributes:
        tells_messages: tell of every message of a socket, not only of those that wait or fail.
        measures_cpu: tell how much CPU time each event has taken.
        tracer: makes spans of events.
    """

    __slots__ = ("clock", "measures_cpu", "observer", "tells_messages", "tracer")

    def __init__(self, observer: ObjectObserver | None, clock: Clock) -> None:
        self.observer = observer
        self.clock = clock
        self.tells_messages = False
        self.measures_cpu = False
        self.tracer: Tracer | None = None

    def tell(self, fact: ObjectFact) -> None:
        """Something has happened."""
        if self.observer is not None:
            self.observer(fact)

    def constructed(self, class_name: str, id: DurableObjectId, milliseconds: float) -> None:
        """A life has begun."""
        self.tell(ObjectConstructed(class_name, id, milliseconds))

    def hibernated(self, class_name: str, id: DurableObjectId, sockets: int) -> None:
        """A life has ended in sleep."""
        self.tell(ObjectHibernated(class_name, id, sockets))

    def reset(self, class_name: str, id: DurableObjectId, error: Exception) -> None:
        """A life has ended with an error."""
        self.tell(ObjectReset(class_name, id, error))

    def begin(
        self, origin: Origin, event: ObjectEvent | SocketEvent | None, carried: Any = None
    ) -> Observation | None:
        """An event begins that was caused by what is ``carried``; ``None`` if nobody wants to know."""
        return None if self.observer is None else Observation(self, origin, event, carried)

    def carried(self) -> Any:
        """What the current code hands on to the event that it causes."""
        return None if self.tracer is None else self.tracer.carried()

    def sent(self) -> Mapping[str, str] | None:
        """The same, to an event of another process."""
        return None if self.tracer is None else self.tracer.sent()

    def within(self, sent: Mapping[str, str] | None, call: Callable[[], Any]) -> Any:
        """Call it as code of whoever has sent that from another process."""
        return call() if self.tracer is None or not sent else self.tracer.within(sent, call)


class Watched:
    """One event of an object, or call of an entrypoint: measured and traced as ``watch`` says."""

    __slots__ = ("_cpu", "_span", "_watch")

    def __init__(self, watch: Watch, origin: Origin, event: object, carried: Any) -> None:
        self._watch = watch
        self._cpu: CpuTime | None = None
        self._span = None if watch.tracer is None else watch.tracer.begin(origin, event, carried)

    def around(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """``call``, which is what the event does, measured and traced."""
        if self._watch.measures_cpu:
            self._cpu = CpuTime()
            call = self._cpu.around(call)
        return call if self._span is None else self._span.around(call)

    @property
    def cpu_milliseconds(self) -> float | None:
        """The CPU time of its code; ``None`` if that was not measured."""
        return None if self._cpu is None else self._cpu.milliseconds


class Observation(Watched):
    """One event of an object, which the observer is told of."""

    __slots__ = ("_event", "_origin", "_started")

    def __init__(
        self, watch: Watch, origin: Origin, event: ObjectEvent | SocketEvent | None, carried: Any
    ) -> None:
        super().__init__(watch, origin, event, carried)
        self._origin = origin
        self._event = event
        self._started = watch.clock.now_ms()

    def finish(
        self, finish: Callable[[Any, BaseException | None], object]
    ) -> Callable[[Any, BaseException | None], None]:
        """``finish``, telling the observer after it."""

        def finish_and_tell(result: Any, error: BaseException | None) -> None:
            finish(result, error)
            self._tell(getattr(result, "status", None), error)

        return finish_and_tell

    def _tell(self, status: int | None, error: BaseException | None) -> None:
        watch, (class_name, id, kind), started = self._watch, self._origin, self._started
        cpu = self.cpu_milliseconds
        took = watch.clock.now_ms() - started
        assert id is not None  # noqa: S101 - it is an object's
        watch.tell(EventHandled(class_name, id, kind, took, error, started, self._event, status, cpu))
