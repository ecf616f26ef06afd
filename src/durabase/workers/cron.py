"""Cron expressions as Cloudflare takes them: five fields, UTC, Sunday is day 1. Pure.

``minute hour day-of-month month day-of-week``. Each field is ``*``, or a list of values, ranges and
steps; months and days of the week have names, too. Days of the month may be ``L`` (the last),
``LW`` (the last weekday) and ``15W`` (the weekday nearest to the 15th); days of the week ``6L`` or
``friL`` (the month's last Friday) and ``fri#2`` (its second). If both kinds of day are restricted, a day
matches that either of them names.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

__all__ = ["CronSchedule"]

_DAYS_AHEAD: Final = 41 * 366
"""After so many days the calendar has shown every pair of a date and a day of the week."""

_DayTest = Callable[[date], bool]


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_MINUTE: Final = _Field("minute", 0, 59)
_HOUR: Final = _Field("hour", 0, 23)
_DAY: Final = _Field("day of month", 1, 31)
_MONTH: Final = _Field(
    "month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
)
_WEEKDAY: Final = _Field("day of week", 1, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat"))


class CronSchedule:
    """The times that an expression means.

    Raises:
        ValueError: the text is no expression; the message says where.
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        fields = expression.split()
        if len(fields) != 5:
            raise ValueError(f"{expression!r} is no cron expression: it has {len(fields)} fields, not 5")
        minute, hour, day, month, weekday = fields
        try:
            self._minutes = sorted(_values(minute, _MINUTE))
            self._hours = sorted(_values(hour, _HOUR))
            self._months = _values(month, _MONTH)
            self._is_day = _day_test(day, weekday)
        except ValueError as error:
            raise ValueError(f"{expression!r} is no cron expression: {error}") from None

    def next_after(self, ms: int) -> int | None:
        """Return the first time after ``ms``, both in milliseconds since 1970; ``None`` if there is none."""
        start = datetime.fromtimestamp(ms // 60_000 * 60, UTC) + timedelta(minutes=1)
        for hour, minute in self._times():
            if (hour, minute) >= (start.hour, start.minute) and self._matches(start.date()):
                return _ms(start.date(), hour, minute)
        day = start.date()
        for _ in range(_DAYS_AHEAD):
            day += timedelta(days=1)
            if self._matches(day):
                return _ms(day, self._hours[0], self._minutes[0])
        return None

    def _times(self) -> Iterable[tuple[int, int]]:
        return ((hour, minute) for hour in self._hours for minute in self._minutes)

    def _matches(self, day: date) -> bool:
        return day.month in self._months and self._is_day(day)


def _ms(day: date, hour: int, minute: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp()) * 1000


def _values(text: str, field: _Field) -> set[int]:
    return {value for item in text.split(",") for value in _item(item, field)}


def _item(item: str, field: _Field) -> Iterable[int]:
    span, slash, step_text = item.partition("/")
    first, dash, last = span.partition("-")
    if span == "*" or (span == "?" and field in (_DAY, _WEEKDAY)):
        low, high = field.low, field.high
    else:
        low = _number(first, field)
        high = _number(last, field) if dash else field.high if slash else low
    step = _step(step_text, field) if slash else 1
    if low <= high:
        return range(low, high + 1, step)
    around = [*range(low, field.high + 1), *range(field.low, high + 1)]
    return around[::step]


def _step(text: str, field: _Field) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{field.name}: a step is a number from 1, not {text!r}")
    return int(text)


def _number(text: str, field: _Field) -> int:
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.low
    if not text.isdecimal() or not field.low <= int(text) <= field.high:
        raise ValueError(f"{field.name}: {text!r} is not from {field.low} to {field.high}")
    return int(text)


def _day_test(day: str, weekday: str) -> _DayTest:
    tests = []
    if day not in ("*", "?"):
        tests += [_day_of_month(item) for item in day.split(",")]
    if weekday not in ("*", "?"):
        tests += [_day_of_week(item) for item in weekday.split(",")]
    if not tests:
        return lambda day: True
    return lambda day: any(test(day) for test in tests)


def _day_of_month(item: str) -> _DayTest:
    upper = item.upper()
    if upper == "LW":
        return lambda day: day.day == _nearest_weekday(day, _last_day(day))
    if match := re.fullmatch(r"L(?:-(\d+))?", upper):
        before = int(match[1] or 0)
        return lambda day: day.day == _last_day(day) - before
    if upper.endswith("W"):
        wanted = _number(item[:-1], _DAY)
        return lambda day: wanted <= _last_day(day) and day.day == _nearest_weekday(day, wanted)
    days = set(_item(item, _DAY))
    return lambda day: day.day in days


def _day_of_week(item: str) -> _DayTest:
    if item.upper() == "L":
        item = "sat"
    if item.upper().endswith("L"):
        last = _number(item[:-1], _WEEKDAY)
        return lambda day: _weekday(day) == last and day.day + 7 > _last_day(day)
    name, hash_mark, nth = item.partition("#")
    if hash_mark:
        wanted, count = _number(name, _WEEKDAY), _number(nth, _Field("day of week after #", 1, 5))
        return lambda day: _weekday(day) == wanted and (day.day + 6) // 7 == count
    days = set(_item(item, _WEEKDAY))
    return lambda day: _weekday(day) in days


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _last_day(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _nearest_weekday(month: date, wanted: int) -> int:
    """The day from Monday to Friday that is nearest to the ``wanted`` one and in the same month."""
    weekday = month.replace(day=wanted).isoweekday()
    if weekday == 6:
        return wanted - 1 if wanted > 1 else 3
    if weekday == 7:
        return wanted + 1 if wanted < _last_day(month) else wanted - 2
    return wanted
