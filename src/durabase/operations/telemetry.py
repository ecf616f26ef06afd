"""All that is heard of a runtime, and where it goes: metrics, and records for whoever follows."""

from __future__ import annotations

from durabase.clock import Clock, SystemClock
from durabase.durable_objects import ObjectHost
from durabase.durable_objects.origin import Origin
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
        disk: measures commits; for the runtime.
        maker: makes records.
    """

    def __init__(self, worker: str, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.registry = Registry()
        self.maker = RecordMaker(worker, self._clock)
        self.tail = Tail(self._followed)
        self.disk = MeasuredDisk(self.registry)
        self._meters = RuntimeMeters(self.registry, self.maker)
        self._files: HostMeters | None = None
        self._host: ObjectHost | None = None

    def attach(self, host: ObjectHost) -> None:
        """Look up numbers in this host; have it tell of every message while somebody follows."""
        self._host = host
        self._files = HostMeters(self.registry, self.maker, host, self._clock)
        host.watch.measures_cpu = True
        host.tell_messages(self.tail.is_followed)

    def observe(self, fact: RuntimeFact) -> None:
        """Something has happened."""
        self._meters.observe(fact)
        if self.tail.is_followed:
            self.tail.publish(self.maker.of(fact))

    def log(
        self, origin: Origin | None, level: str, message: str, error: BaseException | None = None
    ) -> None:
        """Something was printed or logged."""
        if self.tail.is_followed:
            self.tail.publish(self.maker.of_log(origin, level, message, error))

    async def metrics(self) -> str:
        """Prometheus's text of all that is measured."""
        if self._files is not None:
            await self._files.measure_files()
        return self.registry.text()

    def _followed(self, is_followed: bool) -> None:
        if self._host is not None:
            self._host.tell_messages(is_followed)
