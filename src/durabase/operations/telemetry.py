"""All that is heard of a runtime, and where it goes: metrics, and records for whoever follows."""

from __future__ import annotations

from durabase._refusals import Refusal
from durabase.clock import SystemClock, TimerClock
from durabase.durable_objects import ObjectHost
from durabase.durable_objects.origin import Origin, current_origin
from durabase.durable_objects.tracing import Tracer
from durabase.operations.activity import Activity
from durabase.operations.disk import MeasuredDisk
from durabase.operations.meters import HostMeters, RuntimeMeters
from durabase.operations.prometheus import Registry
from durabase.operations.records import RecordMaker
from durabase.operations.tail import Tail
from durabase.workers.facts import RuntimeFact

__all__ = ["Telemetry"]


class Telemetry:
    """Observes a runtime.

    Args:
        worker: the first worker's name.
        clock: the time.

    Attributes:
        registry: all metrics.
        tail: the records.
        activity: what objects do, while somebody looks.
        disk: measures commits; for the runtime.
        maker: makes records.
    """

    def __init__(self, worker: str, clock: TimerClock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.registry = Registry()
        self.maker = RecordMaker(worker, self._clock)
        self.tail = Tail(lambda _: self._followed())
        self.activity = Activity(self.registry, self._clock, self._followed)
        self.disk = MeasuredDisk(self.registry)
        self._meters = RuntimeMeters(self.registry, self.maker)
        self._files: HostMeters | None = None
        self.host: ObjectHost | None = None

    def attach(self, host: ObjectHost) -> None:
        """Look up numbers in this host; have it tell of every message while somebody follows."""
        self.host = host
        self._files = HostMeters(self.registry, self.maker, host, self._clock)
        host.watch.measures_cpu = True
        self._followed()

    def observe(self, fact: RuntimeFact) -> None:
        """Something has happened."""
        self._meters.observe(fact)
        self.activity.observe(fact)
        if self.tail.is_followed:
            self.tail.publish(self.maker.of(fact))

    def refused(self, refusal: Refusal) -> None:
        """Somebody was turned away."""
        self._meters.refused(refusal)
        if self.tail.is_followed:
            self.tail.publish(self.maker.of_refusal(refusal, current_origin.get()))

    def log(
        self, origin: Origin | None, level: str, message: str, error: BaseException | None = None
    ) -> None:
        """Something was printed or logged."""
        if self.tail.is_followed:
            self.tail.publish(self.maker.of_log(origin, level, message, error))

    async def metrics(self) -> str:
        """Prometheus's text of all that is measured."""
        await self.measure()
        return self.registry.text()

    async def measure(self) -> None:
        """Look at what can't be counted as it happens: the files."""
        if self._files is not None:
            await self._files.measure_files()

    def trace(self, tracer: Tracer | None) -> None:
        """Have this one make spans of all events from now on; ``None``: nobody."""
        if self.host is not None:
            self.host.watch.tracer = tracer
            self._followed()

    def close(self) -> None:
        """Let who follows go."""
        self.tail.close()
        self.activity.close()

    def _followed(self) -> None:
        if self.host is not None:
            is_traced = self.host.watch.tracer is not None
            self.host.tell_messages(self.tail.is_followed or self.activity.is_watched or is_traced)
