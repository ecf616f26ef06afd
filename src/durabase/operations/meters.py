"""What is measured of objects and workers: counted as it happens, or looked up when it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from durabase._refusals import Refusal
from durabase.clock import Clock
from durabase.durable_objects import (
    EventHandled,
    ObjectConstructed,
    ObjectHibernated,
    ObjectHost,
    ObjectReset,
)
from durabase.durable_objects.events import Alarm, Call, Read, Served
from durabase.durable_objects.hosted import ClassHost
from durabase.durable_objects.inspection import ClassCensus, census
from durabase.operations.prometheus import Counter, Gauge, Histogram, Registry
from durabase.operations.records import RecordMaker, outcome
from durabase.workers.facts import EntrypointHandled, LoopHeldUp, RuntimeFact

__all__ = ["HostMeters", "RuntimeMeters"]

_CLASS: Final = ("worker", "class")


class RuntimeMeters:
    """Counts facts. Objects have no labels of their own: there may be any number of them."""

    def __init__(self, registry: Registry, maker: RecordMaker) -> None:
        self._names = maker.script_and_class
        labels = (*_CLASS, "event", "outcome")
        self._events = registry.add(Counter("durabase_events_total", "Events that were handled.", labels))
        self._seconds = registry.add(
            Histogram(
                "durabase_event_seconds", "How long events took, their waits included.", (*_CLASS, "event")
            )
        )
        self._cpu = registry.add(
            Counter(
                "durabase_event_cpu_seconds_total",
                "CPU time of the code of events in the event loop.",
                (*_CLASS, "event"),
            )
        )
        self._constructed = registry.add(
            Counter("durabase_objects_constructed_total", "Instances that were made.", _CLASS)
        )
        self._constructing = registry.add(
            Histogram("durabase_object_construction_seconds", "From the first event to the instance.", _CLASS)
        )
        self._hibernated = registry.add(
            Counter("durabase_objects_hibernated_total", "Instances that were let go.", _CLASS)
        )
        self._reset = registry.add(
            Counter("durabase_objects_reset_total", "Lives that ended with an error.", (*_CLASS, "error"))
        )
        self._held_up = registry.add(
            Counter("durabase_event_loop_held_up_total", "How often code has held up the event loop.", _CLASS)
        )
        self._refused = registry.add(
            Counter("durabase_refusals_total", "Clients that were turned away.", ("reason",))
        )
        self._late = registry.add(
            Histogram(
                "durabase_alarm_lateness_seconds",
                "From the time that an alarm is set for to its first run.",
                _CLASS,
            )
        )

    def observe(self, fact: RuntimeFact) -> None:
        """Count the fact."""
        match fact:
            case EventHandled():
                self._handled(fact)
            case EntrypointHandled():
                self._count((fact.worker, fact.entrypoint), fact.kind, fact)
            case ObjectConstructed(class_name, _, milliseconds):
                self._constructed.add(*self._names(class_name))
                self._constructing.observe(milliseconds / 1000, *self._names(class_name))
            case ObjectHibernated(class_name):
                self._hibernated.add(*self._names(class_name))
            case LoopHeldUp(class_name):
                self._held_up.add(*self._names(class_name))
            case ObjectReset(class_name, _, error):
                self._reset.add(*self._names(class_name), type(error).__name__)

    def refused(self, refusal: Refusal) -> None:
        """Count somebody who was turned away."""
        self._refused.add(refusal.reason)

    def _handled(self, fact: EventHandled) -> None:
        names = self._names(fact.class_name)
        # callers choose the names of methods: as labels there could be any number of them
        kind = "rpc" if isinstance(fact.event, (Call, Read, Served)) else fact.kind
        self._count(names, kind, fact)
        if isinstance(fact.event, Alarm) and not fact.event.info.is_retry:
            late = fact.started_ms - fact.event.info.scheduled_time
            self._late.observe(max(late, 0) / 1000, *names)

    def _count(self, names: tuple[str, str], kind: str, fact: EventHandled | EntrypointHandled) -> None:
        self._events.add(*names, kind, outcome(fact.error))
        self._seconds.observe(fact.milliseconds / 1000, *names, kind)
        if fact.cpu_milliseconds is not None:
            self._cpu.add(*names, kind, amount=fact.cpu_milliseconds / 1000)


class HostMeters:
    """Looks up what there is when it is asked for.

    Args:
        registry: where the numbers are added.
        maker: knows the names of workers.
        host: the host of the objects.
        clock: tells which alarms are due.
    """

    def __init__(self, registry: Registry, maker: RecordMaker, host: ObjectHost, clock: Clock) -> None:
        self._names = maker.script_and_class
        self._host = host
        self._clock = clock
        self._bytes: dict[tuple[str, ...], float] = {}
        self._largest: dict[tuple[str, ...], float] = {}
        self._waits = registry.add(
            Histogram(
                "durabase_gate_wait_seconds",
                "How long events waited to enter (input), and results that were held to leave (output).",
                (*_CLASS, "gate"),
            )
        )
        self._listen()
        for name, help, read in _GAUGES:
            registry.add(Gauge(f"durabase_{name}", help, partial(self._census, read), _CLASS))
        sockets = Gauge("durabase_object_sockets", "Sockets of objects.", self._sockets, (*_CLASS, "state"))
        registry.add(sockets)
        for name, help, count in _COUNTERS:
            total = partial(self._counted, count)
            registry.add(Gauge(f"durabase_{name}_total", help, total, _CLASS, kind="counter"))
        registry.add(Gauge("durabase_storage_bytes", "What the files take.", lambda: self._bytes, _CLASS))
        registry.add(
            Gauge(
                "durabase_storage_largest_file_bytes", "The largest of them.", lambda: self._largest, _CLASS
            )
        )

    def _census(self, read: Callable[[ClassCensus], int]) -> Mapping[tuple[str, ...], float]:
        now = self._clock.now_ms()
        return {self._names(name): read(census(hosted, now)) for name, hosted in self._host.classes.items()}

    def _sockets(self) -> Mapping[tuple[str, ...], float]:
        found: dict[tuple[str, ...], float] = {}
        for name, hosted in self._host.classes.items():
            counts, labels = census(hosted, self._clock.now_ms()), self._names(name)
            found[*labels, "awake"] = counts.sockets - counts.asleep
            found[*labels, "asleep"] = counts.asleep
            found[*labels, "standard"] = counts.standard
        return found

    def _counted(self, count: Callable[[ObjectHost, ClassHost], int]) -> Mapping[tuple[str, ...], float]:
        return {self._names(name): count(self._host, hosted) for name, hosted in self._host.classes.items()}

    def _listen(self) -> None:
        """Be told of waits, also by classes that have come with another version of the program."""
        for name, hosted in self._host.classes.items():
            hosted.tally.on_wait = partial(self._waited, self._names(name))

    def _waited(self, names: tuple[str, str], gate: str, seconds: float) -> None:
        self._waits.observe(seconds, *names, gate)

    async def measure_files(self) -> None:
        """Look at the files, on a thread, for there may be many."""
        self._listen()
        folders = {self._names(name): hosted.folder for name, hosted in self._host.classes.items()}
        for names, folder in folders.items():
            sizes = await asyncio.to_thread(_sizes, folder)
            self._bytes[names], self._largest[names] = sum(sizes), max(sizes, default=0)


_GAUGES: Final[tuple[tuple[str, str, Callable[[ClassCensus], int]], ...]] = (
    ("objects_live", "Objects with an instance.", lambda found: found.live),
    ("objects_sleeping", "Objects with sockets and without an instance.", lambda found: found.sleeping),
    ("events_waiting", "Events that can't enter yet.", lambda found: found.waiting),
    ("alarms_scheduled", "Alarms that are set.", lambda found: found.alarms),
    ("alarms_due", "Alarms that are due, or run.", lambda found: found.alarms_due),
)

_COUNTERS: Final[tuple[tuple[str, str, Callable[[ObjectHost, ClassHost], int]], ...]] = (
    (
        "auto_responses",
        "Messages that were answered without the object.",
        lambda host, hosted: hosted.tally.auto_responses,
    ),
    ("events_refused", "Events that found too many waiting.", lambda host, hosted: hosted.tally.refused),
    (
        "alarm_retries",
        "Runs that failed, to be tried again.",
        lambda host, hosted: host.scheduler.retries[hosted],
    ),
    (
        "alarms_given_up",
        "Runs that failed for the last time.",
        lambda host, hosted: host.scheduler.given_up[hosted],
    ),
)


def _sizes(folder: Path) -> list[int]:
    sizes = []
    for path in folder.glob("*"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:  # it has gone meanwhile
            continue
    return sizes
