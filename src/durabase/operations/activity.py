"""What objects do while somebody looks: how much each, interval by interval.

Nothing is counted while nobody looks. Each who looks has counts of their own, which begin anew with every
interval, so that they take memory for what happens within one.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import asdict, dataclass
from heapq import nlargest
from typing import Any, Final, TypeAlias

from durabase.clock import TimerClock
from durabase.durable_objects import DurableObjectId, EventHandled, ObjectHost, ObjectReset
from durabase.durable_objects.events import SocketEvent
from durabase.durable_objects.inspection import census
from durabase.errors import NoSuchObjectError
from durabase.operations.objects import ObjectOperations
from durabase.operations.process import LoopLag
from durabase.operations.prometheus import Registry
from durabase.operations.records import outcome
from durabase.workers.facts import RuntimeFact

__all__ = ["Activity"]

MAX_LISTED: Final = 1000

Json: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, bytes]

_TOTALS: Final = {
    "started": "process_start_time_seconds",
    "cpu_seconds": "process_cpu_seconds_total",
    "memory_bytes": "process_resident_memory_bytes",
    "sockets": "durabase_server_sockets",
    "messages_in": "durabase_server_messages_received_total",
    "frames_out": "durabase_server_frames_sent_total",
    "commits": "durabase_commit_seconds",
}


@dataclass(slots=True)
class _Doings:
    """What was done in one interval; times in milliseconds."""

    events: int = 0
    messages: int = 0
    errors: int = 0
    wall_ms: float = 0.0
    cpu_ms: float = 0.0

    def add(self, fact: EventHandled) -> None:
        self.events += 1
        self.messages += isinstance(fact.event, SocketEvent) and fact.event.type == "message"
        self.errors += outcome(fact.error) not in ("ok", "canceled")
        self.wall_ms += fact.milliseconds
        self.cpu_ms += fact.cpu_milliseconds or 0


class _View:
    """The counts of one who looks."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.begin()
        self._loop = loop
        self._woken: asyncio.Future[None] | None = None
        self.goes_on = True

    def begin(self) -> None:
        """Count anew."""
        self.ids: dict[Key, DurableObjectId] = {}
        self.objects: defaultdict[Key, _Doings] = defaultdict(_Doings)
        self.classes: defaultdict[str, _Doings] = defaultdict(_Doings)

    def observe(self, fact: EventHandled | ObjectReset) -> None:
        key = fact.class_name, fact.id.key
        self.ids[key] = fact.id
        for doings in (self.objects[key], self.classes[fact.class_name]):
            if isinstance(fact, EventHandled):
                doings.add(fact)
            else:
                doings.errors += 1

    async def wait(self, clock: TimerClock, seconds: float) -> None:
        """Wait for so long, or for the end."""
        self._woken = self._loop.create_future()
        timer = clock.call_later(seconds, self._wake)
        try:
            await self._woken
        finally:
            timer.cancel()

    def end(self) -> None:
        """There is no more to come."""
        self.goes_on = False
        self._wake()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


class Activity:
    """Hands what objects do to all who look.

    Args:
        registry: where the totals of the process are.
        clock: the time.
        watched: called each time that it changes whether anybody looks.

    Attributes:
        lag: how late the event loop is; ``None`` if that is not measured.
    """

    def __init__(self, registry: Registry, clock: TimerClock, watched: Callable[[], object]) -> None:
        self.lag: LoopLag | None = None
        self._registry = registry
        self._clock = clock
        self._watched = watched
        self._views: set[_View] = set()

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks."""
        return bool(self._views)

    def observe(self, fact: RuntimeFact) -> None:
        """Count the fact, if it is of an object."""
        if isinstance(fact, (EventHandled, ObjectReset)):
            for view in self._views:
                view.observe(fact)

    async def follow(
        self, host: ObjectHost, objects: ObjectOperations, seconds: float, limit: int
    ) -> AsyncGenerator[Json, None]:
        """What happens from now on, each ``seconds``: the first document has no interval before it.

        Documents have all classes, and the ``limit`` objects that did most, took most CPU time, failed most,
        and the ``limit`` that hold most sockets.
        """
        view = _View(asyncio.get_running_loop())
        lag = None if self.lag is None else self.lag.reader()
        self._views.add(view)
        self._watched()
        try:
            begun = self._clock.now_ms()
            while view.goes_on:
                now, process = self._clock.now_ms(), self._totals()
                process["lag_seconds"] = None if lag is None else lag.take_longest()
                document = {
                    "pid": os.getpid(),
                    "time": now / 1000,
                    "seconds": (now - begun) / 1000,
                    "process": process,
                    "classes": _classes(host, view, now),
                    "objects": [_listed(objects, view, key) for key in _foremost(host, view, limit)],
                }
                begun = now
                view.begin()
                yield document
                await view.wait(self._clock, seconds)
        finally:
            if lag is not None:
                lag.close()
            self._views.discard(view)
            self._watched()

    def close(self) -> None:
        """End all that :meth:`follow` gave."""
        for view in self._views:
            view.end()

    def _totals(self) -> Json:
        return {name: self._registry.total(metric) for name, metric in _TOTALS.items()}


def _classes(host: ObjectHost, view: _View, now_ms: int) -> list[Json]:
    listed = []
    for name, hosted in host.classes.items():
        found = census(hosted, now_ms)
        counts = {"awake": found.live, "asleep": found.sleeping, "sockets": found.sockets + found.standard}
        listed.append({"class": name, **counts, **asdict(view.classes.get(name, _Doings()))})
    return listed


def _foremost(host: ObjectHost, view: _View, limit: int) -> Iterable[Key]:
    """Who did most, took most, failed most, and held most sockets."""
    classes, busy, limit = host.classes.items(), view.objects, min(limit, MAX_LISTED)
    sockets = {
        (name, key): len(slot.sockets) for name, hosted in classes for key, slot in hosted.slots.items()
    }
    measures: list[Callable[[Key], float]] = [
        lambda key: busy[key].events,
        lambda key: busy[key].cpu_ms,
        lambda key: busy[key].errors,
    ]
    chosen = [key for measure in measures for key in nlargest(limit, list(busy), measure)]
    return dict.fromkeys([*chosen, *nlargest(limit, sockets, sockets.__getitem__)])


def _listed(objects: ObjectOperations, view: _View, key: Key) -> Json:
    class_name, id = key[0], view.ids.get(key) or DurableObjectId(key[1])
    doings = view.objects.get(key, _Doings())
    try:
        status = objects.status(class_name, id)
    except NoSuchObjectError:  # it keeps nothing, and has gone
        gone = {"class": class_name, "name": id.name, "id": str(id), "state": "asleep"}
        status = gone | {"sockets": 0, "file_bytes": None}
    shown = ("class", "name", "id", "state", "sockets", "file_bytes")
    return {**{name: status[name] for name in shown}, **asdict(doings)}
