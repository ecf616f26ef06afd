"""What there is of objects, for administrators: who is in memory, who keeps something, whose alarm is set."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.phases import Phase
from durabase.durable_objects.slot import ObjectSlot
from durabase.durable_objects.storage.store import AlarmRow

if TYPE_CHECKING:
    from durabase.durable_objects.hosted import ClassHost

__all__ = ["ClassCensus", "ObjectStatus", "census", "file_bytes", "known_ids", "status_of"]

_STATES: Final = {
    Phase.EMPTY: "asleep",
    Phase.STARTING: "starting",
    Phase.LIVE: "awake",
    Phase.QUIET: "awake",
    Phase.DRAINING: "draining",
    Phase.BROKEN: "reset",
}


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """One object.

    ``state`` is ``asleep`` when it has no instance; ``alarm`` is in milliseconds since 1970.
    """

    id: DurableObjectId
    state: str
    sockets: int
    open_events: int
    alarm: int | None
    keeps_data: bool


@dataclass(frozen=True, slots=True)
class ClassCensus:
    """How many objects of a class are in memory, with an instance or with sockets only; and their alarms.

    ``sockets`` are the hibernatable ones, ``asleep`` those of them whose objects sleep, ``standard`` those
    that have listeners, of clients or to elsewhere. ``waiting`` are events that can't enter yet.
    """

    live: int
    sleeping: int
    sockets: int
    asleep: int
    standard: int
    waiting: int
    alarms: int
    alarms_due: int


def census(hosted: ClassHost, now_ms: int) -> ClassCensus:
    """The numbers of one class."""
    slots = hosted.slots.values()
    lives = [slot.life for slot in slots if slot.life is not None]
    alarms, due = hosted.alarm_counts(now_ms)
    return ClassCensus(
        len(lives),
        len(slots) - len(lives),
        sum(len(slot.sockets) for slot in slots),
        sum(len(slot.sockets) for slot in slots if slot.life is None),
        sum(life.open_sockets for life in lives),
        sum(len(slot.waiting_events()) for slot in slots),
        alarms,
        due,
    )


def known_ids(hosted: ClassHost) -> list[DurableObjectId]:
    """The ids of the objects that keep anything or are in memory, in order."""
    known = {id.key: id for id in hosted.ids()}
    known.update((key, slot.id) for key, slot in hosted.slots.items())
    return [known[key] for key in sorted(known)]


def status_of(hosted: ClassHost, id: DurableObjectId) -> ObjectStatus | None:
    """One object; ``None`` if it keeps nothing and is not in memory."""
    slot, (stored, alarm) = hosted.slots.get(id.key), hosted.stored(id.key)
    return None if slot is None and stored is None else _status(id.key, stored, slot, alarm)


def file_bytes(hosted: ClassHost, id: DurableObjectId) -> int | None:
    """How large the object's file is, with its log; ``None`` if it has none of its own."""
    if hosted.storage != "sqlite":
        return None
    sizes = []
    for suffix in ("", "-wal"):
        try:
            sizes.append(os.stat(hosted.folder / f"{id}.sqlite{suffix}").st_size)
        except FileNotFoundError:  # no log is there when the file is closed
            continue
    return sum(sizes) if sizes else None


def _status(
    key: bytes, stored: DurableObjectId | None, slot: ObjectSlot | None, alarm: AlarmRow | None
) -> ObjectStatus:
    id = slot.id if slot is not None else stored or DurableObjectId(key)
    life = None if slot is None else slot.life
    return ObjectStatus(
        id,
        "asleep" if slot is None else _STATES[slot.phase],
        0 if slot is None else len(slot.sockets),
        0 if life is None else life.open_events,
        None if alarm is None else alarm.scheduled,
        stored is not None,
    )
