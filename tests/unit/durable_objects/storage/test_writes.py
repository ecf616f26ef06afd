"""Writes of one turn after those of others, as one."""

from __future__ import annotations

from durabase.durable_objects.storage.store import AlarmRow
from durabase.durable_objects.storage.writes import Writes
from durabase.types import UNDEFINED, UndefinedType


def writes(
    *, cleared: bool = False, alarm: AlarmRow | UndefinedType | None = UNDEFINED, **entries: bytes | None
) -> Writes:
    made = Writes()
    if cleared:
        made.clear()
    made.entries = {key.encode(): value for key, value in entries.items()}
    made.alarm = alarm
    return made


def told(some: Writes) -> tuple[object, ...]:
    return some.cleared, some.entries, some.alarm


def test_it_is_false_as_long_as_nothing_is_written() -> None:
    assert not Writes()
    for something in (writes(a=b"1"), writes(a=None), writes(cleared=True), writes(alarm=None)):
        assert something
    assert writes(alarm=AlarmRow(1, 1))


def test_clearing_forgets_keys_and_not_the_alarm() -> None:
    some = writes(a=b"1", alarm=AlarmRow(1, 1))
    some.clear()
    assert told(some) == (True, {}, AlarmRow(1, 1))


def test_later_writes_are_laid_over_earlier_ones() -> None:
    some = writes(a=b"1", b=b"1", c=None)
    some.absorb(writes(b=None, c=b"2", d=b"2"))
    assert told(some) == (False, {b"a": b"1", b"b": None, b"c": b"2", b"d": b"2"}, UNDEFINED)


def test_what_is_cleared_stays_so_whichever_did() -> None:
    some = writes(a=b"1")
    some.absorb(writes(cleared=True, b=b"2"))
    assert told(some) == (True, {b"b": b"2"}, UNDEFINED)
    some.absorb(writes(c=b"3"))
    assert told(some) == (True, {b"b": b"2", b"c": b"3"}, UNDEFINED)
    emptied = writes(cleared=True)
    emptied.absorb(writes(a=b"1"))
    assert told(emptied) == (True, {b"a": b"1"}, UNDEFINED)


def test_the_alarm_is_that_of_the_last_who_said_something_of_it() -> None:
    some = writes(alarm=AlarmRow(1, 1))
    some.absorb(writes(a=b"1"))
    assert some.alarm == AlarmRow(1, 1)
    some.absorb(writes(alarm=None))
    assert some.alarm is None
    some.absorb(writes(alarm=AlarmRow(2, 2)))
    assert some.alarm == AlarmRow(2, 2)
